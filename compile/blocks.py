"""Blocks: boxes of a layer's neurons, one on a core, and which inputs they hear."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..netx import IntArray
from .stages import ChipConv, ChipDense, ChipInput, ChipLayer, input_count, neuron_count

Box = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A box of a layer's output: channels, rows and columns; see `box_shape`."""

    channels: range
    rows: range
    columns: range

    @property
    def size(self) -> int:
        """Number of its neurons."""
        return len(self.channels) * len(self.rows) * len(self.columns)

    def neurons(self, layer: ChipLayer) -> IntArray:
        """Return the numbers of its neurons, channel slowest, ascending."""
        return _numbers(box_shape(layer), (self.channels, self.rows, self.columns))

    def heard(self, layer: ChipLayer) -> IntArray:
        """Return the numbers of the inputs that reach it, ascending, without the layer's own."""
        match layer:
            case ChipInput():
                return self.neurons(layer)
            case ChipDense():
                return np.arange(input_count(layer), dtype=np.int32)
            case ChipConv():
                channels, height, width = layer.shape_in
                axes = (
                    heard_channels(layer, self.channels),
                    heard_positions(layer, 0, self.rows),
                    heard_positions(layer, 1, self.columns),
                )
                return _numbers((channels, height, width), axes)

    def inputs(self, layer: ChipLayer) -> NDArray[np.bool_]:
        """Return which inputs reach it, flat, channel slowest."""
        reached = np.zeros(input_count(layer), dtype=np.bool_)
        reached[self.heard(layer)] = True
        return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A layer cut along its axes into a grid of blocks.

    Attributes
    ----------
    channels, rows, columns : tuple of range
        The parts of each axis, in order and without gaps.
    """

    channels: tuple[range, ...]
    rows: tuple[range, ...]
    columns: tuple[range, ...]

    @property
    def parts(self) -> int:
        """Number of blocks."""
        return len(self.channels) * len(self.rows) * len(self.columns)

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks, channels slowest."""
        for c, r, w in itertools.product(self.channels, self.rows, self.columns):
            yield Block(channels=c, rows=r, columns=w)


def box_shape(layer: ChipLayer) -> Box:
    """Return the output as (channels, rows, columns); dense neurons all count as channels."""
    if isinstance(layer, ChipDense) or len(layer.shape_out) != 3:
        return (neuron_count(layer), 1, 1)
    channels, rows, columns = layer.shape_out
    return (channels, rows, columns)


def block_of(layer: ChipLayer, neurons: IntArray) -> Block:
    """Return the block that has these neurons, ascending; they fill a box."""
    first, last = (np.unravel_index(int(neurons[end]), box_shape(layer)) for end in (0, -1))
    channels, rows, columns = (range(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return Block(channels=channels, rows=rows, columns=columns)


def heard_channels(layer: ChipConv, channels: range) -> IntArray:
    """Return the input channels that a range of output channels of a convolution hears."""
    in_group = layer.shape_in[0] // layer.groups
    out_group = layer.shape_out[0] // layer.groups
    first, last = channels[0] // out_group, channels[-1] // out_group
    return np.arange(first * in_group, (last + 1) * in_group, dtype=np.int32)


def heard_positions(layer: ChipConv, axis: int, outputs: range) -> IntArray:
    """Return the input rows (axis 0) or columns (axis 1) that a range of outputs hears."""
    kernel = layer.weights.mantissa.shape[2 + axis]
    size = layer.shape_in[1 + axis]
    stride, padding, dilation = layer.stride[axis], layer.padding[axis], layer.dilation[axis]
    if dilation == 1 and stride <= kernel:  # no gaps
        first = max(0, outputs[0] * stride - padding)
        end = min(size, outputs[-1] * stride - padding + kernel)
        return np.arange(first, end, dtype=np.int32)
    taps = np.arange(kernel, dtype=np.int64) * dilation - padding
    heard = (np.asarray(outputs, dtype=np.int64)[:, None] * stride + taps).reshape(-1)
    mask = np.zeros(size, dtype=np.bool_)
    mask[heard[(heard >= 0) & (heard < size)]] = True
    return np.flatnonzero(mask).astype(np.int32)


def _numbers(
    shape: Box, axes: tuple[range | IntArray, range | IntArray, range | IntArray]
) -> IntArray:
    """Return the flat numbers of a box in an array of a shape, ascending."""
    channels, rows, columns = (np.asarray(axis, dtype=np.int32) for axis in axes)
    _, height, width = shape
    numbers = (channels[:, None, None] * height + rows[:, None]) * width + columns
    return numbers.reshape(-1)
