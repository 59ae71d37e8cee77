"""Pass: turn whole-number weights into mantissa, exponent, width and sign mode, without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...hw_profiles import HardwareProfile
from ...netx import ConvLayer, DenseLayer, IntArray
from ..rules import Problem, raise_problems
from ..stages import (
    ChipLayer,
    ChipNetwork,
    LegalNetwork,
    SignMode,
    WeightRegisters,
    chip_layer,
)

# Largest mantissas of each sign mode at full width (brian2loihi; lava/utils/weightutils.py).
# Mixed-sign mantissas of 8 bits are even, since the sign takes one of them.
MANTISSA_RANGE = {
    SignMode.MIXED: (-256, 255),
    SignMode.EXCITATORY: (0, 255),
    SignMode.INHIBITORY: (-255, 0),
}
FULL_WIDTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """Find registers that hold a layer's weights exactly, in the fewest bits that the chip has.

    Before: weights as whole numbers in units of 1/64.
    After: mantissas, aligned to the most significant bit, with an exponent; nothing is rounded.

    Attributes
    ----------
    profile : HardwareProfile
        The chip, whose widths and exponents are legal.
    """

    profile: HardwareProfile
    name: str = "encode"

    def run(self, network: LegalNetwork) -> ChipNetwork:
        """Return the network in register form.

        Raises
        ------
        UnsupportedNetworkError
            With every layer whose weights no legal width holds exactly.
        """
        problems: list[Problem] = []
        layers: list[ChipLayer] = []
        for layer, shape in zip(network.layers, network.shapes, strict=True):
            registers = weight_registers(layer.weight, self.profile)
            if registers is None:
                problems.append(_too_wide(layer, self.profile))
                continue
            layers.append(chip_layer(layer.name, layer, shape, registers))
        raise_problems(tuple(problems))
        return ChipNetwork(input_shape=network.input_shape, layers=tuple(layers))

    def ensures(self, before: LegalNetwork, after: ChipNetwork) -> None:
        """Check that every effective weight equals the weight it was made from."""
        for old, new in zip(before.layers, after.layers, strict=True):
            assert np.array_equal(old.weight, new.weights.effective()), old.name


def weight_registers(weight: IntArray, profile: HardwareProfile) -> WeightRegisters | None:
    """Return exact registers for whole-number weights, or None when no legal width holds them.

    Parameters
    ----------
    weight : int32 array
        In units of 1/64, within [-256, 255].
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
    mode, shift, needed = _alignment(weight, profile)
    legal = [b for b in profile.formats.weight_bits.value if b >= needed]
    if not legal:
        return None
    mantissa = (weight.astype(np.int32) << shift).astype(np.int16)
    mantissa.setflags(write=False)
    return WeightRegisters(mantissa=mantissa, exponent=-shift, bits=min(legal), sign_mode=mode)


def _alignment(weight: IntArray, profile: HardwareProfile) -> tuple[SignMode, int, int]:
    """Return sign mode, left shift and needed bits of weights aligned to the most significant."""
    mode = _sign_mode(weight)
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
    return mode, shift, FULL_WIDTH + (mode is SignMode.MIXED) - _trailing_zeros(mantissa)


def _sign_mode(weight: IntArray) -> SignMode:
    least, largest = int(weight.min()), int(weight.max())
    if least >= 0:
        return SignMode.EXCITATORY
    # -256 exists with a sign bit only
    return SignMode.MIXED if largest > 0 or least < -255 else SignMode.INHIBITORY


def _trailing_zeros(mantissa: IntArray) -> int:
    """Return how many low bits are zero in every mantissa, at most 8."""
    combined = int(np.bitwise_or.reduce(np.abs(mantissa), axis=None))
    return FULL_WIDTH if combined == 0 else min(FULL_WIDTH, (combined & -combined).bit_length() - 1)


def _too_wide(layer: DenseLayer | ConvLayer, profile: HardwareProfile) -> Problem:
    _, _, needed = _alignment(layer.weight, profile)
    span = f"weights between {int(layer.weight.min())} and {int(layer.weight.max())}"
    if needed > FULL_WIDTH:
        found = f"{span} with odd numbers among them need {needed} bits"
        remedy = "Round the weights to even numbers, as SLAYER does, or compile for 'ideal'."
    else:
        found = f"{span} need {needed} bits"
        remedy = "Round the weights to a coarser grid, or compile for another profile."
    widest = max(profile.formats.weight_bits.value)
    return Problem(
        layer=layer.name,
        found=found,
        allowed=f"{profile.name} allows {widest} bits, that is even numbers when signs are mixed"
        if needed > FULL_WIDTH
        else f"{profile.name} allows {widest} bits",
        remedy=remedy,
        rule="weight_width",
    )
