"""``lavadeploy inspect --diff``: what changed between two files."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from hdf5_files import edit_hdf5

from lavadeploy.netx import FlattenLayer, Network, read_netx, write_netx

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def other(net: Path) -> Path:
    """``other.net``: the relaying network with another weight, threshold and remark."""
    shutil.copy(net, "other.net")
    weight = np.array([[20, 20, -4], [-4, -4, 2]], dtype=np.float32)
    edit_hdf5(
        Path("other.net"),
        {"layer/1/weight": weight, "layer/0/neuron/vThMant": 12, "remark": "retrained"},
    )
    return Path("other.net")


def test_changes_are_rows_and_exit_code_1(cli: Cli, net: Path, other: Path) -> None:
    found = cli("inspect", net, "--diff", other)
    assert (found.returncode, found.stderr) == (1, "")
    lines = [re.split(r" {2,}", line.strip()) for line in found.stdout.splitlines()]
    assert [line for line in lines if line != [""] and "─" not in line[0]] == [
        ["layer", "field", "before", "after", "elements"],
        ["layer0", "neuron vth_mantissa", "10", "12"],
        ["layer1", "weight", "20", "2", "1 of 6 differ by up to 18, first at [1, 2]"],
        ["file", "extra remark", "-", "retrained"],
        ["3 differences from net.net to other.net. Of an array, the first values that differ."],
        ["warning: other.net: file: not understood, kept as it is: remark."],
    ]


def test_one_difference_is_counted_as_one(cli: Cli, net: Path) -> None:
    shutil.copy(net, "other.net")
    edit_hdf5(Path("other.net"), {"layer/0/neuron/vThMant": 12})
    found = cli("inspect", net, "--diff", "other.net")
    assert found.stdout.splitlines()[-1].startswith("1 difference from net.net to other.net.")


def test_same_network_is_no_difference_and_exit_code_0(cli: Cli, net: Path) -> None:
    shutil.copy(net, "copy.net")
    found = cli("inspect", net, "--diff", "copy.net")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "No difference in 2 layers.\n"
    found = cli("inspect", net, "--diff", "copy.net", "--json")
    assert (found.returncode, found.stderr) == (0, "")
    data = json.loads(found.stdout)
    assert (data["equal"], data["changes"]) == (True, [])


def test_what_was_not_kept_of_either_file_is_said(cli: Cli, net: Path) -> None:
    shutil.copy(net, "other.net")
    edit_hdf5(net, {"one": np.array([1j])})
    edit_hdf5(Path("other.net"), {"two": np.array([2j])})
    found = cli("inspect", net, "--diff", "other.net")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines() == [
        "No difference in 2 layers.",
        "warning: net.net: file: not kept: dataset one (complex128).",
        "warning: other.net: file: not kept: dataset two (complex128).",
    ]
    data = json.loads(cli("inspect", net, "--diff", "other.net", "--json").stdout)
    assert data["warnings"] == ["file: not kept: dataset one (complex128)."]
    assert data["other_warnings"] == ["file: not kept: dataset two (complex128)."]


def test_changes_as_json_keep_exit_code_1(cli: Cli, net: Path, other: Path) -> None:
    found = cli("inspect", net, "--diff", other, "--json", "-o", "changes.json")
    assert (found.returncode, found.stderr) == (1, "")
    data = json.loads(found.stdout)
    layer0, layer1 = ({"layer": name, "other_layer": name} for name in ("layer0", "layer1"))
    assert data == {
        "file": "net.net",
        "other": "other.net",
        "sha256": sha256(net.read_bytes()).hexdigest(),
        "other_sha256": sha256(other.read_bytes()).hexdigest(),
        "equal": False,
        "changes": [
            {
                **layer0,
                "field": "neuron.vth_mantissa",
                "before": 10,
                "after": 12,
                "elements": None,
            },
            {
                **layer1,
                "field": "weight",
                "before": 20,
                "after": 2,
                "elements": {"differing": 1, "size": 6, "largest": 18, "first": [1, 2]},
            },
            {
                "layer": None,
                "other_layer": None,
                "field": "extra.remark",
                "before": None,
                "after": "retrained",
                "elements": None,
            },
        ],
        "warnings": [],
        "other_warnings": ["file: not understood, kept as it is: remark."],
    }
    assert json.loads(Path("changes.json").read_text(encoding="utf-8")) == data


def test_layers_added_and_removed_name_their_file(cli: Cli, net: Path, conv_net: Path) -> None:
    rows = [line.split() for line in cli("inspect", net, "--diff", conv_net).stdout.splitlines()]
    back = [line.split() for line in cli("inspect", conv_net, "--diff", net).stdout.splitlines()]
    assert ["layer2", "layer", "-", "flatten", "8192"] in rows
    assert ["layer2", "layer", "flatten", "8192", "-"] in back
    assert ["layer0", "kind", "dense", "input"] in rows


def test_a_layer_that_moved_is_named_twice(cli: Cli, net: Path) -> None:
    layers = list(read_netx(net).layers)
    moved = [FlattenLayer(name="layer0", shape=(4,)), *layers]
    write_netx(Network(layers=tuple(moved)), "moved.net")
    edit_hdf5(Path("moved.net"), {"layer/1/neuron/vThMant": 12})
    found = cli("inspect", net, "--diff", "moved.net")
    lines = [re.split(r" {2,}", line.strip()) for line in found.stdout.splitlines()]
    assert ["layer0", "layer", "-", "flatten 4"] in lines
    assert ["layer0 → layer1", "neuron vth_mantissa", "10", "12"] in lines
    assert lines[-1][0].startswith("2 differences")


def test_texts_of_files_cannot_write_over_the_terminal(cli: Cli, net: Path) -> None:
    shutil.copy(net, "other.net")
    edit_hdf5(Path("other.net"), {"remark": "\x1b[2J[b]x[/b]", "long": "a" * 99})
    found = cli("inspect", net, "--diff", "other.net")
    assert "\x1b" not in found.stdout
    assert '"\\u001b[2J[b]x[/b]"' in found.stdout
    assert f" {'a' * 23}… " in found.stdout


def test_long_texts_say_where_they_part(cli: Cli, net: Path) -> None:
    for name, end in (("a.net", "x"), ("b.net", "y")):
        shutil.copy(net, name)
        edit_hdf5(Path(name), {"remark": "same " * 10 + end})
    found = cli("inspect", "a.net", "--diff", "b.net")
    assert "first at character 51" in found.stdout


def test_file_that_is_missing_is_named(cli: Cli, net: Path) -> None:
    found = cli("inspect", net, "--diff", "nope.net")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: 'nope.net': no such file.\n"


def test_input_shape_does_not_go_with_diff(cli: Cli, net: Path, other: Path) -> None:
    found = cli("inspect", net, "--diff", other, "--input-shape", "4")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: --input-shape does not go with --diff: shapes are compared as stored.\n"
    )


def test_help_states_the_exit_code(cli: Cli) -> None:
    text = " ".join(cli("inspect", "--help").stdout.split())
    assert "With --diff: exit code 1 when the networks differ." in text
