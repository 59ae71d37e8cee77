"""What comes out of a run, and the runs of portions of its samples put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .spike_log import SpikeLog
from .timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTrace:
    """States of a layer at the end of every step, after the reset of those that fired.

    Attributes
    ----------
    values : mapping of str to int32 array, shape (N, neurons, T)
        Those that were recorded, by name (`state_names`), in state units, 1/64 of a weight unit;
        those of sigma-delta neurons in 2**-18.
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
        One for each layer in forward order; empty unless states were recorded.
    wall_s : float
        Time the run took, in seconds, start-up included.
    readout : int32 array, shape (N, neurons, T), or None
        Voltage of the last layer at the end of every step where that layer never fires
        (`has_readout`); None for networks that answer in spikes.
    timeline : Timeline
        Which clock steps follow.
    predicted : int64 array, shape (N,), or None
        What `predictions` returned while the run went on, where its log may lack the last layer.
    """

    backend: str
    spikes: SpikeLog
    states: tuple[StateTrace, ...]
    wall_s: float
    readout: NDArray[np.int32] | None = None
    timeline: Timeline = Timeline.SLAYER
    predicted: NDArray[np.int64] | None = None

    def predictions(self) -> NDArray[np.int64]:
        """Return the class of each sample, shape (N,).

        That is the neuron of the last layer that fired most, or where that layer never fires the
        one whose voltage was the highest on average; of equals the lowest number.
        """
        if self.predicted is not None:
            return self.predicted
        if self.readout is None:
            return self.spikes.predictions()
        return np.argmax(self.readout.sum(axis=-1, dtype=np.int64), axis=1).astype(np.int64)


def only(
    states: tuple[StateTrace, ...], recorded: Sequence[Sequence[str]]
) -> tuple[StateTrace, ...]:
    """Return the states that were asked for, by name for each layer; () when none were."""
    if not any(recorded):
        return ()
    return tuple(
        StateTrace(values={name: trace.values[name] for name in names})
        for trace, names in zip(states, recorded, strict=True)
    )


def join_portions(portions: Iterable[RunResult]) -> RunResult:
    """Return the run that portions of it make; there must be one at least."""
    parts = list(portions)
    if len(parts) == 1:
        return parts[0]
    readouts = [part.readout for part in parts if part.readout is not None]
    return RunResult(
        backend=parts[0].backend,
        spikes=join_logs([part.spikes for part in parts]),
        states=tuple(
            StateTrace(
                values={
                    name: np.concatenate([part.states[layer].values[name] for part in parts])
                    for name in trace.values
                }
            )
            for layer, trace in enumerate(parts[0].states)
        ),
        wall_s=sum(part.wall_s for part in parts),
        readout=np.concatenate(readouts) if readouts else None,
        timeline=parts[0].timeline,
    )


def join_logs(logs: Sequence[SpikeLog]) -> SpikeLog:
    """Return one log of samples that follow each other."""
    first = np.cumsum([0, *(log.n_samples for log in logs)])
    samples = [log.sample + np.int32(start) for log, start in zip(logs, first[:-1], strict=True)]
    return SpikeLog(
        sample=np.concatenate(samples),
        step=np.concatenate([log.step for log in logs]),
        layer=np.concatenate([log.layer for log in logs]),
        neuron=np.concatenate([log.neuron for log in logs]),
        value=np.concatenate([log.value for log in logs]),
        layer_names=logs[0].layer_names,
        layer_sizes=logs[0].layer_sizes,
        n_samples=int(first[-1]),
        n_steps=logs[0].n_steps,
        not_logged=logs[0].not_logged,
    )
