"""The figures of a run folder, read back into their types."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cattrs
import numpy as np

from ..netx import RunFolderError
from .activity import StepActivity
from .run_folder import ACTIVITY, load_figures
from .run_summary import RunSummary


def figures_converter() -> cattrs.Converter:
    """Return what gives figures that `to_json` wrote their types again.

    JSON has no infinite numbers: `to_json` writes null for them, and none of ours is below 0
    without bound but the head-room of a state that has no bounds. So null is infinity where a
    number must be.
    """
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook(float, lambda value, _: math.inf if value is None else value)
    converter.register_structure_hook(str | int | float | bool | None, lambda value, _: value)
    return converter


_converter = figures_converter()


def load_summary(folder: str | Path) -> RunSummary:
    """Read ``run.json`` and ``activity.npz`` of a run folder.

    Parameters
    ----------
    folder : str or Path
        What `save_run` or a `RunWriter` wrote.

    Returns
    -------
    RunSummary
        As the run returned it; the messages between single cores are in the artifact only.

    Raises
    ------
    RunFolderError
        When the folder is missing, no run, or of a version whose figures are others.
    """
    folder = Path(folder)
    figures = load_figures(folder)
    try:
        summary = _converter.structure(figures, RunSummary)
        steps = _load_steps(folder / ACTIVITY)
    except Exception as error:  # a damaged archive raises nearly anything, and so do strange types
        raise RunFolderError(
            f"'{folder}': its figures cannot be read ({type(error).__name__}: {error}). Another "
            "version of lavadeploy wrote them, or they are damaged; run compiled.ldc again."
        ) from error
    return replace(summary, activity=replace(summary.activity, by_step=steps))


def _load_steps(path: Path) -> StepActivity | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        arrays: dict[str, Any] = {each.name: file[each.name] for each in fields(StepActivity)}
    return StepActivity(**arrays)
