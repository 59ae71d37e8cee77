"""From registers back to NetX: what an artifact stores and the reference backend runs."""

from __future__ import annotations

from ..netx import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    size_of,
)
from .stages import ChipConv, ChipDense, ChipNetwork, NeuronRegisters


def as_netx(network: ChipNetwork) -> Network:
    """Return a network in register form as ordinary NetX, with effective weights.

    Parameters
    ----------
    network : ChipNetwork
        The registers.

    Returns
    -------
    Network
        The chip's layers in order, with an input layer that states the size of an image and the
        flatten layers that lava-dl needs.
    """
    layers: list[Layer] = []
    if len(network.input_shape) == 3:
        # lava-dl takes the size of the image from here
        layers.append(InputLayer(name="layer0", shape=network.input_shape))
    for register_layer in network.layers:
        name = f"layer{len(layers)}"
        match register_layer:
            case ChipDense():
                if len(register_layer.shape_in) == 3:
                    shape = (size_of(register_layer.shape_in), 1, 1)
                    layers.append(FlattenLayer(name=name, shape=shape))
                layers.append(
                    DenseLayer(
                        name=f"layer{len(layers)}",
                        shape=register_layer.shape_out,
                        weight=register_layer.weights.effective(),
                        neuron=_cuba(register_layer.neuron),
                        bias=register_layer.neuron.bias_mantissa,
                        delay=register_layer.delay,
                        delay_shift=register_layer.delay_shift,
                    )
                )
            case ChipConv():
                layers.append(
                    ConvLayer(
                        name=name,
                        shape=register_layer.shape_out,
                        weight=register_layer.weights.effective(),
                        stride=register_layer.stride,
                        padding=register_layer.padding,
                        dilation=register_layer.dilation,
                        groups=register_layer.groups,
                        neuron=_cuba(register_layer.neuron),
                        bias=register_layer.neuron.bias_mantissa,
                        delay=register_layer.delay,
                        delay_shift=register_layer.delay_shift,
                    )
                )
    return Network(layers=tuple(layers))


def _cuba(registers: NeuronRegisters) -> CubaNeuron:
    return CubaNeuron(
        vth_mantissa=registers.vth_mantissa,
        current_decay=registers.current_decay,
        voltage_decay=registers.voltage_decay,
    )
