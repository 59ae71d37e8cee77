"""What a network did: spikes, synaptic operations, updates and messages, exactly counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..hw_profiles.arithmetic import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreActivity:
    """Counts on one core, over all samples and steps; fields as in `LayerActivity`.

    Attributes
    ----------
    core : int
        Number of the core in the placement.
    layer : str
        Whose neurons it holds.
    messages_in : int
        Spikes that reached it from cores, itself too.
    messages_out : int
        Spikes that left it, once for each core that hears them.
    input_messages : int
        Spikes of the network's input that reached it.
    hops, crossings : int
        Of the messages that left it: routers on their way, and ways from chip to chip.
    """

    core: int
    layer: str
    neurons: int
    spikes: int
    synaptic_operations: int
    neuron_updates: int = 0
    messages_in: int = 0
    messages_out: int = 0
    input_messages: int = 0
    hops: int = 0
    crossings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerActivity:
    """Counts of one layer, over all samples and steps.

    Attributes
    ----------
    name : str
        Name of the layer.
    neurons : int
        How many it has; each is updated once a step.
    spikes : int
        Spikes that left it.
    activity : float
        Spikes by neuron and step, 0 to 1.
    synaptic_operations : int
        Weights that arriving spikes met, zeros included, since they are stored and delivered;
        exact at the borders of convolutions.
    neuron_updates : int
        ``neurons * samples * steps``.
    synapses : int
        Its connections: what one spike of every input would meet.
    effective_operations : int
        Weights other than 0 that arriving spikes met, as NeuroBench counts them.
    dense_operations : int
        ``synapses * samples * steps of the input``: were every input a spike in every step.
    spikes_per_synapse : float
        Spikes that a synapse carried in an inference, on average.
    takes_graded : bool
        Whether numbers other than -1, 0 and 1 arrived.
    messages, hops, crossings : int
        Of all its cores; see `CoreActivity`.
    """

    name: str
    neurons: int
    spikes: int
    activity: float
    synaptic_operations: int
    neuron_updates: int
    synapses: int = 0
    effective_operations: int = 0
    dense_operations: int = 0
    spikes_per_synapse: float = 0.0
    takes_graded: bool = False
    messages: int = 0
    hops: int = 0
    crossings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepActivity:
    """Counts of every step, over all samples.

    Operations stand at the step in which the spikes were sent that caused them.

    Attributes
    ----------
    input_spikes : int64 array, shape (T,)
        Spikes that came in.
    layer_spikes, layer_operations : int64 array, shape (layers, T)
        Spikes that left each layer, and its synaptic operations.
    core_spikes, core_operations : int64 array, shape (cores, T)
        The same of each core.
    """

    input_spikes: Int64Array
    layer_spikes: Int64Array
    layer_operations: Int64Array
    core_spikes: Int64Array
    core_operations: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCounts:
    """Counts of a run.

    Attributes
    ----------
    samples, steps : int
        How many samples, and steps of each.
    input_spikes : int
        Spikes that came in.
    layers : tuple of LayerActivity
        In forward order.
    cores : tuple of CoreActivity
        In order of the cores.
    chips : int
        Chips that these are on.
    by_step : StepActivity or None
        The course over the steps; in a run folder it is in ``activity.npz``, not in ``run.json``.
    """

    samples: int
    steps: int
    input_spikes: int
    layers: tuple[LayerActivity, ...]
    cores: tuple[CoreActivity, ...]
    chips: int = 1
    by_step: StepActivity | None = field(default=None, compare=False, metadata={"json": False})
