"""What is finished of a run that goes on: a folder beside the one that it is to become.

::

    runs/.x.unfinished/
        lock                 held by the process that writes; see `RunLock`
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
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..netx import RunFolderError
from ..netx.atomic_write import move_into_place, umask
from .run_folder import READOUT, SPIKES, unfinished
from .run_lock import LOCK, RunLock
from .run_result import RunResult
from .spike_log import SpikeLog
from .spike_log_file import SpikeLogWriter, spike_log_parts, spike_log_shape, write_spike_log
from .state_files import append_samples, append_states

IDENTITY, TOTALS, PARTS, RUN = "identity.json", "totals.npz", "parts", "run"
SHAPE = ("layer_names", "layer_sizes", "n_steps", "not_logged")  # what parts share with the whole


class UnfinishedRun:
    """The folder of a run that goes on, locked until it became its target or was left.

    Parameters
    ----------
    target : Path
        The run folder that it is to become.

    Raises
    ------
    OutputError
        When another process writes that run, or the folder cannot be made.
    """

    def __init__(self, target: Path) -> None:
        self._name = target
        self._target = Path(os.path.abspath(target))
        self._folder = unfinished(target)
        self._lock = RunLock(self._folder, target)
        self._is_mine = False

    def finished(
        self, identity: Mapping[str, Any], shape: SpikeLog
    ) -> dict[str, NDArray[Any]] | None:
        """Return the totals of the samples that an earlier run finished; None without one.

        Parameters
        ----------
        identity : mapping
            What is run on what.
        shape : SpikeLog
            Layers and steps that its spikes have.

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
            samples = len(totals["predictions"])
        except Exception as error:  # a damaged archive raises nearly anything
            raise self._is_damaged(error) from error
        other = [name for name, value in identity.items() if earlier.get(name) != value]
        if other:
            raise RunFolderError(
                f"'{self._name}': the unfinished run has another {', '.join(other)}. "
                "Run the same again, or run without --resume to start anew."
            )
        self._parts_of(samples, shape)
        self._is_mine = True
        return totals

    def is_begun(self) -> bool:
        """Tell whether there is a folder with something finished of this run."""
        return self._is_mine and (self._folder / TOTALS).exists()

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Fill the folder, if this run has not; what an earlier one left is deleted."""
        assert self._lock.is_held, "the block of the writer has ended"
        if self._is_mine:
            return
        self._delete()
        self._is_mine = True
        for name in (PARTS, RUN):
            (self._folder / name).mkdir()
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
        """Write the whole log from its parts and what follows them; return the run's folder.

        Raises
        ------
        RunFolderError
            When the parts do not hold the finished samples.
        """
        firsts = self._parts_of(finished, shape)
        run = self._folder / RUN
        with SpikeLogWriter(run / SPIKES, shape) as writer:
            for first in firsts:
                for group in spike_log_parts(self._part(first)):
                    writer.add(group, first)
            if rest is not None:
                writer.add(rest, finished)
        return run

    def _parts_of(self, finished: int, shape: SpikeLog) -> list[int]:
        """Return the number of the first sample of each part.

        Raises
        ------
        RunFolderError
            When the parts are not those of this run's finished samples.
        """
        firsts: list[int] = []
        after = 0
        while after < finished:
            firsts.append(after)
            try:
                found = spike_log_shape(self._part(after))
            except RunFolderError as error:
                raise self._is_damaged(error) from error
            if any(getattr(found, name) != getattr(shape, name) for name in SHAPE):
                raise self._is_damaged(f"part {after} is of another network or other steps")
            if found.n_samples < 1:
                raise self._is_damaged(f"part {after} has no samples")
            after += found.n_samples
        if after != finished:
            raise self._is_damaged(f"its parts hold {after} samples, and {finished} are finished")
        return firsts

    def _is_damaged(self, what: object) -> RunFolderError:
        return RunFolderError(
            f"'{self._folder}': is damaged ({what}). Delete it, or run without --resume."
        )

    def become(self) -> None:
        """Turn the run into its folder."""
        run = self._folder / RUN
        os.chmod(run, 0o777 & ~umask())
        move_into_place(run, self._target)
        with suppress(OSError):  # the run is complete without that
            self._delete()
        self._lock.release()

    def leave(self, *, keep: bool) -> None:
        """Let others write the run; what this one finished stays there only if told to."""
        if self._is_mine and not keep:
            with suppress(OSError):  # there is an error to hear of already
                self._delete()
            self._is_mine = False
        self._lock.release()

    def _delete(self) -> None:
        """Delete everything but the lock, under which others do not come in between."""
        for path in self._folder.iterdir():
            if path.name == LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
