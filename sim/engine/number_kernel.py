"""The compiled loop of neurons at the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import kernel
from .plain_neurons import step_plain
from .special_neurons import clear_special, record_states, step_special
from .structures import Events, Neurons, Recording, Special, States, Window


@kernel
def run_numbers(
    numbers: Any,
    scale: int,
    offset: int,
    neurons: Neurons,
    states: States,
    special: Special | None,
    arriving: Any,
    window: Window,
    out: Events,
    recording: Recording,
) -> None:
    """Run neurons at the input; `numbers` has shape (samples, neurons, T)."""
    current, voltage = states.current, states.voltage
    kept_current, kept_voltage, bias = neurons.kept_current, neurons.kept_voltage, neurons.bias_low
    natural = neurons.natural
    limit, count, first_step = neurons.limit, np.uint64(neurons.count), neurons.first_step
    index, starts, stops = out.index, out.start, out.stop
    is_recorded = recording.current.size + recording.voltage.size > 0
    factor = 1
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
                for i in range(count):
                    arriving[i] = offset
                if window.before <= step < window.before + numbers.shape[2]:
                    now = np.uint64(step - window.before)
                    for i in range(count):
                        number = np.int64(numbers[np.uint64(sample), np.uint64(natural[i]), now])
                        arriving[i] = number * scale + offset
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
