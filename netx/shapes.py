"""Shapes that flow through a network, and whether its layers fit each other."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import assert_never

from .errors import NetxFormatError
from .network import ConvLayer, DenseLayer, FlattenLayer, InputLayer, Network, Shape, size_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerShapes:
    """Input and output shape of a layer, (N,) or (C, H, W)."""

    shape_in: Shape
    shape_out: Shape


def infer_shapes(network: Network, input_shape: Shape | None = None) -> tuple[LayerShapes, ...]:
    """Follow the shapes from the input to the last layer.

    Parameters
    ----------
    network : Network
        The chain of layers.
    input_shape : tuple of int, optional
        Shape of the input, (N,) or (C, H, W). Needed only when the file starts with a convolution
        of a stride other than 1, since NetX stores output shapes only.

    Returns
    -------
    tuple of LayerShapes
        One for each layer.

    Raises
    ------
    NetxFormatError
        When a layer does not fit the one before it, or when the input shape is not known.
    """
    if not network.layers:
        raise _error(network, "the network", "has no layers.")
    shape = _known_input_shape(network) if input_shape is None else input_shape
    shapes: list[LayerShapes] = []
    for layer in network.layers:
        match layer:
            case InputLayer():
                out = layer.shape
                if size_of(out) != size_of(shape):
                    raise _error(network, layer.name, f"declares input {out}, not {shape}.")
            case DenseLayer():
                n_in = layer.weight.shape[1]
                if size_of(shape) != n_in:
                    raise _error(
                        network,
                        layer.name,
                        f"its weight has {n_in} inputs, but {size_of(shape)} neurons "
                        f"{shape} come in.",
                    )
                out = (size_of(layer.shape),)
            case ConvLayer():
                out = _conv_output_shape(network, layer, shape)
            case FlattenLayer():
                out = (size_of(shape),)
                if size_of(layer.shape) != size_of(shape):
                    raise _error(
                        network, layer.name, f"flattens {shape} to {layer.shape}: sizes differ."
                    )
            case _:
                assert_never(layer)
        shapes.append(LayerShapes(shape_in=shape, shape_out=out))
        shape = out
    return tuple(shapes)


def _known_input_shape(network: Network) -> Shape:
    first = network.layers[0]
    match first:
        case InputLayer():
            return first.shape
        case FlattenLayer():
            return (size_of(first.shape),)
        case DenseLayer():
            return (first.weight.shape[1],)
        case ConvLayer():
            if first.stride != (1, 1):
                raise _error(
                    network,
                    first.name,
                    "NetX does not store its input shape, and with stride "
                    f"{first.stride} the output shape does not tell it. Give it "
                    "(--input-shape C,H,W, or input_shape=).",
                )
            shape = (first.weight.shape[1] * first.groups, *_conv_input_size(first))
            if min(shape) < 1 and first.groups > 0:
                raise _error(
                    network,
                    first.name,
                    f"stores output shape {first.shape}, but with kernel {first.kernel_size}, "
                    f"padding {first.padding} and dilation {first.dilation} its input would be "
                    f"{shape}.",
                )
            return shape
        case _:
            assert_never(first)


def _conv_input_size(layer: ConvLayer) -> tuple[int, int]:
    """Invert the output size; unique only for stride 1."""
    height, width = (
        layer.shape[1 + axis]
        - 2 * layer.padding[axis]
        + layer.dilation[axis] * (layer.kernel_size[axis] - 1)
        for axis in (0, 1)
    )
    return (height, width)


def conv_output_size(layer: ConvLayer, height: int, width: int) -> tuple[int, int]:
    """Return (height, width) of a convolution's output; torch's formula, rounded down."""
    sizes = (height, width)
    out_height, out_width = (
        (
            sizes[axis]
            + 2 * layer.padding[axis]
            - layer.dilation[axis] * (layer.kernel_size[axis] - 1)
            - 1
        )
        // layer.stride[axis]
        + 1
        for axis in (0, 1)
    )
    return (out_height, out_width)


def _conv_output_shape(network: Network, layer: ConvLayer, shape: Shape) -> Shape:
    if layer.groups < 1 or layer.shape[0] % layer.groups:
        raise _error(
            network,
            layer.name,
            f"groups is {layer.groups}; it must divide its {layer.shape[0]} output channels.",
        )
    channels = layer.weight.shape[1] * layer.groups
    if len(shape) != 3 or shape[0] != channels:
        raise _error(
            network, layer.name, f"expects ({channels}, H, W) as input, but {shape} comes in."
        )
    out = (layer.shape[0], *conv_output_size(layer, shape[1], shape[2]))
    geometry = (
        f"kernel {layer.kernel_size}, stride {layer.stride}, padding {layer.padding} and dilation "
        f"{layer.dilation} make {out} of {shape}."
    )
    if min(out) < 1:
        raise _error(network, layer.name, geometry)
    if out != layer.shape:
        raise _error(network, layer.name, f"stores output shape {layer.shape}, but {geometry}")
    return out


def _error(network: Network, layer: str, text: str) -> NetxFormatError:
    where = f"'{network.source.path}', " if network.source else ""
    subject = layer if layer == "the network" else f"{layer}:"
    return NetxFormatError(f"{where}{subject} {text}")
