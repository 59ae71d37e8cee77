"""Weighted sums of the reference backend: what a layer's synapses make of one step's input."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..netx import (
    ConvLayer,
    ConvTransposeLayer,
    KernelLayer,
    PoolLayer,
    Shape,
    SynapticLayer,
    UnpoolLayer,
)
from ..netx.kernel_sizes import correlation_size, transposed_size

# int64 for whole numbers; float64 for real ones, and for whole ones whose sums stay below 2**53
Numbers: TypeAlias = NDArray[Any]
EXACT_IN_FLOAT64 = 1 << 53


def synaptic_input(
    layer: SynapticLayer, weight: Numbers, shape_in: Shape, values: Numbers
) -> Numbers:
    """Return the weighted sum of the spikes or payloads of one step.

    Parameters
    ----------
    layer : SynapticLayer
        Gives the geometry.
    weight : int32 or float64 array
        The layer's weights, real or imaginary.
    shape_in : tuple of int
        (N,) or (C, H, W).
    values : int64 or float64 array, shape (N, inputs)
        Channel slowest.

    Returns
    -------
    array of the type of `values`, shape (N, neurons)
        In weight units times the unit of the payloads; in int64 whole, whatever its size.
    """
    samples = values.shape[0]
    wide = weight.astype(values.dtype)
    if not isinstance(layer, KernelLayer):
        return _product(values, wide)
    image = values.reshape(samples, *shape_in)
    if isinstance(layer, PoolLayer | UnpoolLayer):
        image = _stacked(layer, image)
    if isinstance(layer, ConvTransposeLayer | UnpoolLayer):
        groups = layer.groups if isinstance(layer, ConvTransposeLayer) else 1
        result = correlate_transposed(
            image, wide, layer.stride, layer.padding, layer.dilation, groups
        )
    else:
        groups = layer.groups if isinstance(layer, ConvLayer) else 1
        result = correlate(image, wide, layer.stride, layer.padding, layer.dilation, groups)
    return result.reshape(samples, -1)


def _product(values: Numbers, weight: Numbers) -> Numbers:
    """Return ``values @ weight.T``; of whole numbers through float64 where that is exact, and fast.

    NumPy multiplies matrices of floats by BLAS, those of integers one number at a time.
    """
    if values.dtype.kind != "i" or values.size == 0 or weight.size == 0:
        return values @ weight.T
    # no partial sum is larger, in whatever order they are made
    bound = int(np.abs(values).sum(axis=1).max()) * int(np.abs(weight).max())
    if bound >= EXACT_IN_FLOAT64:
        return values @ weight.T
    return (values.astype(np.float64) @ weight.T.astype(np.float64)).astype(np.int64)


def correlate(
    image: Numbers,
    weight: Numbers,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Numbers:
    """Return torch's two-dimensional convolution of images with a kernel.

    Parameters
    ----------
    image : int64 or float64 array, shape (N, C_in, H, W)
        The images.
    weight : array of the type of `image`, shape (C_out, C_in / groups, kernel height, kernel width)
        The kernel, not flipped.
    stride, padding, dilation : tuple of int
        (height, width) each.
    groups : int
        Number of channel groups.

    Returns
    -------
    array of the type of `image`, shape (N, C_out, H_out, W_out)
    """
    (rows_pad, columns_pad) = padding
    padded = np.pad(image, ((0, 0), (0, 0), (rows_pad, rows_pad), (columns_pad, columns_pad)))
    channels_out, in_group, *kernel = weight.shape
    rows, columns = (
        correlation_size(
            image.shape[2 + axis], kernel[axis], stride[axis], padding[axis], dilation[axis]
        )
        for axis in (0, 1)
    )
    out_group = channels_out // groups
    result = np.zeros((image.shape[0], channels_out, rows, columns), dtype=image.dtype)
    for row, column in np.ndindex(kernel[0], kernel[1]):
        top, left = row * dilation[0], column * dilation[1]
        # the pixels that this kernel element meets, one for each output place
        met = padded[:, :, top :: stride[0], left :: stride[1]][:, :, :rows, :columns]
        for group in range(groups):
            inputs = met[:, group * in_group : (group + 1) * in_group]
            outputs = slice(group * out_group, (group + 1) * out_group)
            result[:, outputs] += np.einsum(
                "oi,nihw->nohw", weight[outputs, :, row, column], inputs
            )
    return result


def correlate_transposed(
    image: Numbers,
    weight: Numbers,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Numbers:
    """Return torch's transposed convolution: every pixel leaves a weighted kernel in the output.

    Parameters
    ----------
    image : int64 or float64 array, shape (N, C_in, H, W)
        The images.
    weight : array of the type of `image`, shape (C_in, C_out / groups, kernel height, kernel width)
        The kernel.
    stride, padding, dilation, groups
        As in `correlate`; padding cuts the output.

    Returns
    -------
    array of the type of `image`, shape (N, C_out, H_out, W_out)
    """
    channels_in, out_group, *kernel = weight.shape
    in_group = channels_in // groups
    rows, columns = (
        transposed_size(image.shape[2 + axis], kernel[axis], stride[axis], 0, dilation[axis])
        for axis in (0, 1)
    )
    full = np.zeros((image.shape[0], out_group * groups, rows, columns), dtype=image.dtype)
    for row, column in np.ndindex(kernel[0], kernel[1]):
        top, left = row * dilation[0], column * dilation[1]
        left_in = full[:, :, top :: stride[0], left :: stride[1]]
        left_in = left_in[:, :, : image.shape[2], : image.shape[3]]
        for group in range(groups):
            inputs = slice(group * in_group, (group + 1) * in_group)
            outputs = slice(group * out_group, (group + 1) * out_group)
            left_in[:, outputs] += np.einsum(
                "io,nihw->nohw", weight[inputs, :, row, column], image[:, inputs]
            )
    return full[:, :, padding[0] : rows - padding[0], padding[1] : columns - padding[1]]


def _stacked(layer: PoolLayer | UnpoolLayer, image: Numbers) -> Numbers:
    """Return the channels below each other as one image, as SLAYER pools them; see `PoolLayer`."""
    samples, channels, height, width = image.shape
    if isinstance(layer, PoolLayer):
        height_pad, width_pad = height % layer.kernel_size[0], width % layer.kernel_size[1]
        image = np.pad(image, ((0, 0), (0, 0), (0, height_pad), (0, width_pad)))
        height, width = height + height_pad, width + width_pad
    return image.reshape(samples, 1, channels * height, width)
