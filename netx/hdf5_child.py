"""The process that reads HDF5 files: libhdf5 with a leash; see `hdf5_worker`.

Protocol: the child sends `READY` when it begins to listen. Then, both ways: a length of 8 bytes,
little endian, and so many bytes. A request is a whole file. An answer begins with `OK`, then a JSON
header and the numbers of all arrays; or with `REFUSED` or `DAMAGED` and a sentence.
"""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import io
import json
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import h5py
import numpy as np

READY, OK, REFUSED, DAMAGED = b">", b"=", b"!", b"?"
LENGTH_BYTES = 8
MAX_DEPTH = 8
# Groups and datasets of a file, one that several links lead to as often as they do; PilotNet has
# 150.
MAX_OBJECTS = 20_000
# Numbers and characters of a file, all datasets together. The synaptic memory of a Loihi 2 chip,
# 128 cores of 128 KiB, holds so many weights of 8 bits. The child and a reader that widens them to
# float64 to check them stay below 1 GiB together (measured in tests/netx/test_fuzz.py).
MAX_NUMBERS = 1 << 24
# A string of any length is an object here before its characters are known; it takes as much memory
# as so many of them.
STRING_COST = 64
WIDEST = 8  # bytes of a number; NumPy has wider floats on some machines only
MEMORY_LIMIT_BYTES = 1 << 30


class RefusedFileError(ValueError):
    """The file is whole, but not what NetX may be; the message is a sentence without the path."""


@dataclass(slots=True)
class Found:
    """What was found in a file so far."""

    arrays: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict[str, Any])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    groups: list[str] = field(default_factory=list[str])
    attributes: dict[str, str | int | float] = field(default_factory=dict[str, Any])
    dropped: list[str] = field(default_factory=list[str])
    unread: dict[str, str] = field(default_factory=dict[str, str])
    objects: int = 0
    numbers: int = 0


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle; it closes the pipe
    _limit_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while True:
        length = requests.read(LENGTH_BYTES)
        if len(length) < LENGTH_BYTES:
            return
        _answer(answers, requests.read(int.from_bytes(length, "little")))
        answers.flush()


def _limit_memory() -> None:
    """Bound this process's memory, where the system can."""
    with suppress(ImportError):  # not on Windows
        import resource

        for what, most in ((resource.RLIMIT_AS, MEMORY_LIMIT_BYTES), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(what)[1]  # a stricter one, set from outside, stays
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (limit, limit))


def _answer(answers: BinaryIO, content: bytes) -> None:
    try:
        found = read_content(content)
    except RefusedFileError as error:
        _send(answers, REFUSED, str(error).encode("utf-8", errors="replace"))
        return
    except MemoryError:
        _send(answers, REFUSED, b"needs more memory than the gibibyte that reading it may take.")
        return
    except Exception as error:  # noqa: BLE001 - h5py raises nearly anything on damage
        reason = " ".join(str(error).split()) or type(error).__name__
        _send(answers, DAMAGED, reason.encode("utf-8", errors="replace"))
        return
    header = {
        "arrays": [(n, array.dtype.str, array.shape) for n, array in found.arrays.items()],
        "texts": found.texts,
        "groups": found.groups,
        "attributes": found.attributes,
        "dropped": found.dropped,
        "unread": found.unread,
    }
    _send(answers, OK, json.dumps(header).encode())
    # not copies, as tobytes() would make
    answers.writelines(array.reshape(-1).view(np.uint8).data for array in found.arrays.values())


def _send(answers: BinaryIO, kind: bytes, payload: bytes) -> None:
    answers.write(kind + len(payload).to_bytes(LENGTH_BYTES, "little") + payload)


def read_content(content: bytes) -> Found:
    """Return everything in an HDF5 file.

    Raises
    ------
    RefusedFileError
        When it holds what NetX may not.
    Exception
        Whatever h5py raises on damage.
    """
    found = Found()
    # a file object, not a path: there is no folder from which links or raw data could be followed
    with h5py.File(io.BytesIO(content), "r") as file:
        _collect(file, "", found, frozenset((_address(file),)))
        for name in file.attrs:
            _add_attribute(found, file.attrs, name)
    return found


def _collect(group: Any, prefix: str, found: Found, holders: frozenset[int]) -> None:
    """Read what is in a group; `holders` are the addresses of it and of the groups above it."""
    if prefix.count("/") > MAX_DEPTH:
        raise RefusedFileError(f"groups nested deeper than {MAX_DEPTH} at '{prefix}'.")
    for name in group:
        full = f"{prefix}{name}"
        if not full.isprintable():
            raise RefusedFileError(f"{full!r} is no name: it holds characters that do not print.")
        # visits, not objects: a few groups full of links to each other are a great many
        found.objects += 1
        if found.objects > MAX_OBJECTS:
            raise RefusedFileError(f"holds more than {MAX_OBJECTS} groups and datasets.")
        item = _linked(group, name, full)
        if h5py.h5a.get_num_attrs(item.id):
            found.dropped.append(f"attributes of {full}")
        if isinstance(item, h5py.Group):
            address = _address(item)
            if address in holders:
                raise RefusedFileError(f"'{full}' links back to a group that holds it.")
            found.groups.append(full)
            if not len(item):
                found.dropped.append(f"empty group {full}")
            _collect(item, f"{full}/", found, holders | {address})
        elif isinstance(item, h5py.Dataset):
            _add_dataset(found, full, item)
        else:
            found.dropped.append(f"named type {full}")


def _address(item: Any) -> int:
    return int(h5py.h5o.get_info(item.id).addr)


def _linked(group: Any, name: str, full: str) -> Any:
    """Return what a hard or soft link leads to, in this file."""
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.HardLink):
        return group[name]
    if not isinstance(link, h5py.SoftLink):
        raise RefusedFileError(f"'{full}' is an external link; NetX files hold their own data.")
    # A soft link through an external one finds the same file there, whatever the link names, and
    # the external one is refused when its turn comes.
    try:
        return group[name]
    except (KeyError, RuntimeError) as error:  # the second for links that lead to one another
        raise RefusedFileError(f"'{full}' is a link to nothing in the file.") from error


def _add_dataset(found: Found, name: str, item: Any) -> None:
    """Read the numbers or strings of a dataset, after checking what it declares."""
    if item.is_virtual or item.external:
        raise RefusedFileError(
            f"'{name}' keeps its data in another file; NetX files hold their own data."
        )
    kind = _foreign_kind(item)
    if kind is not None:
        _leave(found, name, kind)
        return
    _count(found, name, declared(item.dtype, item.shape))
    array = np.asarray(item[...])
    if array.dtype.kind in "SO":
        _add_strings(found, name, array)
    elif array.dtype.kind == "b":
        # a damaged truth value may be 2, which NumPy knows not
        found.arrays[name] = array.view(np.uint8) != 0
    else:
        found.arrays[name] = array


def _foreign_kind(item: Any) -> str | None:
    """Return what a dataset holds, in words, where that is neither numbers nor strings."""
    if item.shape is None:
        return "empty"
    try:
        dtype = item.dtype
    except TypeError:  # bit fields, times
        return "a type that NumPy does not have"
    if h5py.check_string_dtype(dtype) is not None:
        return None
    match dtype.kind:
        case "b" | "i" | "u" | "f":
            return None if dtype.itemsize <= WIDEST else str(dtype)
        case "V":  # the types of fields may fill pages
            return "opaque" if dtype.names is None and dtype.subdtype is None else "compound"
        case "O":
            is_vlen = h5py.check_vlen_dtype(dtype) is not None
            return "sequences of any length" if is_vlen else "references"
        case _:
            return str(dtype)


def _leave(found: Found, name: str, kind: str) -> None:
    found.unread[name] = kind
    found.dropped.append(f"dataset {name} ({kind})")


def _add_strings(found: Found, name: str, array: np.ndarray[Any, Any]) -> None:
    """Take over one string as text and several as an array of fixed-length byte strings."""
    longest = array.dtype.itemsize
    if array.dtype.kind == "O":
        longest = max((len(text) for text in array.flat), default=0) or 1
        _count(found, name, longest * array.size)
    try:
        if array.size == 1:
            found.texts[name] = _text(array.reshape(-1)[0])
            return
        for text in array.flat:
            _text(text)
    except UnicodeError:
        _leave(found, name, "text that is not UTF-8")
        return
    found.arrays[name] = array.astype(f"S{longest}", copy=False)


def _count(found: Found, name: str, numbers: int) -> None:
    found.numbers += numbers
    if found.numbers > MAX_NUMBERS:
        raise RefusedFileError(
            f"'{name}' declares {numbers} values; with the rest that is more than the "
            f"{MAX_NUMBERS} values that a network may have."
        )


def declared(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """Return for how many numbers or characters a dataset counts; empty axes count as one."""
    count = {"S": dtype.itemsize, "O": STRING_COST}.get(dtype.kind, 1)
    for size in shape:
        count *= max(1, int(size))
    return count


def _add_attribute(found: Found, attributes: Any, name: str) -> None:
    """Take over single numbers and strings, and note the others."""
    value = np.asarray(attributes[name])
    single = value.reshape(-1)[0] if value.size == 1 else None
    with suppress(UnicodeError):
        if isinstance(single, bytes | str):
            found.attributes[name] = _text(single)
            return
        if single is not None and value.dtype.kind in "biuf" and value.dtype.itemsize <= WIDEST:
            found.attributes[name] = single.item()
            return
    found.dropped.append(f"attribute {name}")


def _text(text: Any) -> str:
    """Return a string, which h5py hands out as bytes or with placeholders for bad bytes."""
    return text.decode("utf-8") if isinstance(text, bytes) else str(text).encode().decode()
