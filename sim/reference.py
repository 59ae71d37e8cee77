"""The reference backend: a slow interpreter in plain NumPy that defines what a run is.

Every other backend must equal it, spike for spike and state for state. Read it as the
specification: it is written for that, not for speed.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from ..compile import ChipConv, ChipDense, ChipLayer, CompiledNetwork, neuron_count, per_neuron
from ..hw_profiles.arithmetic import (
    CONV_BITS,
    fires,
    update_current,
    update_voltage,
    wrap_signed,
)
from .backend import RunOptions, RunResult, StateTrace
from .spike_input import SpikeInput, check_input_fits
from .spike_log import LayerEvents, join_events, merge_events

Int64Array = NDArray[np.int64]
SAMPLES_AT_ONCE = 64  # bounds the memory of a batch


class ReferenceBackend:
    """Runs layers one after the other over whole samples, with the arithmetic of Lava."""

    name = "reference"

    def unavailable(self) -> str | None:
        """Return None: it needs nothing but NumPy."""
        return None

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> RunResult:
        """Run every sample; see `Backend.run`."""
        options = options or RunOptions()
        check_input_fits(inputs, compiled)
        started = time.perf_counter()
        layers = compiled.network.layers
        events: list[list[LayerEvents]] = [[] for _ in layers]
        traces: list[list[StateTrace]] = [[] for _ in layers]
        for first in range(0, inputs.n_samples, SAMPLES_AT_ONCE):
            batch = inputs.spikes[first : first + SAMPLES_AT_ONCE]
            spikes = batch.reshape(batch.shape[0], -1, batch.shape[-1]).astype(np.int64)
            for index, layer in enumerate(layers):
                spikes, trace = run_layer(layer, spikes)
                sample, neuron, step = np.nonzero(spikes)
                events[index].append(LayerEvents(sample=sample + first, step=step, neuron=neuron))
                if options.record_states:
                    traces[index].append(trace)
            options.on_progress(first + batch.shape[0])
        log = merge_events(
            [join_events(layer_events) for layer_events in events],
            layer_names=tuple(layer.name for layer in layers),
            layer_sizes=tuple(neuron_count(layer) for layer in layers),
            n_samples=inputs.n_samples,
            n_steps=inputs.n_steps,
        )
        return RunResult(
            backend=self.name,
            spikes=log,
            states=tuple(_joined_traces(t) for t in traces) if options.record_states else (),
            wall_s=time.perf_counter() - started,
        )


BACKEND = ReferenceBackend


def run_layer(layer: ChipLayer, spikes: Int64Array) -> tuple[Int64Array, StateTrace]:
    """Run one layer from rest.

    Parameters
    ----------
    layer : ChipDense or ChipConv
        The layer.
    spikes : int64 array, shape (N, inputs, T)
        What comes in, channel slowest.

    Returns
    -------
    output : int64 array, shape (N, neurons, T)
        Spikes that leave the layer: 0 or 1, axonal delays in.
    trace : StateTrace
        States at the end of every step.
    """
    samples, _, steps = spikes.shape
    neurons = neuron_count(layer)
    current = np.zeros((samples, neurons), dtype=np.int64)
    voltage = np.zeros((samples, neurons), dtype=np.int64)
    current_decay = per_neuron(layer.neuron.current_decay, layer)
    voltage_decay = per_neuron(layer.neuron.voltage_decay, layer)
    bias = np.zeros(neurons, dtype=np.int64)
    if layer.neuron.bias_mantissa is not None:
        mantissa = per_neuron(layer.neuron.bias_mantissa, layer).astype(np.int64)
        bias = mantissa << layer.neuron.bias_exponent
    fired = np.zeros((samples, neurons, steps), dtype=np.int64)
    trace = StateTrace(
        current=np.zeros((samples, neurons, steps), dtype=np.int32),
        voltage=np.zeros((samples, neurons, steps), dtype=np.int32),
    )
    for step in range(steps):
        arriving = synaptic_input(layer, spikes[:, :, step])
        current = update_current(current, arriving, current_decay)
        voltage = update_voltage(voltage, current, bias, voltage_decay)
        fire = fires(voltage, layer.neuron.vth_mantissa)
        voltage = np.where(fire, 0, voltage)
        fired[:, :, step] = fire
        trace.current[:, :, step] = current
        trace.voltage[:, :, step] = voltage
    return delayed(layer, fired), trace


def synaptic_input(layer: ChipLayer, spikes: Int64Array) -> Int64Array:
    """Return the weighted sum of the spikes of one step.

    Parameters
    ----------
    layer : ChipDense or ChipConv
        The layer.
    spikes : int64 array, shape (N, inputs)
        Channel slowest.

    Returns
    -------
    int64 array, shape (N, neurons)
        In weight units. A convolution's is wrapped to 24 bits, as Lava's is; a dense layer's not.
    """
    weight = layer.weights.effective().astype(np.int64)
    match layer:
        case ChipDense():
            return spikes @ weight.T
        case ChipConv():
            return wrap_signed(convolve(layer, spikes, weight), CONV_BITS)


def convolve(layer: ChipConv, spikes: Int64Array, weight: Int64Array) -> Int64Array:
    """Return torch's two-dimensional correlation of spikes with a kernel.

    Parameters
    ----------
    layer : ChipConv
        Gives the geometry.
    spikes : int64 array, shape (N, C_in * H * W)
        Channel slowest.
    weight : int64 array, shape (C_out, C_in / groups, kernel height, kernel width)
        The kernel; passed apart so that connections can be counted with ones.

    Returns
    -------
    int64 array, shape (N, C_out * H_out * W_out)
        Channel slowest.
    """
    samples = spikes.shape[0]
    channels_out, rows_out, columns_out = layer.shape_out
    (pad_rows, pad_columns), (stride_rows, stride_columns) = layer.padding, layer.stride
    image = np.pad(
        spikes.reshape(samples, *layer.shape_in),
        ((0, 0), (0, 0), (pad_rows, pad_rows), (pad_columns, pad_columns)),
    )
    in_group, out_group = weight.shape[1], channels_out // layer.groups
    result = np.zeros((samples, *layer.shape_out), dtype=np.int64)
    for row, column in np.ndindex(weight.shape[2], weight.shape[3]):
        top, left = row * layer.dilation[0], column * layer.dilation[1]
        # the pixels that this kernel element meets, one for each output place
        met = image[:, :, top::stride_rows, left::stride_columns][:, :, :rows_out, :columns_out]
        for group in range(layer.groups):
            inputs = met[:, group * in_group : (group + 1) * in_group]
            outputs = slice(group * out_group, (group + 1) * out_group)
            kernel = weight[outputs, :, row, column]
            result[:, outputs] += np.einsum("oi,nihw->nohw", kernel, inputs)
    return result.reshape(samples, -1)


def delayed(layer: ChipLayer, fired: Int64Array) -> Int64Array:
    """Return spikes after the axonal delay of their neurons; those past the last step are lost.

    Parameters
    ----------
    layer : ChipDense or ChipConv
        Gives the delays.
    fired : int64 array, shape (N, neurons, T)
        When neurons fired.

    Returns
    -------
    int64 array, shape (N, neurons, T)
        When their spikes leave.
    """
    if layer.delay is None:
        return fired
    steps = fired.shape[-1]
    delay = per_neuron(layer.delay, layer)
    leaving = np.zeros_like(fired)
    for value in np.unique(delay[delay < steps]):
        chosen = delay == value
        leaving[:, chosen, value:] = fired[:, chosen, : steps - value]
    return leaving


def _joined_traces(parts: list[StateTrace]) -> StateTrace:
    return StateTrace(
        current=np.concatenate([p.current for p in parts]),
        voltage=np.concatenate([p.voltage for p in parts]),
    )
