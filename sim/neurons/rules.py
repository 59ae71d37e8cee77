"""The arithmetic of neurons as choices: the definition's, and what others do in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...hw_profiles.arithmetic import (
    Int64Array,
    clip_state,
    clip_voltage,
    decay_toward_zero,
    rotate,
    wrap_current,
    wrap_kernel_sum,
)

Register: TypeAlias = Callable[[Int64Array], Int64Array]
Decays: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a layer computes where simulators and chips part; the defaults are the definition.

    Other choices exist to tell what another run did (`sim.causes`), never to run a network.

    Attributes
    ----------
    decay : callable
        What is left of a state after a step, given the part lost.
    turn : callable
        A resonator's state turned by a step; see `rotate`.
    hold_sum : callable
        What is kept of the weighted sum of a kernel.
    hold_current, hold_voltage, hold_state : callable
        What registers keep: of current, of voltage, and of resonators and adapting terms.
    threshold_shift : int
        Added to the threshold, in the unit of the state; of whole numbers, -1 turns above into
        at, and 1 turns at into above.
    bias_from : int
        How many steps pass before a bias acts.
    """

    decay: Callable[[Int64Array, Decays], Int64Array] = decay_toward_zero
    turn: Callable[[Int64Array, Int64Array, Decays, Decays], tuple[Int64Array, Int64Array]] = rotate
    hold_sum: Register = wrap_kernel_sum
    hold_current: Register = wrap_current
    hold_voltage: Register = clip_voltage
    hold_state: Register = clip_state
    threshold_shift: int = 0
    bias_from: int = 0


DEFINITION = Rules()
