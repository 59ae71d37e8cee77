"""What a backend is, and the table of those there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork
from ..netx import OptionError, suggest
from .spike_input import SpikeInput
from .spike_log import SpikeLog

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
    record_states : bool
        Whether to keep the states of every neuron in every step. Takes 4 bytes a state, 8 for the
        current and voltage of CUBA neurons.
    on_progress : callable
        Called with the number of samples done so far.
    threads : int or None
        How many threads share the samples; None for one a core. Only backend 'engine' has threads.
    """

    record_states: bool = False
    on_progress: Callable[[int], None] = ignore_progress
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise OptionError(f"threads is {self.threads}; at least 1 was expected.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTrace:
    """States of a layer at the end of every step, after the reset of those that fired.

    Attributes
    ----------
    values : mapping of str to int32 array, shape (N, neurons, T)
        By name, as ``sim/neurons`` names them: 'current' and 'voltage' of CUBA neurons, in state
        units, 1/64 of a weight unit.
    """

    values: Mapping[str, NDArray[np.int32]]

    @property
    def current(self) -> NDArray[np.int32]:
        """Current of CUBA neurons."""
        return self.values["current"]

    @property
    def voltage(self) -> NDArray[np.int32]:
        """Voltage of CUBA neurons."""
        return self.values["voltage"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """What came out of a run.

    Attributes
    ----------
    backend : str
        Name of the backend.
    spikes : SpikeLog
        Every spike of every layer.
    states : tuple of StateTrace
        One for each layer in forward order; empty unless recording was asked for.
    wall_s : float
        Time the run took, in seconds, start-up included.
    readout : int32 array, shape (N, neurons, T), or None
        Voltage of the last layer at the end of every step where that layer never fires
        (`has_readout`); None for networks that answer in spikes.
    """

    backend: str
    spikes: SpikeLog
    states: tuple[StateTrace, ...]
    wall_s: float
    readout: NDArray[np.int32] | None = None

    def predictions(self) -> NDArray[np.int64]:
        """Return the class of each sample, shape (N,).

        That is the neuron of the last layer that fired most, or where that layer never fires the
        one whose voltage was the highest on average; of equals the lowest number.
        """
        if self.readout is None:
            return self.spikes.predictions()
        return np.argmax(self.readout.sum(axis=-1, dtype=np.int64), axis=1).astype(np.int64)


class Backend(Protocol):
    """Something that runs compiled networks.

    Every sample starts from rest and nothing of one reaches the next.
    """

    name: str

    def unavailable(self) -> str | None:
        """Return why the backend cannot be used here, as one sentence, or None when it can."""
        ...

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions = ...
    ) -> RunResult:
        """Run every sample and return all spikes."""
        ...


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
