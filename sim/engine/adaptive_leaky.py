"""What a step does to ALIF neurons, and the compiled loop of their rows.

Current and voltage are those of CUBA neurons (`plain_neurons`), without a reset.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .adaptation import adapt, raise_after, record_adaptation, to_rest
from .compiling import inlined, kernel
from .dense_kernel import add_own
from .family_structures import Adaptation, AdaptiveLeaky, Alignment, Incoming, Scratch
from .gather import aligned, divided
from .plain_neurons import append_above, update_currents, update_voltages
from .special_neurons import clear_special, is_wanted, record_state, send
from .structures import Events, Special, States, Window


@inlined
def align_divided(sums: Any, bias: Any, exponent: int, how: Alignment, arriving: Any) -> None:
    """Bring sums to state units, add the bias, divide both and wrap them to 32 bits."""
    size, tile = np.uint64(arriving.size), np.uint64(bias.size)
    first = np.uint64(0)
    while first < size:
        for i in range(first, min(first + tile, size)):
            value = aligned(sums[i], how) + bias[i - first]
            arriving[i] = np.int32(divided(value, exponent))
        first += tile


@inlined
def step_adaptive(
    neurons: AdaptiveLeaky,
    adaptation: Adaptation,
    states: States,
    special: Special,
    scratch: Scratch,
) -> None:
    """Update all neurons and set `fired` and its values."""
    current, voltage, mark = states.current, states.voltage, scratch.mark
    kept_current, kept_voltage = neurons.kept_current, neurons.kept_voltage
    size, tile = np.uint64(current.size), np.uint64(kept_current.size)
    first, zero = np.uint64(0), scratch.imag
    while first < size:
        stop = min(first + tile, size)
        update_currents(current, scratch.real, kept_current, first, stop, 1, False)
        update_voltages(voltage, current, kept_voltage, zero, first, stop)
        first = stop
    for i in range(size):  # a slice would take longer to compile than the rest
        mark[i] = voltage[i]
    adapt(adaptation, mark)
    found = np.int64(append_above(mark, np.uint64(neurons.count), 0, special.fired, np.uint64(0)))
    special.fired_count[0] = found
    for k in range(found):
        special.fired_value[k] = voltage[special.fired[k]] if neurons.graded else 1
    raise_after(adaptation, special)


@kernel
def run_adaptive(
    incoming: Incoming,
    neurons: AdaptiveLeaky,
    adaptation: Adaptation,
    states: States,
    special: Special,
    scratch: Scratch,
    window: Window,
    first_row: int,
    rows: int,
    out: Events,
    position: int,
    recorded: Any,
) -> int:
    """Run some rows of a layer; see `run_resonators`."""
    how = incoming.alignment
    scratch.imag[:] = 0  # the bias comes with the input
    recurs, is_recorded = incoming.recurrent.shape[0] > 0, is_wanted(recorded)
    for k in range(rows):
        row = first_row + k
        sample, step = row // window.steps, window.first_step + row % window.steps
        if step == 0:
            states.current[:] = 0
            states.voltage[:] = 0
            clear_special(special)
            to_rest(adaptation)
        out.start[row] = position
        if step >= neurons.first_step:
            sums = incoming.real[k]
            if recurs:
                add_own(sums, incoming.recurrent, special, incoming.own_scale)
            align_divided(sums, neurons.bias, neurons.exponent, how, scratch.real)
            step_adaptive(neurons, adaptation, states, special, scratch)
            position = send(neurons.delay, special, step, window.end, out, position)
            if is_recorded:
                place, now = window.first_sample + sample, step - window.shown_from
                record_state(recorded[0], neurons.natural, states.current, place, now)
                record_state(recorded[1], neurons.natural, states.voltage, place, now)
                record_adaptation(adaptation, neurons.natural, recorded, place, now)
        out.stop[row] = position
    return position
