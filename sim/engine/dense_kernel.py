"""The compiled loop of dense and recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined, inner, kernel
from .plain_neurons import step_plain
from .special_neurons import align_wide, clear_special, record_states, step_special
from .structures import Events, Neurons, Recording, Special, States, Synapses, Window


@inlined
def add_rows(
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
def add_own(sums: Any, recurrent: Any, special: Special, scale: int) -> None:
    """Add the weights of a recurrent layer's own spikes of the step before."""
    if recurrent.shape[0] == 0:
        return
    for k in range(special.fired_count[0]):
        back = recurrent[special.fired[k]]
        times = np.int64(special.fired_value[k]) * scale
        for j in range(sums.size):
            sums[j] += back[j] * times


@kernel
def run_dense(
    events: Events,
    synapses: Synapses,
    neurons: Neurons,
    states: States,
    special: Special | None,
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
    is_recorded = recording.current.size + recording.voltage.size > 0
    weights = synapses.weights.reshape(-1)
    in_index, in_value, counted = events.index, events.value, events.counted
    in_start, in_stop, scale = events.start, events.stop, synapses.input_scale
    factor, wide = synapses.factor, synapses.wide
    wraps = window.samples < 0  # never; no constant, or `step_special` is compiled once more
    position = np.uint64(0)
    for sample in range(window.samples):
        if window.first_step == 0:
            current[:] = 0
            voltage[:] = 0
            if special is not None:
                clear_special(special)
        for local in range(window.steps):
            row, step = np.uint64(sample * window.steps + local), window.first_step + local
            starts[row] = np.int64(position)
            if step >= first_step:
                begin, end = np.uint64(in_start[row]), np.uint64(in_stop[row])
                add_rows(sums, weights, in_index, in_value, counted, begin, end, scale)
                if special is not None:
                    add_own(sums, synapses.recurrent, special, synapses.own_scale)
                if wide:
                    align_wide(sums, arriving, False, synapses.cut)
                if special is None:
                    position = step_plain(
                        arriving,
                        factor,
                        wraps,
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
                else:
                    position = np.uint64(
                        step_special(
                            arriving,
                            factor,
                            wraps,
                            neurons,
                            states,
                            special,
                            step,
                            window.end,
                            out,
                            np.int64(position),
                        )
                    )
                if is_recorded:
                    record_states(
                        recording,
                        neurons,
                        states,
                        window.first_sample + sample,
                        step - window.shown_from,
                    )
            stops[row] = np.int64(position)
