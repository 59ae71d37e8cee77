"""The pen of the neuron models: spikes and states go to files, not through Lava.

Reading a Lava variable costs tens of microseconds an element, a sink or probe one more operating
system process for each layer. A file costs a write, and what was written when a process dies is
there to be read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sample_window import SampleWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """What a process writes, and when.

    Attributes
    ----------
    window : SampleWindow
        The steps in which it works.
    spike_path : str
        File of int32 rows (Lava's step, neuron, value), without the value where spikes are binary;
        empty for none.
    has_values : bool
        Whether spikes carry values.
    state_path : str
        File of the states of every step of every sample, int32; empty for none.
    states : tuple of str
        Which states, in this order in every step.
    """

    window: SampleWindow
    spike_path: str = ""
    has_values: bool = False
    state_path: str = ""
    states: tuple[str, ...] = ()


class Recorder:
    """Writes what a plan asks for; everything of a sample is in the file when it has ended.

    Made in the process that runs the model, since it opens files.
    """

    def __init__(self, plan: RecordPlan) -> None:
        self._plan = plan
        # open as long as the process lives; written out at the end of a sample
        self._events = open(plan.spike_path, "wb", 1 << 16) if plan.spike_path else None  # noqa: SIM115 - see above
        self._states = open(plan.state_path, "wb", 1 << 16) if plan.state_path else None  # noqa: SIM115 - see above

    def note_spikes(self, time_step: int, step: int, sent: NDArray[np.generic]) -> None:
        """Write the events of a step; they count in C order."""
        if self._events is None or step < 0:
            return
        neurons = np.flatnonzero(sent)
        if neurons.size:
            rows = np.empty((neurons.size, 3 if self._plan.has_values else 2), dtype=np.int32)
            rows[:, 0] = time_step
            rows[:, 1] = neurons
            if self._plan.has_values:
                rows[:, 2] = sent.reshape(-1)[neurons]
            self._events.write(rows.tobytes())

    def note_states(self, step: int, model: object, attributes: dict[str, str]) -> None:
        """Write the states that a step left; `attributes` says where the model has them."""
        if self._states is None or step < 0:
            return
        for name in self._plan.states:
            state = getattr(model, attributes[name])
            self._states.write(np.ascontiguousarray(state, dtype=np.int32).tobytes())

    def end_step(self, step: int) -> None:
        """Hand the operating system what was written, if a sample ends with this step."""
        if step != self._plan.window.steps - 1:
            return
        for file in (self._events, self._states):
            if file is not None:
                file.flush()
