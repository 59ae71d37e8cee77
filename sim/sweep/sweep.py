"""Running the points of a sweep: in parallel, kept one by one, none able to sink the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from ...netx.atomic_write import check_replaceable
from ..backend import ignore_progress
from .outcome import Outcome, PointFailure
from .plan import SweepPlan
from .point_files import POINTS, PointFiles
from .points import SweepPoint
from .run_point import unexpected
from .workers import Workers

DEATH = (
    "the worker that ran it died, and again when it ran nothing else: most often memory was not "
    "enough. Run fewer samples, or on a larger machine."
)


def check_sweep_folder(folder: Path) -> None:
    """Raise `OutputError` when a folder cannot be a sweep's, to be asked before long work."""
    check_replaceable(folder, POINTS)


def run_sweep(
    plan: SweepPlan,
    folder: str | Path,
    workers: Workers,
    on_progress: Callable[[int], None] = ignore_progress,
) -> tuple[Outcome, ...]:
    """Run the points that are not finished, and keep each as soon as it is.

    Parameters
    ----------
    plan : SweepPlan
        What to run.
    folder : str or Path
        Takes a file for each point (``points/<name>.json``). Results of the same settings and data
        that are there already are taken; failures are tried again.
    workers : Workers
        Who runs them; the caller enters and leaves the context.
    on_progress : callable
        Called with the number of points done, at first with those that were there.

    Returns
    -------
    tuple of PointResult or PointFailure
        In the plan's order. A point whose worker dies is run again by itself, so that no other is
        taken for the one that kills; it fails when its worker dies again.

    Raises
    ------
    OutputError
        When the folder cannot be written or holds something else.
    """
    files = PointFiles(Path(folder))
    identities = {point: plan.identity(point) for point in plan.points}
    outcomes: dict[SweepPoint, Outcome] = dict(files.finished(plan.points, identities))

    def keep(outcome: Outcome) -> None:
        files.write(outcome, identities[outcome.point])
        outcomes[outcome.point] = outcome
        on_progress(len(outcomes))

    on_progress(len(outcomes))
    missing = [point for point in plan.points if point not in outcomes]
    for suspect in _Round(plan=plan, workers=workers, keep=keep).run(missing):
        if _Round(plan=plan, workers=workers, keep=keep).run([suspect]):
            keep(PointFailure(point=suspect, error="WorkerDied", sentence=DEATH))
    return tuple(outcomes[point] for point in plan.points)


@dataclass(slots=True, kw_only=True, eq=False)
class _Round:
    """Points that run beside each other."""

    plan: SweepPlan
    workers: Workers
    keep: Callable[[Outcome], None]
    running: dict[Future[Outcome], SweepPoint] = field(
        default_factory=dict["Future[Outcome]", SweepPoint]
    )
    suspects: list[SweepPoint] = field(default_factory=list[SweepPoint])

    def run(self, points: list[SweepPoint]) -> list[SweepPoint]:
        """Run them; return those whose worker died, in order."""
        waiting = deque(points)
        while waiting or self.running:
            died = not self._fill(waiting) or self._take(FIRST_COMPLETED)
            if died and self.workers.die_together:
                self._take(ALL_COMPLETED)  # the others end with it, or have ended just before
            if died:
                self.workers.renew()
        return sorted(self.suspects, key=points.index)

    def _fill(self, waiting: deque[SweepPoint]) -> bool:
        """Start as many as may run; False when the workers are found dead."""
        most = self.workers.at_once
        while waiting and (most is None or len(self.running) < most):
            try:
                future = self.workers.submit(self.plan.task(waiting[0]))
            except self.workers.deaths:
                return False
            self.running[future] = waiting.popleft()
        return True

    def _take(self, when: str) -> bool:
        """Wait for what runs and keep what came of it; True when a worker died."""
        died = False
        for future in wait(self.running, return_when=when).done:
            point = self.running.pop(future)
            try:
                outcome = future.result()
            except self.workers.deaths:
                self.suspects.append(point)
                died = True
                continue
            except Exception as error:  # noqa: BLE001 - what could not even be received or sent
                outcome = unexpected(point, error)
            self.keep(outcome)
        return died
