"""``lavadeploy estimate``: energy and time without a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]


def test_expected_operations_and_energy_are_shown(cli: Cli, artifact: Path) -> None:
    found = cli("estimate", artifact, "--activity", "0.5", "--steps", "10")
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.strip() for line in found.stdout.splitlines() if line.strip()]
    assert lines[0] == "Expected of an inference of 10 steps, nothing was run; activity 0.5."
    # 3 neurons hear 4 inputs that fire in 5 of 10 steps, and send to the other core
    assert lines[3].split()[:6] == ["layer0", "3", "15", "60", "15", "0"]
    assert lines[4].split()[:6] == ["layer1", "2", "10", "30", "0", "0"]
    assert lines[5].startswith("Dynamic energy ")
    assert any(line.startswith("Estimated, not measured; ") for line in lines)


def test_rates_may_differ_by_layer(cli: Cli, artifact: Path) -> None:
    run = ("estimate", artifact, "--steps", "10", "--json", "--activity")
    layers = json.loads(cli(*run, "0.5,input=0.1,layer1=0").stdout)["counts"]["layers"]
    assert [layer["synaptic_operations"] for layer in layers] == [12, 30]
    assert [layer["spikes"] for layer in layers] == [15, 0]


def test_json_holds_counts_terms_and_options(cli: Cli, artifact: Path) -> None:
    found = cli("estimate", artifact, "--boundary", "board", "--json", "-o", "e.json")
    data = json.loads(found.stdout)
    assert json.loads(Path("e.json").read_text(encoding="utf-8")) == data
    assert data["activity"] == "0.05"
    assert data["counts"]["steps"] == 32
    energy = data["energy"]
    assert energy["options"]["boundary"] == "board"
    assert energy["static_boundary"] == "board share of 1 chip"
    assert energy["total_energy"] == energy["totals"]["board"]
    assert set(energy["terms"]["mesh"]) == {"nominal", "low", "high", "unit", "evidence"}
    assert energy["ann"]["multiplications"] == 18


def test_the_step_model_chooses_the_time(cli: Cli, artifact: Path) -> None:
    run = ("estimate", artifact, "--json", "--step-model")
    by_sum, affine = (json.loads(cli(*run, m).stdout)["energy"] for m in ("sum", "max-affine"))
    assert by_sum["time"] == by_sum["time_sum"]
    assert affine["time"] == affine["time_max_affine"]
    assert affine["time"] != by_sum["time"]


def test_chip_without_coefficients_gives_counts_but_no_joules(cli: Cli, net: Path) -> None:
    cli("compile", net, "--profile", "ideal", "-o", "ideal.ldc")
    found = cli("estimate", "ideal.ldc")
    assert found.returncode == 0
    assert found.stdout.endswith(
        "\nEnergy and time: profile 'ideal' has no coefficients, so none are given.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("--activity", "much"),
            (
                "--activity 'much'; a number, or numbers by layer such as 0.05,input=0.2, was "
                "expected."
            ),
        ),
        (
            ("--activity", "input=0.2,0.1"),
            (
                "--activity 'input=0.2,0.1'; a number, or numbers by layer such as 0.05,input=0.2, "
                "was expected."
            ),
        ),
        (
            ("--boundary", "chip"),
            (
                "profile 'loihi2' has no power of embedded processors. Ask for another boundary or "
                "rule, or add the coefficient to a profile of your own."
            ),
        ),
        (("--processor-duty", "2"), "processor duty 2; 0 to 1 was expected."),
    ],
)
def test_bad_options_are_said_in_one_sentence(
    cli: Cli, artifact: Path, arguments: tuple[str, ...], error: str
) -> None:
    found = cli("estimate", artifact, *arguments)
    assert (found.returncode, found.stdout, found.stderr) == (2, "", f"error: {error}\n")
