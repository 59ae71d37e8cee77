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
from numpy.typing import NDArray

from lavadeploy.netx import NetxFormatError, hdf5_child
from lavadeploy.netx.hdf5_child import MAX_NUMBERS, RefusedFileError, read_content
from lavadeploy.netx.hdf5_store import MAX_FILE_BYTES, read_tree

EXTERNAL = h5py.ExternalLink("other.net", "/layer/0/weight")


def test_links_to_other_files_are_refused(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "other.net", {"layer/0/weight": [1]})
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": [1], "layer/0/zlink": EXTERNAL})
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'layer/0/zlink' is an external link; NetX files hold their own data."
    )


def test_links_by_way_of_other_files_are_refused(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "other.net", {"layer/0/weight": [1]})
    links = {"away": h5py.SoftLink("/zlink"), "zlink": EXTERNAL}
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": [1], **links})
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'zlink' is an external link; NetX files hold their own data."
    )


@pytest.mark.parametrize("target", ["/nowhere", "..", "/zlink", "/layer/0/weight/x"])
def test_links_to_nothing_are_refused(target: str, tmp_path: Path) -> None:
    link = h5py.SoftLink(target)
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": [1], "zlink": link})
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'zlink' is a link to nothing in the file."
    )


@pytest.mark.parametrize("is_soft", [False, True])
@pytest.mark.parametrize("target", ["/", "/layer", "/layer/0"])
def test_links_back_to_a_group_around_them_are_refused(
    target: str, is_soft: bool, tmp_path: Path
) -> None:
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": [1]})
    if is_soft:
        with h5py.File(path, "a") as file:
            file["layer/0/zlink"] = h5py.SoftLink(target)
    else:
        add_cycle(path, target, "layer/0/zlink")
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'layer/0/zlink' links back to a group that holds it."
    )


def test_a_few_groups_full_of_links_to_each_other_are_refused(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"g7/x": [1]})
    with h5py.File(path, "a") as file:
        for depth in reversed(range(7)):
            for name in "abcdefgh":
                file[f"g{depth}/{name}"] = file[f"g{depth + 1}"]
    assert path.stat().st_size < 20_000
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': holds more than 20000 groups and datasets."
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
        f"'{path}': 'huge' declares {count} values; with the rest that is more than the 16777216 "
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


def test_strings_of_any_length_count_before_and_by_their_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: NDArray[Any] = np.array(["x" * 100, "y"], h5py.string_dtype())
    content = write_hdf5(tmp_path / "f", {"a": texts}).read_bytes()
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 128 + 200)
    assert set(read_content(content).arrays) == {"a"}
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 128 + 199)
    assert "'a' declares 200 values" in sentence(RefusedFileError, read_content, content)
    single = write_hdf5(tmp_path / "g", {"a": "x" * 100}).read_bytes()
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 64 + 99)
    assert "'a' declares 100 values" in sentence(RefusedFileError, read_content, single)
    monkeypatch.setattr(hdf5_child, "MAX_NUMBERS", 127)
    assert "'a' declares 128 values" in sentence(RefusedFileError, read_content, content)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': has 150994945 bytes; a network may have 150994944."
    )


def test_a_file_that_never_ends_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    os.mkfifo(path)
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': is no ordinary file; a NetX file was expected."
    )


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


@pytest.mark.parametrize("write", [data_elsewhere, virtual_data])
def test_data_in_other_files_is_refused(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path / "f")
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'x' keeps its data in another file; NetX files hold their own data."
    )


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_names_that_would_upset_a_terminal_are_refused(libver: str, tmp_path: Path) -> None:
    path = tmp_path / "f"
    with h5py.File(path, "w", libver=libver) as file:
        file["a\x1b[2J"] = 1
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'a\\x1b[2J' is no name: it holds characters that do not print."
    )
