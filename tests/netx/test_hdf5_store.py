"""HDF5 files are written and read whole; files that are no HDF5 are refused."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import SPELLINGS, write_hdf5
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from lavadeploy.netx import NetxFormatError
from lavadeploy.netx.hdf5_store import AttributeValue, RawValue, read_tree, tree_bytes


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
    [(np.bytes_(b"x"), "x"), (np.int64(3), 3), ("µ", "µ"), ([2.5], 2.5)],
)
def test_attributes_become_plain_values(attribute: Any, read: object, tmp_path: Path) -> None:
    tree = read_tree(write_hdf5(tmp_path / "f", {}, {"a": attribute}))
    assert tree.attributes["a"] == read


@pytest.mark.parametrize("attribute", [[1, 2], 1j, h5py.Empty("f4"), ["a", "b"]])
def test_other_attributes_are_told(attribute: Any, tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"x/y": [1]}, {"a": attribute})
    with h5py.File(path, "a") as file:
        file["x"].attrs["unit"] = "mV"
        file["x/y"].attrs["unit"] = "mV"
    tree = read_tree(path)
    assert dict(tree.attributes) == {}
    assert tree.dropped == ("attributes of x", "attributes of x/y", "attribute a")


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


TYPES = [
    "?",
    *(
        f"{order}{kind}"
        for order in "<>"
        for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
    ),
]


@settings(deadline=None)
@given(
    value=hnp.arrays(st.sampled_from(TYPES), hnp.array_shapes(min_dims=0, min_side=0)),
    in_place=st.booleans(),
)
def test_numbers_are_read_as_they_were_written(
    value: NDArray[Any], in_place: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("numbers") / "f"
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if in_place:  # beside the description, where libhdf5 may put small datasets
        creation.set_layout(h5py.h5d.COMPACT)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(value.shape)
        kind = h5py.h5t.py_create(value.dtype, logical=True)
        dataset = h5py.Dataset(h5py.h5d.create(file.id, b"x", kind, space, creation))
        if value.size:
            dataset[...] = value
    read = read_tree(path).values["x"]
    assert isinstance(read, np.ndarray)
    assert (read.dtype, read.shape) == (value.dtype, value.shape)
    assert read.tobytes() == value.tobytes()
