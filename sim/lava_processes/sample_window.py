"""When a process works on which step of which sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleWindow:
    """The steps of Lava in which one process works; between them it rests and sends nothing.

    Attributes
    ----------
    first : int
        Lava's step, counted from 1, in which the first sample begins, its lead in.
    lead : int
        Steps that the process works before step 0 of a sample, which nothing reports.
    steps : int
        Steps of a sample, T.
    interval : int
        Steps from the start of one sample to that of the next, ``lead + steps`` or more.
    samples : int
        How many samples there are.
    """

    first: int
    lead: int
    steps: int
    interval: int
    samples: int

    def step_at(self, time_step: int) -> int | None:
        """Return the sample's step, from ``-lead``, at a step of Lava; None where it rests.

        Examples
        --------
        >>> window = SampleWindow(first=3, lead=1, steps=2, interval=4, samples=2)
        >>> [window.step_at(time) for time in range(2, 12)]
        [None, -1, 0, 1, None, -1, 0, 1, None, None]
        """
        sample, since = divmod(time_step - self.first, self.interval)
        if not 0 <= sample < self.samples or since >= self.lead + self.steps:
            return None
        return since - self.lead

    def last_step_of(self, sample: int) -> int:
        """Return Lava's step in which a sample ends."""
        return self.first + sample * self.interval + self.lead + self.steps - 1
