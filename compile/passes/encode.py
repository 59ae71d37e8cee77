"""Pass: turn whole-number weights into mantissa, exponent, width and sign mode, without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import assert_never

from ...hw_profiles import HardwareProfile
from ...netx import ConvLayer, DenseLayer, InputLayer, IntArray, RecurrentLayer, is_shifted
from ..problems import Problem, raise_problems
from ..stages import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    ChipNetwork,
    LegalLayer,
    LegalNetwork,
    weight_sets,
)
from ..weight_registers import FULL_WIDTH, WeightRegisters, bits_needed, weight_registers


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
        raise_problems(
            problem for legal in network.layers for problem in width_problems(legal, self.profile)
        )
        return ChipNetwork(
            input_shape=network.input_shape,
            layers=tuple(chip_layer(legal, self.profile) for legal in network.layers),
        )

    def ensures(self, before: LegalNetwork, after: ChipNetwork) -> None:
        """Check that every effective weight equals the weight it was made from."""
        for old, new in zip(before.layers, after.layers, strict=True):
            for name, registers in weight_sets(new):
                weight: IntArray = getattr(old.layer, name)
                assert np.array_equal(weight, registers.effective()), (new.name, name)


def chip_layer(legal: LegalLayer, profile: HardwareProfile, name: str | None = None) -> ChipLayer:
    """Return a layer in register form.

    Parameters
    ----------
    legal : LegalLayer
        The layer; every weight fits a legal width (`width_problems`).
    profile : HardwareProfile
        Gives the widths.
    name : str, optional
        Name of the user's layer, where the layer itself has another.
    """
    layer = legal.layer
    name = name or layer.name
    match layer:
        case InputLayer():
            assert layer.neuron is not None
            return ChipInput(
                name=name,
                shape_in=legal.shapes.shape_in,
                shape_out=legal.shapes.shape_out,
                sources=legal.sources,
                neuron=layer.neuron,
                scale=layer.weight,
                offset=layer.bias,
                delay_shift=is_shifted(layer),
            )
        case DenseLayer() | RecurrentLayer():
            return ChipDense(
                name=name,
                shape_in=legal.shapes.shape_in,
                shape_out=legal.shapes.shape_out,
                sources=legal.sources,
                weights=_registers(layer.weight, profile),
                weights_imag=_optional(layer.weight_imag, profile),
                weights_rec=_registers(layer.weight_rec, profile)
                if isinstance(layer, RecurrentLayer)
                else None,
                neuron=layer.neuron,
                bias=layer.bias,
                bias_imag=layer.bias_imag,
                delay=layer.delay,
                delay_shift=is_shifted(layer),
            )
        case ConvLayer():
            return ChipConv(
                name=name,
                shape_in=legal.shapes.shape_in,
                shape_out=legal.shapes.shape_out,
                sources=legal.sources,
                weights=_registers(layer.weight, profile),
                weights_imag=_optional(layer.weight_imag, profile),
                neuron=layer.neuron,
                bias=layer.bias,
                bias_imag=layer.bias_imag,
                delay=layer.delay,
                delay_shift=is_shifted(layer),
                stride=layer.stride,
                padding=layer.padding,
                dilation=layer.dilation,
                groups=layer.groups,
            )
        case _:
            assert_never(layer)


def width_problems(legal: LegalLayer, profile: HardwareProfile) -> list[Problem]:
    """Return a problem for each weight matrix of a layer that no legal width holds exactly."""
    return [
        _too_wide(legal.layer.name, weight, profile)
        for weight in legal_weights(legal)
        if weight_registers(weight, profile) is None
    ]


def legal_weights(legal: LegalLayer) -> list[IntArray]:
    """Return the weight matrices of a layer: none for neurons at the input."""
    layer = legal.layer
    if isinstance(layer, InputLayer):
        return []
    rest = (layer.weight_imag, layer.weight_rec if isinstance(layer, RecurrentLayer) else None)
    return [layer.weight, *(weight for weight in rest if weight is not None)]


def _registers(weight: IntArray, profile: HardwareProfile) -> WeightRegisters:
    found = weight_registers(weight, profile)
    if found is None:
        raise ValueError("no legal width holds the weights")
    return found


def _optional(weight: IntArray | None, profile: HardwareProfile) -> WeightRegisters | None:
    return None if weight is None else _registers(weight, profile)


def _too_wide(name: str, weight: IntArray, profile: HardwareProfile) -> Problem:
    needed = bits_needed(weight, profile)
    span = f"weights between {int(weight.min())} and {int(weight.max())}"
    if needed > FULL_WIDTH:
        found = f"{span} with odd numbers among them need {needed} bits"
        remedy = "Round the weights to even numbers, as SLAYER does, or compile for 'ideal'."
    else:
        found = f"{span} need {needed} bits"
        remedy = "Round the weights to a coarser grid, or compile for another profile."
    widest = max(profile.formats.weight_bits.value)
    return Problem(
        layer=name,
        found=found,
        allowed=f"{profile.name} allows {widest} bits, that is even numbers when signs are mixed"
        if needed > FULL_WIDTH
        else f"{profile.name} allows {widest} bits",
        remedy=remedy,
        rule="weight_width",
    )
