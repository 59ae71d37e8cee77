"""From a legal layer to the same in register form, without loss."""

from __future__ import annotations

from typing_extensions import assert_never

from ..hw_profiles import HardwareProfile
from ..netx import ConvLayer, DenseLayer, InputLayer, IntArray, RecurrentLayer, is_shifted
from .stages import ChipConv, ChipDense, ChipInput, ChipLayer, LegalLayer, neuron_of
from .weight_registers import WeightRegisters, weight_registers


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
            return ChipInput(
                name=name,
                shape_in=legal.shapes.shape_in,
                shape_out=legal.shapes.shape_out,
                sources=legal.sources,
                neuron=neuron_of(legal),
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
