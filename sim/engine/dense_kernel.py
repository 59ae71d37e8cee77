"""The compiled loop of dense and recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined, inner, kernel
from .plain_neurons import step_plain
from .special_neurons import align_wide, begin_sample, record_states, step_special
from .structures import Events, Neurons, Recording, States, Synapses, Window


@inlined
def _add_rows(
    sums: Any,
    weights: Any,
    index: Any,
    value: Any,
    counted: bool,
    start: Any,
    stop: Any,
    scale: int,
) -> None:
    """Add the weights of every spike of a step; several at a time, to pass less over the sums."""
    size = np.uint64(sums.size)
    four = np.uint64(4)
    if counted or scale != 1:
        for k in range(start, stop):
            one = np.uint64(index[k]) * size
            times = np.int64(value[k] if counted else 1) * scale
            for j in range(size):
                sums[j] += weights[one + j] * times
    else:
        whole = start + (stop - start) // four * four
        for k in range(start, whole, four):
            first, second = np.uint64(index[k]) * size, np.uint64(index[k + 1]) * size
            third, fourth = np.uint64(index[k + 2]) * size, np.uint64(index[k + 3]) * size
            for j in range(size):
                pair = np.int32(weights[first + j]) + np.int32(weights[second + j])
                other = np.int32(weights[third + j]) + np.int32(weights[fourth + j])
                sums[j] += pair + other
        for k in range(whole, stop):
            one = np.uint64(index[k]) * size
            for j in range(size):
                sums[j] += weights[one + j]


@inner
def _add_own(sums: Any, recurrent: Any, states: States, scale: int) -> None:
    """Add the weights of the layer's own spikes of the step before."""
    for k in range(states.fired_count[0]):
        back = recurrent[states.fired[k]]
        times = np.int64(states.fired_value[k]) * scale
        for j in range(sums.size):
            sums[j] += back[j] * times


@kernel
def run_dense(
    events: Events,
    synapses: Synapses,
    neurons: Neurons,
    states: States,
    sums: Any,
    arriving: Any,
    window: Window,
    out: Events,
    recording: Recording,
) -> None:
    """Run a dense layer: `sums` of 64 bits where synapses are wide, else `arriving` itself."""
    current, voltage = states.current, states.voltage
    kept_current, kept_voltage, bias = neurons.kept_current, neurons.kept_voltage, neurons.bias_low
    limit, count, first_step = neurons.limit, np.uint64(neurons.count), neurons.first_step
    index, starts, stops = out.index, out.start, out.stop
    is_special = states.fired.size > 0
    is_recorded = recording.current.size + recording.voltage.size > 0
    weights, recurrent = synapses.weights.reshape(-1), synapses.recurrent
    in_index, in_value, counted = events.index, events.value, events.counted
    in_start, in_stop, scale = events.start, events.stop, synapses.input_scale
    factor, wide, recurs = synapses.factor, synapses.wide, recurrent.shape[0] > 0
    position = np.uint64(0)
    for sample in range(window.samples):
        if window.first_step == 0:
            begin_sample(states)
        for local in range(window.steps):
            row, step = np.uint64(sample * window.steps + local), window.first_step + local
            starts[row] = np.int64(position)
            if step >= first_step:
                begin, end = np.uint64(in_start[row]), np.uint64(in_stop[row])
                _add_rows(sums, weights, in_index, in_value, counted, begin, end, scale)
                if recurs:
                    _add_own(sums, recurrent, states, synapses.own_scale)
                if wide:
                    align_wide(sums, arriving, False)
                if is_special:
                    position = np.uint64(
                        step_special(
                            arriving,
                            factor,
                            False,
                            neurons,
                            states,
                            step,
                            window.end,
                            out,
                            np.int64(position),
                        )
                    )
                else:
                    position = step_plain(
                        arriving,
                        factor,
                        False,
                        current,
                        voltage,
                        kept_current,
                        kept_voltage,
                        bias,
                        limit,
                        count,
                        index,
                        position,
                    )
                if is_recorded:
                    record_states(
                        recording,
                        neurons,
                        states,
                        window.first_sample + sample,
                        step - window.before,
                    )
            stops[row] = np.int64(position)
