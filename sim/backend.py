"""What a backend is, and the table of those there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable
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
    "lava": ".lava_backend",
    "loihi": ".loihi",
    "reference": ".reference",
}
DEFAULT_BACKEND = "lava"


def _no_progress(_done: int) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run.

    Attributes
    ----------
    record_states : bool
        Whether to keep current and voltage of every neuron in every step. Takes 8 bytes a neuron
        and step.
    on_progress : callable
        Called with the number of samples done so far.
    """

    record_states: bool = False
    on_progress: Callable[[int], None] = _no_progress


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTrace:
    """States of a layer at the end of every step, after the reset of those that fired.

    Attributes
    ----------
    current, voltage : int32 array, shape (N, neurons, T)
        In state units, 1/64 of a weight unit.
    """

    current: NDArray[np.int32]
    voltage: NDArray[np.int32]


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
    """

    backend: str
    spikes: SpikeLog
    states: tuple[StateTrace, ...]
    wall_s: float


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
        ``'lava'`` (Lava's CPU simulator), ``'reference'`` (plain NumPy, the definition) or
        ``'loihi'`` (hardware).

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
