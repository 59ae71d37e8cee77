"""Processes of this machine: the same figures, and none that outlives or sinks a sweep."""

from __future__ import annotations

import multiprocessing
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from expect import assert_same, sentence
from sweep_cases import (
    KILLER,
    STEPS,
    InlineWorkers,
    run_or_break,
    run_or_die,
    small_plan,
    tell_data,
    write_input,
    write_network,
)

from lavadeploy.netx import OptionError
from lavadeploy.sim import load_spike_input
from lavadeploy.sim.sweep import (
    LocalWorkers,
    Outcome,
    PointFailure,
    PointResult,
    SweepPlan,
    plan_sweep,
    run_sweep,
)
from lavadeploy.sim.sweep.workers import RunPoint


def run(
    plan: SweepPlan, folder: Path, jobs: int = 2, run_point: RunPoint | None = None
) -> tuple[Outcome, ...]:
    given = {} if run_point is None else {"run": run_point}
    with LocalWorkers(plan, jobs, **given) as workers:
        outcomes = run_sweep(plan, folder, workers)
    assert multiprocessing.active_children() == []
    return outcomes


def test_processes_find_what_this_process_finds_in_the_same_order(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    expected = run_sweep(plan, tmp_path / "inline", InlineWorkers(plan))
    before = dict(os.environ)
    assert_same(run(plan, tmp_path / "x"), expected, ignore=("wall_s",))
    assert os.environ == before  # which is changed while processes start


def compressed(folder: Path) -> SweepPlan:
    with np.load(write_input(folder / "plain.npz")) as held:
        np.savez_compressed(folder / "test.npz", **held)
    with zipfile.ZipFile(folder / "test.npz") as archive:
        assert archive.getinfo("spikes.npy").compress_type == zipfile.ZIP_DEFLATED
    return small_plan(folder)


def counts(folder: Path) -> SweepPlan:
    write_input(folder / "test.npz", most=9)
    return small_plan(folder, samples=4)


def apart(folder: Path) -> SweepPlan:
    """An .npy whose labels lie elsewhere."""
    inputs = load_spike_input(write_input(folder / "a.npz"))
    np.save(folder / "spikes.npy", inputs.spikes)
    assert inputs.labels is not None
    np.save(folder / "answers.npy", inputs.labels)
    network = write_network(folder / "net.net")
    answers = folder / "answers.npy"
    return plan_sweep(network, folder / "spikes.npy", labels=answers, steps=(4, STEPS))


@pytest.mark.parametrize("make", [compressed, counts, apart], ids=lambda each: each.__name__)
def test_every_form_of_input_reaches_the_processes(
    tmp_path: Path, make: Callable[[Path], SweepPlan]
) -> None:
    plan = make(tmp_path)
    expected = run_sweep(plan, tmp_path / "inline", InlineWorkers(plan))
    found = run(plan, tmp_path / "x")
    assert all(isinstance(outcome, PointResult) for outcome in found)
    assert_same(found, expected, ignore=("wall_s",))


def test_a_point_that_kills_its_worker_fails_and_the_others_do_not(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, steps=(4, KILLER, STEPS), profiles=("loihi2",))
    expected = run_sweep(plan, tmp_path / "inline", InlineWorkers(plan))
    found = run(plan, tmp_path / "x", run_point=run_or_die)
    for outcome, wanted in zip(found, expected, strict=True):
        if outcome.point.steps == KILLER:
            assert outcome == PointFailure(
                point=outcome.point,
                error="WorkerDied",
                sentence=(
                    "the worker that ran it died, and again when it ran nothing else: most often "
                    "memory was not enough. Run fewer samples, or on a larger machine."
                ),
            )
        else:
            assert_same(outcome, wanted, ignore=("wall_s",))


def test_an_error_outside_of_a_point_is_that_points(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, steps=(KILLER, STEPS), bits=("file",), profiles=("loihi2",))
    broken, good = run(plan, tmp_path / "x", jobs=1, run_point=run_or_break)
    assert isinstance(broken, PointFailure)
    assert (broken.error, broken.sentence) == ("MemoryError", "MemoryError")
    assert "sweep_cases.py" in broken.traceback
    assert isinstance(good, PointResult)


def test_an_error_of_the_caller_ends_the_processes_at_once(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)

    def stop(done: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), LocalWorkers(plan, 2) as workers:
        run_sweep(plan, tmp_path / "x", workers, stop)
    assert multiprocessing.active_children() == []
    assert len(list((tmp_path / "x" / "points").iterdir())) == 1


def test_a_process_gets_its_data_once(tmp_path: Path) -> None:
    found = run(small_plan(tmp_path), tmp_path / "x", jobs=1, run_point=tell_data)
    assert [outcome.sentence for outcome in found if isinstance(outcome, PointFailure)] == ["1"] * 8


def test_there_are_no_more_processes_than_points_and_at_least_one(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, steps=(4,), bits=("file",))
    assert LocalWorkers(plan, 64).at_once == 2
    assert sentence(OptionError, LocalWorkers, plan, 0) == "0 jobs; at least 1 was expected."
