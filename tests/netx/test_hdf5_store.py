"""HDF5 files are written and read whole; files that are no HDF5 are refused."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import DENSE, SPELLINGS, without, write_hdf5, write_layers
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from lavadeploy.netx import (
    NetxFormatError,
    OutputError,
    hdf5_child,
    hdf5_store,
    read_netx,
    write_netx,
)
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


LINKS: Mapping[str, Callable[[Any, str], Any]] = {
    "soft": lambda file, target: h5py.SoftLink(target),
    "relative": lambda file, target: h5py.SoftLink(target.rpartition("/")[2]),
    "hard": lambda file, target: file[target],
}


@pytest.mark.parametrize("kind", LINKS)
def test_links_within_the_file_are_followed(kind: str, tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"a/0/x": [1, 2], "a/0/s": "text"})
    with h5py.File(path, "a") as file:
        file["a/1"] = LINKS[kind](file, "/a/0")
        file["a/0/y"] = LINKS[kind](file, "/a/0/x")
    tree = read_tree(path)
    assert tree.groups == {"a", "a/0", "a/1"}
    assert {name: np.asarray(value).tolist() for name, value in tree.values.items()} == {
        f"a/{group}/{name}": value
        for group in "01"
        for name, value in {"x": [1, 2], "y": [1, 2], "s": "text"}.items()
    }


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (np.array([b"a", b"bcd"]), np.array([b"a", b"bcd"])),
        (np.array([[b"a"], [b""]], "S9"), np.array([[b"a"], [b""]], "S9")),
        (np.array(["a", "µµ"], h5py.string_dtype()), np.array([b"a", "µµ".encode()])),
        (np.array(["", ""], h5py.string_dtype()), np.zeros(2, "S1")),
        (np.zeros((0, 2), "S3"), np.zeros((0, 2), "S3")),
        (np.zeros(0, h5py.string_dtype()), np.zeros(0, "S1")),
    ],
)
def test_arrays_of_strings_come_back_as_bytes_of_one_length(
    stored: Any, read: NDArray[Any], tmp_path: Path
) -> None:
    first = read_tree(write_hdf5(tmp_path / "f", {"x": stored}))
    write_tree(tmp_path / "g", first.values, {})
    for tree in (first, read_tree(tmp_path / "g")):
        found = np.asarray(tree.values["x"])
        assert (found.dtype, found.shape, found.tolist()) == (read.dtype, read.shape, read.tolist())
        assert tree.dropped == ()


FOREIGN: Mapping[str, Any] = {
    "empty": h5py.Empty("f4"),
    "complex64": np.array([1j], np.complex64),
    "compound": np.zeros(1, [("\x1b[2J", "<i4")]),
    "opaque": np.zeros(1, "V4"),
    "sequences of any length": h5py.vlen_dtype(np.dtype("i4")),
    "references": h5py.ref_dtype,
    str(np.dtype(np.longdouble)): np.zeros(2, np.longdouble),
    "a type that NumPy does not have": h5py.h5t.UNIX_D32LE,
    "text that is not UTF-8": np.array([b"\xff\xfe"]),
}


def write_foreign(path: Path, name: str, value: Any) -> Path:
    with h5py.File(path, "w") as file:
        file["known"] = 1
        if isinstance(value, np.dtype):
            file.create_dataset(name, shape=(1,), dtype=value)
        elif isinstance(value, h5py.h5t.TypeID):
            dataset = h5py.h5d.create(file.id, None, value, h5py.h5s.create_simple((1,)))
            file[name] = h5py.Dataset(dataset)
        else:
            file[name] = value
    return path


@pytest.mark.parametrize("kind", FOREIGN)
def test_datasets_of_other_types_are_told_and_the_rest_is_read(kind: str, tmp_path: Path) -> None:
    tree = read_tree(write_foreign(tmp_path / "f", "x", FOREIGN[kind]))
    assert set(tree.values) == {"known"}
    assert tree.dropped == (f"dataset x ({kind})",)
    assert tree.unread == {"x": kind}


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(
    "text",
    [
        np.array([b"\xff\xfe"]),
        np.array([b"a", b"\xff"]),
        np.array(b"\xff", h5py.string_dtype()),
        np.array([b"a", b"\xff"], h5py.string_dtype()),
    ],
)
def test_text_that_is_not_utf8_is_told(text: Any, libver: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f", "w", libver=libver) as file:
        file["x"] = text
        file.attrs["a"] = np.bytes_(b"\xff")
    tree = read_tree(tmp_path / "f")
    assert (tree.values, dict(tree.attributes)) == ({}, {})
    assert tree.dropped == ("dataset x (text that is not UTF-8)", "attribute a")


def test_named_types_and_empty_groups_are_told(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "f", {"a/b": None, "t": np.dtype("i4"), "x": 1})
    with h5py.File(path, "a") as file:
        file.create_dataset("typed", data=[2], dtype=file["t"])
    tree = read_tree(path)
    assert set(tree.values) == {"typed", "x"}
    assert tree.dropped == ("empty group a/b", "named type t")


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("field", ["bias", "type", "neuron/vThMant", "weight"])
def test_a_field_that_cannot_be_read_is_not_taken_for_missing(
    field: str, kind: str, tmp_path: Path
) -> None:
    path = write_foreign(tmp_path / "f", f"layer/0/{field}", FOREIGN[kind])
    with h5py.File(path, "a") as file:
        for name, value in without(DENSE, field).items():
            file[f"layer/0/{name}"] = value
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}', layer0: field '{field}' cannot be read ({kind}); numbers or a string were "
        "expected."
    )


def test_neurons_that_cannot_be_read_are_not_taken_for_missing(tmp_path: Path) -> None:
    plain = {name: value for name, value in DENSE.items() if not name.startswith("neuron/")}
    foreign = np.array([1j])
    path = write_layers(tmp_path / "f", {**plain, "neuron/type": foreign})
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}', layer0: field 'neuron/type' cannot be read (complex128); numbers or a string "
        "were expected."
    )
    path = write_layers(tmp_path / "g", {**plain, "neuron": foreign})
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}', layer0: 'neuron' is a dataset; a group was expected."
    )


@pytest.mark.parametrize(
    ("field", "missing"),
    [("weight", "not a number"), ("bias", "not a number"), ("type", "not a string")],
)
@pytest.mark.parametrize("strings", [[b"1", b"2"], [b"a", b"b"]])
def test_several_strings_in_the_place_of_a_field_are_refused(
    field: str, missing: str, strings: list[bytes], tmp_path: Path
) -> None:
    path = write_layers(tmp_path / "f", {**DENSE, field: np.array(strings)})
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}', layer0: field '{field}' is missing or {missing}."
    )


def test_what_is_not_understood_and_not_kept_is_said_and_the_network_read(tmp_path: Path) -> None:
    labels = np.array(["cat", "dög"], h5py.string_dtype())
    extra = {"labels": labels, "spectrum": np.array([1j])}
    network = read_netx(write_layers(tmp_path / "f", {**DENSE, **extra}))
    assert network.warnings == (
        "layer0: not understood, kept as it is: labels.",
        "file: not kept: dataset layer/0/spectrum (complex128).",
    )
    write_netx(network, tmp_path / "g")
    again = read_netx(tmp_path / "g").layers[0].extra["labels"]
    assert np.asarray(again).tolist() == [b"cat", "dög".encode()]


@pytest.mark.parametrize(
    ("least", "value"),
    [(6, np.zeros((2, 3))), (8, np.array([b"ab", b"cdef"])), (3, "aµ"), (5, np.zeros((0, 5)))],
)
def test_what_would_not_be_read_back_is_not_written(
    least: int, value: RawValue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (hdf5_child, hdf5_store):
        monkeypatch.setattr(module, "MAX_NUMBERS", least)
    assert hdf5_child.read_content(tree_bytes({"x": value}, {})).numbers == least
    for module in (hdf5_child, hdf5_store):
        monkeypatch.setattr(module, "MAX_NUMBERS", least - 1)
    assert sentence(OutputError, tree_bytes, {"x": value}, {}) == (
        f"the file would have {least} values; {least - 1} can be read back."
    )


def test_more_objects_than_would_be_read_back_are_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values: dict[str, RawValue] = {"a/b/x": np.zeros(1), "a/y": "text", "z": np.zeros(1)}
    for module in (hdf5_child, hdf5_store):
        monkeypatch.setattr(module, "MAX_OBJECTS", 5)
    assert hdf5_child.read_content(tree_bytes(values, {})).objects == 5
    monkeypatch.setattr(hdf5_store, "MAX_OBJECTS", 4)
    assert sentence(OutputError, tree_bytes, values, {}) == (
        "the file would have 5 groups and datasets; 4 can be read back."
    )


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
