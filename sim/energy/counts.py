"""What the energy model asks of a run: how often each thing happened, by layer and by core.

Counts are sums over all inferences and steps. They are whole numbers after a run, and real ones
where they are expected from rates. None stands for what was not counted; the model then leaves the
term out, or says what it takes instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOperations:
    """Operations of one layer.

    Attributes
    ----------
    name : str
        Name of the layer.
    neurons : int
        How many it has.
    connections : int or None
        Places where a weight acts: what an artificial network multiplies in one inference.
    spikes, synaptic_operations, neuron_updates : float
        As in `LayerActivity`.
    active_updates : float or None
        Updates of neurons that did not rest.
    messages, hops, crossings : float or None
        Spikes that its cores sent, one for each core that hears them; how many routers farther
        these went; how often from chip to chip.
    """

    name: str
    neurons: int
    connections: int | None = None
    spikes: float
    synaptic_operations: float
    neuron_updates: float
    active_updates: float | None = None
    messages: float | None = None
    hops: float | None = None
    crossings: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreOperations:
    """Operations on one core; `messages_in` are those that arrive there."""

    core: int
    layer: str
    neurons: int
    spikes: float
    synaptic_operations: float
    messages_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepLoads:
    """What the cores do in each step, from which follows which of them is the slowest then.

    Attributes
    ----------
    synaptic_operations, spikes : float64 array, shape (steps, cores)
        Of an inference, on average over the inferences; cores in the order of the counts.
    messages_in : float64 array, shape (steps, cores), or None
        As above.
    """

    synaptic_operations: FloatArray
    spikes: FloatArray
    messages_in: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperationCounts:
    """Operations of a run.

    Attributes
    ----------
    inferences, steps : int
        How many inferences (samples), and steps of each.
    layers : tuple of LayerOperations
        In forward order.
    cores : tuple of CoreOperations
        In order of the cores; those in use.
    chips : int
        Chips that these are on.
    loads : StepLoads or None
        Without them all steps are taken to be like the average one.
    """

    inferences: int
    steps: int
    layers: tuple[LayerOperations, ...]
    cores: tuple[CoreOperations, ...]
    chips: int = 1
    loads: StepLoads | None = None

    @property
    def has_messages(self) -> bool:
        """Whether messages between cores were counted."""
        return all(layer.messages is not None for layer in self.layers)
