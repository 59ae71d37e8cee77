"""Whole-number arrays that nobody can change after they were checked."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int32]
Shape: TypeAlias = tuple[int, ...]
INT32 = np.iinfo(np.int32)


def freeze_array(owner: Any, name: str, ndim: int) -> None:
    """Replace a field by a read-only int32 copy; None stays.

    Raises
    ------
    TypeError
        When it holds no integers.
    ValueError
        When it has other than `ndim` dimensions or numbers beyond 32 bits.
    """
    value = getattr(owner, name)
    if value is None:
        return
    array = np.array(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer array, not {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, not {array.ndim}")
    if array.size and not INT32.min <= int(array.min()) <= int(array.max()) <= INT32.max:
        raise ValueError(f"{name} holds numbers beyond 32 bits")
    frozen = array.astype(np.int32)
    frozen.setflags(write=False)
    object.__setattr__(owner, name, frozen)


def freeze_parameter(owner: Any, name: str) -> None:
    """Do as `freeze_array` for one value or one a channel; a single value gets shape ()."""
    if np.ndim(getattr(owner, name)) == 1 and np.size(getattr(owner, name)) == 1:
        object.__setattr__(owner, name, np.asarray(getattr(owner, name)).reshape(()))
    freeze_array(owner, name, min(1, np.ndim(getattr(owner, name))))


def check_int32(owner: Any, *names: str) -> None:
    """Raise when a field is no whole number (TypeError) or beyond 32 bits (ValueError)."""
    for name in names:
        value = getattr(owner, name)
        if value is not None and not isinstance(value, int | np.integer):
            raise TypeError(f"{name} must be a whole number, not {value!r}")
        if value is not None and not INT32.min <= value <= INT32.max:
            raise ValueError(f"{name} is {value}, beyond 32 bits")


def spread(values: IntArray, neurons: int) -> IntArray:
    """Return each neuron's value of a parameter that is stored once, or once a channel.

    Parameters
    ----------
    values : int32 array, shape () or (C,)
        One value, or one a channel (images) or neuron (dense).
    neurons : int
        How many there are; whole multiples of C.

    Returns
    -------
    int32 array, shape (neurons,)
        Channel slowest.
    """
    if values.ndim == 0:
        return np.full(neurons, values, dtype=np.int32)
    return np.repeat(values, neurons // values.size)
