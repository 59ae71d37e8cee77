"""From weighted sums to the units of a neuron's states, where Lava's own shift by 6 does not do."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

STATE_SHIFT = 6  # Lava's act_shift and state_exp: from weight units, 2**-6, to states, 2**-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """``(sum * multiplier + offset) / divisor``, of 32 bits.

    Attributes
    ----------
    multiplier, offset, divisor : int
        The numbers of the formula.
    rounds_down : bool
        Whether the quotient is rounded down, as sigma-delta neurons do, or toward zero, as SLAYER
        cuts fractions of a current (``slayer/neuron/dynamics/leaky_integrator.py``).
    """

    multiplier: int
    offset: int = 0
    divisor: int = 1
    rounds_down: bool = False

    def __call__(self, weighted: NDArray[np.integer]) -> NDArray[np.int32]:
        """Return weighted sums in the units of the states.

        Examples
        --------
        >>> graded = for_states(Fraction(1, 4096))
        >>> graded(np.array([100, -100]))
        array([ 1, -1], dtype=int32)
        """
        # payloads of 24 bits times sums of weights, hence int64
        scaled = weighted.astype(np.int64) * self.multiplier + self.offset
        if self.divisor != 1:
            if self.rounds_down:
                scaled = scaled // self.divisor
            else:
                scaled = np.sign(scaled) * (np.abs(scaled) // self.divisor)
        return scaled.astype(np.int32)


def for_states(unit: Fraction) -> Alignment:
    """Return the alignment of sums in weight units times `unit` with states in 2**-12."""
    return Alignment(multiplier=unit.numerator << STATE_SHIFT, divisor=unit.denominator)


def for_sums(unit: Fraction) -> Alignment:
    """Return the alignment of sums in weight units times `unit` with sigma units, 2**-18."""
    factor = unit * (1 << 12)
    return Alignment(multiplier=factor.numerator, divisor=factor.denominator, rounds_down=True)


def for_input(scale: int | None, offset: int | None) -> Alignment:
    """Return the alignment of what neurons at the input take, numbers in 1/64, with 2**-12.

    The layer's `scale` and `offset` are in 1/64, too; None is 64 and 0.
    """
    return Alignment(multiplier=64 if scale is None else scale, offset=(offset or 0) << 6)
