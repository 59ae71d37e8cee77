"""Points on processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

import numpy as np
from typing_extensions import Self

from ...netx import OptionError
from ..lava_children import children_of_ours
from .outcome import Outcome
from .plan import SweepPlan
from .point_data import FileSpikes, PointData
from .run_point import PointTask, run_point
from .workers import RunPoint

# What BLAS libraries take their number of threads from when they are loaded.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class LocalWorkers:
    """Processes of this machine, each with one thread.

    They see no Ctrl-C, and end when this process ends, however it does. A program that uses them
    needs ``if __name__ == "__main__":`` around what it does, as for all of `multiprocessing`.

    Parameters
    ----------
    plan : SweepPlan
        Gives the data. An input that is not mapped is written to a temporary file, so that all
        processes map the same.
    jobs : int, optional
        How many processes; one a core, and no more than points, if not given.
    run : callable
        What they do with a point; a function of a module that they can import.

    Raises
    ------
    OptionError
        For fewer than one.
    """

    die_together: bool = True  # as a `ProcessPoolExecutor` has it
    deaths: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __init__(
        self, plan: SweepPlan, jobs: int | None = None, *, run: RunPoint = run_point
    ) -> None:
        if jobs is not None and jobs < 1:
            raise OptionError(f"{jobs} jobs; at least 1 was expected.")
        from ..engine_backend import available_cores  # loads Numba, which no other command needs

        self.at_once: int | None = min(jobs or available_cores(), len(plan.points))
        self._plan, self._run = plan, run
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._data: PointData | None = None  # sent to each process once, when it starts
        self._pool: ProcessPoolExecutor | None = None
        self._alive: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def submit(self, task: PointTask) -> Future[Outcome]:
        """Start a point; see `Workers`."""
        if self._data is None:
            self._data = PointData(
                network=self._plan.network,
                spikes=self._mappable(),
                calibration=self._plan.packed_calibration(),
            )
        with children_of_ours(), _one_thread_each():
            if self._pool is None:
                self._pool = self._new_pool(self._data)
            return self._pool.submit(_run_here, self._run, task)

    def renew(self) -> None:
        """Let the next point start new processes."""
        self._end(kill=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(kill=kind is not None)
        if self._folder is not None:
            self._folder.cleanup()

    def _new_pool(self, data: PointData) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # forks of a process with threads may hang
        watched, self._alive = context.Pipe(duplex=False)
        return ProcessPoolExecutor(
            self.at_once, mp_context=context, initializer=_begin_worker, initargs=(watched, data)
        )

    def _end(self, *, kill: bool) -> None:
        if self._pool is None or self._alive is None:
            return
        if kill:
            self._alive.close()  # at which the processes end
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._alive.close()
        self._pool = self._alive = None

    def _mappable(self) -> FileSpikes:
        inputs, file = self._plan.inputs, self._plan.input_file
        if file is not None and inputs.is_mapped:
            return file
        self._folder = tempfile.TemporaryDirectory(prefix="lavadeploy-")
        path = Path(self._folder.name) / "input.npy"
        np.save(path, inputs.spikes)
        if inputs.labels is not None:
            np.save(path.with_suffix(".labels.npy"), inputs.labels)
        return FileSpikes(path=path)


_data_here: list[PointData] = []  # of a process that runs points: what it began with


def _begin_worker(watched: Connection, data: PointData) -> None:
    """Keep the data; let this process end with the one that started it, whatever it is doing."""
    _data_here[:] = [data]
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _run_here(run: RunPoint, task: PointTask) -> Outcome:
    (data,) = _data_here
    return run(data, task)


def _end_with(watched: Connection) -> None:
    try:
        watched.poll(None)  # nobody writes: it answers when the other end is closed
    finally:
        os._exit(1)


@contextmanager
def _one_thread_each() -> Generator[None]:
    """Start processes in this block whose matrix products take one thread, unless the user said."""
    ours = [name for name in THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]
