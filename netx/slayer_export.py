"""Exporting a trained SLAYER module as NetX, exactly as its forward pass computes.

lava-dl's own exporters need a forward pass first, remove weight normalization from the model they
export, write stale weights in places and crash on several kinds of blocks. Here the numbers are
read, never changed, and are those that the forward pass of the model in evaluation mode uses.
"""
# SLAYER has no type information and torch's is partial; numbers leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .arrays import Shape
from .errors import ExportError, NetxFormatError
from .layers import FlattenLayer, InputLayer, Layer, size_of
from .network import Network
from .real_files import write_real_netx
from .real_network import RealNetwork, RealValues
from .shapes import infer_shapes
from .slayer_blocks import BlockKind, block_kind, real_synapse, slayer_blocks
from .slayer_layers import (
    MadeLayer,
    average_layer,
    check_quantized,
    dense_layer,
    input_layer,
    kernel_layer,
    pointwise_layer,
    recurrent_layer,
    winner_take_all_layer,
)
from .slayer_neurons import check_power_of_two
from .slayer_warnings import block_warnings
from .writer import write_netx


def export_slayer(module: Any, path: str | Path, input_shape: Shape | None = None) -> Network:
    """Write a SLAYER model as a NetX file.

    Parameters
    ----------
    module : torch.nn.Module
        Blocks of ``lava.lib.dl.slayer.block`` in the order in which they are registered, alone or
        inside ModuleLists, Sequentials and modules of the user's own.
    path : str or Path
        The file to create or replace.
    input_shape : tuple of int, optional
        (N,) or (C, H, W); needed when the first block does not tell it (images, Input blocks).

    Returns
    -------
    Network
        What was written, with warnings where SLAYER computes what nothing else does.

    Raises
    ------
    ExportError
        When a block is not known (by position and type), its weights are not quantized (see
        `export_real_slayer`), its numbers depend on a forward pass that was not made, or NetX
        cannot state what it does.
    OutputError
        When the file cannot be written.
    """
    network = network_from_slayer(module, input_shape)
    write_netx(network, path)
    return network


def network_from_slayer(module: Any, input_shape: Shape | None = None) -> Network:
    """Return the network that `export_slayer` writes; same parameters, nothing is written."""
    return _exported(module, input_shape, check=check_quantized).nearest


def export_real_slayer(
    module: Any, path: str | Path, input_shape: Shape | None = None
) -> RealNetwork:
    """Write a SLAYER model whose weights are not quantized as a NetX file of real numbers.

    Parameters
    ----------
    module, path, input_shape
        As for `export_slayer`.

    Returns
    -------
    RealNetwork
        What was written.

    Raises
    ------
    ExportError
        As by `export_slayer`, but not for weights and biases between the whole numbers.
    OutputError
        When the file cannot be written.

    Notes
    -----
    Numbers are what the forward pass of the model in evaluation mode multiplies with and adds:
    weights after their hook, where the synapse has one, so blocks that quantize give whole numbers.
    Thresholds (cut by the neuron's constructor), decays (rounded in the forward pass) and delays
    (rounded down) are whole in SLAYER, too. So are the states of neurons that spike: what reaches
    one in a step is cut toward zero to a 64th of a weight unit. See `write_real_netx` for who can
    read the file.
    """
    network = real_network_from_slayer(module, input_shape)
    write_real_netx(network, path)
    return network


def real_network_from_slayer(module: Any, input_shape: Shape | None = None) -> RealNetwork:
    """Return the network that `export_real_slayer` writes; same parameters, nothing is written."""
    return _exported(module, input_shape, check=lambda _position, _block, _made: None)


def _exported(
    module: Any, input_shape: Shape | None, *, check: Callable[[str, Any, MadeLayer], None]
) -> RealNetwork:
    """Export a model; `check` may raise for a layer by position, block and what was made of it."""
    if not hasattr(module, "_modules"):
        raise ExportError(f"{module!r} is no torch.nn.Module.")
    blocks = tuple(slayer_blocks(module))
    if not blocks:
        raise ExportError(f"{type(module).__name__}: holds no SLAYER blocks.")
    layers: list[Layer] = []
    values: dict[str, RealValues] = {}
    warnings: list[str] = []
    positions: dict[str, str] = {}
    shape = None if input_shape is None else _checked(input_shape)
    if block_kind(blocks[0][1]) is not BlockKind.INPUT and shape is not None and len(shape) == 3:
        # tells readers the size of the image, which NetX does not store with the convolution
        layers.append(InputLayer(name="layer0", shape=shape))
    for place, (position, block) in enumerate(blocks):
        if getattr(block, "neuron", None) is not None:
            check_power_of_two(position, int(block.neuron.scale))
        _check_place(position, block, is_first=place == 0, is_last=place == len(blocks) - 1)
        try:
            made = _layers(len(layers), position, block, shape)
        except ExportError:
            raise
        except (ValueError, TypeError, OverflowError) as error:
            # numbers that are none, or that no register of 32 bits holds
            raise ExportError(f"block '{position}': {error}.") from error
        for one in made:
            check(position, block, one)
            layers.append(one.layer)
            positions[one.layer.name] = position
            if one.values is not None:
                values[one.layer.name] = one.values
        warnings += block_warnings(position, block, shape, _image_shape(layers[-1]))
        shape = _image_shape(layers[-1])
    network = Network(layers=tuple(layers), warnings=tuple(warnings))
    try:
        infer_shapes(network, input_shape)
    except NetxFormatError as error:
        name, _, text = str(error).partition(": ")
        raise ExportError(f"block '{positions.get(name, name)}': {text}") from error
    return RealNetwork(nearest=network, values=values)


def _layers(index: int, position: str, block: Any, shape: Shape | None) -> list[MadeLayer]:
    """Return the layers of a block; `shape` is what comes in, None where that is not known."""
    name = f"layer{index}"
    kind = block_kind(block)
    match kind:
        case BlockKind.INPUT:
            return [input_layer(name, position, block, shape)]
        case BlockKind.FLATTEN:
            flatten = FlattenLayer(name=name, shape=(size_of(_known(position, shape)), 1, 1))
            return [MadeLayer(layer=flatten)]
        case BlockKind.AVERAGE:
            return [average_layer(name, position, block, _known(position, shape))]
        case BlockKind.RECURRENT:
            return [recurrent_layer(name, position, block)]
        case BlockKind.KWTA:
            return [winner_take_all_layer(name, position, block)]
        case BlockKind.DENSE | BlockKind.AFFINE | BlockKind.SIGMA_OUTPUT:
            return _dense_layers(index, position, block, shape)
        case BlockKind.CONV | BlockKind.CONV_TRANSPOSE | BlockKind.POOL | BlockKind.UNPOOL:
            return [kernel_layer(name, position, block, kind, _image(position, shape))]
        case BlockKind.TIME_DECIMATION | None:
            raise ExportError(
                f"block '{position}': a TimeDecimation block changes the length of a step, which "
                "neither NetX nor the chip can. Decimate the input, or average what was recorded."
            )


def _dense_layers(index: int, position: str, block: Any, shape: Shape | None) -> list[MadeLayer]:
    """Return a dense layer, for images with what SLAYER's convolution-based Dense makes of them."""
    kernel = tuple(real_synapse(block.synapse).kernel_size)
    n_in = int(block.synapse.in_channels)
    if shape is not None and len(shape) == 3 and kernel[:2] == (1, 1) and size_of(shape[1:]) > 1:
        if n_in != shape[0]:
            raise ExportError(
                f"block '{position}': takes {n_in} inputs, but an image {shape} comes in. "
                "Put a Flatten block before it."
            )
        return [pointwise_layer(f"layer{index}", position, block, shape)]
    if kernel[:2] == (1, 1):
        return [dense_layer(f"layer{index}", position, block)]
    if shape is not None and shape != (n_in, *kernel[:2]):
        raise ExportError(
            f"block '{position}': takes images of {(n_in, *kernel[:2])}, but {shape} comes in."
        )
    size = n_in * kernel[0] * kernel[1]
    flatten = FlattenLayer(name=f"layer{index}", shape=(size, 1, 1))
    return [MadeLayer(layer=flatten), dense_layer(f"layer{index + 1}", position, block)]


def _check_place(position: str, block: Any, *, is_first: bool, is_last: bool) -> None:
    kind = block_kind(block)
    if kind is BlockKind.INPUT and not is_first:
        raise ExportError(f"block '{position}': an Input block stands in the middle of the model.")
    if kind in (BlockKind.AFFINE, BlockKind.SIGMA_OUTPUT) and not is_last:
        raise ExportError(
            f"block '{position}': its output is a voltage or a sum, which no later layer can take "
            "on a chip. Only the last block can be one of these."
        )


def _checked(shape: Any) -> Shape:
    try:
        sizes = tuple(int(n) for n in shape)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) not in (1, 3) or min(sizes) < 1:
        raise ExportError(f"input_shape is {shape!r}; (N,) or (C, H, W) was expected.")
    return sizes


def _image_shape(layer: Layer) -> Shape:
    return (size_of(layer.shape),) if isinstance(layer, FlattenLayer) else layer.shape


def _known(position: str, shape: Shape | None) -> Shape:
    if shape is None:
        raise ExportError(f"block '{position}': give input_shape=(C, H, W).")
    return shape


def _image(position: str, shape: Shape | None) -> Shape:
    known = _known(position, shape)
    if len(known) != 3:
        raise ExportError(f"block '{position}': takes images, but shape {known} comes in.")
    return known
