"""``lavadeploy compile``: from a NetX file to an artifact."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from hdf5_files import edit_hdf5

from lavadeploy.compile import load_artifact

Cli = Callable[..., CompletedProcess[str]]


def test_report_shows_registers_and_cores_of_each_layer(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "--profile", "loihi2", "-o", "net.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.split() for line in found.stdout.splitlines() if line.strip()]
    assert lines[0] == [
        "layer",
        "kind",
        "out",
        "bits",
        "exp",
        "signs",
        "cores",
        "nearest",
        "its",
        "limit",
    ]
    assert lines[2] == [
        "layer0",
        "dense",
        "3",
        "5",
        "-3",
        "mixed",
        "1",
        "neurons",
        "3",
        "of",
        "4095",
        "(0",
        "%)",
    ]
    assert lines[3] == [
        "layer1",
        "dense",
        "2",
        "4",
        "-3",
        "mixed",
        "1",
        "neurons",
        "2",
        "of",
        "4095",
        "(0",
        "%)",
    ]
    assert found.stdout.endswith("\n2 cores of loihi2, 7 synapse words.\nWritten: net.ldc\n")


def test_artifact_holds_network_profile_and_placement(cli: Cli, net: Path) -> None:
    cli("compile", net, "--profile", "loihi1", "-o", "net.ldc")
    compiled = load_artifact("net.ldc")
    assert compiled.profile.name == "loihi1"
    assert compiled.network.input_shape == (4,)
    assert [layer.weights.effective().tolist() for layer in compiled.network.layers] == [
        [[20, 0, 0, -2], [0, 20, 0, -2], [0, 0, 20, -2]],
        [[20, 20, -4], [-4, -4, 20]],
    ]
    assert [core.layer for core in compiled.placement.cores] == ["layer0", "layer1"]


def test_profile_is_loihi2_unless_named(cli: Cli, net: Path) -> None:
    cli("compile", net, "-o", "net.ldc")
    assert load_artifact("net.ldc").profile.name == "loihi2"


def test_json_holds_the_report_and_the_artifact_is_written_as_well(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "-o", "net.ldc", "--json")
    assert (found.returncode, found.stderr) == (0, "")
    report = json.loads(found.stdout)
    assert {key: report[key] for key in ("profile", "cores", "synapse_words", "warnings")} == {
        "profile": "loihi2",
        "cores": 2,
        "synapse_words": 7,
        "warnings": [],
    }
    assert report["layers"][0] == {
        "name": "layer0",
        "kind": "dense",
        "shape_out": [3],
        "neurons": 3,
        "weights": 12,
        "weight_bits": 5,
        "weight_exponent": -3,
        "sign_mode": "mixed",
        "cores": 1,
        "fullest": "neurons 3 of 4095 (0 %)",
    }
    assert load_artifact("net.ldc").network.input_shape == (4,)


def test_chip_without_limits_is_said_to_have_none(cli: Cli, net: Path) -> None:
    lines = cli("compile", net, "--profile", "ideal", "-o", "net.ldc").stdout.splitlines()
    assert ["layer0", "dense", "3", "5", "-3", "mixed", "1", "no", "limits"] in [
        line.split() for line in lines
    ]


def test_same_network_gives_the_same_bytes(cli: Cli, net: Path) -> None:
    cli("compile", net, "-o", "a.ldc")
    cli("compile", net, "-o", "b.ldc")
    assert Path("a.ldc").read_bytes() == Path("b.ldc").read_bytes()


def test_artifact_compiled_again_is_the_same_network(cli: Cli, artifact: Path) -> None:
    found = cli("compile", artifact, "-o", "again.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    first, again = load_artifact(artifact), load_artifact("again.ldc")
    for left, right in zip(first.network.layers, again.network.layers, strict=True):
        assert np.array_equal(left.weights.effective(), right.weights.effective())


def test_warnings_of_reader_and_compiler_are_shown_and_kept(cli: Cli, net: Path) -> None:
    # 4096 is where SLAYER and Lava part: SLAYER fires at equality
    edit_hdf5(net, {"layer/1/neuron/vThMant": 4096, "layer/1/neuron/tauRho": 1})
    found = cli("compile", net, "-o", "net.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    shown = [line[9:] for line in found.stdout.splitlines() if line.startswith("warning: ")]
    parts = "there SLAYER fires when the voltage equals the threshold, Lava only above it."
    assert shown == [
        "layer1: not understood, kept as it is: neuron/tauRho.",
        f"layer1: threshold 4096 is 4096 or more; {parts}",
    ]
    assert load_artifact("net.ldc").warnings == tuple(shown)


def test_artifact_replaces_the_one_before_as_a_whole(cli: Cli, net: Path) -> None:
    Path("net.ldc").write_bytes(b"old" * 100_000)
    assert cli("compile", net, "-o", "net.ldc").returncode == 0
    assert load_artifact("net.ldc").profile.name == "loihi2"
    assert sorted(path.name for path in Path().iterdir()) == ["net.ldc", "net.net"]


@pytest.mark.parametrize("shape", ["4", "1,2,2"])
def test_input_shape_may_be_stated(cli: Cli, net: Path, shape: str) -> None:
    assert cli("compile", net, "--input-shape", shape, "-o", "net.ldc").returncode == 0


def test_input_shape_that_does_not_fit_is_refused(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "--input-shape", "5", "-o", "net.ldc")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'net.net', layer0: its weight has 4 inputs, but 5 neurons (5,) come in.\n"
    )
    assert not Path("net.ldc").exists()


def test_strict_refuses_states_that_are_not_proved_to_fit(cli: Cli, net: Path) -> None:
    assert cli("compile", net, "--strict", "-o", "net.ldc").returncode == 0
    edit_hdf5(net, {"layer/1/neuron/iDecay": 0})
    found = cli("compile", net, "-o", "loose.ldc")
    assert found.returncode == 0
    assert "warning: layer1: its current can leave 24 bits (bounds " in found.stdout
    found = cli("compile", net, "--strict", "-o", "strict.ldc")
    assert found.returncode == 2
    assert "[states_fit_24_bits]" in found.stderr
    assert not (net.parent / "strict.ldc").exists()
