"""The Lava backend: runs an artifact on Lava's CPU simulator, with Lava's own arithmetic.

All samples go through one Lava network, one after the other without a gap, so that building and
starting it is paid once. See `lava_processes.sample_processes` for how samples are kept apart.
"""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import importlib.util
import logging
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile import (
    ChipConv,
    ChipDense,
    ChipLayer,
    CompiledNetwork,
    SignMode,
    neuron_count,
    per_neuron,
)
from ..netx import BackendError, BackendUnavailableError, Shape, repair_lava
from .backend import RunOptions, RunResult, StateTrace
from .spike_input import SpikeInput, check_input_fits
from .spike_log import LayerEvents, merge_events

STEPS_BEFORE_LAYER = 2  # see lava_processes.sample_processes, "Time"
PAYLOAD_BITS = 24  # any number but 0 makes Lava multiply with the value of a spike
INSTALL = (
    "pip install 'lavadeploy[lava]' && "
    "pip install --no-deps --ignore-requires-python lava-nc==0.10.0"
)


class LavaBackend:
    """Lava's CPU simulator with its ``fixed_pt`` process models."""

    name = "lava"

    def unavailable(self) -> str | None:
        """Return what is missing, or None."""
        needed = ("lava", "asteval", "networkx", "scipy")
        missing = [name for name in needed if importlib.util.find_spec(name) is None]
        if not missing:
            return None
        return f"backend 'lava' needs {', '.join(missing)}, not installed here. Run: {INSTALL}"

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> RunResult:
        """Run every sample; see `Backend.run`.

        Raises
        ------
        BackendUnavailableError
            When Lava is not installed.
        BackendError
            When a Lava process fails.
        """
        options = options or RunOptions()
        reason = self.unavailable()
        if reason is not None:
            raise BackendUnavailableError(reason)
        check_input_fits(inputs, compiled)
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="lavadeploy-") as folder:
            _simulate(compiled, inputs, options, Path(folder))
            layers = compiled.network.layers
            log = merge_events(
                [_read_events(Path(folder), k, layer, inputs) for k, layer in enumerate(layers)],
                layer_names=tuple(layer.name for layer in layers),
                layer_sizes=tuple(neuron_count(layer) for layer in layers),
                n_samples=inputs.n_samples,
                n_steps=inputs.n_steps,
            )
            states = tuple(
                _read_states(Path(folder), k, layer, inputs)
                for k, layer in enumerate(layers)
                if options.record_states
            )
        return RunResult(
            backend=self.name,
            spikes=log,
            states=states,
            wall_s=time.perf_counter() - started,
        )


BACKEND = LavaBackend


def _simulate(
    compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions, folder: Path
) -> None:
    repair_lava()
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    steps, depth = inputs.n_steps, len(compiled.network.layers)
    last = _build(compiled, inputs, options, folder)
    # Without the tag Lava silently takes its floating point models
    config = Loihi2SimCfg(select_tag="fixed_pt", loglevel=logging.ERROR)
    try:
        with _quiet_fork():
            # Layer k is k + 1 steps behind the source: start with what fills the pipeline, so that
            # after each further T steps one more sample has left the last layer
            last.run(condition=RunSteps(num_steps=depth), run_cfg=config)
            for sample in range(inputs.n_samples):
                last.run(condition=RunSteps(num_steps=steps), run_cfg=config)
                options.on_progress(sample + 1)
    except (RuntimeError, AssertionError, OSError) as error:
        raise BackendError(
            f"backend 'lava' failed: {error}. Run the same input with --backend reference to see "
            "whether the network or Lava is the cause."
        ) from error
    finally:
        last.stop()


def _build(
    compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions, folder: Path
) -> Any:
    """Connect the Lava processes and return the last of them."""
    from .lava_processes.sample_processes import AxonDelay, RecordedLIF, SampleSource

    steps = inputs.n_steps
    last_step = inputs.n_samples * steps + len(compiled.network.layers)
    spikes = inputs.spikes.reshape(inputs.n_samples, *compiled.network.input_shape, steps)
    source = SampleSource(spikes=_lava_order_of_samples(spikes))
    message_bits = PAYLOAD_BITS if int(spikes.max()) > 1 else 0
    port, process = source.s_out, source
    for index, layer in enumerate(compiled.network.layers):
        shape = _lava_shape(layer.shape_out)
        synapse = _synapse(layer, message_bits if index == 0 else 0)
        if isinstance(layer, ChipDense) and len(layer.shape_in) == 3:
            port = port.reshape((int(np.prod(layer.shape_in)),))
        port.connect(synapse.s_in)
        is_delayed = layer.delay is not None and int(layer.delay.max()) > 0
        spike_path = str(folder / f"{index}.spikes")
        process = RecordedLIF(
            shape=shape,
            du=_decay(layer, layer.neuron.current_decay) - 1,  # Lava adds the 1 back
            dv=_decay(layer, layer.neuron.voltage_decay),
            vth=layer.neuron.vth_mantissa,
            bias_mant=_bias(layer, shape),
            bias_exp=layer.neuron.bias_exponent,
            reset_interval=steps,
            reset_offset=index + STEPS_BEFORE_LAYER,
            spike_path="" if is_delayed else spike_path,
            state_path=str(folder / f"{index}.states") if options.record_states else "",
            steps=steps,
            last_step=last_step,
        )
        synapse.a_out.connect(process.a_in)
        port = process.s_out
        if layer.delay is not None and is_delayed:
            process = AxonDelay(
                delay=_spread(layer, layer.delay, shape),
                steps=steps,
                layer_index=index,
                spike_path=spike_path,
                last_step=last_step,
            )
            port.connect(process.s_in)
            port = process.s_out
    return process


def _synapse(layer: ChipLayer, message_bits: int) -> Any:
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import Dense
    from lava.utils.weightutils import SignMode as LavaSignMode

    match layer:
        case ChipDense():
            mantissa = layer.weights.mantissa.astype(np.int32)
            if len(layer.shape_in) == 3:
                # inputs come in Lava's order, width first: take the weights along
                order = _lava_order(layer.shape_in)
                mantissa = np.ascontiguousarray(mantissa[:, order])
            lava_sign_mode = {
                SignMode.MIXED: LavaSignMode.MIXED,
                SignMode.EXCITATORY: LavaSignMode.EXCITATORY,
                SignMode.INHIBITORY: LavaSignMode.INHIBITORY,
            }
            # Stating the sign mode keeps Lava from guessing it, which truncates matrices without
            # positive weights whose least weight is a power of two
            return Dense(
                weights=mantissa,
                weight_exp=layer.weights.exponent,
                num_weight_bits=layer.weights.bits,
                sign_mode=lava_sign_mode[layer.weights.sign_mode],
                num_message_bits=message_bits,
            )
        case ChipConv():
            # Lava convolves width first with a flipped kernel, (C_out, W, H, C_in)
            kernel = layer.weights.effective()[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)
            return Conv(
                weight=np.ascontiguousarray(kernel),
                input_shape=_lava_shape(layer.shape_in),
                stride=layer.stride[::-1],
                padding=layer.padding[::-1],
                dilation=layer.dilation[::-1],
                groups=layer.groups,
                num_message_bits=message_bits,
            )


def _decay(layer: ChipLayer, decay: NDArray[np.int32]) -> Any:
    """Return a number, or for decays by channel an array that Lava spreads over its last axis."""
    if decay.ndim == 0:
        return int(decay)
    return decay.copy()


def _bias(layer: ChipLayer, shape: Shape) -> NDArray[np.int32]:
    if layer.neuron.bias_mantissa is None:
        return np.zeros(shape, dtype=np.int32)
    return _spread(layer, layer.neuron.bias_mantissa, shape)


def _spread(layer: ChipLayer, values: NDArray[np.int32], shape: Shape) -> NDArray[np.int32]:
    """Return one value a neuron in Lava's order."""
    return per_neuron(values, layer)[_lava_order(layer.shape_out)].reshape(shape)


def _lava_shape(shape: Shape) -> Shape:
    """(C, H, W) becomes Lava's (W, H, C)."""
    return shape[::-1]


def _lava_order(shape: Shape) -> NDArray[np.intp]:
    """Return, for each neuron in Lava's order, its number in ours."""
    return np.arange(int(np.prod(shape)), dtype=np.intp).reshape(shape).T.reshape(-1)


def _lava_order_of_samples(spikes: NDArray[Any]) -> NDArray[Any]:
    """(N, C, H, W, T) becomes (N, W, H, C, T); (N, C, T) stays."""
    middle = range(spikes.ndim - 2, 0, -1)
    return spikes.transpose(0, *middle, spikes.ndim - 1)


def _read_events(folder: Path, index: int, layer: ChipLayer, inputs: SpikeInput) -> LayerEvents:
    rows = np.fromfile(folder / f"{index}.spikes", dtype=np.int32).reshape(-1, 2)
    time_step = rows[:, 0].astype(np.int64) - (index + STEPS_BEFORE_LAYER)
    # before a layer's first sample a bias can make it fire; what follows is reset before its own
    inside = (time_step >= 0) & (time_step < inputs.n_samples * inputs.n_steps)
    sample, step = np.divmod(time_step[inside], inputs.n_steps)
    neuron = _lava_order(layer.shape_out)[rows[inside, 1]]
    return LayerEvents(sample=sample, step=step, neuron=neuron)


def _read_states(folder: Path, index: int, layer: ChipLayer, inputs: SpikeInput) -> StateTrace:
    neurons = neuron_count(layer)
    rows = np.fromfile(folder / f"{index}.states", dtype=np.int32).reshape(-1, 2, neurons)
    first = index + STEPS_BEFORE_LAYER - 1  # Lava counts steps from 1
    inside = rows[first : first + inputs.n_samples * inputs.n_steps]
    ours = np.empty_like(inside)
    ours[:, :, _lava_order(layer.shape_out)] = inside
    by_sample = ours.reshape(inputs.n_samples, inputs.n_steps, 2, neurons)
    current, voltage = by_sample.transpose(2, 0, 3, 1)
    return StateTrace(current=current, voltage=voltage)


@contextmanager
def _quiet_fork() -> Iterator[None]:
    """Silence Python 3.12's warning about forking with threads.

    Lava forks its processes and cannot do otherwise. The children run Lava's NumPy models only,
    none of the libraries whose threads the warning is about.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        yield
