"""The Lava backend: runs an artifact on Lava's CPU simulator, with Lava's own arithmetic.

All samples go through one Lava network, one after the other without a gap, so that building and
starting it is paid once; see `lava_timing` for how samples are kept apart, `lava_neurons` for what
is Lava's and what is ours.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..compile import CompiledNetwork, has_readout, neuron_count
from ..hw_profiles.units import SPIKE
from ..netx import BackendUnavailableError, repair_lava
from .backend import Backend, RunOptions
from .lava_records import LayerFiles, LayerReader
from .lava_timing import LavaTiming, lava_timing
from .output_units import output_unit
from .recording import recorded_states
from .run_result import RunResult, only
from .spike_input import SpikeInput, check_input_fits
from .spike_log import merge_events

if TYPE_CHECKING:
    from .lava_chain import LavaChain

# One command that installs Lava on any supported Python; lava-nc itself declares 3.10 only.
INSTALL_LAVA = (
    "pip install asteval 'networkx<2.8.8' scipy && "
    "pip install --no-deps --ignore-requires-python lava-nc==0.10.0"
)

# Telling Lava to run and hearing that it is done costs about a millisecond
PORTION_S = 0.1


class LavaBackend(Backend):
    """Lava's CPU simulator with its ``fixed_pt`` process models."""

    name = "lava"

    def unavailable(self) -> str | None:
        """Return what is missing, or None."""
        needed = ("lava", "asteval", "networkx", "scipy")
        missing = [name for name in needed if importlib.util.find_spec(name) is None]
        if not missing:
            return None
        return f"backend 'lava' needs {', '.join(missing)}, not installed here. Run: {INSTALL_LAVA}"

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run the samples; see `Backend.portions`.

        A portion is given when its samples have left the last layer, so that it is kept when the
        rest fails.

        Raises
        ------
        BackendUnavailableError
            When Lava is not installed.
        BackendError
            When a Lava process fails.
        """
        options = options or RunOptions()
        recorded = recorded_states(compiled.network, options.record)
        reason = self.unavailable()
        if reason is not None:
            raise BackendUnavailableError(reason)
        check_input_fits(inputs, compiled)
        started = time.perf_counter()
        repair_lava()
        from .lava_network import simulated_chain

        timing = lava_timing(compiled.network, inputs.n_steps, inputs.n_samples, options.timeline)
        written = list(recorded)
        if has_readout(compiled.network) and "voltage" not in written[-1]:
            written[-1] = (*written[-1], "voltage")
        with tempfile.TemporaryDirectory(prefix="lavadeploy-") as name:
            folder = Path(name)
            chain = simulated_chain(
                compiled.network, inputs, timing, folder, dict(enumerate(written))
            )
            readers = _readers(compiled, timing, folder, written)
            try:
                chain.start()
                for samples in _run_samples(chain, timing, inputs.n_samples):
                    result = _result(compiled, readers, recorded, samples)
                    if samples.stop == inputs.n_samples:
                        chain.abort()
                    options.on_progress(samples.stop)
                    seconds = time.perf_counter() - started
                    yield replace(result, timeline=options.timeline, wall_s=seconds)
                    started = time.perf_counter()
            finally:  # after Ctrl-C too, what Lava started must end with us
                chain.abort()


BACKEND = LavaBackend


def _run_samples(chain: LavaChain, timing: LavaTiming, n_samples: int) -> Iterator[range]:
    """Run all samples, in portions that take long enough for their start and end not to count.

    Parameters
    ----------
    chain : LavaChain
        The network.
    timing : LavaTiming
        When samples have left it.
    n_samples : int
        How many there are.

    Yields
    ------
    range
        The samples that have left all layers since the last time.
    """
    done, portion, stepped = 0, 1, 0
    while done < n_samples:
        samples = range(done, min(done + portion, n_samples))
        until = timing.steps_until(samples.stop)
        started = time.perf_counter()
        chain.run(until - stepped)
        done, stepped = samples.stop, until
        if time.perf_counter() - started < PORTION_S:
            portion *= 2
        yield samples


def _readers(
    compiled: CompiledNetwork, timing: LavaTiming, folder: Path, states: Sequence[tuple[str, ...]]
) -> list[LayerReader]:
    return [
        LayerReader(
            LayerFiles(
                layer=layer,
                window=timing.layers[index],
                folder=folder,
                index=index,
                has_values=output_unit(layer) != SPIKE,
                states=states[index],
            )
        )
        for index, layer in enumerate(compiled.network.layers)
    ]


def _result(
    compiled: CompiledNetwork,
    readers: Sequence[LayerReader],
    recorded: Sequence[tuple[str, ...]],
    samples: range,
) -> RunResult:
    """Return what layers did with some samples; `wall_s` and `timeline` are left to the caller."""
    layers = compiled.network.layers
    log = merge_events(
        [reader.events(samples) for reader in readers],
        layer_names=tuple(layer.name for layer in layers),
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=len(samples),
        n_steps=readers[0].steps,
    )
    traces = tuple(reader.trace(samples) for reader in readers)
    return RunResult(
        backend=LavaBackend.name,
        spikes=log,
        states=only(traces, recorded),
        wall_s=0.0,
        readout=traces[-1].voltage if has_readout(compiled.network) else None,
    )
