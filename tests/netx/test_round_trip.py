"""What is read and written again is the same, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from expect import assert_same
from hdf5_files import assert_holds, write_hdf5
from hypothesis import HealthCheck, given, settings
from netx_strategies import networks, netx_files

from lavadeploy.netx import Network, read_netx, write_netx

QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@QUICK
@given(network=networks())
def test_every_network_is_read_as_it_was_written(network: Network, folder: Path) -> None:
    write_netx(network, folder / "a.net")
    read = read_netx(folder / "a.net")
    assert_same(read, network, ignore=("source", "warnings"))
    write_netx(read, folder / "b.net")
    assert (folder / "a.net").read_bytes() == (folder / "b.net").read_bytes()


@QUICK
@given(values=netx_files())
def test_every_dataset_of_every_file_is_written_again(
    values: Mapping[str, Any], folder: Path
) -> None:
    original = write_hdf5(folder / "c.net", values)
    write_netx(read_netx(original), folder / "d.net")
    assert_holds(folder / "d.net", original)
