"""``lavadeploy calibrate``: a profile of a board from its measured runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from measured_runs import ENERGY, TIME, microbenchmarks, record

from lavadeploy.hw_profiles import load_profile

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def runs(folder: Path) -> list[str]:
    """``runs/*/run.json``: twenty runs of a board that nobody has."""
    made = microbenchmarks(np.random.default_rng(0), load_profile("loihi2"), ENERGY, TIME, runs=20)
    paths: list[str] = []
    for run in made:
        path = folder / "runs" / run.run_id / "run.json"
        path.parent.mkdir(parents=True)
        path.write_text(run.model_dump_json(by_alias=True), encoding="utf-8")
        paths.append(str(path.relative_to(folder)))
    return paths


def test_a_board_is_fitted_and_its_profile_can_be_used(
    cli: Cli, runs: list[str], net: Path
) -> None:
    found = cli("calibrate", *runs, "--draws", "50", "-o", "my_board.yaml")
    assert (found.returncode, found.stderr) == (0, "")
    text = found.stdout
    assert text.startswith("20 runs on a board; start: profile 'loihi2'.\n")
    rows = [line.split() for line in text.splitlines() if "synaptic operation" in line]
    assert [row[2] for row in rows] == ["20", "0.75"]  # energy and time of the profile
    assert {row[-1] for row in rows} == {"fitted"}
    assert "Static power of a chip (neurocores) 200 mW (200 to 200)." in text
    assert "Energy: condition number " in text
    assert " on net0, fitted without it\n" in text
    assert text.endswith("Written: my_board.yaml\n")
    operation = load_profile("my_board.yaml").energy
    assert operation is not None
    assert operation.synaptic_operation.nominal == pytest.approx(12, rel=0.1)
    assert cli("compile", net, "--profile", "my_board.yaml", "-o", "n.ldc").returncode == 0
    energy = json.loads(cli("estimate", "n.ldc", "--json").stdout)["energy"]
    assert energy["terms"]["synaptic operations"]["evidence"] == "measured"


def test_json_holds_intervals_condition_and_errors(cli: Cli, runs: list[str]) -> None:
    found = cli("calibrate", *runs, "--draws", "20", "--json")
    data = json.loads(found.stdout)
    assert data["runs"] == 20
    assert data["energy"]["condition"] >= data["energy"]["condition_merged"] >= 1
    assert set(data["energy"]["left_out"]) == {f"net{k}" for k in range(5)}
    for fitted in data["energy"]["coefficients"] + data["time"]["coefficients"]:
        assert fitted["low"] <= fitted["nominal"] <= fitted["high"]


def test_times_that_are_not_fitted_are_said_to_be_the_profiles(
    cli: Cli, folder: Path, runs: list[str]
) -> None:
    for path in runs[2:]:
        content = json.loads((folder / path).read_text(encoding="utf-8"))
        content["time"]["host_excluded"] = False
        (folder / path).write_text(json.dumps(content), encoding="utf-8")
    text = cli("calibrate", *runs, "--draws", "20").stdout
    assert (
        "\nTime: fewer than 3 runs are without the host's time (time.host_excluded), so the "
        "profile's times are kept.\n"
    ) in text
    assert " ns " not in text
    data = json.loads(cli("calibrate", *runs, "--draws", "20", "--json").stdout)
    assert (data["time"], data["energy"]["runs"]) == (None, 20)


def test_a_board_beyond_the_profile_is_told_to_be_fitted_without_it(cli: Cli, folder: Path) -> None:
    energy = {**ENERGY, "synaptic_operation": 60.0}
    made = microbenchmarks(np.random.default_rng(0), load_profile("loihi2"), energy, TIME)
    for run in made:
        (folder / f"{run.run_id}.json").write_text(run.model_dump_json(by_alias=True), "utf-8")
    runs = [f"{run.run_id}.json" for run in made]
    warning = (
        "\nFarther from the profile than it is uncertain: energy of synaptic operation. The "
        "profile holds these back, and intervals may be too narrow; fit with --regularization 0.\n"
    )
    assert warning in cli("calibrate", *runs, "--draws", "20").stdout
    free = cli("calibrate", *runs, "--draws", "20", "--regularization", "0").stdout
    assert "Farther" not in free


def test_without_output_nothing_is_written(cli: Cli, runs: list[str]) -> None:
    assert cli("calibrate", *runs, "--draws", "20").stdout.endswith("\nNothing written.\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nope.json"], "'nope.json': cannot be read: No such file or directory."),
        (["one.json", "-o", "board.json"], "'board.json': a profile's file ends in .yaml."),
        (
            ["one.json"],
            (
                "runs with dynamic power above noise: 1; at least 3 are needed. Measure longer "
                "runs, or more of them."
            ),
        ),
        (
            ["one.json", "--profile", "loihi1"],
            (
                "runs on 'loihi2', but profile 'loihi1' is of another chip. Start from profile "
                "'loihi2', or from one of your own."
            ),
        ),
        (
            ["one.json", "--draws", "3"],
            (
                "regularization 1, relative error 0.05, 3 draws; at least 0, more than 0 and at "
                "least 20 were expected."
            ),
        ),
    ],
)
def test_bad_input_is_said_in_one_sentence(
    cli: Cli, folder: Path, arguments: list[str], error: str
) -> None:
    (folder / "one.json").write_text(json.dumps(record()), encoding="utf-8")
    found = cli("calibrate", *arguments)
    assert (found.returncode, found.stdout, found.stderr) == (2, "", f"error: {error}\n")
