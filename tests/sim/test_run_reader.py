"""`load_summary` gives back what a run returned."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense
from saved_runs import classifier, save_small_run

from lavadeploy.netx import FlattenLayer, InputLayer, RunFolderError
from lavadeploy.sim import (
    ActivityCounts,
    RunSummary,
    SpikeInput,
    load_summary,
    markdown_comparison,
    markdown_report,
)
from lavadeploy.sim.json_text import to_json


def without_links(summary: RunSummary) -> RunSummary:
    return replace(summary, activity=replace(summary.activity, by_step=None))


def assert_steps_equal(a: ActivityCounts, b: ActivityCounts) -> None:
    assert a.by_step is not None
    assert b.by_step is not None
    for each in fields(a.by_step):
        assert np.array_equal(getattr(a.by_step, each.name), getattr(b.by_step, each.name))


@pytest.mark.parametrize("profile", ["loihi1", "loihi2", "ideal"])
def test_every_figure_comes_back_in_its_type(tmp_path: Path, profile: str) -> None:
    written = save_small_run(tmp_path / "run", classifier(profile))
    read = load_summary(tmp_path / "run")
    assert without_links(read) == without_links(written)
    assert_steps_equal(read.activity, written.activity)


def test_figures_without_bounds_come_back(tmp_path: Path) -> None:
    forgetless = cuba(vth=80, du=0, dv=0)  # its voltage has no bounds; layer1's states are 0
    layers = (
        InputLayer(name="in", shape=(1, 3, 3)),
        conv(np.full((1, 1, 2, 2), 2), (1, 2, 2), name="conv", neuron=forgetless),
        FlattenLayer(name="flat", shape=(4,)),
        dense(np.zeros((2, 4)), name="zeros"),
    )
    inputs = SpikeInput(spikes=np.ones((2, 1, 3, 3, 4), dtype=np.uint8))
    written = save_small_run(tmp_path / "run", compiled(*layers), inputs)
    assert "null" in to_json(written.compiled.states)
    read = load_summary(tmp_path / "run")
    assert json.loads(to_json(read)) == json.loads(to_json(written))


def test_report_of_a_read_run_is_the_one_that_was_written(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run")
    written = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert markdown_report(load_summary(tmp_path / "run")) == written


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("compiled", "layers", 0, "neurons"), "many", "many"),
        (("accuracy",), "high", "'high' is no number"),
        (("schema",), 99, "schema 99, not 1"),
        (("predictions",), [1, 2], "2 predictions of 12 samples"),
        (("labels",), [1, 2, 3], "3 labels of 12 samples"),
        (("steps",), 7, "activity.npz is of"),
    ],
)
def test_figures_of_another_version_are_refused_with_what_is_wrong(
    tmp_path: Path, path: tuple[str | int, ...], value: object, said: str
) -> None:
    save_small_run(tmp_path / "run")
    file = tmp_path / "run" / "run.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    place = figures
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file.write_text(json.dumps(figures), encoding="utf-8")
    with pytest.raises(RunFolderError, match=f"figures cannot be read .*{said}.*Another version"):
        load_summary(tmp_path / "run")


def test_damaged_counts_of_steps_are_refused(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run")
    (tmp_path / "run" / "activity.npz").write_bytes(b"no archive")
    with pytest.raises(RunFolderError, match="figures cannot be read"):
        load_summary(tmp_path / "run")


def test_comparison_has_a_column_for_each_run(tmp_path: Path) -> None:
    one = save_small_run(tmp_path / "a")
    other = save_small_run(tmp_path / "b", classifier("ideal"))
    lines = markdown_comparison([("a|1", one), ("b", other)]).splitlines()
    assert lines[:2] == ["|  | a\\|1 | b |", "|---|---|---|"]
    assert "| compiled for | loihi2 | ideal |" in lines
    assert any(line.startswith("| dynamic energy") and line.endswith("| - |") for line in lines)
