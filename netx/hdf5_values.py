"""Values of plain HDF5 files: numbers in place, strings in place or in a global heap.

Layouts are those of the HDF5 File Format Specification 3.0, sections III.E (global heap), IV.A.2.i
(data layout), IV.A.2.m (attribute) and VIII.B (references into a heap).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .hdf5_bytes import (
    MAX_NUMBERS,
    UNDEFINED,
    DamagedFileError,
    OtherFormError,
    RefusedFileError,
    Span,
)
from .hdf5_objects import WORD, Message, MessageKind, first_of
from .hdf5_types import FixedTextType, HeapTextType, NumberType, StoredType, read_shape, read_type

RawArray: TypeAlias = NDArray[Any]
RawValue: TypeAlias = RawArray | str

COMPACT, CONTIGUOUS = 0, 1  # classes of a layout
HEAP_REFERENCE_BYTES = 16  # length, address of the collection, index in it
HEAP_HEADER_BYTES = 16  # of a collection, and of each object in it


def read_dataset(file: Span, name: str, messages: Sequence[Message]) -> RawValue:
    """Return the numbers or the string of a dataset.

    Parameters
    ----------
    file : Span
        The whole file.
    name : str
        Full path, for errors.
    messages : sequence of Message
        The dataset's object header.

    Raises
    ------
    RefusedFileError
        When it holds other than numbers or one string, too much, or keeps its data elsewhere.
    DamagedFileError
        When data or description are not whole.
    OtherFormError
        When it is chunked, or was never written.
    """
    space, kind, layout = (
        first_of(messages, k)
        for k in (MessageKind.DATASPACE, MessageKind.DATATYPE, MessageKind.LAYOUT)
    )
    if space is None or kind is None or layout is None:
        raise DamagedFileError(f"'{name}' is neither a group nor a dataset")
    if first_of(messages, MessageKind.EXTERNAL_FILES) is not None:
        raise RefusedFileError(
            f"'{name}' keeps its data in another file; NetX files hold their own data."
        )
    stored, shape = read_type(kind, name), read_shape(space, name)
    declare(file, name, shape)
    return _value(file, name, stored, shape, _raw(file, name, layout, _size(stored, shape)))


def read_attribute(file: Span, body: Span) -> tuple[str, RawValue | None]:
    """Return name and value of an attribute; None for one of another type.

    Raises
    ------
    DamagedFileError
        When its parts are not whole.
    OtherFormError
        When it shares its type with others.
    """
    version = body.unsigned(0, 1)
    if version not in (1, 2, 3) or (version > 1 and body.unsigned(1, 1)):
        raise OtherFormError(f"attribute {version}")
    sizes = [body.unsigned(at, 2) for at in (2, 4, 6)]
    at = 9 if version == 3 else 8  # version 3 tells the character set of the name
    parts: list[Span] = []
    for size in sizes:
        parts.append(body.part(at, size))
        at += -(-size // 8) * 8 if version == 1 else size  # version 1 pads each part
    name = parts[0].text(0, sizes[0])
    try:
        stored, shape = read_type(parts[1], name), read_shape(parts[2], name)
    except RefusedFileError:
        return name, None
    declare(file, name, shape)
    if not isinstance(stored, NumberType) and math.prod(shape) != 1:
        return name, None
    return name, _value(file, name, stored, shape, body.part(at, _size(stored, shape)))


def declare(file: Span, name: str, shape: Sequence[int]) -> None:
    """Count what a shape declares before anything of it is read; an axis of 0 counts as 1.

    Beside 0 other axes may be huge, and NumPy cannot make an array of such a shape.
    """
    file.budget.declare(name, math.prod(max(1, size) for size in shape))


def _size(stored: StoredType, shape: Sequence[int]) -> int:
    """Return how many bytes the values take where they lie."""
    match stored:
        case NumberType():
            each = stored.dtype.itemsize
        case FixedTextType():
            each = stored.size
        case HeapTextType():
            each = HEAP_REFERENCE_BYTES
    return each * math.prod(shape)


def _raw(file: Span, name: str, layout: Span, size: int) -> Span:
    """Return the bytes of a dataset."""
    version, kind = layout.unsigned(0, 1), layout.unsigned(1, 1)
    if version != 3 or kind not in (COMPACT, CONTIGUOUS):
        raise OtherFormError(f"layout {version} of class {kind}")
    if kind == COMPACT:
        return layout.part(4, layout.unsigned(2, 2)).part(0, size)
    address, held = layout.unsigned(2, WORD), layout.unsigned(10, WORD)
    if size == 0:
        return file.part(0, 0)
    if address == UNDEFINED:
        raise OtherFormError("fill value")
    if held < size:
        raise DamagedFileError(f"'{name}' holds {held} bytes where {size} are declared")
    return file.part(address, size)


def _value(
    file: Span, name: str, stored: StoredType, shape: tuple[int, ...], raw: Span
) -> RawValue:
    if isinstance(stored, NumberType):
        return _array(name, stored, shape, raw)
    count = math.prod(shape)
    if count != 1:
        raise RefusedFileError(f"'{name}' holds {count} strings; 1 was expected.")
    if isinstance(stored, HeapTextType):
        text = _heap_text(file, name, raw)
    else:
        file.budget.declare(name, stored.size)
        text = raw.take(0, stored.size).split(b"\0", 1)[0].rstrip(stored.padding or b"\0")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedFileError(f"'{name}' holds a string that is not UTF-8.") from error


def _array(name: str, stored: NumberType, shape: tuple[int, ...], raw: Span) -> RawArray:
    """Return numbers as a read-only array; it shares the memory of the file's bytes."""
    if len(raw) == 0:
        empty = np.zeros(shape, dtype=stored.dtype)
        empty.setflags(write=False)
        return empty
    count = len(raw) // stored.dtype.itemsize
    array = np.frombuffer(raw.data, stored.dtype, count=count, offset=raw.start).reshape(shape)
    if not stored.is_truth:
        return array
    if int(array.max()) > 1:
        raise DamagedFileError(
            f"'{name}' holds {int(array.max())} where true and false are 1 and 0"
        )
    truth = array.astype(np.bool_)
    truth.setflags(write=False)
    return truth


def _heap_text(file: Span, name: str, reference: Span) -> bytes:
    """Return a string kept in a global heap.

    Notes
    -----
    libhdf5 2.0 trusts the sizes in a collection. A wrong one makes it loop for ever, or copy more
    bytes than it made room for (measured: about 1 of 5,000 files with one byte changed).
    """
    length, address, index = (reference.unsigned(a, s) for a, s in ((0, 4), (4, WORD), (12, 4)))
    if length == 0:
        return b""
    file.check_signature(address, b"GCOL\x01")
    heap = file.part(address, file.unsigned(address + 8, WORD))
    at = HEAP_HEADER_BYTES
    while at + HEAP_HEADER_BYTES <= len(heap):
        file.budget.step()
        found, size = heap.unsigned(at, 2), heap.unsigned(at + 8, WORD)
        if found == 0:  # the rest is free
            break
        content = heap.part(at + HEAP_HEADER_BYTES, size)
        if found == index:
            file.budget.declare(name, length)
            return content.take(0, length)
        at += HEAP_HEADER_BYTES + -(-size // 8) * 8
    raise DamagedFileError(f"'{name}' is not in the heap at {address}")


assert MAX_NUMBERS < UNDEFINED  # an undefined size can never pass for a declared one
