"""The whole numbers that stored weights of some width can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hw_profiles import HardwareProfile
from ..netx import IntArray, RealArray
from .weight_registers import FULL_WIDTH, MANTISSA_RANGE, SignMode


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightGrid:
    """Evenly spaced whole numbers, ``step * level``.

    Attributes
    ----------
    low, high : int
        Least and largest level; ``low <= 0 <= high``.
    step : int
        A power of two, in units of 1/64.
    """

    low: int
    high: int
    step: int

    def halved(self, halvings: int) -> WeightGrid:
        """Return the grid with the same levels and a smaller step."""
        return WeightGrid(low=self.low, high=self.high, step=self.step >> halvings)

    @property
    def most_halvings(self) -> int:
        """How often the step can be halved; it stays a whole number."""
        return self.step.bit_length() - 1

    def levels(self, weight: RealArray, levels_per_unit: float) -> RealArray:
        """Return the nearest level of each weight, not yet clipped; ties go to even ones."""
        return np.rint(weight * levels_per_unit)

    def round(self, weight: RealArray, levels_per_unit: float) -> tuple[IntArray, int]:
        """Return the nearest grid point of each scaled weight, and how many were clipped.

        Parameters
        ----------
        weight : float64 array
            Real weights.
        levels_per_unit : float
            What a weight of 1 is in levels.
        """
        wanted = self.levels(weight, levels_per_unit)
        kept = np.clip(wanted, self.low, self.high)
        clipped = int(np.count_nonzero(kept != wanted))
        return (kept * self.step).astype(np.int32), clipped


def sign_mode_of(weight: RealArray, bits: int) -> SignMode:
    """Return whether a sign is stored for weights.

    Weights of 1 bit with a sign are 0 and -1: nothing could excite. So where signs are mixed, 1 bit
    means 0 and 1, and what is negative becomes 0 (and counts as clipped).
    """
    least, largest = (float(weight.min()), float(weight.max())) if weight.size else (0.0, 0.0)
    if least >= 0:
        return SignMode.EXCITATORY
    if largest <= 0:
        return SignMode.INHIBITORY
    return SignMode.EXCITATORY if bits == 1 else SignMode.MIXED


def widest_grid(mode: SignMode, bits: int, profile: HardwareProfile) -> WeightGrid:
    """Return the grid that uses the whole range of the mantissa.

    Parameters
    ----------
    mode : SignMode
        Whether a sign is stored.
    bits : int
        Width, sign included.
    profile : HardwareProfile
        Gives the least and largest weight.

    Returns
    -------
    WeightGrid
        `Encode` holds every set of its points, and of those of its halved grids, in `bits`: the
        mantissa is the level shifted to the most significant bit.

    Examples
    --------
    >>> from lavadeploy.hw_profiles import load_profile
    >>> widest_grid(SignMode.MIXED, 4, load_profile("loihi2"))
    WeightGrid(low=-8, high=7, step=32)
    """
    signed = mode is SignMode.MIXED
    step = 1 << max(0, FULL_WIDTH + signed - bits)
    low, high = MANTISSA_RANGE[mode]
    low = max(low, profile.formats.weight_min.value)
    high = min(high, profile.formats.weight_max.value)
    return WeightGrid(low=-(-low // step), high=high // step, step=step)
