"""HDF5 as a flat table of arrays: the one module that touches h5py.

NetX files are small trees of datasets. Reading a whole tree at once into plain NumPy arrays keeps
h5py, which has no complete types, out of everything else, and puts the guards against damaged
and hostile files in one place.
"""
# h5py has no complete type information; values leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from .errors import NetxFormatError

RawArray = NDArray[Any]
RawValue = RawArray | str
AttributeValue = str | int | float

# The largest network that Lava can run on a workstation is far below this; a declared size above
# it is a damaged or hostile header.
MAX_TOTAL_BYTES = 1 << 30
MAX_DEPTH = 8


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
        Every dataset under its full path, for example ``'layer/0/neuron/iDecay'``; strings decoded,
        arrays of one string taken as that string.
    groups : frozenset of str
        Full paths of all groups.
    attributes : mapping of str to str, int or float
        Attributes of the root.
    """

    path: Path
    sha256: str
    values: Mapping[str, RawValue]
    groups: frozenset[str]
    attributes: Mapping[str, AttributeValue]


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
        When the path is missing, a folder, unreadable, not HDF5, truncated, holds links that leave
        the file or repeat, is nested deeper than 8 groups or declares more than 1 GiB.
    """
    try:
        if not path.exists():
            raise NetxFormatError(f"'{path}': no such file.")
        if path.is_dir():
            raise NetxFormatError(f"'{path}': is a folder; a NetX file was expected.")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise NetxFormatError(f"'{path}': cannot be read: {error.strerror}.") from error
    if not h5py.is_hdf5(path):
        raise NetxFormatError(f"'{path}': is not an HDF5 file, so it can not be NetX.")
    values: dict[str, RawValue] = {}
    groups: set[str] = set()
    try:
        with h5py.File(path, "r") as file:
            _collect(path, file, "", values, groups, set())
            attributes = {str(k): _attribute(v) for k, v in file.attrs.items()}
    except NetxFormatError:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError, ... on damage
        raise NetxFormatError(f"'{path}': damaged or truncated HDF5 file ({error}).") from error
    return StoredTree(
        path=path,
        sha256=digest,
        values=values,
        groups=frozenset(groups),
        attributes=attributes,
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

    Notes
    -----
    Times are not tracked, so the same content gives the same bytes.
    """
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


def _collect(
    path: Path,
    group: Any,
    prefix: str,
    values: dict[str, RawValue],
    groups: set[str],
    seen: set[tuple[int, int]],
) -> None:
    if prefix.count("/") > MAX_DEPTH:
        raise NetxFormatError(f"'{path}': groups nested deeper than {MAX_DEPTH} at '{prefix}'.")
    for name in group:
        full = f"{prefix}{name}"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise NetxFormatError(
                f"'{path}': '{full}' is a soft or external link; NetX files hold their own data."
            )
        item = group[name]
        info = h5py.h5o.get_info(item.id)
        identity = (int(info.fileno), int(info.addr))
        if identity in seen:
            raise NetxFormatError(f"'{path}': '{full}' links back to an object read before.")
        seen.add(identity)
        if isinstance(item, h5py.Group):
            groups.add(full)
            _collect(path, item, f"{full}/", values, groups, seen)
        elif isinstance(item, h5py.Dataset):
            declared = int(item.size or 0) * int(item.dtype.itemsize)
            held = sum(v.nbytes for v in values.values() if isinstance(v, np.ndarray))
            if declared + held > MAX_TOTAL_BYTES:
                raise NetxFormatError(
                    f"'{path}': '{full}' declares {declared} bytes; with the rest that is more "
                    f"than the {MAX_TOTAL_BYTES} bytes a network may have."
                )
            values[full] = _value(path, full, item[()])


def _value(path: Path, name: str, raw: Any) -> RawValue:
    """Return numbers as read-only arrays and every spelling of a string as `str`."""
    if isinstance(raw, h5py.Empty):
        raise NetxFormatError(f"'{path}': '{name}' is an empty dataset.")
    array = np.asarray(raw)
    if array.dtype.kind in "SOU":
        if array.size != 1:
            raise NetxFormatError(f"'{path}': '{name}' holds {array.size} strings; 1 was expected.")
        text = array.reshape(-1)[0]
        return text.decode("utf-8") if isinstance(text, bytes) else str(text)
    if array.dtype.kind not in "biuf":
        raise NetxFormatError(f"'{path}': '{name}' has type {array.dtype}; numbers were expected.")
    copied = np.array(array)
    copied.setflags(write=False)
    return copied


def _attribute(value: Any) -> AttributeValue:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic):
        return cast(AttributeValue, value.item())
    return str(value)
