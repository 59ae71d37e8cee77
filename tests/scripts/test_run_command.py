"""``lavadeploy run``: spikes, accuracy, activity and energy, and the run folder."""
# pyarrow has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

Cli = Callable[..., CompletedProcess[str]]
Run = Callable[..., CompletedProcess[str]]

# What the relaying network makes of the four samples: (sample, step, neuron of layer0, of layer1).
RELAYED = [(0, 0, 0, 0), (0, 2, 0, 0), (0, 4, 0, 0), (1, 1, 1, 0), (2, 3, 2, 1), (2, 5, 2, 1)]


@pytest.fixture
def run(cli: Cli, artifact: Path, spikes: Path) -> Run:
    """Run the artifact on the four samples, on the reference backend."""
    return lambda *more: cli("run", artifact, "--input", spikes, "--backend", "reference", *more)


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as file:
        return dict(file)


def figures(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))


def test_table_shows_spikes_activity_and_operations_of_each_layer(run: Run) -> None:
    found = run("-o", "runs/x")
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.strip() for line in found.stdout.splitlines() if line.strip()]
    assert lines[0] == "4 samples of 6 steps on reference in 0.0 s."
    assert lines[1] == "Accuracy 75.00 %."
    assert lines[2].split() == [
        "layer",
        "kind",
        "neurons",
        "spikes",
        "activity",
        "synops",
        "bits",
        "exp",
        "cores",
    ]
    # 6 spikes of 3 neurons in 24 steps; each of the 6 input spikes meets 3 synapses
    assert lines[4].split() == ["layer0", "dense", "3", "6", "8.33", "%", "18", "5", "-3", "1"]
    assert lines[5].split() == ["layer1", "dense", "2", "6", "12.50", "%", "12", "4", "-3", "1"]
    assert lines[-1] == "Written: runs/x"


def test_energy_and_time_carry_interval_basis_and_what_is_left_out(run: Run) -> None:
    lines = run().stdout.splitlines()
    shown = lines[lines.index("") + 1 :] if "" in lines else lines
    text = "\n".join(line for line in shown if line.strip())
    # (30 operations * 20 pJ + 120 updates * 160 pJ + 12 spikes * 69.3 pJ
    #  + 6 messages to layer1's core * 112.7 pJ) / 4 samples; up to 34 uJ for each sample
    assert "\nDynamic energy 5.33 nJ (0.382 to 34000) an inference.\n" in text
    # 6 steps of 200 ns barrier and, on core 0, 18/24 operations, 3 updates, 6/24 spikes
    assert "\nTime 1.25 µs (0.313 to 86.9) an inference, set by core 0.\n" in text
    assert "\nWith neurocores of 1 chip " in text
    assert "\nEstimated, not measured; the weakest coefficient is inferred.\n" in text
    # 18 weights, each multiplied once: 18 * 2.8 pJ
    assert "\nAn 8-bit ANN of these layers (45 nm) 0.0504 nJ (0.00414 to 0.23);\n" in text
    assert text.endswith(
        "\nNot included: barriers of the steps (energy not known), what a core in use costs\n"
        "  a step (energy not known), arrival of messages (time not known), embedded\n"
        "  processors, board, input and output, host."
    )
    assert max(map(len, text.splitlines())) <= 80


def test_energy_is_written_in_plain_figures(run: Run) -> None:
    assert "e+" not in run().stdout


def test_chip_without_coefficients_gives_counts_but_no_joules(
    cli: Cli, net: Path, spikes: Path
) -> None:
    cli("compile", net, "--profile", "ideal", "-o", "ideal.ldc")
    found = cli("run", "ideal.ldc", "--input", spikes, "--backend", "reference")
    assert found.stdout.endswith(
        "\nEnergy and time: profile 'ideal' has no coefficients, so none are given.\n"
    )


def test_accuracy_is_not_given_without_labels(run: Run, spikes: Path) -> None:
    np.savez(spikes, spikes=arrays(spikes)["spikes"])
    found = run("-o", "x")
    assert (found.returncode, found.stderr) == (0, "")
    assert "Accuracy" not in found.stdout
    assert "Accuracy" not in Path("x/report.md").read_text(encoding="utf-8")
    assert (figures("x")["accuracy"], figures("x")["labels"]) == (None, None)


def test_samples_runs_the_first_ones_only(run: Run) -> None:
    found = run("--samples", "2", "-o", "x")
    assert found.stdout.startswith("2 samples of 6 steps on reference in 0.0 s.\nAccuracy 100.00 %")
    assert figures("x")["predictions"] == [0, 0]
    assert figures("x")["labels"] == [0, 0]


def test_more_samples_than_there_are_means_all(run: Run) -> None:
    assert json.loads(run("--samples", "99", "--json").stdout)["samples"] == 4


@pytest.mark.parametrize("samples", ["0", "-3"])
def test_samples_below_1_is_refused(run: Run, samples: str) -> None:
    found = run("--samples", samples)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"error: --samples is {samples}; at least 1 was expected.\n"


def test_json_holds_what_run_json_holds(run: Run) -> None:
    found = run("-o", "x", "--json")
    assert (found.returncode, found.stderr) == (0, "")
    summary = json.loads(found.stdout)
    assert summary == figures("x")
    assert (summary["accuracy"], summary["predictions"]) == (0.75, [0, 0, 1, 0])
    assert summary["activity"]["input_spikes"] == 6
    assert [layer["spikes"] for layer in summary["activity"]["layers"]] == [6, 6]
    assert [layer["synaptic_operations"] for layer in summary["activity"]["layers"]] == [18, 12]
    assert [layer["neuron_updates"] for layer in summary["activity"]["layers"]] == [72, 48]


def test_run_json_holds_versions_hashes_and_where_it_came_from(
    run: Run, net: Path, artifact: Path
) -> None:
    run("-o", "x")
    summary = figures("x")
    assert set(summary["versions"]) >= {"lavadeploy", "python", "numpy", "lava-nc", "machine"}
    assert summary["hashes"]["network"] == sha256(net.read_bytes()).hexdigest()
    assert summary["hashes"]["artifact"] == sha256(artifact.read_bytes()).hexdigest()
    assert set(summary["hashes"]) == {"artifact", "input", "profile", "network"}
    assert summary["notes"] == {"artifact": "net.ldc", "input": "test.npz"}


def test_run_folder_holds_these_files(run: Run, artifact: Path) -> None:
    run("-o", "runs/x")
    names = sorted(path.name for path in Path("runs/x").iterdir())
    assert names == ["activity.npz", "compiled.ldc", "report.md", "run.json", "spikes.parquet"]
    assert Path("runs/x/compiled.ldc").read_bytes() == artifact.read_bytes()
    assert [path.name for path in Path("runs").iterdir()] == ["x"]


def test_spikes_are_read_with_pyarrow_alone(run: Run) -> None:
    run("-o", "x")
    table = pq.read_table("x/spikes.parquet")
    assert table.column_names == ["sample", "step", "layer", "neuron", "value"]
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert rows == [
        row
        for sample, step, first, second in RELAYED
        for row in ((sample, step, "layer0", first, 1), (sample, step, "layer1", second, 1))
    ]


def test_report_is_short_and_has_the_figures_that_matter(run: Run) -> None:
    run("-o", "x")
    lines = Path("x/report.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Run on reference, compiled for loihi2"
    assert "Accuracy: **75.00 %**" in lines
    assert "| layer0 | dense | 3 | 6 | 8.33 % | 18 | 5 | -3 | 1 |" in lines
    assert "2 cores, 7 synapse words; 6 input spikes." in lines
    assert len(lines) < 40


def test_recorded_states_are_kept_by_layer(run: Run) -> None:
    run("--record", "all", "-o", "x")
    states = {path.stem: np.load(path) for path in Path("x/states").iterdir()}
    assert sorted(states) == [
        "layer0.current",
        "layer0.voltage",
        "layer1.current",
        "layer1.voltage",
    ]
    assert states["layer0.current"].shape == (4, 3, 6)
    # a spike of input 0 leaves 20 weight units, each 64 state units, in the current of neuron 0
    assert states["layer0.current"][0].tolist() == [
        [1280, 0, 1280, 0, 1280, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert states["layer0.voltage"][0].tolist() == [[0] * 6] * 3  # reset by the spikes


def test_states_are_not_kept_unless_asked_for(run: Run) -> None:
    run("-o", "x")
    assert not Path("x/states").exists()


def test_without_a_folder_nothing_is_written(run: Run) -> None:
    before = sorted(Path().iterdir())
    assert "Written" not in run().stdout
    assert sorted(Path().iterdir()) == before


def test_earlier_run_of_that_name_is_replaced_as_a_whole(run: Run) -> None:
    run("--record", "all", "-o", "x")
    run("--samples", "1", "-o", "x")
    assert figures("x")["samples"] == 1
    assert not Path("x/states").exists()


def test_images_are_taken_as_n_c_h_w_t_by_a_dense_network(run: Run, spikes: Path) -> None:
    held = arrays(spikes)
    images = held["spikes"].reshape(4, 1, 2, 2, 6)
    flat = json.loads(run("--json").stdout)
    np.savez(spikes, spikes=images, labels=held["labels"])
    as_images = json.loads(run("--json").stdout)
    assert as_images["predictions"] == flat["predictions"] == [0, 0, 1, 0]
    assert as_images["activity"] == flat["activity"]


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int16, np.int64, np.uint64])
def test_every_integer_type_gives_the_same_run(run: Run, spikes: Path, kind: type) -> None:
    held = arrays(spikes)
    np.savez_compressed(spikes, spikes=held["spikes"].astype(kind), labels=held["labels"])
    found = json.loads(run("--json").stdout)
    assert (found["accuracy"], found["activity"]["input_spikes"]) == (0.75, 6)
    assert found["hashes"]["input"].startswith("1319f30e6357")


def test_the_engine_gives_what_the_reference_gives(
    cli: Cli, run: Run, artifact: Path, spikes: Path
) -> None:
    expected = run("--json")
    for threads in ("1", "2"):
        given = ("--backend", "engine", "--threads", threads, "--json")
        found = cli("run", artifact, "--input", spikes, *given)
        assert (found.returncode, found.stderr) == (0, "")
        assert json.loads(found.stdout)["activity"] == json.loads(expected.stdout)["activity"]


def test_threads_are_of_the_engine_only(run: Run) -> None:
    found = run("--threads", "2")
    assert found.returncode == 2
    assert "--threads is of backend 'engine'; backend 'reference' has no threads." in found.stderr


def test_no_threads_are_refused(cli: Cli, artifact: Path, spikes: Path) -> None:
    found = cli("run", artifact, "--input", spikes, "--backend", "engine", "--threads", "0")
    assert found.returncode == 2
    assert "threads is 0; at least 1 was expected." in found.stderr


def test_log_says_whose_spikes_are_written(run: Run) -> None:
    assert run("--log", "output", "-o", "x").returncode == 0
    assert set(pq.read_table("x/spikes.parquet").column("layer").to_pylist()) == {"layer1"}
    assert figures("x")["logged"] == ["layer1"]
    assert [layer["spikes"] for layer in figures("x")["activity"]["layers"]] == [6, 6]
    found = run("--log", "layer7", "-o", "x")
    assert found.returncode == 2
    assert found.stderr == (
        "error: cannot log 'layer7': no such layer; did you mean 'layer1'? "
        "Valid: 'all', 'layer0', 'layer1', 'none', 'output'.\n"
    )


def test_resume_needs_a_folder(run: Run) -> None:
    found = run("--resume")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: --resume needs the run folder: --output.\n"


def test_resume_without_an_unfinished_run_runs_everything(run: Run) -> None:
    found = run("--resume", "-o", "x")
    assert (found.returncode, found.stderr) == (0, "")
    assert figures("x")["samples"] == 4
