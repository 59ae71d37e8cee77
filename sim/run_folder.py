"""The run folder: everything a run leaves, written in one step.

================== =============================================================
``run.json``       every figure (`RunSummary`)
``spikes.parquet`` the spike log
``states.npz``     states by layer, such as current and voltage, when recorded
``readout.npy``    voltage of a last layer that never fires
``compiled.ldc``   the artifact that ran
``network.net``    the NetX file it came from, when it is known
``report.md``      the figures that matter, to read and to share
================== =============================================================
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, save_artifact
from ..netx import RunFolderError
from ..netx.atomic_write import check_replaceable, folder_written_atomically
from .json_text import to_json
from .report import markdown_report
from .run_result import RunResult, StateTrace
from .run_summary import RunSummary
from .spike_log import SpikeLog, read_spike_log, write_spike_log
from .timeline import Timeline

RUN = "run.json"
SPIKES = "spikes.parquet"
STATES = "states.npz"
READOUT = "readout.npy"


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
        save_artifact(compiled, temporary / "compiled.ldc")
        if network is not None:
            shutil.copyfile(network, temporary / "network.net")
        if result.states:
            arrays: dict[str, Any] = {
                f"{name}.{state}": values
                for name, trace in zip(result.spikes.layer_names, result.states, strict=True)
                for state, values in trace.values.items()
            }
            np.savez_compressed(temporary / STATES, **arrays)
        if result.readout is not None:
            np.save(temporary / READOUT, result.readout)
        (temporary / "report.md").write_text(markdown_report(summary), encoding="utf-8")
        (temporary / RUN).write_text(to_json(summary) + "\n", encoding="utf-8")


def check_run_folder(folder: str | Path) -> None:
    """Raise `OutputError` when `save_run` may not write there; to be asked before a long run."""
    check_replaceable(Path(folder), RUN)


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
        Spikes, and states where they were recorded.

    Raises
    ------
    RunFolderError
        When the folder is missing or no run.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunFolderError(f"'{folder}': no such run folder.")
    try:
        figures = cast(dict[str, Any], json.loads((folder / RUN).read_text(encoding="utf-8")))
        backend, wall_s = str(figures["backend"]), float(figures["wall_s"])
        timeline = Timeline(figures.get("timeline", "slayer"))  # before there were two
        _ = str(figures["hashes"]["input"])  # which compare looks at
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(
            f"'{folder}': is not a run folder ({RUN} is missing or damaged)."
        ) from error
    spikes = read_spike_log(folder / SPIKES)
    states = _load_states(folder / STATES, spikes.layer_names)
    return figures, RunResult(
        backend=backend,
        spikes=spikes,
        states=states,
        wall_s=wall_s,
        readout=_load_readout(folder / READOUT, spikes),
        timeline=timeline,
    )


def _load_states(path: Path, layers: tuple[str, ...]) -> tuple[StateTrace, ...]:
    if not path.exists():
        return ()
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            traces = tuple(
                StateTrace(
                    values={
                        key.removeprefix(f"{name}."): file[key]
                        for key in file.files
                        if key.startswith(f"{name}.")
                    }
                )
                for name in layers
            )
        if not any(trace.values for trace in traces):
            raise KeyError("no layer has states")
        return traces
    except Exception as error:  # a damaged archive or header raises nearly anything
        raise RunFolderError(f"'{path}': holds no states of this run ({error}).") from error


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
