"""What is finished of a run that goes on: a folder beside the one that it is to become.

::

    runs/.x.unfinished/
        identity.json        what is run on what; only the same is gone on with
        totals.npz           counts and predictions of the finished samples; written last of all
        parts/0.parquet      spikes of the samples from number 0 on, a log of its own
        run/                 becomes runs/x at the end; states and readout grow in it

A sample is finished when it is among those of ``totals.npz``, which is replaced in one step. What
else a killed run wrote is behind that and is written anew.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..netx import RunFolderError
from ..netx.atomic_write import make_parents, move_into_place, umask
from .run_folder import READOUT, SPIKES, unfinished
from .run_result import RunResult
from .spike_log import SpikeLog
from .spike_log_file import SpikeLogWriter, spike_log_parts, write_spike_log
from .state_files import append_samples, append_states

IDENTITY, TOTALS, PARTS, RUN = "identity.json", "totals.npz", "parts", "run"


class UnfinishedRun:
    """The folder of a run that goes on.

    Parameters
    ----------
    target : Path
        The run folder that it is to become.
    """

    def __init__(self, target: Path) -> None:
        self._name = target
        self._target = Path(os.path.abspath(target))
        self._folder = unfinished(target)
        self._made: list[Path] | None = None

    def finished(self, identity: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """Return the totals of the samples that an earlier run finished; None without one.

        Raises
        ------
        RunFolderError
            When that was a run of something else, or is damaged.
        """
        # without its last part a run became a run folder, or never finished a sample
        if not (self._folder / TOTALS).exists() or not (self._folder / RUN).exists():
            return None
        try:
            earlier = json.loads((self._folder / IDENTITY).read_text(encoding="utf-8"))
            with np.load(self._folder / TOTALS, allow_pickle=False) as file:
                totals = dict(file)
        except Exception as error:  # a damaged archive raises nearly anything
            raise RunFolderError(
                f"'{self._folder}': is damaged ({error}). Delete it, or run without --resume."
            ) from error
        other = [name for name, value in identity.items() if earlier.get(name) != value]
        if other:
            raise RunFolderError(
                f"'{self._name}': the unfinished run has another {', '.join(other)}. "
                "Run the same again, or run without --resume to start anew."
            )
        self._made = []
        return totals

    def is_begun(self) -> bool:
        """Tell whether there is a folder with something finished of this run."""
        return self._made is not None and (self._folder / TOTALS).exists()

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Make the folder, if this run has none; what an earlier one left is deleted."""
        if self._made is not None:
            return
        made = make_parents(self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._made = made
        for name in (PARTS, RUN):
            (self._folder / name).mkdir(parents=True)
        (self._folder / IDENTITY).write_text(json.dumps(identity), encoding="utf-8")

    def write_arrays(self, portion: RunResult, first: int, n_samples: int) -> None:
        """Write states and readout of the samples from number `first` on."""
        run = self._folder / RUN
        append_states(run, portion.spikes.layer_names, portion.states, first, n_samples)
        if portion.readout is not None:
            append_samples(run / READOUT, portion.readout, first, n_samples)

    def keep(self, spikes: SpikeLog, first: int, totals: Mapping[str, NDArray[Any]]) -> None:
        """Make samples finished: those of a log, the first of which has number `first`."""
        write_spike_log(spikes, self._part(first))
        content = io.BytesIO()
        np.savez(content, **totals)  # pyright: ignore[reportArgumentType] - arrays by name
        temporary = self._folder / f"{TOTALS}.new"
        temporary.write_bytes(content.getvalue())
        os.replace(temporary, self._folder / TOTALS)

    def _part(self, first: int) -> Path:
        return self._folder / PARTS / f"{first}.parquet"

    def write_log(self, shape: SpikeLog, finished: int, rest: SpikeLog | None) -> Path:
        """Write the whole log from its parts and what follows them; return the run's folder."""
        run = self._folder / RUN
        with SpikeLogWriter(run / SPIKES, shape) as writer:
            for first, part in self._finished_parts(finished):
                writer.add(part, first)
            if rest is not None:
                writer.add(rest, finished)
        return run

    def _finished_parts(self, finished: int) -> Iterator[tuple[int, SpikeLog]]:
        first = 0
        while first < finished:
            samples = 0
            for group in spike_log_parts(self._part(first)):
                yield first, group
                samples = group.n_samples
            first += samples

    def become(self) -> None:
        """Turn the run into its folder."""
        run = self._folder / RUN
        os.chmod(run, 0o777 & ~umask())
        move_into_place(run, self._target)
        shutil.rmtree(self._folder, ignore_errors=True)

    def discard(self) -> None:
        """Delete everything, and the folders that were made on the way to it."""
        if self._made is None:
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # somebody put something there meanwhile
            for parent in self._made:
                parent.rmdir()
        self._made = None
