"""HDF5 as a flat table of arrays: how every NetX file and artifact is read and written.

NetX files are small trees of datasets. Reading a whole tree at once into plain NumPy arrays keeps
h5py, which has no complete types, out of everything else. It happens in a process of its own, with
limits on time and memory, since damaged files make libhdf5 loop and crash: see `hdf5_worker`.
"""
# h5py has no complete type information; values leave this module typed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import h5py
import numpy as np

from .errors import NetxFormatError, OutputError
from .hdf5_child import MAX_NUMBERS, MAX_OBJECTS, RefusedFileError, declared
from .hdf5_worker import WORKER, DamagedFileError, RawArray

RawValue = RawArray | str
AttributeValue = str | int | float

# 8 bytes a number, and an eighth of that for structure and unused space.
MAX_FILE_BYTES = 9 * MAX_NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredTree:
    """Content of an HDF5 file.

    Attributes
    ----------
    path : Path
        Where it was read.
    sha256 : str
        Hash of the file's bytes.
    values : mapping of str to array or str
        Datasets under their full paths, for example ``'layer/0/neuron/iDecay'``; strings decoded,
        arrays of one string taken as that string, arrays of several as byte strings of one length.
        What a link within the file leads to stands under the link's path. Arrays are read-only.
    groups : frozenset of str
        Full paths of all groups.
    attributes : mapping of str to str, int or float
        Attributes of the root that are single numbers or strings.
    dropped : tuple of str
        What is not read, in words: other attributes, empty groups, named types, and datasets that
        are neither numbers nor strings.
    unread : mapping of str to str
        Those datasets by full path, with what they hold.
    """

    path: Path
    sha256: str
    values: Mapping[str, RawValue]
    groups: frozenset[str]
    attributes: Mapping[str, AttributeValue]
    dropped: tuple[str, ...]
    unread: Mapping[str, str] = field(default_factory=dict[str, str])


def read_tree(path: Path) -> StoredTree:
    """Read every dataset of an HDF5 file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    StoredTree
        All of it, in memory.

    Raises
    ------
    NetxFormatError
        When the path is missing, no ordinary file, unreadable, not HDF5, damaged, holds links that
        leave the file or go round in circles, is nested deeper than 8 groups, or holds more than
        2**24 values, 20,000 groups and datasets or 144 MiB.
    """
    content = _content(path)
    try:
        found = WORKER.read(content)
    except RefusedFileError as error:
        raise NetxFormatError(f"'{path}': {error}") from error
    except DamagedFileError as error:
        raise NetxFormatError(f"'{path}': damaged or truncated HDF5 file ({error}).") from error
    return StoredTree(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        values=found.arrays | found.texts,
        groups=frozenset(found.groups),
        attributes=found.attributes,
        dropped=found.dropped,
        unread=found.unread,
    )


def tree_bytes(values: Mapping[str, RawValue], attributes: Mapping[str, AttributeValue]) -> bytes:
    """Return datasets and root attributes as the content of an HDF5 file.

    Parameters
    ----------
    values : mapping of str to array or str
        Datasets by full path. Strings are stored as arrays of one fixed-length byte string, the
        form that lava-dl's exporters use for layer types.
    attributes : mapping of str to str, int or float
        Attributes of the root.

    Raises
    ------
    OutputError
        When there is more of it than `read_tree` reads.

    Notes
    -----
    Times are not tracked, so the same content gives the same bytes.
    """
    _check_size(values)
    # The core driver keeps the file in memory: who writes the bytes can do it in one step.
    with h5py.File("in-memory", "w", driver="core", backing_store=False, track_order=True) as file:
        for name, value in values.items():
            if isinstance(value, str):
                file.create_dataset(name, data=np.array([value.encode("utf-8")]))
            else:
                file.create_dataset(name, data=value)
        for name, attribute in attributes.items():
            file.attrs[name] = attribute
        file.flush()
        return cast(bytes, file.id.get_file_image())


def _check_size(values: Mapping[str, RawValue]) -> None:
    """Raise where `read_tree` would refuse the file for what it holds."""
    numbers, objects = 0, set(values)
    for name, value in values.items():
        parts = name.split("/")
        objects.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        array = np.array([value.encode("utf-8")]) if isinstance(value, str) else np.asarray(value)
        numbers += declared(array.dtype, array.shape)
    if numbers > MAX_NUMBERS:
        raise OutputError(f"the file would have {numbers} values; {MAX_NUMBERS} can be read back.")
    if len(objects) > MAX_OBJECTS:
        raise OutputError(
            f"the file would have {len(objects)} groups and datasets; {MAX_OBJECTS} can be read "
            "back."
        )


def _content(path: Path) -> bytes:
    """Return the bytes of an ordinary HDF5 file of acceptable size."""
    try:
        if not path.exists():
            raise NetxFormatError(f"'{path}': no such file.")
        if path.is_dir():
            raise NetxFormatError(f"'{path}': is a folder; a NetX file was expected.")
        if not path.is_file():
            raise NetxFormatError(f"'{path}': is no ordinary file; a NetX file was expected.")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise NetxFormatError(
                f"'{path}': has {size} bytes; a network may have {MAX_FILE_BYTES}."
            )
        content = path.read_bytes()
    except OSError as error:
        raise NetxFormatError(f"'{path}': cannot be read: {error.strerror}.") from error
    except MemoryError as error:
        raise NetxFormatError(f"'{path}': needs more memory than this process may take.") from error
    if not _has_signature(content):
        raise NetxFormatError(f"'{path}': is not an HDF5 file, so it can not be NetX.")
    return content


def _has_signature(content: bytes) -> bool:
    """Tell whether HDF5 begins at byte 0, 512, 1024, 2048, ...: a user block may come before it."""
    start = 0
    while start < len(content):
        if content.startswith(b"\x89HDF\r\n\x1a\n", start):
            return True
        start = 2 * start or 512
    return False
