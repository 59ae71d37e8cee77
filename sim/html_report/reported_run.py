"""What a report needs of a run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...compile import CompiledNetwork, load_artifact
from ...hw_profiles.arithmetic import Int64Array
from ...netx import OptionError, RunFolderError
from ..run_folder import spike_log_path
from ..run_reader import load_summary, run_names
from ..run_summary import RunSummary
from ..spike_log_file import count_by_neuron
from .raster_events import RasterLayer, read_raster

RASTER_EVENTS = 60_000  # in a page, 16 bytes and a third each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportedRun:
    """A run as a report shows it.

    Attributes
    ----------
    name : str
        Short and different from those beside it.
    folder : Path
        Where it is.
    summary : RunSummary
        All figures.
    compiled : CompiledNetwork
        What ran.
    sample : int
        Number of the sample whose spikes are shown.
    raster : tuple of RasterLayer
        What is shown of them.
    neuron_spikes : mapping of str to int64 array, shape (neurons,)
        How often each neuron fired in all samples, for each layer that is in the log.
    """

    name: str
    folder: Path
    summary: RunSummary
    compiled: CompiledNetwork
    sample: int
    raster: tuple[RasterLayer, ...]
    neuron_spikes: Mapping[str, Int64Array]


def read_reported_runs(
    folders: Sequence[str | Path],
    sample: int = 0,
    *,
    most_events: int = RASTER_EVENTS,
    on_read: Callable[[int], None] = lambda _: None,
) -> tuple[ReportedRun, ...]:
    """Read run folders for a report, in memory that does not grow with their logs.

    Parameters
    ----------
    folders : sequence of str or Path
        The run folders.
    sample : int
        Number of the sample whose spikes are shown.
    most_events : int
        How many spikes are shown, of all runs together.
    on_read : callable
        Called with the number of runs that have been read.

    Raises
    ------
    RunFolderError
        When one is no run, or damaged.
    OptionError
        When there are none, the same twice, or no such sample.
    """
    paths = [Path(folder) for folder in folders]
    runs: list[ReportedRun] = []
    for path, name in zip(paths, run_names(paths), strict=True):
        runs.append(_read(path, name, sample, most_events // len(paths)))
        on_read(len(runs))
    return tuple(runs)


def _read(folder: Path, name: str, sample: int, most_events: int) -> ReportedRun:
    summary = load_summary(folder)
    if not 0 <= sample < summary.samples:
        raise OptionError(
            f"sample {sample}: '{folder}' has samples 0 to {summary.samples - 1}; choose one of "
            "them by --sample."
        )
    artifact = folder / "compiled.ldc"
    if not artifact.exists():
        raise RunFolderError(f"'{folder}': its artifact compiled.ldc is missing. Run it again.")
    log = spike_log_path(folder)
    return ReportedRun(
        name=name,
        folder=folder,
        summary=summary,
        compiled=load_artifact(artifact),
        sample=sample,
        raster=read_raster(log, sample, most_events),
        neuron_spikes=count_by_neuron(log),
    )
