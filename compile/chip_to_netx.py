"""From registers back to NetX: what an artifact stores and the reference backend runs."""

from __future__ import annotations

from ..netx import (
    ConcatLayer,
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    RecurrentLayer,
    Shape,
    size_of,
)
from .stages import NETWORK_INPUT, ChipConv, ChipDense, ChipInput, ChipNetwork


def as_netx(network: ChipNetwork) -> Network:
    """Return a network in register form as ordinary NetX, with effective weights.

    Parameters
    ----------
    network : ChipNetwork
        The registers.

    Returns
    -------
    Network
        The chip's layers in order; an input layer that states the size of an image, flatten layers
        that lava-dl needs and concat layers where several sources come in stand between them.
    """
    layers: list[Layer] = []
    # where the output of each chip layer stands among the NetX layers
    places: dict[int, int] = {}
    if _needs_input_layer(network):
        # lava-dl takes the size of the image from here
        layers.append(InputLayer(name="layer0", shape=network.input_shape))
        places[NETWORK_INPUT] = 0
    for index, layer in enumerate(network.layers):
        _lead_in(layers, places, index, layer.sources, layer.shape_in)
        match layer:
            case ChipInput():
                made = InputLayer(
                    name=f"layer{len(layers)}",
                    shape=layer.shape_out,
                    weight=layer.scale,
                    bias=layer.offset,
                    neuron=layer.neuron,
                    delay_shift=layer.delay_shift,
                )
            case ChipDense():
                if len(layer.shape_in) == 3:
                    shape = (size_of(layer.shape_in), 1, 1)
                    layers.append(FlattenLayer(name=f"layer{len(layers)}", shape=shape))
                made = _dense(f"layer{len(layers)}", layer)
            case ChipConv():
                made = ConvLayer(
                    name=f"layer{len(layers)}",
                    shape=layer.shape_out,
                    weight=layer.weights.effective(),
                    weight_imag=None
                    if layer.weights_imag is None
                    else layer.weights_imag.effective(),
                    stride=layer.stride,
                    padding=layer.padding,
                    dilation=layer.dilation,
                    groups=layer.groups,
                    neuron=layer.neuron,
                    bias=layer.bias,
                    bias_imag=layer.bias_imag,
                    delay=layer.delay,
                    delay_shift=layer.delay_shift,
                )
        places[index] = len(layers)
        layers.append(made)
    return Network(layers=tuple(layers))


def _needs_input_layer(network: ChipNetwork) -> bool:
    first, *later = network.layers
    if isinstance(first, ChipInput):
        return first.shape_out != network.input_shape
    is_joined = first.sources != (NETWORK_INPUT,) or any(NETWORK_INPUT in x.sources for x in later)
    return len(network.input_shape) == 3 or is_joined


def _lead_in(
    layers: list[Layer],
    places: dict[int, int],
    index: int,
    sources: tuple[int, ...],
    shape_in: Shape,
) -> None:
    """Add a concat layer where a layer takes anything but the output of the layer before it."""
    if sources == (index - 1,) or not layers:
        return
    joined: list[int] = []
    for source in sources:
        if len(shape_in) == 1 and len(layers[places[source]].shape) == 3:
            # images of several sizes can be joined once they are flat
            image = layers[places[source]].shape
            layers.append(
                ConcatLayer(name=f"layer{len(layers)}", shape=image, sources=(places[source],))
            )
            layers.append(FlattenLayer(name=f"layer{len(layers)}", shape=(size_of(image), 1, 1)))
            joined.append(len(layers) - 1)
        else:
            joined.append(places[source])
    layers.append(ConcatLayer(name=f"layer{len(layers)}", shape=shape_in, sources=tuple(joined)))


def _dense(name: str, layer: ChipDense) -> DenseLayer | RecurrentLayer:
    weight_imag = None if layer.weights_imag is None else layer.weights_imag.effective()
    if layer.weights_rec is None:
        return DenseLayer(
            name=name,
            shape=layer.shape_out,
            weight=layer.weights.effective(),
            weight_imag=weight_imag,
            neuron=layer.neuron,
            bias=layer.bias,
            bias_imag=layer.bias_imag,
            delay=layer.delay,
            delay_shift=layer.delay_shift,
        )
    return RecurrentLayer(
        name=name,
        shape=layer.shape_out,
        weight=layer.weights.effective(),
        weight_rec=layer.weights_rec.effective(),
        neuron=layer.neuron,
        bias=layer.bias,
        delay=layer.delay,
        delay_shift=layer.delay_shift,
    )
