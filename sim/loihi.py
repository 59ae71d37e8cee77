"""The Loihi backend: runs an artifact on a Loihi 2 board, where there is one.

What is needed beyond the public packages is Lava's Loihi extension, which Intel gives to members of
its Neuromorphic Research Community. Without it the backend refuses before doing anything. The code
follows public uses of the extension; it has been run with stand-ins of its adapters on Lava's
simulator (``tests/sim/test_backends.py``), never on a board.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Iterator

import numpy as np

from ..compile import ChipInput, ChipLayer, CompiledNetwork, has_bias, has_readout, neuron_count
from ..netx import BackendUnavailableError, OptionError, UnsupportedNetworkError, repair_lava
from .backend import Backend, RunOptions, check_slayer_timeline
from .cuba_layers import check_only_cuba_layers
from .lava_order import lava_order
from .run_result import RunResult
from .spike_input import SpikeInput, check_input_fits
from .spike_log import LayerEvents, SpikeLog, join_events, merge_events

EXTENSION = "lava.magma.compiler.subcompilers.nc.ncproc_compiler"
ADAPTERS = "lava.proc.embedded_io.spike"
HOST_VARIABLES = ("SLURM", "NXSDKHOST")


class LoihiBackend(Backend):
    """Loihi 2 through Lava's ``Loihi2HwCfg``."""

    name = "loihi"

    def unavailable(self) -> str | None:
        """Return what is missing, or None."""
        if importlib.util.find_spec("lava") is None:
            return "backend 'loihi' needs lava-nc, which is not installed here (lavadeploy doctor)."
        if not (_is_installed(EXTENSION) and _is_installed(ADAPTERS)):
            return (
                "backend 'loihi' needs Lava's Loihi extension (lava-loihi), which is not installed "
                "here; Intel gives it to members of its Neuromorphic Research Community."
            )
        if not any(variable in os.environ for variable in HOST_VARIABLES):
            return (
                "backend 'loihi' knows no host: set SLURM=1 (with PARTITION or BOARD) for a "
                "cluster, or NXSDKHOST to the address of a board."
            )
        return None

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run every sample on a freshly loaded chip; see `Backend.portions`.

        Raises
        ------
        BackendUnavailableError
            When extension or board are missing.
        UnsupportedNetworkError
            When a layer has axonal delays or biases, which this backend cannot load yet, or when
            the last one never fires: its voltage cannot be read.
        OptionError
            When states are to be recorded, or the chip's own timeline is wanted.
        """
        options = options or RunOptions()
        reason = self.unavailable()
        if reason is not None:
            raise BackendUnavailableError(reason)
        check_input_fits(inputs, compiled)
        check_slayer_timeline(options, self.name)
        check_only_cuba_layers(compiled, self.name)
        _check_supported(compiled, options)
        started = time.perf_counter()
        repair_lava()
        log = run_on_chip(compiled, inputs, options, adapters=importlib.import_module(ADAPTERS))
        yield RunResult(
            backend=self.name, spikes=log, states=(), wall_s=time.perf_counter() - started
        )


BACKEND = LoihiBackend


def run_on_chip(
    compiled: CompiledNetwork,
    inputs: SpikeInput,
    options: RunOptions,
    *,
    adapters: object,
    run_config: object | None = None,
) -> SpikeLog:
    """Load the chip anew for each sample, run it and read every layer's spikes.

    Loading anew is slow and certain: no state and no spike in flight survives. For the parameters
    see `hardware_chain`.
    """
    from .lava_network import hardware_chain

    layers = compiled.network.layers
    parts: list[list[LayerEvents]] = [[] for _ in layers]
    for sample in range(inputs.n_samples):
        spikes = inputs.spikes[sample]
        chain = hardware_chain(compiled, spikes, adapters=adapters, run_config=run_config)
        try:
            chain.run(inputs.n_steps + len(layers))
            data = [np.asarray(sink.data.get()) for sink in chain.sinks]
            chain.stop()
        except BaseException:
            chain.abort()
            raise
        for index, (layer, columns) in enumerate(zip(layers, data, strict=True)):
            # layer k answers k + 1 steps after its input
            window = columns.reshape(neuron_count(layer), -1)[:, index + 1 :][:, : inputs.n_steps]
            parts[index].append(_events(layer, window, sample))
        options.on_progress(sample + 1)
    return merge_events(
        [join_events(p) for p in parts],
        layer_names=tuple(layer.name for layer in layers),
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=inputs.n_samples,
        n_steps=inputs.n_steps,
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _check_supported(compiled: CompiledNetwork, options: RunOptions) -> None:
    if options.record:
        raise OptionError("backend 'loihi' cannot record states; use lava or reference.")
    delayed = [layer.name for layer in compiled.network.layers if _has_delays(layer)]
    if delayed:
        raise UnsupportedNetworkError(
            [f"{name}: axonal delays cannot be loaded by backend 'loihi' yet." for name in delayed]
        )
    biased = [layer.name for layer in compiled.network.layers if has_bias(layer)]
    if biased:
        raise UnsupportedNetworkError(
            f"{name}: on the chip its bias would act before the sample begins; backend 'loihi' "
            "cannot hold it back yet."
            for name in biased
        )
    if has_readout(compiled.network):
        name = compiled.network.layers[-1].name
        raise UnsupportedNetworkError(
            [f"{name}: it never fires, and backend 'loihi' cannot read voltages yet; use lava."]
        )


def _has_delays(layer: ChipLayer) -> bool:
    return not isinstance(layer, ChipInput) and layer.delay is not None


def _events(layer: ChipLayer, window: np.ndarray, sample: int) -> LayerEvents:
    neuron, step = np.nonzero(window)
    return LayerEvents(
        sample=np.full(neuron.size, sample), step=step, neuron=lava_order(layer.shape_out)[neuron]
    )
