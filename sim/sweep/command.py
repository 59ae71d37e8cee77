"""The command that repeats a sweep."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..energy import Boundary
from .plan import SweepPlan


def command_of(plan: SweepPlan, folder: str | Path, boundary: Boundary) -> str:
    """Return the command line, quoted for a shell, with every choice that figures depend on.

    Files are named as the user named them, so it is for the same working directory. How many
    processes or which cluster ran the points changes no figure and is left out.

    Parameters
    ----------
    plan : SweepPlan
        What is swept.
    folder : str or Path
        Where the sweep is kept.
    boundary : Boundary
        What its energies cover.

    Returns
    -------
    str
        Empty for a plan that was not read from files.
    """
    files = plan.files
    if files is None:
        return ""
    settings = plan.settings
    shape = settings.input_shape
    options = {
        "--input": files.input,
        "--labels": files.labels,
        "--samples": None if files.samples is None else str(files.samples),
        "--calibration": files.calibration,
        "--bits": _listed(*(point.bits for point in plan.points)),
        "--steps": _listed(*(point.steps for point in plan.points)),
        "--profile": _listed(*files.profiles.values()),
        "--method": settings.method and settings.method.value,
        "--percentile": None if settings.percentile is None else repr(settings.percentile),
        "--objective": settings.objective and settings.objective.value,
        "--input-shape": None if shape is None else ",".join(map(str, shape)),
        "--boundary": None if boundary is Boundary.NEUROCORES else boundary.value,
        "--output": str(folder),
    }
    flags = {"--allow-approximate": settings.allow_approximate, "--strict": settings.strict}
    given = [word for name, value in options.items() if value is not None for word in (name, value)]
    chosen = [name for name, is_set in flags.items() if is_set]
    return shlex.join(["lavadeploy", "sweep", files.network, *given, *chosen])


def _listed(*values: object) -> str:
    """Return every value once, with commas."""
    return ",".join(map(str, dict.fromkeys(values)))
