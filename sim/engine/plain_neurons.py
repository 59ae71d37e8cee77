"""What a step does to CUBA neurons, as compiled loops.

Exactness. States have at most 32 bits and the part that a decay keeps 13 (0 to 4096), so their
product has 45 and is exact in float64; cutting it to int32 rounds toward zero, as
``hw_profiles.arithmetic.decay_toward_zero`` does. A product of floats is one instruction on vectors
of numbers, a product of int64 is several. Sums of weights wrap at 32 bits in the end
(`align_with_states`), so int32 sums that wrap on the way come to the same.

Numbers of neurons and places are uint64: Numba checks whether others are negative, and loops with
that check are not made vectors.
"""
# numba has no type information
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportCallIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from .compiling import inlined
from .lanes import above, count_bits, store_chosen

LIMIT = 1 << 23  # STATE_LIMIT; compiled code holds it as a constant
MANY = 16  # neurons of 64 that fire, from which on numbers are written by vectors


@inlined
def update_currents(
    current: Any, arriving: Any, kept: Any, first: Any, stop: Any, factor: int, wraps: bool
) -> None:
    """Decay, add what arrives, wrap once at 24 bits; sums of kernels wrap before. Clears sums."""
    if wraps:
        for i in range(first, stop):
            # 256 * factor / 64 brings the sum's 24 bits to the top, 2 bits down are state units
            aligned = np.int32(arriving[i] * factor) >> 2
            summed = np.int32(np.int32(current[i] * kept[i - first]) + aligned)
            down = np.int32(summed - 2 * LIMIT) if summed > LIMIT else summed
            current[i] = np.int32(summed + 2 * LIMIT) if summed <= -LIMIT else down
            arriving[i] = 0
    else:
        for i in range(first, stop):
            aligned = np.int32(arriving[i] * factor)
            summed = np.int32(np.int32(current[i] * kept[i - first]) + aligned)
            down = np.int32(summed - 2 * LIMIT) if summed > LIMIT else summed
            current[i] = np.int32(summed + 2 * LIMIT) if summed <= -LIMIT else down
            arriving[i] = 0


@inlined
def update_voltages(
    voltage: Any, current: Any, kept: Any, bias: Any, first: Any, stop: Any
) -> None:
    """Decay, add current and bias, wrap at 32 bits and clip to 24."""
    for i in range(first, stop):
        leaked = np.int32(voltage[i] * kept[i - first])
        summed = np.int32(leaked + current[i] + bias[i - first])
        low = np.int32(1 - LIMIT) if summed < 1 - LIMIT else summed
        voltage[i] = np.int32(LIMIT - 1) if low > LIMIT - 1 else low


@inlined
def append_above(voltage: Any, count: Any, limit: int, index: Any, position: Any) -> Any:
    """Append the neurons above a limit, one by one of each 64 whose bits are found at once."""
    lanes, sixteen, one = np.uint64(64), np.uint64(16), np.uint64(1)
    for first in range(np.uint64(0), count, lanes):
        found = above(voltage, first, np.int32(limit))
        if first + lanes > count:  # what fills the last vector is no neuron
            found &= (one << (count - first)) - one
        if count_bits(found) > MANY:
            for part in range(np.uint64(4)):
                store_chosen(index, position, first + part * sixteen, found)
                position += count_bits(found & np.uint64(0xFFFF))
                found >>= sixteen
            continue
        while found != 0:
            index[position] = first + np.uint64(trailing_zeros(found))
            position += one
            found &= found - one
    return position


@inlined
def step_plain(
    arriving: Any,
    factor: int,
    wraps: bool,
    current: Any,
    voltage: Any,
    kept_current: Any,
    kept_voltage: Any,
    bias: Any,
    limit: int,
    count: Any,
    index: Any,
    position: Any,
) -> Any:
    """Update neurons that need nothing but their states, and append those that fire.

    Numbers of neurons and places are uint64 here: Numba checks whether others are negative, and
    loops with that check are not made vectors.
    """
    size, tile = np.uint64(current.size), np.uint64(kept_current.size)
    first = np.uint64(0)
    while first < size:
        stop = min(first + tile, size)
        update_currents(current, arriving, kept_current, first, stop, factor, wraps)
        update_voltages(voltage, current, kept_voltage, bias, first, stop)
        first = stop
    after = append_above(voltage, count, limit, index, position)
    for k in range(position, after):
        voltage[np.uint64(index[k])] = 0
    return after
