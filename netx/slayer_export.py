"""Exporting a trained SLAYER module as NetX, exactly as its quantized forward pass computes.

lava-dl's own exporters need a forward pass first, remove weight normalization from the model they
export and write stale weights in places. Here the numbers are read, never changed, and are those
that the forward pass of the model in evaluation mode multiplies with.
"""
# SLAYER has no type information and torch's is partial; numbers leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false, reportPrivateUsage=false

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ExportError
from .arrays import IntArray, Shape
from .layers import ConvLayer, DenseLayer, FlattenLayer, InputLayer, Layer, size_of
from .network import Network
from .neurons import CubaNeuron, NeuronKind
from .shapes import infer_shapes
from .shapes import kernel_output_size as conv_output_size
from .writer import write_netx

BLOCKS = "lava.lib.dl.slayer.block.base"
CONTAINERS = ("ModuleList", "Sequential")


def export_slayer(module: Any, path: str | Path, input_shape: Shape | None = None) -> Network:
    """Write a SLAYER model as a NetX file.

    Parameters
    ----------
    module : torch.nn.Module
        Blocks of ``lava.lib.dl.slayer.block.cuba`` (Dense, Conv, Flatten, Input without neuron) in
        the order in which they are registered, alone or inside ModuleLists, Sequentials and
        modules of the user's own.
    path : str or Path
        The file to create or replace.
    input_shape : tuple of int, optional
        (N,) or (C, H, W); needed when the first block is a convolution.

    Returns
    -------
    Network
        What was written.

    Raises
    ------
    ExportError
        When a block is not known (by position and type), its weights are not quantized, or its
        numbers depend on a forward pass that was not made.
    OutputError
        When the file cannot be written.
    """
    network = network_from_slayer(module, input_shape)
    write_netx(network, path)
    return network


def network_from_slayer(module: Any, input_shape: Shape | None = None) -> Network:
    """Return the network that `export_slayer` writes; same parameters, nothing is written."""
    blocks = tuple(slayer_blocks(module))
    if not blocks:
        raise ExportError(f"{type(module).__name__}: holds no SLAYER blocks.")
    layers: list[Layer] = []
    shape = input_shape
    if input_shape is not None and len(input_shape) == 3:
        # tells readers the size of the image, which NetX does not store with the convolution
        layers.append(InputLayer(name="layer0", shape=input_shape))
    for position, block in blocks:
        name = f"layer{len(layers)}"
        if _is_block(block, "AbstractInput"):
            layer = _input(position, block, shape)
            if layers and isinstance(layers[0], InputLayer):
                continue
        elif _is_block(block, "AbstractFlatten"):
            if shape is None:
                raise ExportError(f"block '{position}': give input_shape=(C, H, W).")
            layer = FlattenLayer(name=name, shape=(size_of(shape), 1, 1))
        elif _is_block(block, "AbstractDense"):
            layer = _dense(name, position, block)
        else:
            layer = _conv(name, position, block, shape)
        layers.append(layer)
        shape = layer.shape
    network = Network(layers=tuple(layers))
    infer_shapes(network, input_shape)
    return network


def slayer_blocks(module: Any, position: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (position, block) of every SLAYER block in a module, in forward order.

    Parameters
    ----------
    module : torch.nn.Module
        A block or anything that holds blocks.
    position : str
        Dotted name of `module` inside the model, for error messages.

    Raises
    ------
    ExportError
        When a module is neither a supported block nor a container.
    """
    supported = ("AbstractInput", "AbstractFlatten", "AbstractDense", "AbstractConv")
    if any(_is_block(module, name) for name in supported):
        _check_is_cuba(module, position)
        yield position or "0", module
        return
    # named_children would leave out a block that is used twice
    children = [(n, child) for n, child in module._modules.items() if child is not None]
    is_users_container = type(module).__module__.split(".")[0] not in ("lava", "torch")
    if type(module).__name__ not in CONTAINERS and not (children and is_users_container):
        raise ExportError(
            f"block '{position or 'model'}' is a {type(module).__module__}."
            f"{type(module).__name__}, which cannot be exported. Exported are "
            "slayer.block.cuba.Dense, Conv, Flatten and Input (without neuron)."
        )
    for name, child in children:
        yield from slayer_blocks(child, f"{position}.{name}" if position else name)


def _is_block(module: Any, base: str) -> bool:
    """Tell whether a module derives from a block of SLAYER, without importing SLAYER."""
    return any(c.__module__ == BLOCKS and c.__name__ == base for c in type(module).__mro__)


def _check_is_cuba(block: Any, position: str) -> None:
    neuron = getattr(block, "neuron", None)
    if neuron is not None and not type(neuron).__module__.endswith("neuron.cuba"):
        raise ExportError(
            f"block '{position}': neuron {type(neuron).__module__}.{type(neuron).__name__} cannot "
            "be exported by this version. Exported are CUBA neurons."
        )


def _input(position: str, block: Any, shape: Shape | None) -> InputLayer:
    if block.neuron is not None:
        raise ExportError(f"block '{position}': an Input block with a neuron cannot be exported.")
    if shape is None:
        raise ExportError(f"block '{position}': give input_shape=(N,) or (C, H, W).")
    return InputLayer(name="layer0", shape=shape)


def _dense(name: str, position: str, block: Any) -> DenseLayer:
    weight = _weight(position, block)
    if weight.shape[2:] != (1, 1, 1):
        raise ExportError(
            f"block '{position}': a Dense block over (W, H, C) inputs cannot be exported. "
            "Put a Flatten block before it."
        )
    n_out = weight.shape[0]
    return DenseLayer(
        name=name,
        shape=(n_out,),
        weight=weight.reshape(n_out, -1),
        neuron=_neuron(position, block, n_out),
        bias=_bias(position, block, n_out),
        delay=_delay(position, block, n_out),
    )


def _conv(name: str, position: str, block: Any, shape: Shape | None) -> ConvLayer:
    if shape is None:
        raise ExportError(f"block '{position}': give input_shape=(C, H, W).")
    if len(shape) != 3:
        raise ExportError(f"block '{position}': a convolution cannot follow shape {shape}.")
    synapse = block.synapse
    weight = _weight(position, block)[..., 0]  # torch's fifth axis is SLAYER's time axis, size 1
    channels = weight.shape[0]
    without_shape = ConvLayer(
        name=name,
        shape=(channels, 1, 1),
        weight=weight,
        stride=(int(synapse.stride[0]), int(synapse.stride[1])),
        padding=(int(synapse.padding[0]), int(synapse.padding[1])),
        dilation=(int(synapse.dilation[0]), int(synapse.dilation[1])),
        groups=int(synapse.groups),
        neuron=_neuron(position, block, channels),
        bias=_bias(position, block, channels),
        delay=_delay(position, block, channels),
    )
    size = conv_output_size(without_shape, shape[1], shape[2])
    return dataclasses.replace(without_shape, shape=(channels, *size))


def _weight(position: str, block: Any) -> IntArray:
    """Return the whole-number weights of the forward pass, with torch's five axes."""
    synapse = block.synapse
    weight = synapse.weight
    for hook in synapse._forward_pre_hooks.values():
        # torch recomputes a normalized weight before each forward pass; `synapse.weight` itself is
        # that of the last one and goes stale with every optimizer step
        if type(hook).__name__ == "WeightNorm":
            weight = hook.compute_weight(synapse)
    if getattr(block, "mask", None) is not None:
        weight = weight * block.mask
    if synapse.pre_hook_fx is None:
        raise ExportError(
            f"block '{position}': its weights are not quantized (pre_hook_fx is None). "
            "Use the block's default, neuron.quantize_8bit."
        )
    quantized = synapse.pre_hook_fx(weight.detach())
    return _whole(position, "weight", quantized, float(block.neuron.scale))


def _whole(position: str, what: str, values: Any, scale: float) -> IntArray:
    scaled = values.detach().cpu().double().numpy() * scale
    rounded = np.round(scaled)
    if not np.array_equal(scaled, rounded):
        worst = float(scaled.reshape(-1)[int(np.argmax(np.abs(scaled - rounded)))])
        raise ExportError(
            f"block '{position}': {what} times the neuron scale {scale:g} is {worst:g}, not a "
            "whole number, so it is not quantized as NetX needs it."
        )
    return rounded.astype(np.int32)


def _neuron(position: str, block: Any, channels: int) -> CubaNeuron:
    neuron = block.neuron
    if hasattr(neuron, "current_decay_min"):
        raise ExportError(
            f"block '{position}': its decays, one a channel, are drawn in the first forward pass. "
            "Make one, or load a state dict, before exporting."
        )
    return CubaNeuron(
        kind=NeuronKind.CUBA,
        vth_mantissa=int(neuron.v_th_mant),
        current_decay=_decay(neuron.current_decay, neuron.p_scale),
        voltage_decay=_decay(neuron.voltage_decay, neuron.p_scale),
        graded_spike=bool(neuron.graded_spike),
    )


def _decay(parameter: Any, scale: int) -> IntArray:
    """Round half to even, as SLAYER's forward pass does (``slayer/utils/quantize.py``)."""
    values = parameter.detach().cpu().double().numpy()
    decay = np.clip(np.round(values), 0, scale).astype(np.int32)
    return decay.reshape(()) if decay.size == 1 else decay.reshape(-1)


def _bias(position: str, block: Any, channels: int) -> IntArray | None:
    norm = block.neuron.norm
    if norm is None:
        return None
    if type(norm).__name__ != "MeanOnlyBatchNorm":
        raise ExportError(
            f"block '{position}': normalization {type(norm).__name__} cannot be exported exactly. "
            "Use slayer.neuron.norm.MeanOnlyBatchNorm or none."
        )
    mean = norm.pre_hook_fx(norm.running_mean.detach())
    bias = -_whole(position, "the mean of the normalization", mean, float(block.neuron.scale))
    return np.broadcast_to(bias.reshape(-1), (channels,)).astype(np.int32)


def _delay(position: str, block: Any, channels: int) -> IntArray | None:
    if block.delay is None:
        return None
    if not block.delay.init:
        raise ExportError(
            f"block '{position}': its delays are drawn in the first forward pass. Make one before "
            "exporting."
        )
    steps = np.floor(block.delay.delay.detach().cpu().double().numpy()).reshape(-1)
    limit = block.delay.max_delay
    clamped = np.clip(steps, 0, limit if limit is not None else None)
    return np.broadcast_to(clamped, (channels,)).astype(np.int32)
