"""What a backend is, and the table of those there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from ..compile import CompiledNetwork
from ..netx import OptionError, suggest
from .run_result import RunResult, join_portions
from .spike_input import SpikeInput
from .timeline import Timeline

# Name and module; a backend is imported when it is asked for. Adding one is a module with a
# class `BACKEND` that implements `Backend`, and a line here.
BACKENDS = {
    "engine": ".engine_backend",
    "lava": ".lava_backend",
    "loihi": ".loihi",
    "reference": ".reference",
}
DEFAULT_BACKEND = "lava"


def ignore_progress(_done: int) -> None:
    """Tell nobody how far a long work is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run.

    Attributes
    ----------
    record : tuple of str
        Which states to keep, of every neuron and step, 4 bytes each: see `recorded_states`.
    timeline : Timeline
        Which clock the results follow.
    on_progress : callable
        Called with the number of samples done so far.
    threads : int or None
        How many threads share the samples; None for one a core. Only backend 'engine' has threads.
    """

    record: tuple[str, ...] = ()
    timeline: Timeline = Timeline.SLAYER
    on_progress: Callable[[int], None] = ignore_progress
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise OptionError(f"threads is {self.threads}; at least 1 was expected.")


class Backend(Protocol):
    """Something that runs compiled networks.

    Every sample starts from rest and nothing of one reaches the next.
    """

    name: str

    def unavailable(self) -> str | None:
        """Return why the backend cannot be used here, as one sentence, or None when it can."""
        ...

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run the samples in order and yield each portion of them when it is done.

        A portion is a run of its own: its samples count from 0. Memory holds one portion, so a
        caller that keeps none can run any number of samples.
        """
        ...

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> RunResult:
        """Run every sample and return everything."""
        return join_portions(self.portions(compiled, inputs, options))


def check_slayer_timeline(options: RunOptions, backend: str) -> None:
    """Raise `OptionError` when results are wanted in a timeline that a backend does not have."""
    if options.timeline is not Timeline.SLAYER:
        raise OptionError(
            f"backend '{backend}' has no timeline '{options.timeline.value}' yet; "
            "backend 'reference' has."
        )


def open_backend(name: str = DEFAULT_BACKEND) -> Backend:
    """Return a backend by name.

    Parameters
    ----------
    name : str
        ``'lava'`` (Lava's CPU simulator), ``'engine'`` (fast), ``'reference'`` (plain NumPy, the
        definition) or ``'loihi'`` (hardware).

    Returns
    -------
    Backend
        Ready to run; where it cannot be used here, `Backend.run` says why.

    Raises
    ------
    OptionError
        When there is no backend of that name.
    """
    if name not in BACKENDS:
        raise OptionError(f"unknown backend '{name}'; {suggest(name, BACKENDS)}.")
    module = importlib.import_module(BACKENDS[name], __package__)
    return cast(Backend, module.BACKEND())
