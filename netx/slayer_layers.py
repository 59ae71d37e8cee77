"""From one SLAYER block to one layer."""
# SLAYER has no type information and torch's is partial; numbers leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from . import hdf5_schema as schema
from .arrays import Shape
from .errors import ExportError
from .kernel_sizes import kernel_output_size
from .layers import (
    AverageLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    InputLayer,
    KernelLayer,
    Layer,
    PoolLayer,
    RecurrentLayer,
    UnpoolLayer,
    size_of,
)
from .neurons import CubaNeuron, SigmaDeltaNeuron, is_complex
from .real_network import RealArray, RealValues, real_values, stated_values
from .slayer_blocks import BlockKind, block_kind, is_shifting, neuron_family, real_synapse
from .slayer_neurons import ExportedNeuron, check_scale, exported_neuron
from .slayer_numbers import (
    REMEDY,
    check_whole,
    delay_of,
    forward_weights,
    hooked,
    in_units,
    is_quantized,
    whole,
)

AnySynapticLayer: TypeAlias = (
    DenseLayer | RecurrentLayer | ConvLayer | ConvTransposeLayer | PoolLayer | UnpoolLayer
)
# What errors call the numbers of a layer that SLAYER may leave unquantized.
WORDS = {
    schema.WEIGHT: "weight",
    schema.WEIGHT_REAL: "weight",
    schema.WEIGHT_IMAG: "weight",
    schema.WEIGHT_REC: "recurrent weight",
    schema.BIAS: "bias",
    schema.BIAS_IMAG: "bias",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadeLayer:
    """A layer of the nearest whole numbers, and for layers of synapses the numbers themselves."""

    layer: Layer
    values: RealValues | None = None


def check_quantized(position: str, block: Any, made: MadeLayer) -> None:
    """Raise `ExportError` unless a layer's numbers are whole because SLAYER quantizes them."""
    for name in ("synapse", "input_synapse", "recurrent_synapse"):
        synapse = getattr(block, name, None)
        if synapse is not None and not is_quantized(synapse):
            raise ExportError(
                f"block '{position}': its weights are not quantized (pre_hook_fx is None). {REMEDY}"
            )
    if made.values is not None:
        for dataset, numbers in stated_values(made.values):
            what = WORDS.get(dataset, dataset)
            check_whole(position, what, numbers, int(block.neuron.scale))


def input_layer(name: str, position: str, block: Any, shape: Shape | None) -> MadeLayer:
    """Return the layer of an Input block; without a neuron it only states the shape."""
    known = shape if shape is not None else block.shape
    if known is None:
        raise ExportError(f"block '{position}': give input_shape=(N,) or (C, H, W).")
    shape = tuple(int(n) for n in known)
    if block.neuron is None:
        return MadeLayer(layer=InputLayer(name=name, shape=shape))
    exported = exported_neuron(position, block, shape[0])
    if is_complex(exported.neuron):
        raise ExportError(
            f"block '{position}': an Input block of {neuron_family(block.neuron)} neurons cannot "
            "run in SLAYER: they take complex input. Start with a Dense or Conv block."
        )
    check_scale(position, int(block.neuron.scale), "an Input block with neurons")
    if exported.bias is not None and not isinstance(exported.neuron, SigmaDeltaNeuron):
        raise ExportError(
            f"block '{position}': a normalization in an Input block cannot be stored in NetX."
        )
    weight, bias = (
        None
        if parameter is None
        else int(whole(position, what, block.pre_hook_fx(parameter.detach()), 64).item())
        for what, parameter in (("weight", block.weight), ("bias", block.bias))
    )
    layer = InputLayer(
        name=name,
        shape=shape,
        weight=weight,
        bias=bias,
        neuron=exported.neuron,
        delay_shift=is_shifting(block),
    )
    return MadeLayer(layer=layer)


def dense_layer(name: str, position: str, block: Any) -> MadeLayer:
    """Return the layer of a Dense, Affine or sigma-delta Output block."""
    weight, weight_imag = forward_weights(position, block, block.synapse)
    n_out = weight.shape[0]
    kind = block_kind(block)
    if kind is BlockKind.AFFINE:
        exported = _affine_neuron(position, block, n_out)
    else:
        exported = exported_neuron(position, block, n_out)
    if kind is BlockKind.SIGMA_OUTPUT and isinstance(exported.neuron, SigmaDeltaNeuron):
        # its forward pass sums and returns, without normalization or bias
        output = dataclasses.replace(exported.neuron, sigma_output=True)
        exported = ExportedNeuron(neuron=output, bias=None, bias_imag=None)
    imag = None if weight_imag is None else weight_imag.reshape(n_out, -1)
    return _made(
        DenseLayer,
        _numbers(weight.reshape(n_out, -1), imag, exported),
        name=name,
        shape=(n_out,),
        neuron=exported.neuron,
        # the forward pass of an Affine block does not apply its delay
        delay=None if kind is BlockKind.AFFINE else delay_of(position, block, n_out),
        delay_shift=is_shifting(block),
    )


def pointwise_layer(name: str, position: str, block: Any, shape: Shape) -> MadeLayer:
    """Return what a Dense block does to an image: the same weights at every pixel."""
    weight, weight_imag = forward_weights(position, block, block.synapse)
    channels = weight.shape[0]
    exported = exported_neuron(position, block, channels)
    return _made(
        ConvLayer,
        _numbers(weight, weight_imag, exported),
        name=name,
        shape=(channels, *shape[1:]),
        stride=(1, 1),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        neuron=exported.neuron,
        delay=delay_of(position, block, channels),
        delay_shift=is_shifting(block),
    )


def kernel_layer(name: str, position: str, block: Any, kind: BlockKind, shape: Shape) -> MadeLayer:
    """Return the layer of a Conv, ConvT, Pool or Unpool block; `shape` is (C, H, W), coming in."""
    weight, weight_imag = forward_weights(position, block, block.synapse)
    synapse = real_synapse(block.synapse)
    if kind is BlockKind.CONV:
        channels = weight.shape[0]
    elif kind is BlockKind.CONV_TRANSPOSE:
        channels = weight.shape[1] * int(synapse.groups)
    else:
        channels = shape[0]
    exported = exported_neuron(position, block, channels)
    common: dict[str, Any] = {
        "name": name,
        "shape": (channels, 1, 1),
        "stride": (int(synapse.stride[0]), int(synapse.stride[1])),
        "padding": (int(synapse.padding[0]), int(synapse.padding[1])),
        "dilation": (int(synapse.dilation[0]), int(synapse.dilation[1])),
        "neuron": exported.neuron,
        "delay": delay_of(position, block, channels),
        "delay_shift": is_shifting(block),
    }
    numbers = _numbers(weight, weight_imag, exported)
    match kind:
        case BlockKind.CONV:
            made = _made(ConvLayer, numbers, groups=int(synapse.groups), **common)
        case BlockKind.CONV_TRANSPOSE:
            made = _made(ConvTransposeLayer, numbers, groups=int(synapse.groups), **common)
        case BlockKind.POOL:
            made = _made(PoolLayer, numbers, **common)
        case _:
            made = _made(UnpoolLayer, numbers, **common)
    layer = made.layer
    assert isinstance(layer, KernelLayer)
    try:
        size = kernel_output_size(layer, shape[1], shape[2])
    except ValueError as error:
        raise ExportError(
            f"block '{position}': makes of {shape} an image whose {error}."
        ) from error
    return dataclasses.replace(made, layer=dataclasses.replace(layer, shape=(channels, *size)))


def average_layer(name: str, position: str, block: Any, shape: Shape) -> MadeLayer:
    """Return the layer of an Average block."""
    groups = int(block.num_outputs)
    if size_of(shape) % groups:
        raise ExportError(
            f"block '{position}': cannot make {groups} equal groups of {size_of(shape)} neurons."
        )
    return MadeLayer(layer=AverageLayer(name=name, shape=(groups, 1, 1)))


def recurrent_layer(name: str, position: str, block: Any) -> MadeLayer:
    """Return the layer of a Recurrent block."""
    _check_is_real(position, block, block.input_synapse)
    weight, _ = forward_weights(position, block, block.input_synapse)
    n_out = weight.shape[0]
    # The forward pass takes this weight without calling the synapse, so a weight normalization
    # never acts on it (slayer/utils/recurrent.py).
    synapse = block.recurrent_synapse
    recurrent = hooked(position, "recurrent weight", synapse, synapse.weight, block.neuron.scale)
    exported = _recurrent_neuron(position, block, n_out)
    return _made(
        RecurrentLayer,
        {
            "weight": weight.reshape(n_out, -1),
            "weight_rec": recurrent.reshape(n_out, n_out),
            "bias": exported.bias,
        },
        name=name,
        shape=(n_out,),
        neuron=exported.neuron,
        delay=delay_of(position, block, n_out),
        delay_shift=is_shifting(block),
    )


def winner_take_all_layer(name: str, position: str, block: Any) -> MadeLayer:
    """Return the layer of a KWTA block: recurrent, each neuron inhibits all others.

    Source: ``slayer/block/base.py``, AbstractKWTA.forward: weights ``(1 + a) * identity - 1`` and
    an offset ``threshold * (N - 2 K) / N / scale``, both quantized.
    """
    import torch

    _check_is_real(position, block, block.synapse)
    neuron = block.neuron
    n_out, scale = int(block.num_neurons), int(neuron.scale)
    weight, _ = forward_weights(position, block, block.synapse)
    excitation = block.self_excitation.detach().clamp(0, 1)
    recurrent = (1 + excitation) * torch.eye(n_out, device=excitation.device) - 1
    winners = int(block.num_winners)
    offset = torch.FloatTensor([neuron.threshold * (n_out - 2 * winners) / n_out / neuron.w_scale])
    exported = _recurrent_neuron(position, block, n_out)
    bias = exported.bias
    constant = int(whole(position, "offset", neuron.quantize_8bit(offset), scale).item())
    if constant:
        if isinstance(exported.neuron, CubaNeuron):
            raise ExportError(
                f"block '{position}': its offset of {constant / scale:g} enters before the "
                "current, where NetX has no bias for CUBA neurons. Use a threshold small enough "
                "for it to round to 0, or ALIF neurons."
            )
        bias = np.full(n_out, constant, dtype=np.float64) + (0 if bias is None else bias)
    return _made(
        RecurrentLayer,
        {
            "weight": weight.reshape(n_out, -1),
            "weight_rec": in_units(
                position, "recurrent weight", neuron.quantize_8bit(recurrent), scale
            ),
            "bias": bias,
        },
        name=name,
        shape=(n_out,),
        neuron=exported.neuron,
        delay_shift=is_shifting(block),
    )


def _numbers(
    weight: RealArray, weight_imag: RealArray | None, exported: ExportedNeuron
) -> dict[str, RealArray | None]:
    return {
        "weight": weight,
        "weight_imag": weight_imag,
        "bias": exported.bias,
        "bias_imag": exported.bias_imag,
    }


def _made(
    kind: type[AnySynapticLayer], numbers: Mapping[str, RealArray | None], **fields: Any
) -> MadeLayer:
    """Return a layer; `numbers` are those of its fields that the forward pass need not round."""
    real = {name: values for name, values in numbers.items() if values is not None}
    nearest = {name: np.round(values).astype(np.int64) for name, values in real.items()}
    layer = kind(**nearest, **fields)
    return MadeLayer(layer=layer, values=dataclasses.replace(real_values(layer, {}), **real))


def _recurrent_neuron(position: str, block: Any, n_out: int) -> ExportedNeuron:
    exported = exported_neuron(position, block, n_out)
    if exported.bias is not None and isinstance(exported.neuron, CubaNeuron):
        raise ExportError(
            f"block '{position}': a normalization of CUBA neurons in a {type(block).__name__} "
            "block acts on the current that is kept, step by step, which NetX cannot state. Train "
            "without it, or with ALIF neurons."
        )
    return exported


def _affine_neuron(position: str, block: Any, n_out: int) -> ExportedNeuron:
    """Return a neuron that never fires; without dynamics its voltage is the step's input."""
    if not block.dynamics:
        everything = np.array(4096, dtype=np.int32)
        neuron = CubaNeuron(
            vth_mantissa=schema.AFFINE_VTH_MANTISSA,
            current_decay=everything,
            voltage_decay=everything,
        )
        return ExportedNeuron(neuron=neuron, bias=None, bias_imag=None)
    # SLAYER has set the threshold to -1 to keep the block from firing
    exported = exported_neuron(position, block, n_out)
    assert isinstance(exported.neuron, CubaNeuron)
    silent = dataclasses.replace(
        exported.neuron, vth_mantissa=schema.AFFINE_VTH_MANTISSA, graded_spike=False
    )
    return ExportedNeuron(neuron=silent, bias=exported.bias, bias_imag=None)


def _check_is_real(position: str, block: Any, synapse: Any) -> None:
    if synapse.complex:
        raise ExportError(
            f"block '{position}': a {type(block).__name__} block of complex neurons cannot run in "
            "SLAYER, nor be stored in NetX."
        )
