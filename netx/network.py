"""The network as a typed description: what a NetX file says, number for number.

Nothing here knows a chip. Axis order is SLAYER's and NetX's own everywhere: channel, height, width
(C, H, W). (lava-dl's README calls the stored order x, y, z; its reader reverses it to get that.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int32]
Shape: TypeAlias = tuple[int, ...]
INT32 = np.iinfo(np.int32)


class LayerKind(str, Enum):
    """Layer kinds, with the spelling of the file's ``type`` field."""

    INPUT = "input"
    DENSE = "dense"
    CONV = "conv"
    FLATTEN = "flatten"


class NeuronKind(str, Enum):
    """Neuron kinds, with the spelling of the file's ``neuron/type`` field."""

    CUBA = "CUBA"
    LOIHI = "LOIHI"  # the same neuron, as files of lava-dl 0.2 and of the bootstrap module spell it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CubaNeuron:
    """Current-based leaky integrate-and-fire neuron in fixed point.

    Attributes
    ----------
    kind : NeuronKind
        Spelling found in the file.
    vth_mantissa : int
        Threshold in weight units; the chip compares the voltage with ``vth_mantissa * 64``.
    current_decay, voltage_decay : int32 array, shape () or (C,)
        Part of the state lost in a step, of 4096; 0 keeps all, 4096 forgets all. One value, or one
        a channel (convolution) or neuron (dense).
    refractory_delay : int
        Steps from a spike to the next update; 1 means no refractory period.
    graded_spike : bool
        Whether spikes carry the voltage instead of 1.
    """

    kind: NeuronKind
    vth_mantissa: int
    current_decay: IntArray
    voltage_decay: IntArray
    refractory_delay: int = 1
    graded_spike: bool = False

    def __post_init__(self) -> None:
        for name in ("current_decay", "voltage_decay"):
            _freeze(self, name, (0, 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputLayer:
    """Where spikes enter; without a neuron it only declares a shape.

    Attributes
    ----------
    name : str
        ``layer<i>``, i being the index in the file.
    shape : tuple of int
        (N,) or (C, H, W).
    weight, bias : int or None
        Scale and offset that a neuron layer applies to its input, in units of 1/64.
    neuron : CubaNeuron or None
        None when the layer passes spikes on.
    """

    name: str
    shape: Shape
    weight: int | None = None
    bias: int | None = None
    neuron: CubaNeuron | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenseLayer:
    """Every input connected to every neuron.

    Attributes
    ----------
    name : str
        ``layer<i>``, i being the index in the file.
    shape : tuple of int
        As stored: (N,) or (N, 1, 1).
    weight : int32 array, shape (n_out, n_in)
        In units of 1/64; SLAYER writes even numbers in [-256, 254].
    bias : int32 array, shape (n_out,), or None
        Added to the voltage in every step, in units of 1/64.
    delay : int32 array, shape (n_out,), or None
        Axonal delay of each neuron's output, in steps.
    neuron : CubaNeuron
        Shared by all neurons, but for decays given one a neuron.
    """

    name: str
    shape: Shape
    weight: IntArray
    neuron: CubaNeuron
    bias: IntArray | None = None
    delay: IntArray | None = None

    def __post_init__(self) -> None:
        _freeze(self, "weight", (2,))
        _freeze(self, "bias", (1,))
        _freeze(self, "delay", (1,))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConvLayer:
    """Two-dimensional convolution (correlation, as in torch).

    Attributes
    ----------
    name : str
        ``layer<i>``, i being the index in the file.
    shape : tuple of int
        Output shape (C_out, H_out, W_out).
    weight : int32 array, shape (C_out, C_in / groups, kernel height, kernel width)
        In units of 1/64, torch's order, not flipped.
    stride, padding, dilation : tuple of int
        (height, width) each.
    groups : int
        Number of channel groups.
    bias : int32 array, shape (C_out,), or None
        Added to the voltage in every step, in units of 1/64.
    delay : int32 array, shape (C_out,), or None
        Axonal delay of each channel's output, in steps.
    neuron : CubaNeuron
        Shared by all neurons, but for decays given one a channel.
    """

    name: str
    shape: Shape
    weight: IntArray
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    neuron: CubaNeuron
    bias: IntArray | None = None
    delay: IntArray | None = None

    def __post_init__(self) -> None:
        _freeze(self, "weight", (4,))
        _freeze(self, "bias", (1,))
        _freeze(self, "delay", (1,))

    @property
    def kernel_size(self) -> tuple[int, int]:
        """(height, width) of the kernel."""
        return (self.weight.shape[2], self.weight.shape[3])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlattenLayer:
    """(C, H, W) becomes (C * H * W,), channel slowest, as ``torch.flatten`` does it."""

    name: str
    shape: Shape


Layer: TypeAlias = InputLayer | DenseLayer | ConvLayer | FlattenLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a network came from.

    Attributes
    ----------
    path : Path
        The file read.
    sha256 : str
        Hash of its bytes.
    """

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A spiking network as NetX describes it: a chain of layers.

    Attributes
    ----------
    layers : tuple of layers
        In forward order.
    source : Source or None
        The file it was read from; None for a network made in memory.
    warnings : tuple of str
        What the reader did not take over, one sentence each.
    """

    layers: tuple[Layer, ...]
    source: Source | None = None
    warnings: tuple[str, ...] = ()


def layer_kind(layer: Layer) -> LayerKind:
    """Return the kind of a layer."""
    match layer:
        case InputLayer():
            return LayerKind.INPUT
        case DenseLayer():
            return LayerKind.DENSE
        case ConvLayer():
            return LayerKind.CONV
        case FlattenLayer():
            return LayerKind.FLATTEN


def size_of(shape: Shape) -> int:
    """Return the number of neurons in a shape."""
    return math.prod(shape)


def _freeze(owner: Any, name: str, allowed_ndim: tuple[int, ...]) -> None:
    """Replace an array field by a read-only int32 copy, after checking type, dimensions, range."""
    value = getattr(owner, name)
    if value is None:
        return
    array = np.array(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer array, not {array.dtype}")
    if array.ndim not in allowed_ndim:
        raise ValueError(f"{name} must have {allowed_ndim} dimensions, not {array.ndim}")
    if array.size and not INT32.min <= int(array.min()) <= int(array.max()) <= INT32.max:
        raise ValueError(f"{name} holds numbers beyond 32 bits")
    frozen = array.astype(np.int32)
    frozen.setflags(write=False)
    object.__setattr__(owner, name, frozen)
