"""The run folder: everything a run leaves. It appears in one step, when all is in it.

================== =============================================================
``run.json``       every figure (`RunSummary`)
``spikes.parquet`` the spike log
``states/``        an array for each state of each layer, when recorded
``readout.npy``    voltage of a last layer that never fires
``activity.npz``   counts of every step, by layer and by core (`StepActivity`)
``compiled.ldc``   the artifact that ran
``network.net``    the NetX file it came from, when it is known
``report.md``      the figures that matter, to read and to share
================== =============================================================
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, save_artifact
from ..netx import RunFolderError
from ..netx.atomic_write import check_replaceable, folder_written_atomically
from .json_text import to_json
from .report import markdown_report
from .run_result import RunResult
from .run_summary import RunSummary
from .spike_log import SpikeLog
from .spike_log_file import read_spike_log, write_spike_log
from .state_files import append_samples, append_states, read_states
from .timeline import Timeline

RUN = "run.json"
SPIKES = "spikes.parquet"
READOUT = "readout.npy"
ACTIVITY = "activity.npz"


def save_run(
    folder: str | Path,
    summary: RunSummary,
    result: RunResult,
    compiled: CompiledNetwork,
    *,
    network: Path | None = None,
) -> None:
    """Write a run folder.

    Parameters
    ----------
    folder : str or Path
        Where. An earlier run of that name is replaced as a whole; any other folder is refused.
    summary : RunSummary
        The figures.
    result : RunResult
        The spikes, and states if recorded.
    compiled : CompiledNetwork
        What ran.
    network : Path, optional
        NetX file to keep with it.

    Raises
    ------
    OutputError
        When it cannot be written; nothing is left behind.
    """
    with folder_written_atomically(Path(folder), marker=RUN) as temporary:
        write_spike_log(result.spikes, temporary / SPIKES)
        names, samples = result.spikes.layer_names, result.spikes.n_samples
        append_states(temporary, names, result.states, 0, samples)
        if result.readout is not None:
            append_samples(temporary / READOUT, result.readout, 0, samples)
        write_figures(temporary, summary, compiled, network)


def write_figures(
    folder: Path, summary: RunSummary, compiled: CompiledNetwork, network: Path | None
) -> None:
    """Write into a run folder what does not grow with the run."""
    save_artifact(compiled, folder / "compiled.ldc")
    if network is not None:
        shutil.copyfile(network, folder / "network.net")
    steps = summary.activity.by_step
    if steps is not None:
        arrays: dict[str, Any] = {each.name: getattr(steps, each.name) for each in fields(steps)}
        np.savez_compressed(folder / ACTIVITY, **arrays)
    (folder / "report.md").write_text(markdown_report(summary), encoding="utf-8")
    (folder / RUN).write_text(to_json(summary) + "\n", encoding="utf-8")


def check_run_folder(folder: str | Path) -> None:
    """Raise `OutputError` when `save_run` may not write there; to be asked before a long run."""
    check_replaceable(Path(folder), RUN)


def unfinished(folder: Path) -> Path:
    """Return where a run that is to become `folder` keeps what is finished of it."""
    target = Path(os.path.abspath(folder))  # '.' has no name
    return target.with_name(f".{target.name}.unfinished")


def load_run(folder: str | Path) -> tuple[dict[str, Any], RunResult]:
    """Read a run folder.

    Parameters
    ----------
    folder : str or Path
        What `save_run` wrote.

    Returns
    -------
    figures : dict
        Content of ``run.json``.
    result : RunResult
        Spikes, and states where they were recorded, as maps of their files.

    Raises
    ------
    RunFolderError
        When the folder is missing or no run.
    """
    folder = Path(folder)
    figures = load_figures(folder)
    spikes = read_spike_log(spike_log_path(folder))
    predictions = np.array(figures.get("predictions", ()), dtype=np.int64)
    return figures, RunResult(
        backend=str(figures["backend"]),
        spikes=spikes,
        states=read_states(folder, spikes),
        wall_s=float(figures["wall_s"]),
        readout=_load_readout(folder / READOUT, spikes),
        timeline=Timeline(figures.get("timeline", "slayer")),  # before there were two
        predicted=predictions if spikes.not_logged else None,
    )


def load_figures(folder: str | Path) -> dict[str, Any]:
    """Read the figures of a run folder, ``run.json``; for errors see `load_run`."""
    folder = Path(folder)
    if not folder.is_dir():
        how = ""
        if unfinished(folder).exists():
            how = " It is not finished: if nothing writes it any more, go on with --resume."
        raise RunFolderError(f"'{folder}': no such run folder.{how}")
    try:
        figures = cast(dict[str, Any], json.loads((folder / RUN).read_text(encoding="utf-8")))
        _ = str(figures["backend"]), float(figures["wall_s"])
        _ = Timeline(figures.get("timeline", "slayer"))
        _ = str(figures["hashes"]["input"])  # which compare looks at
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(
            f"'{folder}': is not a run folder ({RUN} is missing or damaged)."
        ) from error
    return figures


def spike_log_path(folder: str | Path) -> Path:
    """Return where the spike log of a run folder is."""
    return Path(folder) / SPIKES


def _load_readout(path: Path, spikes: SpikeLog) -> NDArray[np.int32] | None:
    if not path.exists():
        return None
    expected = (spikes.n_samples, spikes.layer_sizes[-1], spikes.n_steps)
    try:
        readout = np.load(path, allow_pickle=False)
        if readout.dtype != np.int32 or readout.shape != expected:
            raise ValueError(f"{readout.dtype} {readout.shape}, not int32 {expected}")
    except Exception as error:  # a damaged file raises nearly anything
        raise RunFolderError(f"'{path}': holds no readout of this run ({error}).") from error
    return readout
