"""Ways of cutting one axis of a layer: channels (or dense neurons), rows or columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .blocks import Cut, box_shape
from .stages import ChipConv, ChipDense, ChipLayer
from .wiring import heard_count


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisCut:
    """An axis cut into parts, longest first.

    Attributes
    ----------
    parts : tuple of range
        In order, without gaps.
    nominal : int
        Length that limits are compared with; not less than the longest part.
    heard, total_heard : int
        Over how much of this axis of the input a part hears: the most, and of all parts together.
    """

    parts: tuple[range, ...] = field(repr=False)
    nominal: int
    heard: int
    total_heard: int


Axes: TypeAlias = tuple[AxisCut, AxisCut, AxisCut]


def axis_cut(
    layer: ChipLayer, axis: int, parts: tuple[range, ...], nominal: int | None = None
) -> AxisCut:
    """Return an axis of a layer cut into given parts."""
    if isinstance(layer, ChipDense):
        most = heard_count(layer, axis, parts[0])
        total = most * len(parts)
    else:
        heard = [heard_count(layer, axis, part) for part in parts]
        most, total = max(heard), sum(heard)
    return AxisCut(parts=parts, nominal=nominal or len(parts[0]), heard=most, total_heard=total)


def even_cuts(layer: ChipLayer, axis: int) -> list[AxisCut]:
    """Return the even cuts of an axis with every possible longest part, fewest parts first."""
    size = box_shape(layer)[axis]
    counts = sorted({-(-size // longest) for longest in range(1, size + 1)})
    return [axis_cut(layer, axis, even_ranges(size, count)) for count in counts]


def halved_cuts(layer: ChipLayer, axis: int) -> list[AxisCut]:
    """Return an axis whole, cut in halves, in quarters, and so on; the last part may be shorter."""
    size = box_shape(layer)[axis]
    lengths = {-(-size // (1 << k)) for k in range(size.bit_length() + 1)}
    return [
        axis_cut(layer, axis, filled_ranges(size, length))
        for length in sorted(lengths, reverse=True)
    ]


def binary_cuts(layer: ChipLayer, axis: int) -> list[AxisCut]:
    """Return an axis cut into parts of a power of two, longest first; the last may be shorter."""
    size = box_shape(layer)[axis]
    longest = 1 << (size - 1).bit_length()
    lengths = [longest >> k for k in range(longest.bit_length())]
    return [axis_cut(layer, axis, filled_ranges(size, length), length) for length in lengths]


def finest(layer: ChipLayer) -> Axes:
    """Return the cut into single neurons."""
    channels, rows, columns = (
        axis_cut(layer, axis, filled_ranges(size, 1)) for axis, size in enumerate(box_shape(layer))
    )
    return channels, rows, columns


def cut_of(axes: Axes) -> Cut:
    """Return the cut of a layer that is cut so along its axes."""
    channels, rows, columns = axes
    return Cut(channels=channels.parts, rows=rows.parts, columns=columns.parts)


def different_channels(layer: ChipLayer, cut: AxisCut) -> tuple[range, ...]:
    """Return parts of the channels that stand for all others of at most the same size.

    Parts of a convolution with groups differ in how they lie across the groups.
    """
    if not isinstance(layer, ChipConv) or layer.groups == 1:
        return cut.parts[:1]
    in_group = layer.shape_out[0] // layer.groups
    found = {(part.start % in_group, len(part)): part for part in reversed(cut.parts)}
    return tuple(found.values())


def even_ranges(size: int, parts: int) -> tuple[range, ...]:
    """Cut a range into parts whose lengths differ by at most one, longest first."""
    least, longer = divmod(size, parts)
    ends = list(itertools.accumulate(least + (p < longer) for p in range(parts)))
    return tuple(range(end - least - (p < longer), end) for p, end in enumerate(ends))


def filled_ranges(size: int, length: int) -> tuple[range, ...]:
    """Cut a range into parts of a length; the last is what is left."""
    return tuple(range(first, min(size, first + length)) for first in range(0, size, length))


def first_that(holds: Callable[[AxisCut], bool], cuts: list[AxisCut]) -> AxisCut | None:
    """Return the first cut that a claim holds for, if it then holds for all later ones too."""
    if not holds(cuts[-1]):
        return None
    low, high = 0, len(cuts) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(cuts[middle]) else (middle + 1, high)
    return cuts[low]
