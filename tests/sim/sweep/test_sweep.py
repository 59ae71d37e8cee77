"""Finished points are taken as they are, all else runs; the order is the plan's."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from expect import assert_same, sentence
from sweep_cases import (
    STEPS,
    InlineWorkers,
    data_of,
    small_plan,
    write_input,
    write_network,
)

from lavadeploy.netx import OutputError
from lavadeploy.sim.sweep import (
    Outcome,
    PointFailure,
    PointResult,
    SweepPlan,
    run_point,
    run_sweep,
)
from lavadeploy.sim.sweep.point_files import PointFiles


def run(plan: SweepPlan, folder: Path) -> tuple[tuple[Outcome, ...], list[str]]:
    """Return what came out, and the names of the points that had to run."""
    workers = InlineWorkers(plan)
    return run_sweep(plan, folder, workers), workers.ran


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "points").iterdir()}


def test_outcomes_are_in_the_order_of_the_plan(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    outcomes, ran = run(plan, tmp_path / "x")
    assert tuple(outcome.point for outcome in outcomes) == plan.points
    assert ran == [point.name for point in plan.points]


def test_a_second_start_runs_nothing_and_says_the_same(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    first, _ = run(plan, tmp_path / "x")
    written = contents(tmp_path / "x")
    assert run(small_plan(tmp_path), tmp_path / "x") == (first, [])
    assert contents(tmp_path / "x") == written


def test_a_larger_grid_runs_what_is_new(tmp_path: Path) -> None:
    run(small_plan(tmp_path), tmp_path / "x")
    plan = small_plan(tmp_path, steps=(4, 8, STEPS), profiles=("loihi2",))
    outcomes, ran = run(plan, tmp_path / "x")
    assert ran == ["loihi2-file-8steps", "loihi2-3bit-8steps"]
    assert tuple(outcome.point for outcome in outcomes) == plan.points


@pytest.mark.parametrize("changed", ["network", "input"])
def test_changed_files_run_again(tmp_path: Path, changed: str) -> None:
    before, _ = run(small_plan(tmp_path), tmp_path / "x")
    if changed == "network":
        write_network(tmp_path / "net.net", seed=7)
    else:
        write_input(tmp_path / "test.npz", seed=7)
    after, ran = run(small_plan(tmp_path), tmp_path / "x")
    assert len(ran) == 8
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_failed_points_are_tried_again_and_others_are_not(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, bits=("file",), steps=(STEPS + 1, 4), profiles=("loihi2",))
    outcomes, _ = run(plan, tmp_path / "x")
    assert [type(outcome) for outcome in outcomes] == [PointFailure, PointResult]
    assert run(plan, tmp_path / "x") == (outcomes, ["loihi2-file-13steps"])


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"schema_version": 1, "identity": "a"', b"null"])
def test_a_damaged_file_of_a_point_is_run_again(tmp_path: Path, damage: bytes) -> None:
    plan = small_plan(tmp_path)
    run(plan, tmp_path / "x")
    (tmp_path / "x" / "points" / "loihi2-3bit-4steps.json").write_bytes(damage)
    assert run(plan, tmp_path / "x")[1] == ["loihi2-3bit-4steps"]


def test_a_point_with_an_interval_without_a_bound_is_read_as_it_was_written(
    tmp_path: Path,
) -> None:
    plan = small_plan(tmp_path)
    point = plan.points[0]
    made = run_point(data_of(plan), plan.task(point))
    assert isinstance(made, PointResult)
    assert made.latency is not None
    endless = replace(made.latency, high=math.inf)
    made = replace(made, latency=endless, energies={"neurocores": endless}, accuracy=None)
    files, identities = PointFiles(tmp_path / "x"), {point: "a"}
    files.write(made, "a")
    assert "null" in (tmp_path / "x" / "points" / f"{point.name}.json").read_text("utf-8")
    assert_same(files.finished([point], identities)[point], made)


def test_every_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, steps=(4, STEPS + 1))
    outcomes, _ = run(plan, tmp_path / "x")
    found = PointFiles(tmp_path / "x").finished(
        plan.points, {point: plan.identity(point) for point in plan.points}
    )
    results = [outcome for outcome in outcomes if isinstance(outcome, PointResult)]
    assert len(results) == 4
    assert_same(tuple(found.values()), tuple(results))


def test_files_of_another_schema_are_run_again(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    run(plan, tmp_path / "x")
    path = tmp_path / "x" / "points" / "loihi2-3bit-4steps.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"schema_version": 1', '"schema_version": 0'), encoding="utf-8")
    assert run(plan, tmp_path / "x")[1] == ["loihi2-3bit-4steps"]


def test_an_interrupted_sweep_keeps_what_is_finished(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(plan, tmp_path / "x", InlineWorkers(plan, interrupt_at=3))
    assert sorted(contents(tmp_path / "x")) == sorted(
        f"{point.name}.json" for point in plan.points[:3]
    )
    assert run(plan, tmp_path / "x")[1] == [point.name for point in plan.points[3:]]


def test_progress_begins_with_what_is_there_and_ends_with_all(tmp_path: Path) -> None:
    plan, seen = small_plan(tmp_path), list[int]()
    with pytest.raises(KeyboardInterrupt):
        run_sweep(plan, tmp_path / "x", InlineWorkers(plan, interrupt_at=6))
    run_sweep(plan, tmp_path / "x", InlineWorkers(plan), seen.append)
    assert seen == [6, 7, 8]


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine", encoding="utf-8")
    plan = small_plan(tmp_path)
    assert sentence(OutputError, run, plan, folder) == (
        f"cannot write folder '{folder}': it exists, is not empty and holds no 'points', so it is "
        "not ours to replace. Choose another name."
    )
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
