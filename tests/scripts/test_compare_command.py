"""``lavadeploy compare``: equal or not, and the first difference."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from hdf5_files import edit_hdf5

Cli = Callable[..., CompletedProcess[str]]
REMEDY = "  Remedy: Run the same artifact with both; lavadeploy diff tells all that differs.\n"


@pytest.fixture
def runs(cli: Cli, net: Path, artifact: Path, spikes: Path) -> tuple[str, str]:
    """Runs ``a`` and ``b`` of two artifacts that differ in one weight, on the same input."""
    edit_hdf5(net, {"layer/1/weight": np.array([[20, 20, -4], [-4, -4, 2]], dtype=np.float32)})
    assert cli("compile", net, "-o", "other.ldc").returncode == 0
    for name, file in (("a", artifact), ("b", "other.ldc")):
        run = ("run", file, "--input", spikes, "--backend", "reference", "--record", "all")
        assert cli(*run, "-o", name).returncode == 0
    return "a", "b"


def without_states(*runs: str) -> None:
    for run in runs:
        shutil.rmtree(Path(run, "states"))


def test_run_equals_itself_in_spikes_and_states(cli: Cli, runs: tuple[str, str]) -> None:
    found = cli("compare", "a", "a")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "Equal: all 12 spikes and all states.\n"


def test_only_spikes_are_compared_where_one_run_has_no_states(
    cli: Cli, runs: tuple[str, str]
) -> None:
    shutil.copytree("a", "c")
    without_states("c")
    found = cli("compare", "a", "c")
    assert (found.returncode, found.stdout) == (0, "Equal: all 12 spikes.\n")


def test_first_differing_spike_is_named_with_both_values(cli: Cli, runs: tuple[str, str]) -> None:
    without_states("a", "b")
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout == (
        "Different (spikes compared).\n"
        "  layer0: 0 spikes differ\n"
        "  layer1: 2 spikes differ\n"
        "Predictions equal on 75.00 % of the samples.\n"
        "First difference: sample 2, step 3, layer1, neuron 1: spike 1 in a, 0 in b.\n"
        "Cause: other registers\n"
        "  b ran other registers of layer1: weights[1, 2] is 2, not 20 (1 of 6 differ).\n"
        "  That explains 2 of 2 differing spikes of layer1 in samples 0 to 3.\n"
        f"{REMEDY}"
    )


def test_first_difference_in_states_is_the_cause_of_that_in_spikes(
    cli: Cli, runs: tuple[str, str]
) -> None:
    found = cli("compare", "b", "a")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout == (
        "Different (spikes and states compared).\n"
        "  layer0: 0 spikes differ\n"
        "  layer1: 2 spikes differ\n"
        "Predictions equal on 75.00 % of the samples.\n"
        "First difference: sample 2, step 3, layer1, neuron 1: current 128 in b, 1280 in a.\n"
        "Cause: other registers\n"
        "  a ran other registers of layer1: weights[1, 2] is 20, not 2 (1 of 6 differ).\n"
        "  That explains 2 of 2 differing spikes of layer1 in samples 0 to 3.\n"
        f"{REMEDY}"
    )


@pytest.mark.parametrize("gone", ["a", "b"])
def test_no_run_is_judged_by_the_registers_of_another(
    cli: Cli, runs: tuple[str, str], gone: str
) -> None:
    Path(gone, "compiled.ldc").unlink()
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("Different (spikes and states compared).\n")
    assert "Cause: " not in found.stdout


def test_one_artifact_is_enough_for_runs_of_the_same(
    cli: Cli, runs: tuple[str, str], artifact: Path, spikes: Path
) -> None:
    shutil.copytree("a", "c")
    trace = np.load("c/states/layer1.current.npy")
    trace[0, 0, 0] += 64
    np.save("c/states/layer1.current.npy", trace)
    Path("a/compiled.ldc").unlink()
    found = cli("compare", "a", "c")
    assert (found.returncode, found.stderr) == (1, "")
    assert "Cause: " in found.stdout


def test_difference_as_json_keeps_exit_code_1(cli: Cli, runs: tuple[str, str]) -> None:
    without_states("a")
    found = cli("compare", "a", "b", "--json", "-o", "found.json")
    assert (found.returncode, found.stderr) == (1, "")
    comparison = json.loads(found.stdout)
    assert comparison == {
        "equal": False,
        "readouts_compared": False,
        "states_compared": False,
        "differing_spikes": {"layer0": 0, "layer1": 2},
        "total_spikes": 12,
        "predictions_equal": 0.75,
        "first": {
            "sample": 2,
            "step": 3,
            "layer": "layer1",
            "neuron": 1,
            "quantity": "spike",
            "value_a": 1,
            "value_b": 0,
        },
        "cause": {
            "name": "other registers",
            "layer": "layer1",
            "side": None,
            "explanation": (
                "b ran other registers of layer1: weights[1, 2] is 2, not 20 (1 of 6 differ)."
            ),
            "remedy": REMEDY.removeprefix("  Remedy: ").strip(),
            "quantity": "spikes",
            "explained": 2,
            "differing": 2,
            "samples": [0, 4],
            "also": [],
            "own_faults": [],
            "evidence": [],
        },
        "not_logged": [],
    }
    assert json.loads(Path("found.json").read_text(encoding="utf-8")) == comparison


def test_runs_on_different_input_cannot_be_compared(
    cli: Cli, runs: tuple[str, str], artifact: Path, spikes: Path
) -> None:
    run = ("run", artifact, "--input", spikes, "--backend", "reference")
    cli(*run, "--samples", "3", "-o", "short")
    hashes = [
        json.loads(Path(name, "run.json").read_text(encoding="utf-8"))["hashes"]["input"][:12]
        for name in ("a", "short")
    ]
    found = cli("compare", "a", "short")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: the runs cannot be compared: they had different input (hashes "
        f"{hashes[0]} and {hashes[1]}). Run both with the same --input and --samples.\n"
    )


def test_missing_run_is_named(cli: Cli, runs: tuple[str, str]) -> None:
    found = cli("compare", "a", "nope")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: 'nope': no such run folder.\n"


def test_folder_that_is_no_run_is_named(cli: Cli, runs: tuple[str, str]) -> None:
    Path("mine").mkdir()
    found = cli("compare", "mine", "a")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'mine': is not a run folder (run.json is missing or damaged).\n"
    )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"backend": "lava"}'])
def test_damaged_run_json_is_named(cli: Cli, runs: tuple[str, str], content: str) -> None:
    Path("b/run.json").write_text(content, encoding="utf-8")
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: 'b': is not a run folder (run.json is missing or damaged).\n"


def test_run_json_without_hashes_is_named(cli: Cli, runs: tuple[str, str]) -> None:
    Path("b/run.json").write_text('{"backend": "lava", "wall_s": 1}', encoding="utf-8")
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: 'b': is not a run folder (run.json is missing or damaged).\n"


def test_missing_spike_log_is_named(cli: Cli, runs: tuple[str, str]) -> None:
    Path("b/spikes.parquet").unlink()
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: 'b/spikes.parquet': ")


def test_damaged_spike_log_is_named(cli: Cli, runs: tuple[str, str]) -> None:
    content = Path("b/spikes.parquet").read_bytes()
    Path("b/spikes.parquet").write_bytes(content[: len(content) // 2])
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: 'b/spikes.parquet': is not a spike log (")


@pytest.mark.parametrize("damage", ["truncated", "other shape", "empty"])
def test_damaged_states_are_named(cli: Cli, runs: tuple[str, str], damage: str) -> None:
    path = Path("b/states/layer1.voltage.npy")
    match damage:
        case "truncated":
            path.write_bytes(path.read_bytes()[:-200])
        case "other shape":
            np.save(path, np.zeros((4, 2, 5), dtype=np.int32))
        case _:
            path.write_bytes(b"")
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: 'b/states': ")


def test_compare_says_which_layers_were_not_logged(cli: Cli, artifact: Path, spikes: Path) -> None:
    for name, log in (("x", "output"), ("y", "output"), ("z", "all")):
        run = ("run", artifact, "--input", spikes, "--backend", "reference", "--log", log)
        assert cli(*run, "-o", name).returncode == 0
    found = cli("compare", "x", "y")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == (
        "Not in the logs, so not compared: spikes of layer0.\nEqual: all 6 spikes.\n"
    )
    found = cli("compare", "x", "z")
    assert found.returncode == 2
    assert found.stderr == (
        "error: the runs cannot be compared: layers without a log ('layer0',) and (). "
        "Run both with the same --log.\n"
    )


def test_runs_that_logged_nothing_cannot_be_compared(
    cli: Cli, artifact: Path, spikes: Path
) -> None:
    run = ("run", artifact, "--input", spikes, "--backend", "reference", "--log", "none")
    assert cli(*run, "-o", "x").returncode == 0
    found = cli("compare", "x", "x")
    assert (found.returncode, found.stdout) == (2, "")
    assert "they hold no spikes, states or readouts of the same layers." in found.stderr


def test_predictions_that_differ_behind_an_equal_log_are_told(
    cli: Cli, artifact: Path, spikes: Path
) -> None:
    run = ("run", artifact, "--input", spikes, "--backend", "reference", "--log", "layer0")
    for name in ("x", "y"):
        assert cli(*run, "-o", name).returncode == 0
    figures = json.loads(Path("y/run.json").read_text(encoding="utf-8"))
    figures["predictions"][3] ^= 1
    Path("y/run.json").write_text(json.dumps(figures), encoding="utf-8")
    found = cli("compare", "x", "y")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout == (
        "Not in the logs, so not compared: spikes of layer1.\n"
        "Different: predictions are equal on 75.00 % of the samples only, though all that was "
        "compared is equal. Run both with --log all to see where they part.\n"
    )
