"""Shapes that flow through a network, and whether its layers fit each other."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import assert_never

from .arrays import Shape
from .errors import NetxFormatError
from .kernel_sizes import kernel_output_size
from .layers import (
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    PoolLayer,
    RecurrentLayer,
    UnpoolLayer,
    size_of,
)
from .network import Network

# Beyond this many neurons in a layer the file is damaged: Loihi 2 systems reach 2**30 neurons, and
# a run keeps several numbers of each.
MAX_NEURONS = 1 << 30


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
        Shape of the input, (N,) or (C, H, W). Needed only when the file starts with a layer whose
        output does not tell it, such as a convolution of a stride other than 1, since NetX stores
        output shapes only.

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
            case DenseLayer() | RecurrentLayer():
                n_out, n_in = layer.weight.shape
                if size_of(layer.shape) != n_out:
                    raise _error(
                        network,
                        layer.name,
                        f"its weight has {n_out} outputs, but its shape is {layer.shape}.",
                    )
                if size_of(shape) != n_in:
                    raise _error(
                        network,
                        layer.name,
                        f"its weight has {n_in} inputs, but {size_of(shape)} neurons "
                        f"{shape} come in.",
                    )
                # (N, 1, 1) is how SLAYER writes (N,); only lowered layers put out images
                is_image = len(layer.shape) == 3 and size_of(layer.shape[1:]) > 1
                out = layer.shape if is_image else (size_of(layer.shape),)
            case ConvLayer() | ConvTransposeLayer() | PoolLayer() | UnpoolLayer():
                out = _kernel_output_shape(network, layer, shape)
            case FlattenLayer():
                out = (size_of(shape),)
                if size_of(layer.shape) != size_of(shape):
                    raise _error(
                        network, layer.name, f"flattens {shape} to {layer.shape}: sizes differ."
                    )
            case AverageLayer():
                out = (size_of(layer.shape),)
                if size_of(shape) % size_of(out):
                    raise _error(
                        network,
                        layer.name,
                        f"cannot make {out[0]} equal groups of {size_of(shape)} neurons.",
                    )
            case ConcatLayer():
                out = _joined_shape(network, layer, shapes)
            case _:
                assert_never(layer)
        if size_of(out) > MAX_NEURONS:
            raise _error(network, layer.name, f"has {size_of(out)} neurons; {MAX_NEURONS} at most.")
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
        case DenseLayer() | RecurrentLayer():
            return (first.weight.shape[1],)
        case ConvLayer() if first.stride == (1, 1):
            shape = (first.weight.shape[1] * first.groups, *_conv_input_size(first))
            if min(shape) < 1:
                raise _error(
                    network,
                    first.name,
                    f"stores output shape {first.shape}, but with kernel {first.kernel_size}, "
                    f"padding {first.padding} and dilation {first.dilation} its input would be "
                    f"{shape}.",
                )
            return shape
        case _:
            stride = (
                f", and with stride {first.stride} the" if isinstance(first, ConvLayer) else "; the"
            )
            raise _error(
                network,
                first.name,
                f"NetX does not store its input shape{stride} output shape does not tell it. "
                "Give it (--input-shape C,H,W, or input_shape=).",
            )


def _conv_input_size(layer: ConvLayer) -> tuple[int, int]:
    """Invert the output size; unique only for stride 1."""
    height, width = (
        layer.shape[1 + axis]
        - 2 * layer.padding[axis]
        + layer.dilation[axis] * (layer.kernel_size[axis] - 1)
        for axis in (0, 1)
    )
    return (height, width)


def _kernel_output_shape(
    network: Network,
    layer: ConvLayer | ConvTransposeLayer | PoolLayer | UnpoolLayer,
    shape: Shape,
) -> Shape:
    channels = _input_channels(network, layer)
    if len(shape) != 3 or shape[0] != channels:
        raise _error(
            network, layer.name, f"expects ({channels}, H, W) as input, but {shape} comes in."
        )
    geometry = (
        f"kernel {layer.kernel_size}, stride {layer.stride}, padding {layer.padding} and dilation "
        f"{layer.dilation} make"
    )
    try:
        size = kernel_output_size(layer, shape[1], shape[2])
    except ValueError as error:
        raise _error(
            network, layer.name, f"{geometry} of {shape} an image whose {error}."
        ) from error
    out = (layer.shape[0], *size)
    if min(out) < 1:
        raise _error(network, layer.name, f"{geometry} {out} of {shape}.")
    if out != layer.shape:
        raise _error(
            network,
            layer.name,
            f"stores output shape {layer.shape}, but {geometry} {out} of {shape}.",
        )
    return out


def _input_channels(
    network: Network, layer: ConvLayer | ConvTransposeLayer | PoolLayer | UnpoolLayer
) -> int:
    match layer:
        case ConvLayer():
            if layer.groups < 1 or layer.shape[0] % layer.groups:
                raise _error(
                    network,
                    layer.name,
                    f"groups is {layer.groups}; it must divide its {layer.shape[0]} output "
                    "channels.",
                )
            return layer.weight.shape[1] * layer.groups
        case ConvTransposeLayer():
            return layer.weight.shape[0]
        case _:
            return layer.shape[0]


def _joined_shape(network: Network, layer: ConcatLayer, shapes: list[LayerShapes]) -> Shape:
    if not layer.sources or not all(0 <= n < len(shapes) for n in layer.sources):
        raise _error(
            network, layer.name, f"joins layers {layer.sources}, which are not all earlier."
        )
    parts = [shapes[source].shape_out for source in layer.sources]
    if len({part[1:] for part in parts}) > 1:
        raise _error(network, layer.name, f"joins layers of different sizes: {parts}.")
    out = (sum(part[0] for part in parts), *parts[0][1:])
    if size_of(out) != size_of(layer.shape):
        raise _error(network, layer.name, f"stores output shape {layer.shape}, but makes {out}.")
    return out


def _error(network: Network, layer: str, text: str) -> NetxFormatError:
    where = f"'{network.source.path}', " if network.source else ""
    subject = layer if layer == "the network" else f"{layer}:"
    return NetxFormatError(f"{where}{subject} {text}")
