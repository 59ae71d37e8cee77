"""Points on a Dask cluster."""

from __future__ import annotations

import asyncio
import warnings
from concurrent.futures import CancelledError, Executor, Future
from types import TracebackType
from typing import Any

from typing_extensions import Self

from ...netx import BackendError, BackendUnavailableError
from .outcome import Outcome
from .plan import SweepPlan
from .point_data import PackedSpikes, PointData, as_sent
from .run_point import PointTask, run_point
from .workers import RunPoint

CONNECT_S = 10
INSTALL_CLUSTER = "pip install 'lavadeploy[cluster]'"


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
        except (OSError, ValueError, asyncio.TimeoutError) as error:  # which 3.10 has apart
            raise BackendUnavailableError(
                f"no Dask scheduler answers at '{address}' ({_sentence(error)}). Start one with "
                "'dask scheduler' and workers with 'dask worker ADDRESS'."
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=connect_s)
        except Exception as error:  # of several kinds, by version; the client is open in any case
            self._client.close()
            raise BackendUnavailableError(
                f"the Dask scheduler at '{address}' has no workers; start some with "
                f"'dask worker {address}'."
            ) from error
        self._executor: Executor = self._client.get_executor(pure=False)
        self._plan, self._run, self._address = plan, run, address
        self._data: Any = None

    def __enter__(self) -> Self:
        return self

    def submit(self, task: PointTask) -> Future[Outcome]:
        """Start a point; see `Workers`.

        Raises
        ------
        BackendError
            When the scheduler has gone.
        """
        if self._has_gone():
            raise BackendError(
                f"the Dask scheduler at '{self._address}' has gone. Start it and its workers "
                "again; the same command goes on after the finished points."
            )
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
        if not self._has_gone():
            self._executor.shutdown(wait=kind is None)  # without waiting, what runs is cancelled
        self._data = None  # lets the cluster forget the data
        self._client.close()

    def _has_gone(self) -> bool:
        """Tell whether the scheduler stopped answering: then Dask closes the client for good."""
        return self._client.status in ("closing", "closed")

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


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
