"""Types and shapes of HDF5 values: which bytes make a number, and how many numbers there are.

Layouts are those of the HDF5 File Format Specification 3.0, sections IV.A.2.b (dataspace) and
IV.A.2.d (datatype).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .hdf5_bytes import DamagedFileError, RefusedFileError, Span
from .hdf5_objects import WORD

MAX_RANK = 32  # of libhdf5, and of NumPy 1
CLASSES = (
    "integer",
    "float",
    "time",
    "string",
    "bitfield",
    "opaque",
    "compound",
    "reference",
    "enumeration",
    "variable-length",
    "array",
    "complex",
)
# Sign, exponent and mantissa of IEEE 754 by size: sign location, bit offset, precision, exponent
# location and size, mantissa location and size, exponent bias.
IEEE = {
    2: (15, 0, 16, 10, 5, 0, 10, 15),
    4: (31, 0, 32, 23, 8, 0, 23, 127),
    8: (63, 0, 64, 52, 11, 0, 52, 1023),
}
# What h5py writes for a bool: an 8-bit enumeration of these two names and values.
TRUTH_MEMBERS = b"FALSE\0\0\0TRUE\0\0\0\0\x00\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberType:
    """Numbers, or truth values stored as 0 and 1."""

    dtype: np.dtype[Any]
    is_truth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedTextType:
    """Strings in place, of so many bytes; what follows a zero byte or `padding` does not count."""

    size: int
    padding: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapTextType:
    """Strings of any length, kept in a global heap."""


StoredType: TypeAlias = NumberType | FixedTextType | HeapTextType


def read_type(body: Span, name: str) -> StoredType:
    """Return the type that a datatype message describes.

    Parameters
    ----------
    body : Span
        The message.
    name : str
        Dataset or attribute, for errors.

    Raises
    ------
    RefusedFileError
        For every type but whole numbers of up to 64 bits, IEEE floats, enumerations and strings.
    """
    kind, size = body.unsigned(0, 1) & 0x0F, body.unsigned(4, 4)
    match CLASSES[kind] if kind < len(CLASSES) else "":
        case "integer" | "float":
            return NumberType(dtype=_number(body, name))
        case "enumeration":
            members = body.unsigned(1, 2)
            base = body.part(WORD, len(body) - WORD)
            dtype = _number(base, name)
            is_truth = members == 2 and _tail(base, 12, len(TRUTH_MEMBERS)) == TRUTH_MEMBERS
            return NumberType(dtype=dtype, is_truth=is_truth and dtype.itemsize == 1)
        case "string" if size > 0:
            return FixedTextType(
                size=size, padding=b" " if body.unsigned(1, 1) & 0x0F == 2 else b""
            )
        case "variable-length" if body.unsigned(1, 1) & 0x0F == 1:
            return HeapTextType()
        case _:
            raise _refused(body, name)


def read_shape(body: Span, name: str) -> tuple[int, ...]:
    """Return the sizes that a dataspace message declares; a single value has none.

    Raises
    ------
    DamagedFileError
        When it is of no known version, or has more than 32 axes.
    RefusedFileError
        When it declares that there is no value at all.
    """
    version, rank = body.unsigned(0, 1), body.unsigned(1, 1)
    if version not in (1, 2) or rank > MAX_RANK:
        raise DamagedFileError(f"'{name}' has no shape")
    if version == 2 and body.unsigned(3, 1) == 2:
        raise RefusedFileError(f"'{name}' is an empty dataset.")
    first = 8 if version == 1 else 4
    return tuple(body.unsigned(first + WORD * axis, WORD) for axis in range(rank))


def _number(body: Span, name: str) -> np.dtype[Any]:
    """Return the dtype of a whole number or a float whose bits lie as NumPy's do."""
    kind, bits, size = body.unsigned(0, 1) & 0x0F, body.unsigned(1, 3), body.unsigned(4, 4)
    order = ">" if bits & 1 else "<"
    if kind == CLASSES.index("integer") and size in (1, 2, 4, 8):
        if (body.unsigned(8, 2), body.unsigned(10, 2)) == (0, 8 * size):
            return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
    if kind == CLASSES.index("float") and size in IEEE and not bits & 0x40:
        found = (
            bits >> 8 & 0xFF,
            body.unsigned(8, 2),
            body.unsigned(10, 2),
            *(body.unsigned(at, 1) for at in range(12, 16)),
            body.unsigned(16, 4),
        )
        if found == IEEE[size]:
            return np.dtype(f"{order}f{size}")
    raise _refused(body, name)


def _tail(body: Span, at: int, size: int) -> bytes:
    """Return some bytes, or none where there are fewer."""
    return body.take(at, size) if at + size <= len(body) else b""


def _refused(body: Span, name: str) -> RefusedFileError:
    kind, size = body.unsigned(0, 1) & 0x0F, body.unsigned(4, 4)
    found = CLASSES[kind] if kind < len(CLASSES) else "unknown"
    return RefusedFileError(
        f"'{name}' has type {found} of {size} bytes; numbers or strings were expected."
    )
