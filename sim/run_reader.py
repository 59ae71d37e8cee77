"""The figures of a run folder, read back into their types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cattrs
import numpy as np

from ..netx import OptionError, RunFolderError
from .activity import StepActivity
from .run_folder import ACTIVITY, load_figures
from .run_summary import SCHEMA, RunSummary


def _number(value: Any) -> float:
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def figures_converter() -> cattrs.Converter:
    """Return what gives figures that `to_json` wrote their types again.

    JSON has no infinite numbers: `to_json` writes null for them, and none of ours is below 0
    without bound but the head-room of a state without bounds, which low and high tell. So null is
    infinity where a number must be.
    """
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook(float, lambda value, _: _number(value))
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
        As the run returned it, but for the messages between single cores, which are in the artifact
        only, and for head-rooms of minus infinity, which come back as infinity.

    Raises
    ------
    RunFolderError
        When the folder is missing, no run, or of a version whose figures are others.
    """
    folder = Path(folder)
    figures = load_figures(folder)
    try:
        if figures.get("schema") != SCHEMA:
            raise ValueError(f"schema {figures.get('schema')}, not {SCHEMA}")
        summary = _converter.structure(figures, RunSummary)
        steps = _load_steps(folder / ACTIVITY)
        _check_sizes(summary, steps)
    except Exception as error:  # a damaged archive raises nearly anything, and so do strange types
        raise RunFolderError(
            f"'{folder}': its figures cannot be read ({type(error).__name__}: {error}). Another "
            "version of lavadeploy wrote them, or they are damaged; run compiled.ldc again."
        ) from error
    return replace(summary, activity=replace(summary.activity, by_step=steps))


def run_names(folders: Sequence[Path]) -> list[str]:
    """Return the names of run folders, or as much of their paths as tells them apart.

    Raises
    ------
    OptionError
        When there are none, or the same twice.
    """
    if not folders:
        raise OptionError("no run to report; one run folder at least was expected.")
    parts = [folder.resolve().parts for folder in folders]
    if len(set(parts)) < len(parts):
        raise OptionError("the same run folder is given twice; name each once.")
    depth = 1
    while len({part[-depth:] for part in parts}) < len(parts):
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


def _check_sizes(summary: RunSummary, steps: StepActivity | None) -> None:
    samples, layers = summary.samples, len(summary.activity.layers)
    if len(summary.predictions) != samples:
        raise ValueError(f"{len(summary.predictions)} predictions of {samples} samples")
    if summary.labels is not None and len(summary.labels) != samples:
        raise ValueError(f"{len(summary.labels)} labels of {samples} samples")
    if steps is not None and steps.layer_spikes.shape != (layers, summary.steps):
        raise ValueError(f"{ACTIVITY} is of {steps.layer_spikes.shape}")


def _load_steps(path: Path) -> StepActivity | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        arrays: dict[str, Any] = {each.name: file[each.name] for each in fields(StepActivity)}
    return StepActivity(**arrays)
