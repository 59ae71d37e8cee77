"""Files that are no HDF5 tree of numbers and strings are refused, each in one sentence."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import SPELLINGS, add_cycle, declare, write_hdf5

from lavadeploy.netx import NetxFormatError, hdf5_store
from lavadeploy.netx.hdf5_store import (
    MAX_TOTAL_BYTES,
    AttributeValue,
    RawValue,
    read_tree,
    tree_bytes,
)


def write_tree(
    path: Path, values: Mapping[str, RawValue], attributes: Mapping[str, AttributeValue]
) -> None:
    path.write_bytes(tree_bytes(values, attributes))


def test_a_tree_comes_back_whole(tmp_path: Path) -> None:
    written: dict[str, RawValue] = {
        "a/b/number": np.array([1, -2], dtype=np.int64),
        "a/text": "spike",
        "top": "µ",
    }
    write_tree(tmp_path / "f", written, {"format": "x", "version": 3, "share": 0.5})
    tree = read_tree(tmp_path / "f")
    assert tree.path == tmp_path / "f"
    assert tree.sha256 == hashlib.sha256((tmp_path / "f").read_bytes()).hexdigest()
    assert tree.groups == {"a", "a/b"}
    assert set(tree.values) == set(written)
    assert np.array_equal(np.asarray(tree.values["a/b/number"]), written["a/b/number"])
    assert (tree.values["a/text"], tree.values["top"]) == ("spike", "µ")
    assert dict(tree.attributes) == {"format": "x", "version": 3, "share": 0.5}


def test_arrays_read_cannot_be_written_to(tmp_path: Path) -> None:
    tree = read_tree(write_hdf5(tmp_path / "f", {"x": [1, 2]}))
    values = tree.values["x"]
    assert isinstance(values, np.ndarray)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 3


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tree(tmp_path / name, {"x/y": np.arange(3), "s": "text"}, {"version": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_string_is_read(spelling: str, tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"s": SPELLINGS[spelling]("CUBA")})
    assert read_tree(path).values["s"] == "CUBA"


@pytest.mark.parametrize(
    ("attribute", "read"),
    [(np.bytes_(b"x"), "x"), (np.int64(3), 3), ("µ", "µ"), ([1, 2], "[1 2]")],
)
def test_attributes_become_plain_values(attribute: Any, read: object, tmp_path: Path) -> None:
    tree = read_tree(write_hdf5(tmp_path / "f", {}, {"a": attribute}))
    assert tree.attributes["a"] == read


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing.net"
    assert sentence(NetxFormatError, read_tree, path) == f"'{path}': no such file."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert sentence(NetxFormatError, read_tree, tmp_path) == (
        f"'{tmp_path}': is a folder; a NetX file was expected."
    )


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a", b"PK\x03\x04 a zip file"])
def test_a_file_that_is_not_hdf5_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': is not an HDF5 file, so it can not be NetX."
    )


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"layer/0/weight": np.zeros((50, 50))})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert re.fullmatch(
        rf"'{path}': damaged or truncated HDF5 file \(.+\)\.",
        sentence(NetxFormatError, read_tree, path),
    )


def test_flipped_bytes_never_raise_another_error(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_tree(path, {"layer/0/weight": np.arange(6), "layer/0/type": "dense"}, {"v": 1})
    content = path.read_bytes()
    dice = random.Random(7)
    refused = 0
    for _ in range(150):
        flipped = bytearray(content)
        for _ in range(dice.choice([1, 8, 64])):
            flipped[dice.randrange(len(flipped))] = dice.randrange(256)
        path.write_bytes(flipped)
        try:
            read_tree(path)
        except NetxFormatError:
            refused += 1
    assert refused > 10


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


def test_a_declared_size_beyond_a_gibibyte_is_refused_unread(tmp_path: Path) -> None:
    path = declare(write_hdf5(tmp_path / "f", {}), "huge", ((MAX_TOTAL_BYTES >> 2) + 1,))
    assert path.stat().st_size < 10_000
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'huge' declares 1073741828 bytes; with the rest that is more than the "
        "1073741824 bytes a network may have."
    )


def test_sizes_add_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_store, "MAX_TOTAL_BYTES", 100)
    small = write_hdf5(tmp_path / "f", {"a": np.zeros(60, np.uint8), "b": np.zeros(40, np.uint8)})
    assert set(read_tree(small).values) == {"a", "b"}
    large = write_hdf5(tmp_path / "g", {"a": np.zeros(60, np.uint8), "b": np.zeros(41, np.uint8)})
    assert sentence(NetxFormatError, read_tree, large) == (
        f"'{large}': 'b' declares 41 bytes; with the rest that is more than the 100 bytes a "
        "network may have."
    )


def test_the_widest_declared_shape_does_not_overflow(tmp_path: Path) -> None:
    path = declare(write_hdf5(tmp_path / "f", {}), "huge", (1 << 32, 1 << 30))
    assert sentence(NetxFormatError, read_tree, path) == (
        f"'{path}': 'huge' declares {1 << 64} bytes; with the rest that is more than the "
        "1073741824 bytes a network may have."
    )


def empty(path: Path) -> Path:
    return write_hdf5(path, {"x": h5py.Empty("f4")})


def two_strings(path: Path) -> Path:
    return write_hdf5(path, {"x": np.array([b"a", b"b"])})


def complex_numbers(path: Path) -> Path:
    return write_hdf5(path, {"x": np.array([1j], dtype=np.complex64)})


def records(path: Path) -> Path:
    return write_hdf5(path, {"x": np.zeros(1, dtype=[("a", "<i4")])})


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (empty, "'x' is an empty dataset."),
        (two_strings, "'x' holds 2 strings; 1 was expected."),
        (complex_numbers, "'x' has type complex64; numbers were expected."),
        (records, "'x' has type [('a', '<i4')]; numbers were expected."),
    ],
)
def test_values_of_other_kinds_are_refused(
    write: Callable[[Path], Path], expected: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "f")
    assert sentence(NetxFormatError, read_tree, path) == f"'{path}': {expected}"


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"x": np.array([b"\xff\xfe"])})
    assert re.fullmatch(
        rf"'{path}': damaged or truncated HDF5 file \('utf-8' codec can't decode .+\)\.",
        sentence(NetxFormatError, read_tree, path),
    )
