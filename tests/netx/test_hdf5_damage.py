"""Bytes that contradict the HDF5 format are one sentence, whatever libhdf5 does about them."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import write_hdf5

from lavadeploy.netx import NetxFormatError, hdf5_worker
from lavadeploy.netx.hdf5_store import read_tree

MOST = (1 << 64) - 1


def example(path: Path) -> Path:
    return write_hdf5(path, {"a/kind": "CUBA", "a/numbers": np.arange(6), "a/on": True})


@pytest.mark.parametrize(
    ("signature", "at", "size", "number"),
    [
        pytest.param(b"GCOL", 24, 8, MOST - 15, id="heap object that wraps: libhdf5 loops"),
        pytest.param(b"GCOL", 8, 8, 1 << 40, id="heap too long"),
        pytest.param(b"GCOL", 24, 8, 5000, id="heap object too long"),
        pytest.param(b"HEAP", 8, 8, MOST, id="names too long"),
        pytest.param(b"HEAP", 24, 8, MOST, id="names nowhere"),
        pytest.param(b"SNOD", 6, 2, 60_000, id="too many entries"),
        pytest.param(b"SNOD", 8, 8, 1 << 50, id="name nowhere"),
        pytest.param(b"SNOD", 16, 8, 5, id="object nowhere"),
        pytest.param(b"TREE", 4, 1, 1, id="tree of chunks"),
        pytest.param(b"TREE", 32, 8, 0, id="child is no table"),
    ],
)
def test_sizes_and_addresses_that_lead_astray(
    signature: bytes,
    at: int,
    size: int,
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hdf5_worker, "TIME_LIMIT_S", 3)
    path = example(tmp_path / "f")
    content = path.read_bytes()
    start = content.rindex(signature) + at
    path.write_bytes(content[:start] + number.to_bytes(size, "little") + content[start + size :])
    assert re.fullmatch(
        rf"'{path}': damaged or truncated HDF5 file \(.+\)\.",
        sentence(NetxFormatError, read_tree, path),
    )


def test_a_tree_that_leads_back_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_worker, "TIME_LIMIT_S", 3)
    path = example(tmp_path / "f")
    content = path.read_bytes()
    tree = content.rindex(b"TREE")
    path.write_bytes(content[: tree + 32] + tree.to_bytes(8, "little") + content[tree + 40 :])
    sentence(NetxFormatError, read_tree, path)


def test_a_truth_value_of_two_is_true(tmp_path: Path) -> None:
    path = example(tmp_path / "f")
    with h5py.File(path) as file:
        at = file["a/on"].id.get_offset()
    content = path.read_bytes()
    path.write_bytes(content[:at] + b"\2" + content[at + 1 :])
    assert np.asarray(read_tree(path).values["a/on"]).astype(np.int64).tolist() == 1
