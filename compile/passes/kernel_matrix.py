"""Lowering: any kernel as the matrix of a dense layer, for those that no convolution computes."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...netx import (
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    IntArray,
    KernelLayer,
    LayerShapes,
    Neuron,
    PoolLayer,
    UnpoolLayer,
    size_of,
    spread,
)

# 16 M weights of 8 bits fill 128 cores of 16 000 words: a larger matrix fits no chip
MAX_WEIGHTS = 1 << 24


def as_dense(layer: KernelLayer, shapes: LayerShapes) -> DenseLayer:
    """Return a dense layer with the same output in every step.

    Parameters
    ----------
    layer : KernelLayer
        Convolution, transposed convolution, pooling or unpooling.
    shapes : LayerShapes
        (C, H, W) of what comes in and goes out.

    Returns
    -------
    DenseLayer
        Of the layer's output shape, neurons channel slowest, with a bias and a delay for each.
    """
    neurons = size_of(shapes.shape_out)
    return DenseLayer(
        name=layer.name,
        shape=shapes.shape_out,
        weight=kernel_matrix(layer, layer.weight, shapes),
        weight_imag=None
        if layer.weight_imag is None
        else kernel_matrix(layer, layer.weight_imag, shapes),
        neuron=_by_neuron(layer.neuron, neurons),
        bias=_spread(layer.bias, neurons),
        bias_imag=_spread(layer.bias_imag, neurons),
        delay=_spread(layer.delay, neurons),
        delay_shift=layer.delay_shift,
    )


def over_whole_image(dense: DenseLayer, shapes: LayerShapes) -> ConvLayer:
    """Return the convolution that is a dense layer on an image with an output of one pixel.

    Parameters
    ----------
    dense : DenseLayer
        What `as_dense` returned.
    shapes : LayerShapes
        (C, H, W) of what comes in, (C, 1, 1) of what goes out.
    """
    imag = dense.weight_imag
    kernel = (dense.shape[0], *shapes.shape_in)
    return ConvLayer(
        name=dense.name,
        shape=shapes.shape_out,
        weight=dense.weight.reshape(kernel),
        weight_imag=None if imag is None else imag.reshape(kernel),
        stride=(1, 1),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        neuron=dense.neuron,
        bias=dense.bias,
        bias_imag=dense.bias_imag,
        delay=dense.delay,
        delay_shift=dense.delay_shift,
    )


def kernel_matrix(layer: KernelLayer, weight: IntArray, shapes: LayerShapes) -> IntArray:
    """Return what each input adds to each output.

    Parameters
    ----------
    layer : KernelLayer
        Gives the geometry.
    weight : int32 array
        The kernel, in the layer's own axis order.
    shapes : LayerShapes
        (C, H, W) of what comes in and goes out.

    Returns
    -------
    int32 array, shape (n_out, n_in)
        Both channel slowest. Places that a kernel meets twice hold the sum.
    """
    grid_in = np.arange(size_of(shapes.shape_in)).reshape(shapes.shape_in)
    grid_out = np.arange(size_of(shapes.shape_out)).reshape(shapes.shape_out)
    if isinstance(layer, PoolLayer | UnpoolLayer):  # channels below each other, see `PoolLayer`
        grid_in, grid_out = _stacked(layer, grid_in), grid_out.reshape(1, -1, grid_out.shape[2])
    if isinstance(layer, ConvTransposeLayer | UnpoolLayer):
        # a transposed kernel leads from each output back to the inputs that a kernel reads
        wide, narrow, swapped = grid_out, grid_in, True
    else:
        wide, narrow, swapped = grid_in, grid_out, False
    matrix = np.zeros((size_of(shapes.shape_out), size_of(shapes.shape_in)), dtype=np.int32)
    groups = layer.groups if isinstance(layer, ConvLayer | ConvTransposeLayer) else 1
    per_group = narrow.shape[0] // groups
    for channel, within in np.ndindex(narrow.shape[0], weight.shape[1]):
        # torch's axes: (narrow channel, wide channel in its group, height, width)
        met = channel // per_group * weight.shape[1] + within
        for row, column in np.ndindex(layer.kernel_size):
            read, written = _meeting(layer, wide[met], narrow[channel], row, column)
            outputs, inputs = (read, written) if swapped else (written, read)
            np.add.at(matrix, (outputs, inputs), weight[channel, within, row, column])
    return matrix


def _meeting(
    layer: KernelLayer, wide: NDArray[np.int64], narrow: NDArray[np.int64], row: int, column: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of places, in the large and the small image, that meet at a kernel place."""
    height, width = wide.shape
    top = row * layer.dilation[0] - layer.padding[0]
    left = column * layer.dilation[1] - layer.padding[1]
    rows = np.arange(narrow.shape[0], dtype=np.int64) * layer.stride[0] + top
    columns = np.arange(narrow.shape[1], dtype=np.int64) * layer.stride[1] + left
    in_rows = (rows >= 0) & (rows < height)
    in_columns = (columns >= 0) & (columns < width)
    read = wide[np.ix_(rows[in_rows], columns[in_columns])].reshape(-1)
    written = narrow[np.ix_(in_rows, in_columns)].reshape(-1)
    real = read >= 0  # the rows that SLAYER adds hold nothing
    return read[real], written[real]


def _stacked(layer: PoolLayer | UnpoolLayer, grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of the inputs as one image, -1 where SLAYER's pooling adds rows."""
    if isinstance(layer, PoolLayer):
        behind = [
            size % kernel for size, kernel in zip(grid.shape[1:], layer.kernel_size, strict=True)
        ]
        grid = np.pad(grid, ((0, 0), (0, behind[0]), (0, behind[1])), constant_values=-1)
    return grid.reshape(1, -1, grid.shape[2])


def _by_neuron(neuron: Neuron, neurons: int) -> Neuron:
    """Return a neuron whose parameters, where there is one a channel, are given for each neuron."""
    changes: dict[str, IntArray] = {}
    for field in dataclasses.fields(neuron):
        values: object = getattr(neuron, field.name)
        if isinstance(values, np.ndarray) and values.ndim == 1:
            changes[field.name] = spread(cast(IntArray, values), neurons)
    return dataclasses.replace(neuron, **changes)


def _spread(values: IntArray | None, neurons: int) -> IntArray | None:
    return None if values is None else spread(values, neurons)


def is_too_large(shapes: LayerShapes) -> bool:
    """Tell whether the matrix between two images is larger than any chip holds."""
    return size_of(shapes.shape_in) * size_of(shapes.shape_out) > MAX_WEIGHTS
