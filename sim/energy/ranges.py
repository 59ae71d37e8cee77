"""Numbers with two ends and the evidence behind them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ...hw_profiles import Coefficient, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, as it is reported.

    Attributes
    ----------
    nominal, low, high : float
        Best guess and corners, in `unit`.
    unit : str
        'nJ', 'us', 'mW', 'nJ s', '1/s' or 'spikes/synapse'.
    evidence : str
        The weakest evidence that went into it.
    """

    nominal: float
    low: float
    high: float
    unit: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number in an estimate: nominal, low and high, none negative, and its evidence."""

    nominal: float
    low: float
    high: float
    evidence: Evidence

    @staticmethod
    def of(coefficient: Coefficient) -> Range:
        """Return a coefficient of a profile."""
        return Range(
            nominal=coefficient.nominal,
            low=coefficient.low,
            high=coefficient.high,
            evidence=coefficient.evidence,
        )

    def __add__(self, other: Range) -> Range:
        if other.high == 0:
            return self
        if self.high == 0:
            return other
        return Range(
            nominal=self.nominal + other.nominal,
            low=self.low + other.low,
            high=self.high + other.high,
            evidence=_weaker(self.evidence, other.evidence),
        )

    def __mul__(self, other: Range) -> Range:
        return Range(
            nominal=self.nominal * other.nominal,
            low=self.low * other.low,
            high=self.high * other.high,
            evidence=_weaker(self.evidence, other.evidence),
        )

    def __truediv__(self, other: Range) -> Range:
        """Divide; the ends are the farthest that the two can be apart."""
        return Range(
            nominal=ratio(self.nominal, other.nominal),
            low=ratio(self.low, other.high),
            high=ratio(self.high, other.low),
            evidence=_weaker(self.evidence, other.evidence),
        )

    def times(self, factor: float) -> Range:
        """Return the number times one that is exactly known."""
        return Range(
            nominal=self.nominal * factor,
            low=self.low * factor,
            high=self.high * factor,
            evidence=self.evidence,
        )

    def estimate(self, unit: str) -> Estimate:
        """Return what is reported."""
        return Estimate(
            nominal=self.nominal,
            low=self.low,
            high=self.high,
            unit=unit,
            evidence=self.evidence.value,
        )


NOTHING = Range(nominal=0.0, low=0.0, high=0.0, evidence=Evidence.MEASURED)


def total(ranges: Iterable[Range]) -> Range:
    """Return the sum; what adds nothing does not weaken its evidence."""
    found = NOTHING
    for part in ranges:
        found = found + part
    return found


def ratio(a: float, b: float) -> float:
    """Return a / b for numbers that are not negative; without bound where only b is 0."""
    if b > 0:
        return a / b
    return math.inf if a > 0 else 0.0


def _weaker(a: Evidence, b: Evidence) -> Evidence:
    return max(a, b, key=lambda evidence: evidence.rank)
