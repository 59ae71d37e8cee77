"""Decays of 4096 parts as time constants and periods in steps."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from .arrays import IntArray

# Steps at the neuron that forgets fastest and at the one that forgets slowest; None is infinite.
StepRange: TypeAlias = tuple[float | None, float | None]

DECAY_ONE = 4096  # parts that make the whole state


def decay_steps(decay: IntArray) -> StepRange:
    """Return the time constants of a state that loses a fixed part in each step.

    Parameters
    ----------
    decay : int32 array, shape () or (C,)
        Part of the state lost in a step, of 4096.

    Returns
    -------
    tuple of float or None
        ``-1 / ln(1 - decay / 4096)`` for the largest and for the least decay: 0 where nothing is
        kept (4096), None where all is kept (0), negative where the state grows (decays below 0).
        Beyond 4096, where the state changes its sign in each step, the constant of its magnitude.

    Notes
    -----
    In steps of Euler's number: after that many steps 1/e of the state is left. On the chip each
    step is also rounded toward zero, so states of a few units vanish sooner.

    Examples
    --------
    >>> decay_steps(np.array([0, 2048, 4096]))
    (0.0, None)
    >>> decay_steps(np.array(2048))
    (1.4426950408889634, 1.4426950408889634)
    """
    kept = np.abs(DECAY_ONE - decay.astype(np.float64)) / DECAY_ONE
    return _steps(float(kept.min())), _steps(float(kept.max()))


def amplitude_steps(sin_decay: IntArray, cos_decay: IntArray) -> StepRange:
    """Return the time constants of a resonator's amplitude.

    Parameters
    ----------
    sin_decay, cos_decay : int32 array, shape () or (C,)
        Sine and cosine of the angle of a step, times the part kept, times 4096.

    Returns
    -------
    tuple of float or None
        As `decay_steps`, where ``hypot(sin_decay, cos_decay) / 4096`` is kept. Negative for a
        state that grows, which rounding can make of one that should keep its amplitude.
    """
    kept = np.hypot(sin_decay.astype(np.float64), cos_decay.astype(np.float64)) / DECAY_ONE
    return _steps(float(kept.min())), _steps(float(kept.max()))


def period_steps(sin_decay: IntArray, cos_decay: IntArray) -> StepRange:
    """Return the least and the largest period of a resonator.

    Parameters
    ----------
    sin_decay, cos_decay : int32 array, shape () or (C,)
        See `amplitude_steps`.

    Returns
    -------
    tuple of float or None
        ``2 pi / abs(atan2(sin_decay, cos_decay))``, at least 2; None where the state does not turn.

    Examples
    --------
    >>> period_steps(np.array([4096, 0]), np.array([0, -4096]))
    (2.0, 4.0)
    """
    angle = np.abs(np.arctan2(sin_decay.astype(np.float64), cos_decay.astype(np.float64)))
    return _period(float(angle.max())), _period(float(angle.min()))


def _steps(kept: float) -> float | None:
    if kept == 0:
        return 0.0
    return None if kept == 1 else -1 / math.log(kept)


def _period(angle: float) -> float | None:
    return None if angle == 0 else 2 * math.pi / angle
