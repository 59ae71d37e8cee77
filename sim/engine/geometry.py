"""Where the kernel of a convolution puts the spikes of a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...compile import ChipConv
from .structures import Int32Array, Kernel


def plan_kernel(
    layer: ChipConv, weight: NDArray[np.integer], *, factor: int, wide: bool, cut: int
) -> Kernel:
    """Return weights and geometry of a convolution, seen from its input.

    Parameters
    ----------
    layer : ChipConv
        Gives the geometry.
    weight : int8, int16 or int32 array, shape (C_out, C_in / groups, kernel height, kernel width)
        The weights.
    factor, wide, cut
        See `Kernel`.

    Notes
    -----
    An input column meets kernel elements a stride apart; the larger the element's column, the
    smaller the output's. Where dilation is 1, elements are stored in that order, so that the
    output pixels that a column leads to are neighbours, and so are their weights: one run.
    """
    channels_out, in_group, height, width = weight.shape
    channels_in, _, width_in = layer.shape_in
    _, height_out, width_out = layer.shape_out
    out_group = channels_out // layer.groups
    order = _order_of_columns(layer, width)
    # (groups, C_out of a group, C_in of a group, height, width) to input channel first
    grouped = weight.reshape(layer.groups, out_group, in_group, height, width)
    by_input = grouped.transpose(0, 2, 3, 4, 1)[:, :, :, order]
    row_start, row_kernel, row_out = _meetings(layer, 0, height, height_out)
    runs = _runs(layer, order, width_out, joins=layer.groups == 1)
    return Kernel(
        weights=np.ascontiguousarray(by_input).reshape(-1),
        channels_in=channels_in,
        group_in=in_group,
        width_in=width_in,
        channels_out=channels_out,
        group_out=out_group,
        width_out=width_out,
        height=height,
        width=width,
        row_start=row_start,
        row_kernel=row_kernel,
        row_out=row_out,
        run_start=runs[0],
        run_weight=runs[1],
        run_out=runs[2],
        run_length=runs[3],
        factor=factor,
        wide=wide,
        cut=cut,
        input_scale=1,
    )


def _order_of_columns(layer: ChipConv, width: int) -> list[int]:
    stride = layer.stride[1]
    return [
        column
        for phase in range(min(stride, width))
        for column in range(phase + (width - 1 - phase) // stride * stride, -1, -stride)
    ]


def _met(layer: ChipConv, axis: int, place: int, element: int, size_out: int) -> int | None:
    """Return the output place that an input place reaches through a kernel element, if any."""
    shifted = place + layer.padding[axis] - element * layer.dilation[axis]
    out, rest = divmod(shifted, layer.stride[axis])
    return out if rest == 0 and 0 <= out < size_out else None


def _meetings(
    layer: ChipConv, axis: int, size: int, size_out: int
) -> tuple[Int32Array, Int32Array, Int32Array]:
    """Return, for each input row, the kernel rows that it meets and where they lead."""
    start, kernel, out = [0], list[int](), list[int]()
    for place in range(layer.shape_in[1 + axis]):
        for element in range(size):
            found = _met(layer, axis, place, element, size_out)
            if found is not None:
                kernel.append(element)
                out.append(found)
        start.append(len(kernel))
    return _ints(start), _ints(kernel), _ints(out)


def _runs(
    layer: ChipConv, order: list[int], size_out: int, *, joins: bool
) -> tuple[Int32Array, Int32Array, Int32Array, Int32Array]:
    """Return, for each input column, the runs of neighbours in both weights and output."""
    start, weight, out, length = [0], list[int](), list[int](), list[int]()
    for place in range(layer.shape_in[2]):
        first = len(weight)
        for position, element in enumerate(order):
            found = _met(layer, 1, place, element, size_out)
            if found is None:
                continue
            follows = (
                joins
                and len(weight) > first
                and weight[-1] + length[-1] == position
                and out[-1] + length[-1] == found
            )
            if follows:
                length[-1] += 1
            else:
                weight.append(position)
                out.append(found)
                length.append(1)
        start.append(len(weight))
    return _ints(start), _ints(weight), _ints(out), _ints(length)


def _ints(values: list[int]) -> Int32Array:
    return np.array(values, dtype=np.int32)
