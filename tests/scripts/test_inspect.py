"""``lavadeploy inspect``: what is in a NetX file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from builders import conv
from hdf5_files import edit_hdf5

from lavadeploy.netx import Network, write_netx

Cli = Callable[..., CompletedProcess[str]]

CONV_ROW = [
    "layer1",
    "conv",
    "2×34×34",
    "8×32×32",
    "144",
    "-40..38",
    "80",
    "1000..1007",
    "128",
    "bias,",
    "delay",
    "≤",
    "7",
]


def test_table_shows_each_layer_and_sentences_their_units(cli: Cli, net: Path) -> None:
    found = cli("inspect", net)
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.split() for line in found.stdout.splitlines() if line.strip()]
    assert lines[0] == ["layer", "kind", "in", "out", "weights", "range", "vth", "du", "dv", "more"]
    assert lines[2] == ["layer0", "dense", "4", "3", "12", "-2..20", "10", "4096", "4096"]
    assert lines[3] == ["layer1", "dense", "3", "2", "6", "-4..20", "10", "4096", "4096"]
    assert found.stdout.endswith(
        "\n5 neurons, 18 weights. Weights and thresholds in units of 1/64,\n"
        "decays du (current) and dv (voltage) in parts of 4096 a step.\n"
    )


def test_table_of_a_convolution_shows_geometry_ranges_bias_and_delays(
    cli: Cli, conv_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = [line.split() for line in cli("inspect", conv_net).stdout.splitlines()]
    assert ["layer0", "input", "2×34×34", "2×34×34", "-", "-", "-", "-", "-"] in lines
    assert CONV_ROW in lines
    assert ["layer2", "flatten", "8×32×32", "8192", "-", "-", "-", "-", "-"] in lines
    assert ["layer3", "dense", "8192", "10", "81920", "2..2", "80", "1024", "128"] in lines
    assert "8202 neurons, 82064 weights." in cli("inspect", conv_net).stdout


def test_numbers_stand_right_aligned_beside_layers_that_have_none(
    cli: Cli, conv_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = cli("inspect", conv_net).stdout.splitlines()
    places = [re.search(r" (144|81920) ", line) for line in lines]
    assert len({place.end() for place in places if place}) == 1


def test_table_in_a_pipe_is_not_broken_at_the_width_of_a_terminal(
    cli: Cli, conv_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    lines = [line.split() for line in cli("inspect", conv_net).stdout.splitlines()]
    assert CONV_ROW in lines


def test_json_holds_every_figure_of_each_layer_and_the_hash(cli: Cli, net: Path) -> None:
    found = cli("inspect", net, "--json", "-o", "net.json")
    assert (found.returncode, found.stderr) == (0, "")
    data = json.loads(found.stdout)
    assert data["file"] == "net.net"
    assert data["sha256"] == sha256(net.read_bytes()).hexdigest()
    assert data["warnings"] == []
    assert data["layers"][1] == {
        "name": "layer1",
        "kind": "dense",
        "shape_in": [3],
        "shape_out": [2],
        "neurons": 2,
        "weights": 6,
        "weight_min": -4,
        "weight_max": 20,
        "zero_weights": 0,
        "vth_mantissa": 10,
        "current_decay": [4096, 4096],
        "voltage_decay": [4096, 4096],
        "delay_max": None,
        "bias": False,
    }
    assert json.loads(Path("net.json").read_text(encoding="utf-8")) == data


def test_file_is_written_beside_the_human_output_too(cli: Cli, net: Path) -> None:
    found = cli("inspect", net, "-o", "net.json")
    assert "5 neurons, 18 weights." in found.stdout
    assert json.loads(Path("net.json").read_text(encoding="utf-8"))["file"] == "net.net"


def test_compiled_artifact_can_be_inspected_as_the_netx_file_it_is(
    cli: Cli, artifact: Path
) -> None:
    found = cli("inspect", artifact)
    assert (found.returncode, found.stderr) == (0, "")
    assert "5 neurons, 18 weights." in found.stdout


def test_what_is_not_understood_is_a_warning(cli: Cli, net: Path) -> None:
    edit_hdf5(net, {"layer/0/neuron/tauRho": 1, "layer/1/neuron/tauRho": 1})
    found = cli("inspect", net)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.endswith("\nwarning: layer0, layer1: not read: neuron/tauRho.\n")
    warnings = json.loads(cli("inspect", net, "--json").stdout)["warnings"]
    assert warnings == ["layer0, layer1: not read: neuron/tauRho."]


def test_input_shape_that_the_file_does_not_tell_is_asked_for(cli: Cli, folder: Path) -> None:
    strided = conv(np.full((2, 1, 2, 2), 2), (2, 3, 3), stride=(2, 2))
    write_netx(Network(layers=(strided,)), folder / "strided.net")
    found = cli("inspect", "strided.net")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'strided.net', layer0: NetX does not store its input shape, and with stride (2, 2) "
        "the output shape does not tell it. Give it (--input-shape C,H,W, or input_shape=).\n"
    )
    found = cli("inspect", "strided.net", "--input-shape", "1,7,6", "--json")
    assert json.loads(found.stdout)["layers"][0]["shape_in"] == [1, 7, 6]
    found = cli("inspect", "strided.net", "--input-shape", "7x6")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: input shape '7x6'; N or C,H,W was expected, for example 1,28,28.\n"
    )
