"""A small sweep, workers without processes, and points that let their worker die."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from builders import cuba, dense, even_weights
from typing_extensions import Self

from lavadeploy.netx import Network, write_netx
from lavadeploy.sim.sweep import Outcome, PointFailure, SweepPlan, plan_sweep, run_point
from lavadeploy.sim.sweep.point_data import PackedSpikes, PointData
from lavadeploy.sim.sweep.run_point import PointTask

STEPS = 12
KILLER = 5  # a point of so many steps kills who runs it


def write_network(path: Path, seed: int = 0) -> Path:
    """Write a network of whole numbers, 6-8-3, that 8 bits hold."""
    rng = np.random.default_rng(seed)
    layers = (
        dense(even_weights(rng, 8, 6, most=120), name="layer0", neuron=cuba(vth=90)),
        dense(even_weights(rng, 3, 8, most=120), name="layer1", neuron=cuba(vth=60)),
    )
    write_netx(Network(layers=layers), path)
    return path


def write_input(path: Path, *, seed: int = 1, samples: int = 10, most: int = 1) -> Path:
    """Write labelled samples, not compressed."""
    rng = np.random.default_rng(seed)
    spikes = (rng.random((samples, 6, STEPS)) < 0.4) * rng.integers(
        1, most + 1, (samples, 6, STEPS)
    )
    np.savez(path, spikes=spikes.astype(np.uint8), labels=rng.integers(0, 3, samples))
    return path


def small_plan(folder: Path, **options: Any) -> SweepPlan:
    """Return a sweep of 2 chips, 2 widths and 2 steps, unless options say otherwise."""
    given: dict[str, Any] = {
        "bits": ("file", 3),
        "steps": (4, STEPS),
        "profiles": ("loihi2", "ideal"),
    }
    network, inputs = folder / "net.net", folder / "test.npz"
    if not network.exists():
        write_network(network)
    if not inputs.exists():
        write_input(inputs)
    return plan_sweep(network, inputs, **(given | options))


def data_of(plan: SweepPlan) -> PointData:
    return PointData(
        network=plan.network,
        spikes=PackedSpikes.of(plan.inputs),
        calibration=plan.packed_calibration(),
    )


class InlineWorkers:
    """Runs points at once, in this process, and counts them."""

    at_once: int | None = 1
    die_together = False
    deaths: tuple[type[BaseException], ...] = ()

    def __init__(self, plan: SweepPlan, *, interrupt_at: int | None = None) -> None:
        self._data = data_of(plan)
        self._interrupt_at = interrupt_at
        self.ran: list[str] = []

    def submit(self, task: PointTask) -> Future[Outcome]:
        if len(self.ran) == self._interrupt_at:
            raise KeyboardInterrupt
        self.ran.append(task.point.name)
        done: Future[Outcome] = Future()
        done.set_result(run_point(self._data, task))
        return done

    def renew(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def run_or_die(data: PointData, task: PointTask) -> Outcome:
    """Run a point, but that of `KILLER` steps kills its process, as lack of memory does."""
    if task.point.steps == KILLER:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_point(data, task)


_data_seen: list[PointData] = []


def tell_data(data: PointData, task: PointTask) -> Outcome:
    """Fail with the number of different data that this process was given so far."""
    if not any(data is seen for seen in _data_seen):
        _data_seen.append(data)
    return PointFailure(point=task.point, error="Told", sentence=f"{len(_data_seen)}")


def run_or_break(data: PointData, task: PointTask) -> Outcome:
    """Run a point, but that of `KILLER` steps raises what no worker's code raises."""
    if task.point.steps == KILLER:
        raise MemoryError
    return run_point(data, task)
