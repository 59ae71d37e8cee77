"""Which elements of a convolution's kernel meet the image, neuron by neuron."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .stages import ChipConv


def neuron_classes(
    layer: ChipConv,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a neuron of each class of a convolution, and which kernel elements meet the image.

    Returns
    -------
    neurons : int64 array, shape (C_out * row classes * column classes,)
        Index of a neuron of each class; channel slowest, columns fastest.
    rows, columns : bool array, shape (row classes, kernel height) and (column classes, width)
        Which rows and columns of the kernel lie in the image, not in the padding.
    """
    masks: list[NDArray[np.bool_]] = []
    places: list[NDArray[np.int64]] = []
    for axis in (0, 1):
        inside = kernel_places(layer, axis) >= 0
        distinct, first = np.unique(inside, axis=0, return_index=True)
        masks.append(distinct)
        places.append(first.astype(np.int64))
    channels, height, width = layer.shape_out
    image = places[0][:, None] * width + places[1][None, :]
    starts = np.arange(channels, dtype=np.int64) * height * width
    return (starts[:, None, None] + image).reshape(-1), masks[0], masks[1]


def kernel_places(layer: ChipConv, axis: int) -> NDArray[np.int64]:
    """Return the row (axis 0) or column that each kernel element meets, -1 for the padding.

    Returns
    -------
    int64 array, shape (output size, kernel size)
    """
    size_in, size_out = layer.shape_in[axis + 1], layer.shape_out[axis + 1]
    kernel = layer.weights.mantissa.shape[axis + 2]
    met = (
        np.arange(size_out, dtype=np.int64)[:, None] * layer.stride[axis]
        + np.arange(kernel, dtype=np.int64)[None, :] * layer.dilation[axis]
        - layer.padding[axis]
    )
    return np.where((met >= 0) & (met < size_in), met, -1)


def kernel_inputs(layer: ChipConv, neuron: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the inputs of a neuron and their weights, in 1/64.

    Returns
    -------
    inputs, weights : int64 array, shape (k,)
        Inputs are numbered channel slowest.
    """
    weight = layer.weights.effective().astype(np.int64)
    _, height, width = layer.shape_out
    channel, place = divmod(neuron, height * width)
    rows = kernel_places(layer, 0)[place // width]
    columns = kernel_places(layer, 1)[place % width]
    in_group = weight.shape[1]
    first = channel // (weight.shape[0] // layer.groups) * in_group
    channels = np.arange(first, first + in_group, dtype=np.int64)
    inside = np.broadcast_to((rows[:, None] >= 0) & (columns >= 0), weight.shape[1:])
    above = channels[:, None, None] * layer.shape_in[1] + rows[:, None]
    inputs = above * layer.shape_in[2] + columns
    return inputs[inside], weight[channel][inside]
