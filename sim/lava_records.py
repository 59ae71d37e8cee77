"""What a run on Lava wrote: spikes and states in files that grow, read portion by portion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..compile import ChipLayer, neuron_count
from .lava_order import lava_order
from .lava_processes.sample_window import SampleWindow
from .run_result import StateTrace
from .spike_log import LayerEvents


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerFiles:
    """The files of one layer.

    Attributes
    ----------
    layer : ChipLayer
        Gives size and order of the neurons.
    window : SampleWindow
        When the layer works.
    folder : Path
        Where the files are.
    index : int
        Number of the layer, which the files are called by.
    has_values : bool
        Whether spikes carry values.
    states : tuple of str
        Which states were written.
    """

    layer: ChipLayer
    window: SampleWindow
    folder: Path
    index: int
    has_values: bool
    states: tuple[str, ...]


class LayerReader:
    """Reads what a layer wrote since the last time.

    Parameters
    ----------
    files : LayerFiles
        The layer's files.
    """

    def __init__(self, files: LayerFiles) -> None:
        self._files = files
        self._columns = 3 if files.has_values else 2
        self._read = 0  # bytes of the spikes' file
        self._kept = np.empty((0, self._columns), dtype=np.int32)  # of samples not finished yet
        self._order = lava_order(files.layer.shape_out)

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return self._files.window.steps

    def events(self, samples: range) -> LayerEvents:
        """Return the events of some samples, which count from 0 then.

        Samples are to be asked for once each and in order.
        """
        rows = np.concatenate([self._kept, self._new_rows()])
        window = self._files.window
        sample, since = np.divmod(rows[:, 0].astype(np.int64) - window.first, window.interval)
        ours = sample < samples.stop
        self._kept = rows[~ours]
        return LayerEvents(
            sample=sample[ours] - samples.start,
            step=since[ours] - window.lead,
            neuron=self._order[rows[ours, 1]],
            value=rows[ours, 2] if self._files.has_values else None,
        )

    def trace(self, samples: range) -> StateTrace:
        """Return the states of some samples."""
        files = self._files
        neurons, steps, count = neuron_count(files.layer), files.window.steps, len(files.states)
        if not count:
            return StateTrace(values={})
        sample_size = steps * count * neurons
        found: NDArray[np.int32] = np.fromfile(
            files.folder / f"{files.index}.states",
            dtype=np.int32,
            count=len(samples) * sample_size,
            offset=4 * samples.start * sample_size,
        ).reshape(len(samples), steps, count, neurons)
        values: dict[str, NDArray[np.int32]] = {}
        for number, name in enumerate(files.states):
            ours = np.empty((len(samples), neurons, steps), dtype=np.int32)
            ours[:, self._order] = found[:, :, number].transpose(0, 2, 1)
            values[name] = ours
        return StateTrace(values=values)

    def _new_rows(self) -> NDArray[np.int32]:
        path = self._files.folder / f"{self._files.index}.spikes"
        size = 4 * self._columns
        with path.open("rb") as file:
            file.seek(self._read)
            found = file.read()
        whole = len(found) // size * size  # the process may be writing
        self._read += whole
        return np.frombuffer(found[:whole], dtype=np.int32).reshape(-1, self._columns)
