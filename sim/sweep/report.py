"""All figures of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ...hw_profiles import profile_sha256
from ..energy import Boundary, Estimate
from ..environment import installed_versions
from .outcome import Outcome, PointFailure, PointResult
from .pareto import OBJECTIVES, objectives_of, pareto_front
from .plan import SweepPlan
from .points import PointSettings, SweepPoint

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """Figures of a sweep, as they go into ``sweep.json``.

    Attributes
    ----------
    schema : int
        Version of this list of fields.
    created : str
        UTC, ISO 8601.
    network, input : str
        Files, as the user named them.
    network_sha256, input_sha256, calibration_sha256 : str
        Hashes; empty without calibration samples.
    profile_sha256 : mapping of str to str
        Of the chips, by name.
    samples : int
        How many of the input were run.
    settings : PointSettings
        How all points were compiled.
    boundary : str
        What energies cover in tables, plots and the front.
    objectives : tuple of str
        What the front is judged by.
    front : tuple of str
        Names of the points that no other one beats (`pareto_front`).
    results : tuple of PointResult
        In the plan's order.
    failures : tuple of PointFailure
        The same.
    versions : mapping of str to str
        Of everything that can influence a result, where the report was made.
    """

    schema: int
    created: str
    network: str
    input: str
    network_sha256: str
    input_sha256: str
    calibration_sha256: str
    profile_sha256: Mapping[str, str]
    samples: int
    settings: PointSettings
    boundary: str
    objectives: tuple[str, ...]
    front: tuple[str, ...]
    results: tuple[PointResult, ...]
    failures: tuple[PointFailure, ...]
    versions: Mapping[str, str]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Results, then failures."""
        return (*self.results, *self.failures)

    def is_in_front(self, point: SweepPoint) -> bool:
        """Tell whether no other point beats it."""
        return point.name in self.front

    def energy_of(self, result: PointResult) -> Estimate | None:
        """Return the energy of an inference within the chosen boundary, nJ; None if unknown."""
        return result.energies.get(self.boundary)


def report_sweep(
    plan: SweepPlan,
    outcomes: Sequence[Outcome],
    *,
    network: str = "",
    boundary: Boundary = Boundary.NEUROCORES,
) -> SweepReport:
    """Gather the figures of a sweep.

    Parameters
    ----------
    plan : SweepPlan
        What was run.
    outcomes : sequence of PointResult or PointFailure
        What `run_sweep` returned.
    network : str
        The network's name for people; its file's path if not given.
    boundary : Boundary
        What energies are to cover.
    """
    results = tuple(outcome for outcome in outcomes if isinstance(outcome, PointResult))
    source, file = plan.network.nearest.source, plan.input_file
    front = pareto_front([objectives_of(result, boundary.value) for result in results])
    return SweepReport(
        schema=SCHEMA,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        network=network or ("a network" if source is None else source.path.name),
        input="an input" if file is None else file.path.name,
        network_sha256=plan.network_sha256,
        input_sha256=plan.inputs.sha256(),
        calibration_sha256="" if plan.calibration is None else plan.calibration.sha256(),
        profile_sha256={name: profile_sha256(chip) for name, chip in plan.profiles.items()},
        samples=plan.inputs.n_samples,
        settings=plan.settings,
        boundary=boundary.value,
        objectives=tuple(OBJECTIVES),
        front=tuple(r.point.name for r, best in zip(results, front, strict=True) if best),
        results=results,
        failures=tuple(outcome for outcome in outcomes if isinstance(outcome, PointFailure)),
        versions=installed_versions(),
    )
