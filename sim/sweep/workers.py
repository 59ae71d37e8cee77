"""Who runs the points, whoever that is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Protocol, TypeAlias

from typing_extensions import Self

from .outcome import Outcome
from .point_data import PointData
from .run_point import PointTask

RunPoint: TypeAlias = Callable[[PointData, PointTask], Outcome]


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
