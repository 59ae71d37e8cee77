"""Running sample by sample into a folder: memory holds a portion, and what is done is kept."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from typing_extensions import Self

from ..compile import ChipNetwork, CompiledNetwork, neuron_count
from ..netx import OptionError, OutputError, suggest
from ..netx.atomic_write import check_replaceable, output_error
from ..netx.version import __version__
from .backend import Backend, RunOptions
from .run_folder import RUN, write_figures
from .run_result import RunResult, join_logs
from .run_summary import RunSummary, RunTotals, artifact_sha256
from .spike_input import SpikeInput
from .spike_log import COLUMNS, SpikeLog
from .timeline import chip_timing
from .unfinished_run import UnfinishedRun

CHECKPOINT_S = 5.0  # of work that a killed run may lose, and of waiting for a disk every so often
CHECKPOINT_EVENTS = 1 << 22  # 80 MB in memory
LOG_ALL, LOG_OUTPUT, LOG_NONE = "all", "output", "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a run is written, and how.

    Attributes
    ----------
    folder : str, Path or None
        The run folder; None to write nothing.
    log : str
        Which layers' spikes: 'all', 'output', 'none' or names with commas between. Counts are of
        all layers in any case.
    resume : bool
        Whether to go on with an unfinished run of that folder, if there is one.
    network : Path or None
        NetX file to keep with the run.
    checkpoint_s : float
        Seconds after which finished samples are written.
    """

    folder: str | Path | None = None
    log: str = LOG_ALL
    resume: bool = False
    network: Path | None = None
    checkpoint_s: float = CHECKPOINT_S


class RunWriter:
    """Takes the portions of a run, counts them and writes them.

    A context manager; from the start on it is the only one that writes that folder, until its block
    ends. When its block ends before the run is finished, by an error or an
    interruption, what is finished stays in an unfinished run (`kept` says how many samples), to be
    gone on with by `Destination.resume`. Nothing stays where no sample was finished.

    Parameters
    ----------
    compiled : CompiledNetwork
        What runs.
    inputs : SpikeInput
        All samples.
    backend : str
        Name of the backend.
    options : RunOptions
        As given to it.
    destination : Destination
        Where to.

    Attributes
    ----------
    done : int
        Samples that are finished; at first those of the run that is gone on with.

    Raises
    ------
    OutputError
        When the folder may not be written, or another process is writing that run.
    OptionError
        When there is no layer of a name in `Destination.log`.
    RunFolderError
        When the unfinished run is one of something else.
    """

    def __init__(
        self,
        compiled: CompiledNetwork,
        inputs: SpikeInput,
        backend: str,
        options: RunOptions,
        destination: Destination,
    ) -> None:
        self._compiled, self._inputs, self._backend = compiled, inputs, backend
        self._options, self._to = options, destination
        logged = logged_layers(compiled.network, destination.log)
        self._shape = _empty_log(compiled, inputs, options, logged)
        self._totals = RunTotals(compiled, self._shape.n_steps)
        self._logged = logged
        self._waiting: list[SpikeLog] = []
        self._is_adding = False
        self._written = self.done = 0
        self._last_write = time.monotonic()
        self._files: UnfinishedRun | None = None
        if destination.folder is not None:
            check_replaceable(Path(destination.folder), RUN)
            self._files = UnfinishedRun(Path(destination.folder))
            try:
                self._go_on(self._files)
            except BaseException:
                self._files.leave(keep=True)
                raise

    def _go_on(self, files: UnfinishedRun) -> None:
        if not self._to.resume:
            return
        totals = files.finished(self._identity, self._shape)
        if totals is not None:
            self._totals.restore(totals)
            self._written = self.done = self._totals.samples

    @cached_property
    def _identity(self) -> dict[str, Any]:
        return {
            "artifact": artifact_sha256(self._compiled),
            "input": self._inputs.sha256(),
            "backend": self._backend,
            "record": list(self._options.record),
            "timeline": self._options.timeline.value,
            "log": list(self._logged),
            "version of lavadeploy": __version__,
        }

    @property
    def remaining(self) -> SpikeInput | None:
        """The samples that are not finished; None when all are."""
        if self.done == self._inputs.n_samples:
            return None
        return self._inputs.part(self.done, self._inputs.n_samples)

    @property
    def kept(self) -> int:
        """Samples that can be gone on with, should the run end now."""
        return self._written if self._files is not None and self._files.is_begun() else 0

    def add(self, portion: RunResult) -> None:
        """Take the next samples, with the spikes of every layer."""
        self._is_adding = True
        samples = portion.spikes.n_samples
        self._totals.add(self._inputs.part(self.done, self.done + samples), portion)
        if self._files is not None:
            self._write(self._files, portion)
        self.done += samples
        if self._files is not None and self._is_due():
            self._checkpoint(self._files)
        self._is_adding = False

    def _write(self, files: UnfinishedRun, portion: RunResult) -> None:
        if portion.states or portion.readout is not None:
            files.begin(self._identity)
            files.write_arrays(portion, self.done, self._inputs.n_samples)
        self._waiting.append(portion.spikes.of_layers(self._logged))

    def _is_due(self) -> bool:
        waited = time.monotonic() - self._last_write
        return waited >= self._to.checkpoint_s or sum(map(len, self._waiting)) >= CHECKPOINT_EVENTS

    def _checkpoint(self, files: UnfinishedRun) -> None:
        if not self._waiting:
            return
        files.begin(self._identity)
        files.keep(join_logs(self._waiting), self._written, self._totals.state())
        self._waiting = []
        self._written = self.done
        self._last_write = time.monotonic()

    def finish(self, notes: Mapping[str, Any] | None = None) -> RunSummary:
        """Write the run folder, if there is to be one, and return all figures of the run.

        Parameters
        ----------
        notes : mapping, optional
            See `summarize_run`.
        """
        assert self.remaining is None, "samples are missing"
        summary = self._totals.summary(
            self._inputs,
            backend=self._backend,
            timeline=self._options.timeline,
            not_logged=self._shape.not_logged,
            notes=notes,
        )
        if self._files is not None:
            self._files.begin(self._identity)
            rest = join_logs(self._waiting) if self._waiting else None
            run = self._files.write_log(self._shape, self._written, rest)
            write_figures(run, summary, self._compiled, self._to.network)
            self._files.become()
            self._files = None
        return summary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        files, folder = self._files, self._to.folder
        if files is None or folder is None:
            return
        cause = error.__cause__ if isinstance(error, OutputError) else error
        if isinstance(cause, OSError):  # a disk that is full takes no more of what is finished
            files.leave(keep=self.kept > 0)
            raise output_error(Path(folder), cause, self._what_is_left()) from cause
        try:
            if not self._is_adding:  # else counts hold a part of a portion
                self._checkpoint(files)
        except OSError as failure:
            files.leave(keep=self.kept > 0)
            raise output_error(Path(folder), failure, self._what_is_left()) from failure
        files.leave(keep=self.kept > 0)

    def _what_is_left(self) -> str:
        if not self.kept:
            return "Nothing was left behind."
        return f"{self.kept} finished samples are kept; make room and go on with --resume."


def run_into(
    backend: Backend,
    compiled: CompiledNetwork,
    inputs: SpikeInput,
    options: RunOptions,
    writer: RunWriter,
) -> None:
    """Run the samples that a writer has not, and give it what comes out.

    Parameters
    ----------
    backend, compiled, inputs, options
        As the writer knows them.
    writer : RunWriter
        Takes the portions.
    """
    remaining, before = writer.remaining, writer.done
    if remaining is None:
        return

    def on_progress(done: int) -> None:
        options.on_progress(before + done)

    for portion in backend.portions(compiled, remaining, replace(options, on_progress=on_progress)):
        writer.add(portion)


def logged_layers(network: ChipNetwork, log: str) -> tuple[str, ...]:
    """Return the layers that ``--log`` names; see `Destination`.

    Raises
    ------
    OptionError
        When there is no such layer.
    """
    names = tuple(layer.name for layer in network.layers)
    if log == LOG_ALL:
        return names
    if log in (LOG_NONE, LOG_OUTPUT):
        return names[-1:] if log == LOG_OUTPUT else ()
    wanted = (log,) if log in names else tuple(part.strip() for part in log.split(","))
    for name in wanted:
        if name not in names:
            valid = (*names, LOG_ALL, LOG_OUTPUT, LOG_NONE)
            raise OptionError(f"cannot log '{name}': no such layer; {suggest(name, valid)}.")
    return tuple(name for name in names if name in wanted)


def _empty_log(
    compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions, logged: Collection[str]
) -> SpikeLog:
    layers = compiled.network.layers
    names = tuple(layer.name for layer in layers)
    return SpikeLog(
        **{name: np.zeros(0, dtype=np.int32) for name in COLUMNS},
        layer_names=names,
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=inputs.n_samples,
        n_steps=chip_timing(compiled.network, inputs.n_steps, options.timeline).shown,
        not_logged=tuple(name for name in names if name not in logged),
    )
