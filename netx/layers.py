"""Layers of NetX, number for number as a file states them.

Axis order is SLAYER's and NetX's own everywhere: channel, height, width (C, H, W). (lava-dl's
README calls the stored order x, y, z; its reader reverses it to get that.)

Weights and biases are in units of 1/64; SLAYER writes even numbers in [-256, 254]. A bias acts in
every step: CUBA neurons add it to the voltage, SDNN neurons to the sum before the activation, all
others to their input, each as SLAYER's normalization does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from .arrays import IntArray, Shape, check_int32, freeze_array
from .hdf5_store import RawValue
from .neurons import Neuron, SigmaDeltaNeuron


class LayerKind(str, Enum):
    """Layer kinds, with the spelling of the file's ``type`` field."""

    INPUT = "input"
    DENSE = "dense"
    RECURRENT = "dense_rec"
    CONV = "conv"
    CONV_TRANSPOSE = "convT"
    POOL = "pool"
    UNPOOL = "unpool"
    FLATTEN = "flatten"
    AVERAGE = "average"
    CONCAT = "concat"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseLayer:
    """What every layer has.

    Attributes
    ----------
    name : str
        ``layer<i>``, i being the index in the file.
    shape : tuple of int
        Output shape as stored: (N,), (N, 1, 1) or (C, H, W).
    extra : mapping of str to array or str
        Datasets of the layer that are not understood; written back as they are.
    """

    name: str
    shape: Shape
    extra: Mapping[str, RawValue] = field(default_factory=dict[str, RawValue])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputLayer(BaseLayer):
    """Where input enters; without a neuron it only declares a shape.

    Attributes
    ----------
    weight, bias : int or None
        Scale and offset that a layer with neurons applies to its input, in units of 1/64.
    neuron : Neuron or None
        None when the layer passes spikes on.
    delay_shift : bool or None
        See `SynapticLayer`.
    """

    weight: int | None = None
    bias: int | None = None
    neuron: Neuron | None = None
    delay_shift: bool | None = None

    def __post_init__(self) -> None:
        check_int32(self, "weight", "bias")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SynapticLayer(BaseLayer):
    """What every layer of synapses and neurons has.

    Attributes
    ----------
    weight : int32 array
        Shape by kind of layer.
    weight_imag : int32 array or None
        Weights to the imaginary part of complex neurons (resonators); `weight` then is the real.
    neuron : Neuron
        Shared by all neurons, but for decays given one a channel.
    bias, bias_imag : int32 array, shape (C,), or None
        One a channel (convolutions) or neuron (dense).
    delay : int32 array, shape (C,), or None
        Axonal delay of the output of each channel or neuron, in steps.
    delay_shift : bool or None
        Whether SLAYER returned the output one step late, so that biases of later layers act one
        step longer than the input does; None where the file does not say.
    """

    weight: IntArray
    neuron: Neuron
    weight_imag: IntArray | None = None
    bias: IntArray | None = None
    bias_imag: IntArray | None = None
    delay: IntArray | None = None
    delay_shift: bool | None = None

    def __post_init__(self) -> None:
        ndim = 4 if isinstance(self, KernelLayer) else 2
        freeze_array(self, "weight", ndim)
        freeze_array(self, "weight_imag", ndim)
        for name in ("bias", "bias_imag", "delay"):
            freeze_array(self, name, 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenseLayer(SynapticLayer):
    """Every input connected to every neuron; `weight` has shape (n_out, n_in).

    SLAYER's Affine blocks are dense layers whose neurons never fire (`is_readout`).
    """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecurrentLayer(SynapticLayer):
    """A dense layer whose spikes come back to it one step later; `weight` is (n_out, n_in).

    Attributes
    ----------
    weight_rec : int32 array, shape (n_out, n_out)
        From each neuron (second axis) to each neuron.
    """

    weight_rec: IntArray

    def __post_init__(self) -> None:
        super(RecurrentLayer, self).__post_init__()
        freeze_array(self, "weight_rec", 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KernelLayer(SynapticLayer):
    """What convolutions and poolings share: a kernel that moves over an image.

    Attributes
    ----------
    stride, padding, dilation : tuple of int
        (height, width) each.
    """

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    @property
    def kernel_size(self) -> tuple[int, int]:
        """(height, width) of the kernel."""
        return (self.weight.shape[2], self.weight.shape[3])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConvLayer(KernelLayer):
    """Two-dimensional convolution (correlation, as in torch).

    `weight` has shape (C_out, C_in / groups, kernel height, kernel width), not flipped.

    Attributes
    ----------
    groups : int
        Number of channel groups.
    """

    groups: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConvTransposeLayer(KernelLayer):
    """Transposed convolution, as in torch.

    `weight` has shape (C_in, C_out / groups, kernel height, kernel width).

    Attributes
    ----------
    groups : int
        Number of channel groups.
    """

    groups: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolLayer(KernelLayer):
    """Sum pooling: every channel with one kernel, `weight` of shape (1, 1, height, width).

    SLAYER lays the channels of an image below each other and moves the kernel over the whole, after
    it has added ``size % kernel size`` empty rows and columns to each channel
    (``slayer/synapse/layer.py``, Pool). Windows that do not fit a channel reach into the next.
    """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnpoolLayer(KernelLayer):
    """The transpose of `PoolLayer`; the channels lie below each other here, too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlattenLayer(BaseLayer):
    """(C, H, W) becomes (C * H * W,), channel slowest, as ``torch.flatten`` does it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AverageLayer(BaseLayer):
    """The mean over equal groups of neighbouring neurons; `shape` is (groups, 1, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConcatLayer(BaseLayer):
    """Outputs of earlier layers side by side, along the channels.

    NetX names this kind; no exporter writes it and nobody states its fields. Ours is `sources`.

    Attributes
    ----------
    sources : tuple of int
        Indices of the layers, in order.
    """

    sources: tuple[int, ...]


Layer: TypeAlias = (
    InputLayer
    | DenseLayer
    | RecurrentLayer
    | ConvLayer
    | ConvTransposeLayer
    | PoolLayer
    | UnpoolLayer
    | FlattenLayer
    | AverageLayer
    | ConcatLayer
)


def layer_kind(layer: Layer) -> LayerKind:
    """Return the kind of a layer."""
    match layer:
        case InputLayer():
            return LayerKind.INPUT
        case RecurrentLayer():
            return LayerKind.RECURRENT
        case DenseLayer():
            return LayerKind.DENSE
        case ConvLayer():
            return LayerKind.CONV
        case ConvTransposeLayer():
            return LayerKind.CONV_TRANSPOSE
        case PoolLayer():
            return LayerKind.POOL
        case UnpoolLayer():
            return LayerKind.UNPOOL
        case FlattenLayer():
            return LayerKind.FLATTEN
        case AverageLayer():
            return LayerKind.AVERAGE
        case ConcatLayer():
            return LayerKind.CONCAT


def is_shifted(layer: Layer) -> bool:
    """Tell whether SLAYER returned a layer's output one step late.

    Where a file does not say, SLAYER's default for the kind of neuron is taken: late, but for
    sigma-delta neurons.
    """
    if not isinstance(layer, InputLayer | SynapticLayer) or layer.neuron is None:
        return False
    if layer.delay_shift is not None:
        return layer.delay_shift
    return not isinstance(layer.neuron, SigmaDeltaNeuron)


def steps_before_input(shifted: Iterable[bool]) -> tuple[int, ...]:
    """Return, for each layer, how many steps it runs before the first input can reach it.

    In SLAYER all layers start with the sample, and each that returns its output one step late
    (`is_shifted`) leaves the later ones a step more, which only a bias uses.
    """
    late = [int(is_late) for is_late in shifted]
    return tuple(sum(late[:index]) for index in range(len(late)))


def size_of(shape: Shape) -> int:
    """Return the number of neurons in a shape."""
    return math.prod(shape)
