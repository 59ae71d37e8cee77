"""Lowering: kernels that a chip does not have, as convolutions that compute exactly the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...netx import (
    ConvLayer,
    ConvTransposeLayer,
    IntArray,
    KernelLayer,
    PoolLayer,
    Shape,
    UnpoolLayer,
)
from ...netx.kernel_sizes import correlation_size


def as_convolution(
    layer: PoolLayer | UnpoolLayer | ConvTransposeLayer, shape_in: Shape
) -> ConvLayer | None:
    """Return a convolution with the same output in every step, or None where there is none.

    Parameters
    ----------
    layer : PoolLayer, UnpoolLayer or ConvTransposeLayer
        The layer.
    shape_in : tuple of int
        (C, H, W) of what comes in.

    Returns
    -------
    ConvLayer or None
        None for poolings whose windows reach from one channel into the next, for strided transposed
        convolutions, which leave gaps that no convolution leaves, and for those cut by more padding
        than a convolution can take away.
    """
    match layer:
        case PoolLayer():
            return _pooling(layer, shape_in)
        case ConvTransposeLayer():
            return _transposed(layer)
        case UnpoolLayer():
            return None


def _pooling(layer: PoolLayer, shape_in: Shape) -> ConvLayer | None:
    """Sum pooling is a convolution of each channel by itself, with the same kernel for all."""
    channels, height, _ = shape_in
    kernel, stride, dilation = layer.kernel_size[0], layer.stride[0], layer.dilation[0]
    # SLAYER lays the channels below each other (see `PoolLayer`): windows stay in their channel
    # when channels are whole numbers of strides and no window is longer than a stride
    rows = height + height % kernel
    if layer.padding[0] or rows % stride or dilation * (kernel - 1) + 1 > stride:
        return None
    added = [_taps_before(layer, axis, shape_in[1 + axis]) for axis in (0, 1)]
    if None in added:
        return None
    taps = (added[0] or 0, added[1] or 0)
    padding = tuple(layer.padding[axis] + taps[axis] * layer.dilation[axis] for axis in (0, 1))

    def for_each_channel(weight: IntArray) -> IntArray:
        longer = np.pad(weight, ((0, 0), (0, 0), (taps[0], 0), (taps[1], 0)))
        return np.broadcast_to(longer, (channels, *longer.shape[1:])).astype(np.int32)

    return _convolution(
        layer,
        for_each_channel,
        stride=layer.stride,
        padding=(padding[0], padding[1]),
        groups=channels,
    )


def _taps_before(layer: PoolLayer, axis: int, size: int) -> int | None:
    """Return how many zeros in front of a kernel stand for the empty rows SLAYER adds behind.

    SLAYER adds ``size % kernel`` at the end of the image, a convolution pads both ends alike. With
    z zeros in front of the kernel and z dilations more padding, windows begin where they did and
    may reach as far behind the image; None where that makes another number of windows.
    """
    kernel, dilation = layer.kernel_size[axis], layer.dilation[axis]
    stride, padding = layer.stride[axis], layer.padding[axis]
    behind = size % kernel
    taps = -(-behind // dilation)
    wanted = correlation_size(size + behind, kernel, stride, padding, dilation)
    found = correlation_size(size, kernel + taps, stride, padding + taps * dilation, dilation)
    return taps if found == wanted else None


def _transposed(layer: ConvTransposeLayer) -> ConvLayer | None:
    """Without a stride, a transposed convolution is one with the kernel turned around."""
    padding = tuple(
        layer.dilation[axis] * (layer.kernel_size[axis] - 1) - layer.padding[axis]
        for axis in (0, 1)
    )
    if layer.stride != (1, 1) or min(padding) < 0:
        return None

    def turned(weight: IntArray) -> IntArray:
        # (groups, inputs, outputs, height, width)
        by_group = weight.reshape(layer.groups, -1, weight.shape[1], *layer.kernel_size)
        outputs_first = by_group[..., ::-1, ::-1].swapaxes(1, 2)
        return outputs_first.reshape(layer.shape[0], -1, *layer.kernel_size)

    return _convolution(
        layer, turned, stride=(1, 1), padding=(padding[0], padding[1]), groups=layer.groups
    )


def _convolution(
    layer: KernelLayer,
    kernel: Callable[[IntArray], IntArray],
    *,
    stride: tuple[int, int],
    padding: tuple[int, int],
    groups: int,
) -> ConvLayer:
    return ConvLayer(
        name=layer.name,
        shape=layer.shape,
        weight=kernel(layer.weight),
        weight_imag=None if layer.weight_imag is None else kernel(layer.weight_imag),
        stride=stride,
        padding=padding,
        dilation=layer.dilation,
        groups=groups,
        neuron=layer.neuron,
        bias=layer.bias,
        bias_imag=layer.bias_imag,
        delay=layer.delay,
        delay_shift=layer.delay_shift,
    )
