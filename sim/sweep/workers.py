"""Who runs the points: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeAlias

import numpy as np
from typing_extensions import Self

from ...netx import BackendUnavailableError, OptionError
from ..engine_backend import available_cores
from ..lava_children import children_of_ours
from .outcome import Outcome
from .plan import SweepPlan
from .point_data import FileSpikes, PackedSpikes, PointData, as_sent
from .run_point import PointTask, run_point

RunPoint: TypeAlias = Callable[[PointData, PointTask], Outcome]

CONNECT_S = 10
INSTALL_CLUSTER = "pip install 'lavadeploy[cluster]'"
# What BLAS libraries take their number of threads from when they are loaded.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class Workers(Protocol):
    """Runs points; a context, which ends what it started.

    Attributes
    ----------
    at_once : int or None
        How many points are handed over before one of them is done; None for all.
    die_together : bool
        Whether the death of one worker ends what the others run.
    deaths : tuple of exception classes
        What the future of a point ends with when its worker died.
    """

    at_once: int | None
    die_together: bool
    deaths: tuple[type[BaseException], ...]

    def submit(self, task: PointTask) -> Future[Outcome]:
        """Start a point; nobody need be told the data again."""
        ...

    def renew(self) -> None:
        """Replace workers that died."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


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
        self.at_once: int | None = min(jobs or available_cores(), len(plan.points))
        self._plan, self._run = plan, run
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._data: PointData | None = None
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
                self._pool = self._new_pool()
            return self._pool.submit(self._run, self._data, task)

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

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # forks of a process with threads may hang
        watched, self._alive = context.Pipe(duplex=False)
        return ProcessPoolExecutor(
            self.at_once, mp_context=context, initializer=_begin_worker, initargs=(watched,)
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


class ClusterWorkers:
    """The workers of a Dask cluster, which need lavadeploy but none of our files.

    The data travel as a task's result. Scattered data would be lost with the worker that holds
    them; a task is done again.

    Parameters
    ----------
    plan : SweepPlan
        Gives the data.
    address : str
        Of the scheduler: ``tcp://host:8786``.
    connect_s : float
        Seconds that scheduler and first worker may take to answer.
    run : callable
        See `LocalWorkers`.

    Raises
    ------
    BackendUnavailableError
        When `distributed` is not installed, no scheduler answers or it has no workers.
    """

    at_once: int | None = None
    die_together: bool = False

    def __init__(
        self,
        plan: SweepPlan,
        address: str,
        connect_s: float = CONNECT_S,
        *,
        run: RunPoint = run_point,
    ) -> None:
        try:
            import distributed
        except ImportError as error:
            raise BackendUnavailableError(
                f"sweeps on a cluster need Dask's 'distributed': {INSTALL_CLUSTER}."
            ) from error
        self.deaths: tuple[type[BaseException], ...] = (distributed.KilledWorker, CancelledError)
        try:
            self._client: Any = distributed.Client(address, timeout=connect_s, set_as_default=False)
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise BackendUnavailableError(
                f"no Dask scheduler answers at '{address}' ({_sentence(error)}). Start one with "
                "'dask scheduler' and workers with 'dask worker ADDRESS'."
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=connect_s)
        except Exception as error:
            self._client.close()
            raise BackendUnavailableError(
                f"the Dask scheduler at '{address}' has no workers; start some with "
                f"'dask worker {address}'."
            ) from error
        self._executor: Executor = self._client.get_executor(pure=False)
        self._plan, self._run = plan, run
        self._data: Any = None

    def __enter__(self) -> Self:
        return self

    def submit(self, task: PointTask) -> Future[Outcome]:
        """Start a point; see `Workers`."""
        if self._data is None:
            self._data = self._sent()
        return self._executor.submit(self._run, self._data, task)

    def renew(self) -> None:
        """Do nothing: Dask's nannies replace workers, and its scheduler has the data's task."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._executor.shutdown(wait=kind is None)  # without waiting, what runs is cancelled
        self._data = None  # lets the cluster forget the data
        self._client.close()

    def _sent(self) -> Any:
        data = PointData(
            network=self._plan.network,
            spikes=PackedSpikes.of(self._plan.inputs),
            calibration=self._plan.packed_calibration(),
        )
        with warnings.catch_warnings():
            # Dask warns of arguments above 10 MB and says to scatter them
            warnings.filterwarnings("ignore", message="Sending large graph")
            return self._client.submit(as_sent, data, pure=False)


def _begin_worker(watched: Connection) -> None:
    """Let this process end with the one that started it, whatever it is doing."""
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


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


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
