"""All figures of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ...compile import Method
from ...hw_profiles import profile_sha256
from ..energy import Boundary, Estimate
from ..environment import installed_versions
from ..quantize_uniformly import default_method
from .command import command_of
from .outcome import Outcome, PointFailure, PointResult
from .pareto import OBJECTIVES, objectives_of, pareto_front
from .plan import SweepPlan
from .points import AS_STORED, Bits, PointSettings, SweepPoint

SCHEMA = 1
DEFAULT_FOLDER = "sweeps/x"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """Figures of a sweep, as they go into ``sweep.json``.

    Attributes
    ----------
    schema : int
        Version of this list of fields.
    created : str
        UTC, ISO 8601.
    command : str
        Repeats the sweep, see `command_of`; empty where the plan was not read from files.
    network, input, labels, calibration : str
        Files, as the user named them; empty where none was named. Labels may lie with the input.
    network_sha256, input_sha256, labels_sha256, calibration_sha256 : str
        Hashes; empty without labels or calibration samples.
    profiles : mapping of str to str
        The chips by the names of the points, as the user named them.
    profile_sha256 : mapping of str to str
        Of the chips, by name.
    bits : tuple of int or 'file'
        Widths.
    steps : tuple of int
        Steps.
    samples : int
        How many of the input were run.
    settings : PointSettings
        How all points were compiled.
    method : str
        What quantized, also where the settings leave it to the default; empty where nothing was.
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
    command: str
    network: str
    input: str
    labels: str
    calibration: str
    network_sha256: str
    input_sha256: str
    labels_sha256: str
    calibration_sha256: str
    profiles: Mapping[str, str]
    profile_sha256: Mapping[str, str]
    bits: tuple[Bits, ...]
    steps: tuple[int, ...]
    samples: int
    settings: PointSettings
    method: str
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
    folder: str | Path = DEFAULT_FOLDER,
    boundary: Boundary = Boundary.NEUROCORES,
) -> SweepReport:
    """Gather the figures of a sweep.

    Parameters
    ----------
    plan : SweepPlan
        What was run.
    outcomes : sequence of PointResult or PointFailure
        What `run_sweep` returned.
    folder : str or Path
        Where the sweep is kept; for the command that repeats it.
    boundary : Boundary
        What energies are to cover.
    """
    results = tuple(outcome for outcome in outcomes if isinstance(outcome, PointResult))
    files = plan.files
    bits: dict[Bits, None] = {point.bits: None for point in plan.points}
    front = pareto_front([objectives_of(result, boundary.value) for result in results])
    return SweepReport(
        schema=SCHEMA,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        command=command_of(plan, folder, boundary),
        network="a network" if files is None else files.network,
        input="an input" if files is None else files.input,
        labels="" if files is None else files.labels or "",
        calibration="" if files is None else files.calibration or "",
        network_sha256=plan.network_sha256,
        input_sha256=plan.inputs.sha256(),
        labels_sha256=plan.labels_sha256(),
        calibration_sha256="" if plan.calibration is None else plan.calibration.sha256(),
        profiles={name: name for name in plan.profiles} if files is None else files.profiles,
        profile_sha256={name: profile_sha256(chip) for name, chip in plan.profiles.items()},
        bits=tuple(bits),
        steps=tuple(dict.fromkeys(point.steps for point in plan.points)),
        samples=plan.inputs.n_samples,
        settings=plan.settings,
        method="" if set(bits) <= {AS_STORED} else _method(plan).value,
        boundary=boundary.value,
        objectives=tuple(OBJECTIVES),
        front=tuple(r.point.name for r, best in zip(results, front, strict=True) if best),
        results=results,
        failures=tuple(outcome for outcome in outcomes if isinstance(outcome, PointFailure)),
        versions=installed_versions(),
    )


def _method(plan: SweepPlan) -> Method:
    return plan.settings.method or default_method(plan.calibration)
