"""Where the kernel of a convolution puts the spikes of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...compile import ChipConv
from .structures import Int32Array, Kernel

# Weights in the table of all sets of input channels: with two bytes each it leaves room for sums in
# a first-level cache of 32 KiB
COMBINED_MOST = 8192
SET_BITS = 8  # of a pixel in the image of sets


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
    combined = (
        layer.groups == 1
        and not wide
        and channels_in <= SET_BITS
        and (by_input.size << channels_in) <= COMBINED_MOST * channels_in
    )
    sets = _plan_sets(layer, order) if combined else _no_sets()
    if combined:
        by_input = _sums_of_sets(by_input[0])
    row_start, row_kernel, row_out = _meetings(layer, height, height_out)
    runs = _runs(layer, order, width_out, joins=layer.groups == 1)
    return Kernel(
        weights=np.ascontiguousarray(by_input).reshape(-1),
        combined=combined,
        set_place=sets.place,
        set_size=sets.size,
        row_stride=sets.row_stride,
        column_stride=layer.stride[1],
        tap=sets.tap,
        tap_weight=sets.tap_weight,
        channels_in=channels_in,
        group_in=in_group,
        width_in=width_in,
        channels_out=channels_out,
        group_out=out_group,
        width_out=width_out,
        height_out=height_out,
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
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sets:
    """The image of sets of channels; fields as in `Kernel`."""

    place: Int32Array
    size: int
    row_stride: int
    tap: Int32Array
    tap_weight: Int32Array


def _no_sets() -> _Sets:
    none = np.zeros(0, dtype=np.int32)
    return _Sets(place=none, size=0, row_stride=0, tap=none, tap_weight=none)


def _plan_sets(layer: ChipConv, order: list[int]) -> _Sets:
    channels, rows, columns = layer.shape_in
    padded = rows + 2 * layer.padding[0], columns + 2 * layer.padding[1]
    pixels = np.arange(padded[0] * padded[1], dtype=np.int32).reshape(padded)
    inner = pixels[layer.padding[0] :, layer.padding[1] :][:rows, :columns]
    channels_out, _, height, width = layer.weights.mantissa.shape
    elements = [(y, x) for y in range(height) for x in range(width)]
    return _Sets(
        place=np.repeat(inner.reshape(-1), channels),
        size=pixels.size,
        row_stride=layer.stride[0] * padded[1],
        tap=_ints([y * layer.dilation[0] * padded[1] + x * layer.dilation[1] for y, x in elements]),
        tap_weight=_ints([(y * width + order.index(x)) * channels_out for y, x in elements]),
    )


def _sums_of_sets(by_input: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the sums of weights of each set of input channels, one behind the other."""
    channels = by_input.shape[0]
    sets: NDArray[np.int32] = np.arange(1 << channels, dtype=np.int32)
    is_in = sets[:, np.newaxis] >> np.arange(channels, dtype=np.int32) & np.int32(1)
    sums: NDArray[np.int32] = is_in @ by_input.astype(np.int32).reshape(channels, -1)
    is_narrow = max(int(sums.max()), -int(sums.min())) < 1 << 15
    return sums.astype(np.int16) if is_narrow else sums


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
    layer: ChipConv, size: int, size_out: int
) -> tuple[Int32Array, Int32Array, Int32Array]:
    """Return, for each input row, the kernel rows that it meets and where they lead."""
    start, kernel, out = [0], list[int](), list[int]()
    for place in range(layer.shape_in[1]):
        for element in range(size):
            found = _met(layer, 0, place, element, size_out)
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
