"""``lavadeploy compile``: from a NetX file to an artifact."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from builders import conv, dense
from hdf5_files import edit_hdf5

from lavadeploy.compile import compile_network, load_artifact, synaptic_layers
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import InputLayer, Network, read_netx, write_netx
from lavadeploy.sim import SpikeInput, open_backend, save_run, summarize_run

Cli = Callable[..., CompletedProcess[str]]


def test_report_shows_registers_and_cores_of_each_layer(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "--profile", "loihi2", "-o", "net.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.split() for line in found.stdout.splitlines() if line.strip()]
    assert lines[0] == ["layer", "kind", "neuron", "out", "bits", "exp", "signs", "room"]
    assert lines[2][:7] == ["layer0", "dense", "CUBA", "3", "5", "-3", "mixed"]
    assert lines[3][:7] == ["layer1", "dense", "CUBA", "2", "4", "-3", "mixed"]
    assert all(float(line[7]) > 0 for line in lines[2:4])
    assert lines[4] == ["placed", "cores", "numbers", "chip", "tiles", "nearest", "its", "limit"]
    full = "entries in total {} of 20000 (0 %)"
    assert lines[6] == ["layer0", "1", "0", "0", "1", *full.format(15).split()]
    assert lines[7] == ["layer1", "1", "1", "0", "1", *full.format(11).split()]
    assert found.stdout.endswith(
        "\n2 cores of loihi2, 7 synapse words.\n"
        "A message between cores stays on its tile.\n"
        "4 of 4 states are proved to stay in their registers (room: bits left in the fullest).\n"
        "Written: net.ldc\n"
    )


def test_artifact_holds_network_profile_and_placement(cli: Cli, net: Path) -> None:
    cli("compile", net, "--profile", "loihi1", "-o", "net.ldc")
    compiled = load_artifact("net.ldc")
    assert compiled.profile.name == "loihi1"
    assert compiled.network.input_shape == (4,)
    assert [layer.weights.effective().tolist() for layer in synaptic_layers(compiled.network)] == [
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
        "neuron": "CUBA",
        "shape_out": [3],
        "neurons": 3,
        "weights": 12,
        "weight_bits": 5,
        "weight_exponent": -3,
        "sign_mode": "mixed",
        "cores": 1,
        "fullest": "entries in total 15 of 20000 (0 %)",
    }
    assert load_artifact("net.ldc").network.input_shape == (4,)


def test_chip_without_limits_is_said_to_have_none(cli: Cli, net: Path) -> None:
    lines = cli("compile", net, "--profile", "ideal", "-o", "net.ldc").stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith(" layer0")]
    assert rows[0][:7] == ["layer0", "dense", "CUBA", "3", "5", "-3", "mixed"]
    assert rows[1] == ["layer0", "1", "0", "0", "1", "no", "limits"]


def test_same_network_gives_the_same_bytes(cli: Cli, net: Path) -> None:
    for name in ("a.ldc", "b.ldc"):
        assert cli("compile", net, "-o", name, "--no-timestamp").returncode == 0
    assert Path("a.ldc").read_bytes() == Path("b.ldc").read_bytes()
    assert load_artifact("a.ldc").created == ""


def test_the_time_is_stated_unless_it_is_switched_off(cli: Cli, net: Path) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    cli("compile", net, "-o", "net.ldc")
    created = datetime.fromisoformat(load_artifact("net.ldc").created)
    assert before <= created <= datetime.now(timezone.utc)


def test_estimates_write_nothing(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "--estimate-only")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.endswith("\nNothing written.\n")
    kept = cli("compile", net, "--estimate-only", "-o", "net.ldc", "--json")
    assert json.loads(kept.stdout)["cores"] == 2
    assert sorted(path.name for path in Path().iterdir()) == ["net.net"]


def test_an_artifact_needs_a_name(cli: Cli, net: Path) -> None:
    found = cli("compile", net)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: name the artifact to write: -o net.ldc, or ask for --estimate-only.\n"
    )


def test_a_failed_compilation_leaves_nothing_behind(cli: Cli, net: Path) -> None:
    edit_hdf5(net, {"layer/0/weight": np.full((3, 4), 300)})
    found = cli("compile", net, "-o", "net.ldc")
    assert (found.returncode, found.stdout) == (2, "")
    assert "layer0: weight 300; loihi2 allows -256 to 254." in found.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["net.net"]


def test_calibration_samples_guide_the_placement(cli: Cli, net: Path) -> None:
    spikes = np.random.default_rng(0).integers(0, 2, (5, 4, 10))
    np.savez("samples.npz", spikes=spikes)
    found = cli("compile", net, "-o", "net.ldc", "--calibration", "samples.npz")
    assert (found.returncode, found.stderr) == (0, "")
    compiled = load_artifact("net.ldc")
    assert compiled.passes[-1].options == {"by_spike_rates": True}
    assert compiled.calibration_sha256 == SpikeInput(spikes=spikes).sha256()


def test_a_strict_compilation_refuses_what_may_leave_its_register(cli: Cli, net: Path) -> None:
    edit_hdf5(net, {"layer/0/neuron/vDecay": 0})  # inhibition adds up without end
    assert cli("compile", net, "-o", "net.ldc").returncode == 0
    found = cli("compile", net, "-o", "strict.ldc", "--strict")
    assert (found.returncode, found.stdout) == (2, "")
    assert "[states_fit_registers]" in found.stderr
    assert not Path("strict.ldc").exists()


def test_artifact_compiled_again_is_the_same_network(cli: Cli, artifact: Path) -> None:
    found = cli("compile", artifact, "-o", "again.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    first, again = load_artifact(artifact), load_artifact("again.ldc")
    layers = (synaptic_layers(first.network), synaptic_layers(again.network))
    for left, right in zip(*layers, strict=True):
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
    assert "[states_fit_registers]" in found.stderr
    assert not (net.parent / "strict.ldc").exists()


def test_json_is_read_by_strict_readers_where_nothing_ever_happens(
    cli: Cli, tmp_path: Path
) -> None:
    # the states of weights that are all zero have head-room without bound
    write_netx(Network(layers=(dense([[0, 0]]),)), tmp_path / "silent.net")
    found = cli("compile", tmp_path / "silent.net", "--estimate-only", "--json")

    def refuse(word: str) -> None:
        raise ValueError(word)

    report = json.loads(found.stdout, parse_constant=refuse)
    assert [state["headroom_bits"] for state in report["states"]] == [None, None]
    inputs = SpikeInput(spikes=np.ones((1, 2, 3), dtype=np.uint8), labels=None)
    compiled = compile_network(read_netx(tmp_path / "silent.net"), load_profile("loihi2"))
    result = open_backend("reference").run(compiled, inputs)
    save_run(tmp_path / "run", summarize_run(compiled, inputs, result), result, compiled)
    json.loads((tmp_path / "run" / "run.json").read_text(), parse_constant=refuse)


def test_a_flat_input_shape_of_an_image_is_taken_as_the_image(cli: Cli, tmp_path: Path) -> None:
    layers = (
        InputLayer(name="layer0", shape=(1, 3, 3)),
        conv(np.full((1, 1, 2, 2), 2), (1, 2, 2), name="layer1"),
    )
    write_netx(Network(layers=layers), tmp_path / "image.net")
    found = cli("compile", tmp_path / "image.net", "--input-shape", "9", "-o", "image.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    assert load_artifact("image.ldc").network.input_shape == (1, 3, 3)


def test_the_network_itself_is_not_overwritten(cli: Cli, net: Path) -> None:
    before = net.read_bytes()
    found = cli("compile", net, "-o", net)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'net.net' is the network itself; name another file for the artifact.\n"
    )
    assert net.read_bytes() == before


def test_json_holds_the_input_that_overflows_a_state(cli: Cli, net: Path) -> None:
    edit_hdf5(net, {"layer/0/neuron/vDecay": 0})
    states = json.loads(cli("compile", net, "--estimate-only", "--json").stdout)["states"]
    found = next(state for state in states if state["verdict"] == "reachable")
    assert found["overflow_input"].startswith("to neuron ")
    assert found["headroom_bits"] is None  # without bound; JSON knows no infinity
