"""Whether two values are the same, and how arrays differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

PlainValue: TypeAlias = int | float | bool | str | tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementChanges:
    """Which elements of an array changed.

    Attributes
    ----------
    differing, size : int
        How many differ, and of how many.
    largest : int, float or None
        Largest absolute difference; None where it is not finite, and for strings.
    first : tuple of int
        Index of the first differing element, last axis fastest.
    """

    differing: int
    size: int
    largest: int | float | None
    first: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChange:
    """Two values that are not the same.

    Attributes
    ----------
    before, after : int, float, bool, str, tuple of int or None
        The values; None where there is none, text for numbers that are not finite. Of arrays of
        one shape, their first differing elements; of other arrays, how many values they have.
    elements : ElementChanges or None
        Of arrays of one shape and several elements, and of such an array and the single value that
        stands for all of them.
    """

    before: PlainValue
    after: PlainValue
    elements: ElementChanges | None


def compare_values(a: object, b: object) -> ValueChange | None:
    """Compare numbers, texts, tuples or arrays, by value and not by type of storage.

    Parameters
    ----------
    a, b : int, float, bool, str, tuple of int, numeric array or None
        Before and after.

    Returns
    -------
    ValueChange or None
        None when they are the same; NaN is the same as NaN. A single value and an array of several
        are not, even where they mean the same.

    Examples
    --------
    >>> found = compare_values(np.array([1, 2, 3], np.int8), np.array([1, 0, 8], np.int8))
    >>> found.before, found.after, found.elements.largest, found.elements.first
    (2, 0, 5, (1,))
    """
    elements = None
    before, after = _described(a), _described(b)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        left, right = cast(NDArray[Any], a), cast(NDArray[Any], b)
        is_comparable = left.shape == right.shape or () in (left.shape, right.shape)
        is_comparable &= (left.dtype.kind == "S") == (right.dtype.kind == "S")
        if is_comparable and max(left.size, right.size) > 1:
            elements = _element_changes(left, right)
        if elements is not None and left.shape == right.shape:
            before, after = _plain(left[elements.first]), _plain(right[elements.first])
    if elements is None and before == after:
        return None
    return ValueChange(before=before, after=after, elements=elements)


def _element_changes(a: NDArray[Any], b: NDArray[Any]) -> ElementChanges | None:
    a, b = np.broadcast_arrays(a, b)
    different = np.not_equal(a, b)
    if "f" in (a.dtype.kind, b.dtype.kind):
        different &= ~(np.isnan(a) & np.isnan(b))
    if not different.any():
        return None
    first = tuple(int(i) for i in np.argwhere(different)[0])
    differing = int(np.count_nonzero(different))
    if a.dtype.kind == "S":
        return ElementChanges(differing=differing, size=a.size, largest=None, first=first)
    # whole numbers of up to 32 bits are subtracted exactly, all others in floating point
    is_small = all(x.dtype.kind in "biu" and x.dtype.itemsize <= 4 for x in (a, b))
    wide = np.dtype(np.int64 if is_small else np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        largest = np.abs(a[different].astype(wide) - b[different].astype(wide)).max().item()
    return ElementChanges(
        differing=differing,
        size=a.size,
        largest=largest if math.isfinite(largest) else None,
        first=first,
    )


def _described(value: object) -> PlainValue:
    if not isinstance(value, np.ndarray):
        return _plain(value)
    array = cast(NDArray[Any], value)
    if array.size == 1:
        return _plain(array.item())
    what = "strings" if array.dtype.kind == "S" else "values"
    return f"{'×'.join(str(n) for n in array.shape)} {what}"


def _plain(value: Any) -> PlainValue:
    """Return a value that JSON has."""
    if isinstance(value, np.generic):
        return _plain(cast(Any, value.item()))
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
