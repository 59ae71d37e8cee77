"""Pass: turn whole-number weights into mantissa, exponent, width and sign mode, without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import assert_never

from ...hw_profiles import HardwareProfile
from ...netx import ConvLayer, DenseLayer, InputLayer, IntArray, RecurrentLayer, is_shifted
from ..problems import raise_problems
from ..rules_of_layers import weight_width
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
from ..weight_registers import WeightRegisters, weight_registers


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
        found = (
            weight_width.problem(legal.layer.name, legal, self.profile) for legal in network.layers
        )
        raise_problems(problem for problem in found if problem is not None)
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
        The layer; every weight fits a legal width (rule `weight_width`).
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


def _registers(weight: IntArray, profile: HardwareProfile) -> WeightRegisters:
    found = weight_registers(weight, profile)
    if found is None:
        raise ValueError("no legal width holds the weights")
    return found


def _optional(weight: IntArray | None, profile: HardwareProfile) -> WeightRegisters | None:
    return None if weight is None else _registers(weight, profile)
