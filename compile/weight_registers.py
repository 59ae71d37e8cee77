"""Weights as a core's synapse memory holds them, and how whole numbers become them without loss."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles import HardwareProfile
from ..netx import IntArray


class SignMode(str, Enum):
    """How the bits of a weight mantissa are read."""

    MIXED = "mixed"
    EXCITATORY = "excitatory"
    INHIBITORY = "inhibitory"


# Largest mantissas of each sign mode at full width (brian2loihi; lava/utils/weightutils.py).
# Mixed-sign mantissas of 8 bits are even, since the sign takes one of them.
MANTISSA_RANGE = {
    SignMode.MIXED: (-256, 255),
    SignMode.EXCITATORY: (0, 255),
    SignMode.INHIBITORY: (-255, 0),
}
FULL_WIDTH = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightRegisters:
    """Weights as the synapse memory holds them.

    Attributes
    ----------
    mantissa : int16 array, shape of the layer's weight
        In [-256, 255]; a multiple of the step that `bits` and `sign_mode` leave.
    exponent : int
        A weight is ``mantissa * 2**exponent`` in units of 1/64.
    bits : int
        Width of a stored weight, sign included.
    sign_mode : SignMode
        Whether a sign is stored.
    """

    mantissa: NDArray[np.int16]
    exponent: int
    bits: int
    sign_mode: SignMode

    def effective(self) -> IntArray:
        """Return ``mantissa * 2**exponent``, whole numbers by construction."""
        wide = self.mantissa.astype(np.int32)
        shifted = wide << self.exponent if self.exponent >= 0 else wide >> -self.exponent
        return shifted.astype(np.int32)


def weight_registers(weight: IntArray, profile: HardwareProfile) -> WeightRegisters | None:
    """Return exact registers for whole-number weights, or None when no legal width holds them.

    Parameters
    ----------
    weight : int32 array
        In units of 1/64.
    profile : HardwareProfile
        Gives the legal widths and the least exponent.

    Returns
    -------
    WeightRegisters or None
        With the fewest bits; mantissas are aligned to the most significant bit, as
        ``lava.lib.dl.netx.utils.optimize_weight_bits`` aligns them.

    Examples
    --------
    >>> from lavadeploy.hw_profiles import load_profile
    >>> found = weight_registers(np.array([[-64, 32, 96]]), load_profile("loihi2"))
    >>> found.bits, found.exponent, found.mantissa.tolist()
    (3, -1, [[-128, 64, 192]])
    """
    low, high = MANTISSA_RANGE[SignMode.MIXED]
    if int(weight.min()) < low or int(weight.max()) > high:
        return None
    found = align_weights(weight, profile)
    legal = [b for b in profile.formats.weight_bits.value if b >= found.bits]
    if not legal:
        return None
    mantissa = (weight.astype(np.int32) << -found.exponent).astype(np.int16)
    mantissa.setflags(write=False)
    return WeightRegisters(
        mantissa=mantissa, exponent=found.exponent, bits=min(legal), sign_mode=found.sign_mode
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How weights lie in mantissas when the most significant bit is used.

    Attributes
    ----------
    sign_mode : SignMode
        The one that leaves most bits.
    exponent : int
        Not above 0, and not below the profile's least.
    bits : int
        Width that holds the mantissas exactly, legal or not.
    """

    sign_mode: SignMode
    exponent: int
    bits: int


def align_weights(weight: IntArray, profile: HardwareProfile) -> Alignment:
    """Return how whole-number weights are aligned; arguments as of `weight_registers`."""
    mode = _sign_mode(weight, profile)
    low, high = MANTISSA_RANGE[mode]
    shift = 0
    while (
        -shift > profile.formats.weight_exponent_min.value
        and weight.any()
        and low <= int(weight.min()) << (shift + 1)
        and int(weight.max()) << (shift + 1) <= high
    ):
        shift += 1
    mantissa = weight.astype(np.int32) << shift
    bits = FULL_WIDTH + (mode is SignMode.MIXED) - _trailing_zeros(mantissa)
    return Alignment(sign_mode=mode, exponent=-shift, bits=bits)


def _sign_mode(weight: IntArray, profile: HardwareProfile) -> SignMode:
    least, largest = int(weight.min()), int(weight.max())
    # -256 exists with a sign bit only
    one_sign = SignMode.EXCITATORY if least >= 0 else SignMode.INHIBITORY
    if (largest > 0 and least < 0) or least < -255:
        return SignMode.MIXED
    legal = profile.formats.sign_modes.value
    is_stored_mixed = one_sign.value not in legal and SignMode.MIXED.value in legal
    return SignMode.MIXED if is_stored_mixed else one_sign


def _trailing_zeros(mantissa: IntArray) -> int:
    """Return how many low bits are zero in every mantissa, at most 8."""
    combined = int(np.bitwise_or.reduce(np.abs(mantissa), axis=None))
    return FULL_WIDTH if combined == 0 else min(FULL_WIDTH, (combined & -combined).bit_length() - 1)
