"""What a number stands for that a neuron sends or sums: one definition for compiler and runs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

SPIKE = Fraction(1)
GRADED = Fraction(1, 4096)  # states and graded payloads: 12 bits after the point
# Sigma-delta neurons sum weights (2**-6) times messages (2**-12), see `sim.neurons.sigma_delta`.
SIGMA_UNIT = Fraction(1, 1 << 18)
WEIGHT_TO_SIGMA = 12  # bits from weight units, in which biases and thresholds are, to 2**-18
SIGMA_TO_MESSAGE = 6  # bits from 2**-18 to the 2**-12 of a message


def common_unit(units: Iterable[Fraction]) -> Fraction:
    """Return the largest unit that all are whole multiples of.

    Examples
    --------
    >>> common_unit([Fraction(1, 4096), Fraction(1, 6)])
    Fraction(1, 12288)
    """
    known = tuple(units)
    return Fraction(
        math.gcd(*(unit.numerator for unit in known)),
        math.lcm(*(unit.denominator for unit in known)),
    )
