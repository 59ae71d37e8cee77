"""The process that reads HDF5 files: libhdf5 with a leash; see `hdf5_worker`.

Protocol, both ways: a length of 8 bytes, little endian, and so many bytes. A request is a whole
file. An answer begins with `OK`, then a JSON header and the numbers of all arrays; or with
`REFUSED` or `DAMAGED` and a sentence.
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

OK, REFUSED, DAMAGED = b"=", b"!", b"?"
LENGTH_BYTES = 8
MAX_DEPTH = 8
# Groups and datasets of a file; PilotNet has 150.
MAX_OBJECTS = 20_000
# Numbers and characters of a file, all datasets together. The synaptic memory of a Loihi 2 chip,
# 128 cores of 128 KiB, holds so many weights of 4 bits. A reader that widens them to float64 to
# check them and keeps them as int32 stays below 1 GiB (measured in tests/netx/test_fuzz.py).
MAX_NUMBERS = 1 << 25
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
    addresses: set[int] = field(default_factory=set[int])
    numbers: int = 0


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle; it closes the pipe
    _limit_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
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
    }
    _send(answers, OK, json.dumps(header).encode())
    answers.writelines(array.tobytes() for array in found.arrays.values())


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
        _collect(file, "", found)
        for name in file.attrs:
            _add_attribute(found, file.attrs, name)
    return found


def _collect(group: Any, prefix: str, found: Found) -> None:
    if prefix.count("/") > MAX_DEPTH:
        raise RefusedFileError(f"groups nested deeper than {MAX_DEPTH} at '{prefix}'.")
    for name in group:
        full = f"{prefix}{name}"
        if not full.isprintable():
            raise RefusedFileError(f"{full!r} is no name: it holds characters that do not print.")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise RefusedFileError(
                f"'{full}' is a soft or external link; NetX files hold their own data."
            )
        item = group[name]
        address = int(h5py.h5o.get_info(item.id).addr)
        if address in found.addresses:
            raise RefusedFileError(f"'{full}' links back to an object read before.")
        found.addresses.add(address)
        if len(found.addresses) > MAX_OBJECTS:
            raise RefusedFileError(f"holds more than {MAX_OBJECTS} groups and datasets.")
        if h5py.h5a.get_num_attrs(item.id):
            found.dropped.append(f"attributes of {full}")
        if isinstance(item, h5py.Group):
            found.groups.append(full)
            _collect(item, f"{full}/", found)
        elif isinstance(item, h5py.Dataset):
            _add_dataset(found, full, item)
        else:
            raise RefusedFileError(f"'{full}' is neither a group nor a dataset.")


def _add_dataset(found: Found, name: str, item: Any) -> None:
    """Read the numbers or the string of a dataset, after checking what it declares."""
    if item.shape is None:
        raise RefusedFileError(f"'{name}' is an empty dataset.")
    if item.is_virtual or item.external:
        raise RefusedFileError(
            f"'{name}' keeps its data in another file; NetX files hold their own data."
        )
    found.numbers += _declared(item)
    if found.numbers > MAX_NUMBERS:
        raise RefusedFileError(
            f"'{name}' declares {_declared(item)} values; with the rest that is more than the "
            f"{MAX_NUMBERS} values that a network may have."
        )
    if item.dtype.kind == "S" or h5py.check_string_dtype(item.dtype) is not None:
        if item.size != 1:
            raise RefusedFileError(f"'{name}' holds {item.size} strings; 1 was expected.")
        found.texts[name] = _text(name, np.asarray(item[()]).reshape(-1)[0])
        return
    if item.dtype.kind not in "biuf" or item.dtype.itemsize > WIDEST:
        raise RefusedFileError(f"'{name}' has type {item.dtype}; numbers or strings were expected.")
    array = np.asarray(item[...])
    if array.dtype.kind == "b":
        array = array.view(np.uint8) != 0  # a damaged truth value may be 2, which NumPy knows not
    found.arrays[name] = array


def _declared(item: Any) -> int:
    """Return how many numbers or characters a dataset says it has; empty axes count as one."""
    count = item.dtype.itemsize if item.dtype.kind == "S" else 1
    for size in item.shape:
        count *= max(1, int(size))
    return count


def _add_attribute(found: Found, attributes: Any, name: str) -> None:
    """Take over single numbers and strings, and note the others."""
    value = np.asarray(attributes[name])
    single = value.reshape(-1)[0] if value.size == 1 else None
    if isinstance(single, bytes | str):
        found.attributes[name] = _text(name, single)
    elif single is not None and value.dtype.kind in "biuf" and value.dtype.itemsize <= WIDEST:
        found.attributes[name] = single.item()
    else:
        found.dropped.append(f"attribute {name}")


def _text(name: str, text: Any) -> str:
    """Return a string, which h5py hands out as bytes or with placeholders for bad bytes."""
    try:
        return text.decode("utf-8") if isinstance(text, bytes) else str(text).encode().decode()
    except UnicodeError as error:
        raise RefusedFileError(f"'{name}' holds a string that is not UTF-8.") from error
