"""Input spikes in files: ``.npz`` archives and single arrays, ``.npy``.

Arrays that are not compressed stay in the file, which the system reads as the run goes on: a data
set need not fit into memory.
"""

from __future__ import annotations

import mmap
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ..netx import SpikeInputError
from .spike_input import SpikeInput, check_spikes, extremes

NPY_MAGIC = b"\x93NUMPY"  # numpy.lib.format: how a file of a single array begins
ZIP_HEADER_BYTES = 30  # APPNOTE.TXT, 4.3.7: before a member's name; the lengths are its last words
READ_BYTES = 1 << 20

Header: TypeAlias = tuple[tuple[int, ...], bool, "np.dtype[Any]"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _MappedArray:
    """An array in a file, and the file's map."""

    values: NDArray[Any]
    file: mmap.mmap


def load_spike_input(path: str | Path, labels: str | Path | None = None) -> SpikeInput:
    """Open input spikes.

    Parameters
    ----------
    path : str or Path
        An ``.npz`` file with ``spikes`` (see `SpikeInput`) and optionally ``labels``, or an
        ``.npy`` file with the spikes alone. The labels of ``x.npy`` are taken from
        ``x.labels.npy`` where there is one.
    labels : str or Path, optional
        An ``.npy`` file with the labels, in the place of any others.

    Returns
    -------
    SpikeInput
        Uncompressed arrays of uint8, int8, bool or int32 stay in the file; others are copied into
        memory, in a byte a number where that is enough.

    Raises
    ------
    SpikeInputError
        When the file is missing, damaged or of another kind, lacks ``spikes``, or these have the
        wrong shape, type or sign.
    """
    path = Path(path)
    kind = "npy" if _is_single_array(path) else "npz"
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "no such file"
            raise SpikeInputError(f"'{path}': {what}; an .npz file with 'spikes' was expected.")
        spikes, held = _single_array(path) if kind == "npy" else _archive(path)
    except SpikeInputError:
        raise
    except Exception as error:  # a damaged archive or header raises nearly anything
        raise SpikeInputError(f"'{path}': is not a readable .{kind} file ({error}).") from error
    if labels is not None:
        held = _labels_of(Path(labels))
    try:
        return _spike_input(spikes, held)
    except SpikeInputError as error:
        raise SpikeInputError(f"'{path}': {error}") from error


def _spike_input(spikes: NDArray[Any] | _MappedArray, labels: NDArray[Any] | None) -> SpikeInput:
    if not isinstance(spikes, _MappedArray):
        return SpikeInput(spikes=spikes, labels=labels)
    values = spikes.values
    check_spikes(values)
    is_byte = values.dtype == np.uint8 or values.dtype == np.bool_
    if is_byte or (values.dtype == np.int8 and extremes(values)[0] >= 0):
        return SpikeInput.mapped(values.view(np.uint8), labels, spikes.file)
    if values.dtype == np.int32:
        return SpikeInput.mapped(values, labels, spikes.file)
    return SpikeInput(spikes=values, labels=labels)


def _is_single_array(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as handle:
        begin = handle.read(8)  # magic and version
    return len(begin) == 8 and begin.startswith(NPY_MAGIC)


def _single_array(path: Path) -> tuple[_MappedArray, NDArray[Any] | None]:
    with path.open("rb") as handle:
        mapped = _mapped(handle, 0, path.stat().st_size)
    beside = path.with_suffix(".labels.npy")
    return mapped, _labels_of(beside) if beside.exists() else None


def _labels_of(path: Path) -> NDArray[Any]:
    try:
        return cast(NDArray[Any], np.load(path, allow_pickle=False))
    except FileNotFoundError:
        raise SpikeInputError(f"'{path}': no such file; an .npy file was expected.") from None
    except Exception as error:  # a damaged header raises nearly anything
        raise SpikeInputError(f"'{path}': is not a readable .npy file ({error}).") from error


def _archive(path: Path) -> tuple[NDArray[Any] | _MappedArray, NDArray[Any] | None]:
    with path.open("rb") as handle:
        if not zipfile.is_zipfile(handle):
            raise zipfile.BadZipFile("it is no archive of arrays")
        handle.seek(0)
        file = np.load(handle, allow_pickle=False)
        if "spikes" not in file.files:
            held = ", ".join(f"'{name}'" for name in file.files) or "nothing"
            raise SpikeInputError(f"'{path}': has no array 'spikes' (it holds {held}).")
        labels = cast(NDArray[Any], file["labels"]) if "labels" in file.files else None
        mapped = _stored_member(handle, "spikes.npy")
        return (cast(NDArray[Any], file["spikes"]) if mapped is None else mapped), labels


def _stored_member(handle: IO[bytes], name: str) -> _MappedArray | None:
    """Map a member of an archive that is neither compressed nor encrypted; None for others."""
    archive = zipfile.ZipFile(handle)
    try:
        member = archive.getinfo(name)
    except KeyError:  # NumPy takes an array by a name without '.npy', too
        return None
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        return None
    with archive.open(member) as content:  # which compares the checksum at its end
        while content.read(READ_BYTES):
            pass
    handle.seek(member.header_offset)
    header = handle.read(ZIP_HEADER_BYTES)
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    start = member.header_offset + ZIP_HEADER_BYTES + lengths
    return _mapped(handle, start, member.file_size)


def _mapped(handle: IO[bytes], start: int, size: int) -> _MappedArray:
    """Map the array that begins at byte `start` of a file and has `size` bytes with its header."""
    handle.seek(start)
    begin = BytesIO(handle.read(min(size, READ_BYTES)))
    shape, fortran, kind = _header(begin)
    if kind.hasobject:
        raise ValueError("it holds Python objects")
    count = 1
    for length in shape:  # not a product of NumPy, which wraps
        count *= length
    if begin.tell() + count * kind.itemsize > size:
        raise ValueError(f"it is cut short: {shape} of {kind} was announced")
    file = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    values = np.ndarray(
        shape, kind, buffer=file, offset=start + begin.tell(), order="F" if fortran else "C"
    )
    return _MappedArray(values=values, file=file)


def _header(begin: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(begin)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(begin)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(begin)
    raise ValueError(f"version {version} of its format is not known")
