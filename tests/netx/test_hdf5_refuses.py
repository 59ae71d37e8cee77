"""HDF5 files that are whole, but are not what NetX may be, are refused, each in one sentence."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import add_cycle, declare, write_hdf5

from lavadeploy.netx import NetxFormatError, hdf5_child
from lavadeploy.netx.hdf5_child import MAX_NUMBERS, RefusedFileError, read_content
from lavadeploy.netx.hdf5_store import MAX_FILE_BYTES, read_tree


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(h5py.SoftLink("/layer/0/weight"), id="soft"),
        pytest.param(h5py.SoftLink("/nowhere"), id="dangling"),
        pytest.param(h5py.ExternalLink("other.net", "/layer/0/weight"), id="external"),
    ],
)
def test_links_to_elsewhere_are_refused(link: Any, tmp_path: Path) -> None:
    write_hdf5(tmp_path / "other.net", {"layer/0/weight": [1]})
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": [1], "layer/0/zlink": link})
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'layer/0/zlink' is a soft or external link; NetX files hold their own data."
    )


@pytest.mark.parametrize("target", ["layer", "layer/0", "layer/0/weight"])
def test_hard_links_that_repeat_are_refused(target: str, tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": [1]})
    add_cycle(path, target, "layer/0/zlink")
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'layer/0/zlink' links back to an object read before."
    )


def test_eight_nested_groups_are_read(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"a/b/c/d/e/f/g/h/x": [1]})
    assert set(read_tree(path).values) == {"a/b/c/d/e/f/g/h/x"}


def test_nine_nested_groups_are_refused(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"a/b/c/d/e/f/g/h/i/x": [1]})
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': groups nested deeper than 8 at 'a/b/c/d/e/f/g/h/i/'."
    )


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((MAX_NUMBERS + 1,), MAX_NUMBERS + 1),
        ((1 << 32, 1 << 30), 1 << 62),
        ((0, MAX_NUMBERS + 1), MAX_NUMBERS + 1),
    ],
)
def test_more_declared_values_than_a_network_has_are_refused_unread(
    shape: tuple[int, ...], count: int, tmp_path: Path
) -> None:
    path = declare(write_hdf5(tmp_path / "f", {}), "huge", shape)
    assert path.stat().st_size < 10_000
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'huge' declares {count} values; with the rest that is more than the 33554432 "
        "values that a network may have."
    )


def test_values_add_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 100)
    small = write_hdf5(tmp_path / "f", {"a": np.zeros(60), "b": np.zeros((20, 2), np.uint8)})
    assert set(read_content(small.read_bytes()).arrays) == {"a", "b"}
    large = write_hdf5(tmp_path / "g", {"a": np.zeros(60), "b": np.zeros(41, np.uint8)})
    assert sentence(RefusedFileError, read_content, large.read_bytes()) == (
        "'b' declares 41 values; with the rest that is more than the 100 values that a network "
        "may have."
    )


def test_strings_count_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_hdf5(tmp_path / "f", {"a": np.bytes_(b"x" * 60)}).read_bytes()
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 60)
    assert read_content(content).texts == {"a": "x" * 60}
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 59)
    assert "'a' declares 60 values" in sentence(RefusedFileError, read_content, content)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': has 301989889 bytes; a network may have 301989888."
    )


def test_a_file_that_never_ends_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    os.mkfifo(path)
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': is no ordinary file; a NetX file was expected."
    )


def empty(path: Path) -> Path:
    return write_hdf5(path, {"x": h5py.Empty("f4")})


def two_strings(path: Path) -> Path:
    return write_hdf5(path, {"x": np.array([b"a", b"b"])})


def complex_numbers(path: Path) -> Path:
    return write_hdf5(path, {"x": np.array([1j], dtype=np.complex64)})


def records(path: Path) -> Path:
    return write_hdf5(path, {"x": np.zeros(1, dtype=[("a", "<i4")])})


def opaque_bytes(path: Path) -> Path:
    return write_hdf5(path, {"x": np.zeros(1, "V4")})


def sequences(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(1,), dtype=h5py.vlen_dtype(np.dtype("i4")))
    return path


def references(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(1,), dtype=h5py.ref_dtype)
    return path


def named_type(path: Path) -> Path:
    return write_hdf5(path, {"x": np.dtype("i4")})


def data_elsewhere(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(4,), dtype="u1", external=[("/dev/zero", 0, 4)])
    return path


def virtual_data(path: Path) -> Path:
    layout = h5py.VirtualLayout((4,), dtype="u1")
    layout[...] = h5py.VirtualSource("other.net", "x", (4,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout)
    return path


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (empty, "'x' is an empty dataset."),
        (two_strings, "'x' holds 2 strings; 1 was expected."),
        (complex_numbers, "'x' has type complex64; numbers or strings were expected."),
        (records, "'x' has type [('a', '<i4')]; numbers or strings were expected."),
        (opaque_bytes, "'x' has type |V4; numbers or strings were expected."),
        (sequences, "'x' has type object; numbers or strings were expected."),
        (references, "'x' has type object; numbers or strings were expected."),
        (named_type, "'x' is neither a group nor a dataset."),
        (data_elsewhere, "'x' keeps its data in another file; NetX files hold their own data."),
        (virtual_data, "'x' keeps its data in another file; NetX files hold their own data."),
    ],
)
def test_values_of_other_kinds_are_refused(
    write: Callable[[Path], Path], expected: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "f")
    assert sentence(NetxFormatError, read_tree, path) == f"'{path}': {expected}"


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("text", [np.array([b"\xff\xfe"]), np.array(b"\xff", h5py.string_dtype())])
def test_text_that_is_not_utf8_is_refused(text: Any, libver: str, tmp_path: Path) -> None:
    path = tmp_path / "f"
    with h5py.File(path, "w", libver=libver) as file:
        file["x"] = text
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'x' holds a string that is not UTF-8."
    )


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_names_that_would_upset_a_terminal_are_refused(libver: str, tmp_path: Path) -> None:
    path = tmp_path / "f"
    with h5py.File(path, "w", libver=libver) as file:
        file["a\x1b[2J"] = 1
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'a\\x1b[2J' is no name: it holds characters that do not print."
    )
