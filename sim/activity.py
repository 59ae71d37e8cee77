"""What a network did: spikes, synaptic operations and neuron updates, exactly counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compile import ChipConv, ChipDense, ChipInput, ChipLayer, CompiledNetwork, neuron_count
from ..hw_profiles.arithmetic import Int64Array
from .spike_input import SpikeInput
from .spike_log import SpikeLog
from .synapses import correlate


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreActivity:
    """Counts on one core, over all samples and steps; fields as in `LayerActivity`."""

    core: int
    layer: str
    neurons: int
    spikes: int
    synaptic_operations: int


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
    """

    name: str
    neurons: int
    spikes: int
    activity: float
    synaptic_operations: int
    neuron_updates: int


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
    """

    samples: int
    steps: int
    input_spikes: int
    layers: tuple[LayerActivity, ...]
    cores: tuple[CoreActivity, ...]
    chips: int = 1


def count_activity(
    compiled: CompiledNetwork, inputs: SpikeInput, spikes: SpikeLog
) -> ActivityCounts:
    """Count what happened in a run.

    Parameters
    ----------
    compiled : CompiledNetwork
        What ran.
    inputs : SpikeInput
        The samples that were run.
    spikes : SpikeLog
        What came out.

    Returns
    -------
    ActivityCounts
        Whole numbers, summed over samples and steps.
    """
    entering = _input_counts(inputs)
    fired: list[Int64Array] = []
    layers: list[LayerActivity] = []
    cores: list[CoreActivity] = []
    updates = inputs.n_samples * spikes.n_steps
    for index, layer in enumerate(compiled.network.layers):
        arriving = np.concatenate([entering if s < 0 else fired[s] for s in layer.sources])
        leaving = spikes.spike_counts(index).sum(axis=0)
        operations = operations_by_neuron(layer, arriving)
        if not isinstance(layer, ChipInput) and layer.weights_imag is not None:
            operations = 2 * operations  # a weight to either part of a complex state
        if isinstance(layer, ChipDense) and layer.weights_rec is not None:
            operations = operations + leaving.sum()
        neurons = neuron_count(layer)
        layers.append(
            LayerActivity(
                name=layer.name,
                neurons=neurons,
                spikes=int(leaving.sum()),
                activity=float(leaving.sum()) / (neurons * updates),
                synaptic_operations=int(operations.sum()),
                neuron_updates=neurons * updates,
            )
        )
        cores += [
            CoreActivity(
                core=core.index,
                layer=layer.name,
                neurons=int(core.neurons.size),
                spikes=int(leaving[core.neurons].sum()),
                synaptic_operations=int(operations[core.neurons].sum()),
            )
            for core in compiled.placement.cores_of(layer.name)
        ]
        fired.append(leaving)
    return ActivityCounts(
        samples=inputs.n_samples,
        steps=spikes.n_steps,
        input_spikes=int(_input_counts(inputs).sum()),
        layers=tuple(layers),
        cores=tuple(cores),
        chips=compiled.placement.chips,
    )


def operations_by_neuron(layer: ChipLayer, arriving: Int64Array) -> Int64Array:
    """Return how many weights each neuron received.

    Parameters
    ----------
    layer : ChipDense or ChipConv
        The layer.
    arriving : int64 array, shape (inputs,)
        How often each input fired, channel slowest.

    Returns
    -------
    int64 array, shape (neurons,)
        For a convolution, spikes in the receptive field; what lies beyond the border is not there.
    """
    match layer:
        case ChipInput():
            return np.zeros(neuron_count(layer), dtype=np.int64)
        case ChipDense():
            return np.full(neuron_count(layer), arriving.sum(), dtype=np.int64)
        case ChipConv():
            ones = np.ones(layer.weights.mantissa.shape, dtype=np.int64)
            image = arriving.reshape(1, *layer.shape_in)
            met = correlate(image, ones, layer.stride, layer.padding, layer.dilation, layer.groups)
            return met.reshape(-1)


def _input_counts(inputs: SpikeInput) -> Int64Array:
    events = np.count_nonzero(inputs.spikes, axis=(0, inputs.spikes.ndim - 1))
    return events.reshape(-1).astype(np.int64)
