"""The demo: its figures, its explanation and its run folder."""
# pyarrow has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lavadeploy.compile import load_artifact
from lavadeploy.netx import OutputError, read_netx
from lavadeploy.scripts import demo

Cli = Callable[..., CompletedProcess[str]]

pytestmark = pytest.mark.lava

FIGURES = [
    "accuracy_slayer",
    "accuracy_lava",
    "predictions_equal",
    "spikes_differing",
    "wall_s",
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The lines that a short demo prints, and its run folder."""
    folder = tmp_path_factory.mktemp("demo")
    options = ["--epochs", "2", "--samples", "20", "-o", "runs/short"]
    found = run(
        [sys.executable, "-m", "lavadeploy.scripts.demo", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout.splitlines(), folder / "runs" / "short"


def figures(lines: list[str]) -> dict[str, str]:
    return dict(pair.split("=") for pair in lines[-1].split(" "))


def test_last_line_is_figures_and_nothing_else(shown: tuple[list[str], Path]) -> None:
    lines, _ = shown
    found = figures(lines)
    assert list(found) == FIGURES
    assert sum("=" in line for line in lines) == 1


def test_lava_does_exactly_what_slayer_trained(shown: tuple[list[str], Path]) -> None:
    found = figures(shown[0])
    assert found["predictions_equal"] == "1.0000"
    assert found["spikes_differing"] == "0"
    assert found["accuracy_lava"] == found["accuracy_slayer"]
    assert float(found["accuracy_lava"]) > 0.8
    assert 0 < float(found["wall_s"]) < 60


def test_steps_tables_energy_and_explanation_are_shown(shown: tuple[list[str], Path]) -> None:
    text = "\n".join(shown[0])
    for phrase in (
        "1 Train 64-128-10 CUBA neurons on scikit-learn's digits with SLAYER",
        "2 Exported to NetX",
        "4 Run on Lava's CPU simulator, reset between images",
        "20 samples of 32 steps on lava in ",
        "Dynamic energy ",
        "Estimated, not measured; ",
        "Equal: all ",
        "Why none differs: ",
        "Written: runs/short",
    ):
        assert phrase in text, phrase
    heads = [line.split() for line in shown[0] if "layer" in line and "kind" in line]
    assert heads == [
        ["layer", "kind", "neuron", "out", "bits", "exp", "signs", "room"],
        ["layer", "kind", "neurons", "spikes", "activity", "synops", "bits", "exp", "cores"],
    ]


def test_run_folder_holds_network_artifact_spikes_figures_and_report(
    shown: tuple[list[str], Path],
) -> None:
    lines, folder = shown
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "activity.npz",
        "compiled.ldc",
        "network.net",
        "report.md",
        "run.json",
        "spikes.parquet",
    ]
    assert len(read_netx(folder / "network.net").layers) == 2
    assert load_artifact(folder / "compiled.ldc").profile.name == "loihi2"
    summary: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    notes = summary["notes"]
    assert (notes["seed"], notes["epochs"]) == (0, 2)
    assert f"{notes['accuracy_slayer']:.4f}" == figures(lines)["accuracy_slayer"]
    assert f"{summary['accuracy']:.4f}" == figures(lines)["accuracy_lava"]
    assert (notes["predictions_equal"], notes["spikes_differing"]) == (1.0, 0)
    events = pq.read_table(folder / "spikes.parquet").num_rows
    assert events == sum(layer["spikes"] for layer in summary["activity"]["layers"])


def test_run_of_the_demo_can_be_repeated_on_the_reference(
    shown: tuple[list[str], Path], cli: Cli, folder: Path
) -> None:
    data = demo.digits().test.first(20)
    np.savez(folder / "test.npz", spikes=data.spikes)
    artifact = shown[1] / "compiled.ldc"
    again = ("run", artifact, "--input", "test.npz", "--backend", "reference", "-o", "again")
    assert cli(*again).returncode == 0
    assert cli("compare", shown[1], "again").returncode == 0


def test_place_of_the_run_is_looked_at_before_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_anything: object, **_named: object) -> None:
        pytest.fail("trained for nothing")

    monkeypatch.setattr("lavadeploy.scripts.demo.train_on_digits", never)
    Path("mine").write_text("not a run", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        demo.main(output=Path("mine"))
    assert str(caught.value) == "cannot write folder 'mine': a file of that name is there."
