"""What only some layers need: delays, payloads, refractory periods, divided currents, recording."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inner
from .plain_neurons import LIMIT, append_above, update_currents, update_voltages
from .structures import Events, Neurons, Recording, Special, States


@inner
def _update_divided(voltage: Any, current: Any, kept: Any, bias: Any, exponent: int) -> None:
    """Update voltages with current and bias divided by ``2**exponent``, toward zero."""
    tile = kept.size
    for i in range(voltage.size):
        rise = np.int64(current[i]) + bias[i % tile]  # 24 and 38 bits
        if exponent >= 0:
            part = abs(rise) >> exponent
            rise = -part if rise < 0 else part
        else:
            rise = rise << -exponent
        summed = np.int32(np.int32(voltage[i] * kept[i % tile]) + rise)
        low = np.int32(1 - LIMIT) if summed < 1 - LIMIT else summed
        voltage[i] = np.int32(LIMIT - 1) if low > LIMIT - 1 else low


@inner
def _rest(neurons: Neurons, states: States, special: Special) -> None:
    """Append to `fired` who fires, and keep the others of a refractory period at 0."""
    voltage, resting = states.voltage, special.resting
    found = 0
    for i in range(neurons.count):
        if resting[i] > 0:
            voltage[i] = 0
        if resting[i] == 0 and voltage[i] > neurons.limit:
            special.fired[found] = i
            found += 1
            resting[i] = neurons.refractory - 1
        else:
            resting[i] = max(resting[i] - 1, 0)
    special.fired_count[0] = found


@inner
def _fire(neurons: Neurons, states: States, special: Special) -> None:
    """Set `fired` and its values, and reset those neurons."""
    if neurons.refractory != 1:
        _rest(neurons, states, special)
    else:
        found = append_above(
            states.voltage, np.uint64(neurons.count), neurons.limit, special.fired, np.uint64(0)
        )
        special.fired_count[0] = np.int64(found)
    for k in range(special.fired_count[0]):
        i = special.fired[k]
        special.fired_value[k] = states.voltage[i] if neurons.graded else 1
        states.voltage[i] = 0


@inner
def send(delay: Any, special: Special, step: int, end: int, out: Events, position: int) -> int:
    """Append what leaves in this step: what fired, or what was fired a delay ago."""
    waiting = special.waiting
    if waiting.shape[0] == 0:
        for k in range(special.fired_count[0]):
            if special.fired_value[k] != 0:  # a payload of 0 is no spike
                out.index[position] = special.fired[k]
                if out.counted:
                    out.value[position] = special.fired_value[k]
                position += 1
        return position
    for k in range(special.fired_count[0]):
        i = special.fired[k]
        leaves = step + delay[i]
        if leaves < end:
            waiting[leaves % waiting.shape[0], i] = special.fired_value[k]
    leaving = waiting[step % waiting.shape[0]]
    for i in range(leaving.size):
        if leaving[i] != 0:
            out.index[position] = i
            if out.counted:
                out.value[position] = leaving[i]
            position += 1
            leaving[i] = 0
    return position


@inner
def step_special(
    arriving: Any,
    factor: int,
    wraps: bool,
    neurons: Neurons,
    states: States,
    special: Special,
    step: int,
    end: int,
    out: Events,
    position: Any,
) -> Any:
    """Update neurons of any kind and append the spikes that leave in this step."""
    current, voltage = states.current, states.voltage
    size, tile = np.uint64(current.size), np.uint64(neurons.kept_current.size)
    first = np.uint64(0)
    while first < size:
        stop = min(first + tile, size)
        update_currents(current, arriving, neurons.kept_current, first, stop, factor, wraps)
        if neurons.exponent == 0:
            update_voltages(voltage, current, neurons.kept_voltage, neurons.bias_low, first, stop)
        first = stop
    if neurons.exponent != 0:
        _update_divided(voltage, current, neurons.kept_voltage, neurons.bias, neurons.exponent)
    _fire(neurons, states, special)
    return send(neurons.delay, special, step, end, out, position)


@inner
def clear_special(special: Special) -> None:
    """Bring a layer to rest."""
    special.resting[:] = 0
    special.waiting[:] = 0
    special.fired_count[0] = 0


@inner
def record_states(
    recording: Recording, neurons: Neurons, states: States, sample: int, step: int
) -> None:
    """Write the states of one step, channel slowest."""
    if step < 0:
        return
    if step < recording.current.shape[2]:
        for i in range(neurons.count):
            recording.current[sample, neurons.natural[i], step] = states.current[i]
    if step < recording.voltage.shape[2]:
        for i in range(neurons.count):
            recording.voltage[sample, neurons.natural[i], step] = states.voltage[i]


@inner
def is_wanted(recorded: Any) -> bool:
    """Tell whether any of a layer's states is recorded."""
    total = 0
    for room in recorded:
        total += room.size
    return total > 0


@inner
def record_state(room: Any, natural: Any, state: Any, sample: int, step: int) -> None:
    """Write a state of one step, channel slowest, where it is wanted."""
    if step < 0 or step >= room.shape[2]:
        return
    for i in range(natural.size):
        room[sample, natural[i], step] = np.int32(state[i])


@inner
def align_wide(sums: Any, arriving: Any, is_kernel: bool, cut: int) -> None:
    """Bring 64-bit sums of payloads, finer by some bits, to state units; clears them."""
    for i in range(sums.size):
        total = sums[i]
        if is_kernel:
            total = (total << 40) >> 40  # Lava's 24 bits of a convolution
        part = abs(total) >> cut  # toward zero
        arriving[i] = np.int32(-part if total < 0 else part)
        sums[i] = 0
