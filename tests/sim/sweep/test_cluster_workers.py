"""A Dask cluster of real processes finds what this process finds."""
# distributed is partly typed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from expect import assert_same, sentence
from sweep_cases import KILLER, STEPS, InlineWorkers, run_or_die, small_plan

from lavadeploy.netx import BackendError, BackendUnavailableError
from lavadeploy.sim.sweep import ClusterWorkers, PointFailure, run_sweep

dask = pytest.importorskip("dask", reason="needs Dask's distributed")
distributed = pytest.importorskip("distributed", reason="needs Dask's distributed")
ANY_PORT = "127.0.0.1:0"  # of the page that a scheduler serves; two would want the same


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two workers in processes of their own, which gives up on a task that kills one.

    So every point that such a worker had is a suspect, also those that did nothing.
    """
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=ANY_PORT
        ) as cluster,
    ):
        yield cluster.scheduler_address


def test_a_cluster_finds_the_same_without_our_files(tmp_path: Path, address: str) -> None:
    plan = small_plan(tmp_path, steps=(4, STEPS, STEPS + 1))
    expected = run_sweep(plan, tmp_path / "inline", InlineWorkers(plan))
    with ClusterWorkers(plan, address) as workers:
        for name in ("net.net", "test.npz"):
            (tmp_path / name).unlink()
        found = run_sweep(plan, tmp_path / "x", workers)
    assert_same(found, expected, ignore=("wall_s",))
    assert isinstance(found[2], PointFailure)


def test_finished_points_are_taken_whoever_ran_them(tmp_path: Path, address: str) -> None:
    plan = small_plan(tmp_path)
    with ClusterWorkers(plan, address) as workers:
        found = run_sweep(plan, tmp_path / "x", workers)
    inline = InlineWorkers(plan)
    assert run_sweep(plan, tmp_path / "x", inline) == found
    assert inline.ran == []


def test_a_point_that_kills_workers_fails_and_the_others_do_not(
    tmp_path: Path, address: str
) -> None:
    plan = small_plan(tmp_path, steps=(4, KILLER), profiles=("loihi2",))
    expected = run_sweep(plan, tmp_path / "inline", InlineWorkers(plan))
    with ClusterWorkers(plan, address, run=run_or_die) as workers:
        found = run_sweep(plan, tmp_path / "x", workers)
    for outcome, wanted in zip(found, expected, strict=True):
        if outcome.point.steps == KILLER:
            assert isinstance(outcome, PointFailure)
            assert outcome.error == "WorkerDied"
        else:
            assert_same(outcome, wanted, ignore=("wall_s",))


def test_an_error_of_the_caller_leaves_the_cluster_usable(tmp_path: Path, address: str) -> None:
    plan = small_plan(tmp_path)

    def stop(done: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), ClusterWorkers(plan, address) as workers:
        run_sweep(plan, tmp_path / "x", workers, stop)
    with ClusterWorkers(plan, address) as workers:
        assert len(run_sweep(plan, tmp_path / "x", workers)) == 8


def test_a_scheduler_that_goes_away_is_said_and_finished_points_are_kept(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=ANY_PORT
    ) as cluster:
        address = cluster.scheduler_address

        def leave(done: int) -> None:
            if done == 1:
                cluster.close()

        def sweep() -> None:
            with ClusterWorkers(plan, address, 0.5) as workers:
                run_sweep(plan, tmp_path / "x", workers, leave)

        assert sentence(BackendError, sweep) == (
            f"the Dask scheduler at '{address}' has gone. Start it and its workers again; the same "
            "command goes on after the finished points."
        )
    inline = InlineWorkers(plan)
    assert len(run_sweep(plan, tmp_path / "x", inline)) == 8
    assert 0 < len(inline.ran) < 8


def test_an_address_where_nobody_answers_is_said(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    said = sentence(BackendUnavailableError, ClusterWorkers, plan, "tcp://127.0.0.1:9", 0.3)
    assert said.startswith("no Dask scheduler answers at 'tcp://127.0.0.1:9' (")
    assert said.endswith("Start one with 'dask scheduler' and workers with 'dask worker ADDRESS'.")


def test_a_scheduler_without_workers_is_said(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    with distributed.LocalCluster(n_workers=0, dashboard_address=ANY_PORT) as cluster:
        address = cluster.scheduler_address
        assert sentence(BackendUnavailableError, ClusterWorkers, plan, address, 0.3) == (
            f"the Dask scheduler at '{address}' has no workers; start some with "
            f"'dask worker {address}'."
        )


def test_without_dask_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = small_plan(tmp_path)
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert sentence(BackendUnavailableError, ClusterWorkers, plan, "tcp://127.0.0.1:9") == (
        "sweeps on a cluster need Dask's 'distributed': pip install 'lavadeploy[cluster]'."
    )
