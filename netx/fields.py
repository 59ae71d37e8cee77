"""The datasets of one layer of a file, with errors that name file, layer and field."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .arrays import INT32, IntArray, Shape
from .errors import NetxFormatError
from .hdf5_schema import REAL_DATASETS, SHAPE, TYPE
from .hdf5_store import RawValue, StoredTree
from .layers import LayerKind

# A pooling of a few bytes may claim any number of channels, and a number given for all of them is
# spread. No network has as many.
MAX_CHANNELS = 1 << 24

STRUCTURAL = f"a whole number between {INT32.min} and {INT32.max} was expected."
OUT_OF_RANGE = f"numbers between {INT32.min} and {INT32.max} were expected."
NOT_QUANTIZED = (
    "whole numbers (in units of 1/64) were expected. Quantize the network with "
    "`lavadeploy compile --bits 8`, or export quantized values, as export_slayer does."
)


class LayerFields:
    """Hands out the datasets of a layer and remembers which were asked for.

    Parameters
    ----------
    tree : StoredTree
        The file.
    index : int
        Number of the layer.
    real : bool
        Whether weights, biases, delays, thresholds and decays (`REAL_DATASETS`) may be real
        numbers, of which the nearest whole ones are handed out.

    Attributes
    ----------
    reals : dict of str to float64 array
        With `real`: those of them that were asked for, as stored, by the name of the dataset.
    """

    def __init__(self, tree: StoredTree, index: int, *, real: bool = False) -> None:
        self.name = f"layer{index}"
        self.reals: dict[str, NDArray[np.float64]] = {}
        self._real = real
        self._path = tree.path
        prefix = f"layer/{index}/"
        self._values = {n[len(prefix) :]: v for n, v in tree.values.items() if n.startswith(prefix)}
        self._unread = {n[len(prefix) :]: k for n, k in tree.unread.items() if n.startswith(prefix)}
        # an Input block scales and shifts what comes in by whole numbers in SLAYER, always
        kind = self._values.get(TYPE)
        is_input = isinstance(kind, str) and kind == LayerKind.INPUT.value
        self._real_datasets = frozenset[str]() if is_input else REAL_DATASETS
        self._asked: set[str] = set()
        self._kept: set[str] = set()

    def not_understood(self) -> tuple[str, ...]:
        """Return the names of what nobody asked for."""
        return tuple(sorted(n for n in self._values if n not in self._asked))

    def extra(self) -> Mapping[str, RawValue]:
        """Return what is to be written back as it is: not understood, or kept."""
        return {n: v for n, v in self._values.items() if n not in self._asked or n in self._kept}

    def keep(self, field: str) -> None:
        """Have a field written back as it is, although it was read.

        For fields that the writer would leave out or state otherwise.
        """
        self._kept.add(field)

    def error(self, text: str) -> NetxFormatError:
        """Return an error that says where."""
        return NetxFormatError(f"'{self._path}', {self.name}: {text}")

    def has(self, field: str) -> bool:
        """Tell whether there is such a dataset; a group or what cannot be read is an error."""
        if self.has_group(field):
            raise self.error(f"'{field}' is a group; a dataset was expected.")
        self._check_read(field)
        return field in self._values

    def has_group(self, group: str) -> bool:
        """Tell whether there is a group with anything in it."""
        return any(name.startswith(f"{group}/") for name in (*self._values, *self._unread))

    def has_neuron(self) -> bool:
        """Tell whether there is a neuron group; a dataset in its place is an error."""
        if "neuron" in self._values or "neuron" in self._unread:
            raise self.error("'neuron' is a dataset; a group was expected.")
        return self.has_group("neuron")

    def text(self, field: str) -> str:
        """Return a string."""
        value = self._get(field)
        if not isinstance(value, str):
            raise self.error(f"field '{field}' is missing or not a string.")
        return value

    def integers(self, field: str) -> IntArray:
        """Return a field as whole numbers, or say which element is none."""
        value = self._get(field)
        if value is None or isinstance(value, str) or value.dtype.kind == "S":
            raise self.error(f"field '{field}' is missing or not a number.")
        wide = value.astype(np.float64)
        nearest = np.round(wide)  # half to even; NaN stays, and compares false with everything
        in_range = (nearest >= INT32.min) & (nearest <= INT32.max)
        if field not in self._real_datasets:
            self._check(field, wide, in_range & (nearest == wide), STRUCTURAL)
            return value.astype(np.int32)
        self._check(field, wide, in_range, OUT_OF_RANGE)
        if not self._real:
            self._check(field, wide, nearest == wide, NOT_QUANTIZED)
            return value.astype(np.int32)
        self.reals[field] = wide
        return nearest.astype(np.int32)

    def _check(
        self, field: str, numbers: NDArray[np.float64], good: NDArray[np.bool_], allowed: str
    ) -> None:
        """Raise for the first number that is not good."""
        if not bool(np.all(good)):
            where = tuple(int(i) for i in np.argwhere(~good)[0])
            raise self.error(f"{field} is {numbers[where].item()} at {where}; {allowed}")

    def integer(self, field: str) -> int:
        """Return a field of one whole number."""
        array = self.integers(field)
        if array.size != 1:
            raise self.error(f"{field} has {array.size} values; 1 was expected.")
        return int(array.reshape(-1)[0])

    def optional_integer(self, field: str) -> int | None:
        """Return a field of one whole number, or None where there is none."""
        return self.integer(field) if self.has(field) else None

    def flag(self, field: str) -> bool:
        """Return a truth value; False where there is none."""
        return bool(self.optional_flag(field))

    def optional_flag(self, field: str) -> bool | None:
        """Return a truth value, or None where there is none."""
        number = self.optional_integer(field)
        if number not in (None, 0, 1):
            raise self.error(f"{field} is {number}; 0 or 1 was expected.")
        return None if number is None else bool(number)

    def pair(self, field: str, default: tuple[int, int], least: int) -> tuple[int, int]:
        """Return a (height, width) field of at least `least`; a single number stands for both."""
        if not self.has(field):
            return default
        array = self.integers(field).reshape(-1)
        if array.size not in (1, 2):
            raise self.error(f"{field} has {array.size} values; (height, width) was expected.")
        pair = (int(array[0]), int(array[-1]))
        if min(pair) < least:
            raise self.error(f"{field} is {pair}; at least {least} was expected.")
        return pair

    def shape(self) -> Shape:
        """Return the layer's shape, positive sizes."""
        shape = tuple(int(n) for n in self.integers(SHAPE).reshape(-1))
        if not shape or any(n < 1 for n in shape):
            raise self.error(f"shape is {shape}; positive sizes were expected.")
        return shape

    def image_shape(self, kind: str) -> Shape:
        """Return a shape that must be (C, H, W)."""
        shape = self.shape()
        if len(shape) != 3:
            raise self.error(f"shape is {shape}; that of a {kind} layer is (C, H, W).")
        return shape

    def per_channel(self, field: str, channels: int) -> IntArray | None:
        """Return one number a channel, or None; a single number is spread."""
        if not self.has(field):
            return None
        array = self.integers(field).reshape(-1)
        if array.size not in (1, channels):
            raise self.error(f"{field} has {array.size} values; 1 or {channels} was expected.")
        if channels > MAX_CHANNELS:
            raise self.error(f"has {channels} channels; {MAX_CHANNELS} at most.")
        return np.broadcast_to(array, (channels,)).astype(np.int32)

    def parameter(self, field: str, channels: int) -> IntArray:
        """Return one number, shape (), or one a channel."""
        array = self.integers(field).reshape(-1)
        if array.size not in (1, channels):
            raise self.error(f"{field} has {array.size} values; 1 or {channels} was expected.")
        return array.reshape(()) if array.size == 1 else array

    def check_stated(self, field: str, follows: tuple[int, ...], source: str) -> None:
        """Compare a field that only repeats what the weights say with them, where it is there."""
        if not self.has(field):
            return
        stated = tuple(int(n) for n in self.integers(field).reshape(-1))
        if stated not in (follows, follows[:1] if len(set(follows)) == 1 else follows):
            raise self.error(f"{field} is {stated}, but {source} make it {follows}.")

    def _check_read(self, field: str) -> None:
        """Raise for a field that is there, but was not read: without it the layer is another."""
        if field in self._unread:
            raise self.error(
                f"field '{field}' cannot be read ({self._unread[field]}); numbers or a string were "
                "expected."
            )

    def _get(self, field: str) -> RawValue | None:
        self._check_read(field)
        self._asked.add(field)
        return self._values.get(field)
