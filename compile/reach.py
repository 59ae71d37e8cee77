"""How far a leaky state can go: exact whole-number fixed points and what they are made of.

A reach is how far a number can go from 0 in one direction, as int64 in [0, `UNBOUNDED`]. An
interval is two of them, upward and downward, and always holds 0, where every state starts. Sums and
decays treat both directions alike, since the chip rounds toward zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..hw_profiles.arithmetic import DECAY_BITS, DECAY_ONE, Int64Array

UNBOUNDED = 1 << 60  # stands for every reach from here on; what is smaller is exact


def plus(reach: Int64Array, number: Int64Array | int) -> Int64Array:
    """Return a reach after a signed number was added to what it bounds; not below 0.

    Examples
    --------
    >>> plus(np.array([5, 5, UNBOUNDED]), -7).tolist() == [0, 0, UNBOUNDED]
    True
    """
    moved = np.clip(reach + number, 0, UNBOUNDED)
    return np.where(reach >= UNBOUNDED, UNBOUNDED, moved)


def decayed(reach: Int64Array, decay: Int64Array) -> Int64Array:
    """Return what a step's decay leaves of a reach; see `decay_toward_zero`, here for 60 bits.

    Examples
    --------
    >>> decayed(np.array([1, 4097, 1 << 59]), np.array(1)).tolist()
    [0, 4095, 576320014815068160]
    """
    kept = DECAY_ONE - decay
    # split, since the product would not fit 64 bits
    left = (reach >> DECAY_BITS) * kept + (((reach & (DECAY_ONE - 1)) * kept) >> DECAY_BITS)
    return np.where((reach >= UNBOUNDED) & (kept > 0), UNBOUNDED, left)


def fixed_point(arriving: Int64Array, decay: Int64Array) -> Int64Array:
    """Return how far a state goes that decays and takes up to `arriving` in every step, for ever.

    Parameters
    ----------
    arriving : int64 array
        Reach of what is added in a step.
    decay : int64 array, broadcastable to `arriving`
        Part lost in a step, of 4096; range 0 to 4096.

    Returns
    -------
    int64 array
        Exact: a constant input of `arriving` takes the state there.

    Notes
    -----
    The step ``f(x) = (x * (4096 - decay) >> 12) + a`` is monotone, so that the states from 0 on
    rise to its least fixed point, which is the least x with ``f(x) <= x``. That is
    ``x * decay > 4096 * (a - 1)``, hence ``4096 * (a - 1) // decay + 1``: less than the real
    geometric sum ``4096 * a / decay``, for truncation takes up to 1 more in every step.

    Examples
    --------
    >>> fixed_point(np.array([0, 1, 64, 64]), np.array([0, 1, 1, 4096])).tolist()
    [0, 1, 258049, 64]
    """
    divisor = np.maximum(decay, 1)
    whole, rest = np.divmod(np.maximum(arriving, 1) - 1, divisor)
    too_large = (whole >= UNBOUNDED >> DECAY_BITS) | (arriving >= UNBOUNDED) | (decay == 0)
    bounded = np.where(too_large, 0, whole) * DECAY_ONE + DECAY_ONE * rest // divisor + 1
    bounded = np.where(too_large, UNBOUNDED, bounded)
    return np.where(arriving == 0, 0, bounded)


def leaky_reach(arriving: Int64Array, decay: Int64Array, steps: int | None) -> Int64Array:
    """Return `fixed_point`, or how far the state goes within some steps."""
    if steps is None:
        return fixed_point(arriving, decay)
    zero = np.zeros_like(decay)
    return cascade_reach(zero + arriving, zero + DECAY_ONE, lambda u: u, decay, steps)[1]


def cascade_reach(
    arriving: Int64Array,
    current_decay: Int64Array,
    rise: Callable[[Int64Array], Int64Array],
    voltage_decay: Int64Array,
    steps: int | None,
) -> tuple[Int64Array, Int64Array]:
    """Return how far a leaky state goes, and a second one that takes the first in every step.

    Parameters
    ----------
    arriving : int64 array
        Reach of what the first state, the current, takes in a step.
    current_decay, voltage_decay : int64 array, shape of `arriving`
        Parts lost in a step, of 4096.
    rise : callable
        From the reach of the current to that of what the voltage takes in a step; monotone.
    steps : int or None
        How long; None is for ever.

    Returns
    -------
    tuple of int64 array
        Current and voltage, when the voltage is never reset.
    """
    if steps is None:
        current = fixed_point(arriving, current_decay)
        return current, fixed_point(rise(current), voltage_decay)
    current = np.zeros_like(arriving)
    voltage = np.zeros_like(arriving)
    for _ in range(steps):
        before = current, voltage
        current = _sum(decayed(current, current_decay), arriving)
        voltage = _sum(decayed(voltage, voltage_decay), rise(current))
        if np.array_equal(before[0], current) and np.array_equal(before[1], voltage):
            break
    return current, voltage


def _sum(a: Int64Array, b: Int64Array) -> Int64Array:
    return np.minimum(a + b, UNBOUNDED)
