"""What a network did: spikes, synaptic operations and neuron updates, exactly counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..compile import ChipConv, ChipDense, ChipInput, ChipLayer, CompiledNetwork, neuron_count
from ..hw_profiles.arithmetic import Int64Array
from ..netx import size_of
from .spike_input import SpikeInput, sample_blocks
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


class ActivityCounter:
    """Counts a run portion by portion.

    Parameters
    ----------
    compiled : CompiledNetwork
        What runs.
    n_steps : int
        Steps that the logs show of a sample; see `Timeline`.
    """

    def __init__(self, compiled: CompiledNetwork, n_steps: int) -> None:
        self._compiled = compiled
        self._n_steps = n_steps
        layers = compiled.network.layers
        self._samples = 0
        self._entering = np.zeros(size_of(compiled.network.input_shape), dtype=np.int64)
        self._fired = [np.zeros(neuron_count(layer), dtype=np.int64) for layer in layers]

    def add(self, inputs: SpikeInput, spikes: SpikeLog) -> None:
        """Count some samples.

        Parameters
        ----------
        inputs : SpikeInput
            Those samples.
        spikes : SpikeLog
            What came out, of every layer.
        """
        for index, fired in enumerate(self._fired):
            spikes.check_logged(index)
            fired += np.bincount(spikes.neuron[spikes.layer == index], minlength=fired.size)
        for block in sample_blocks(inputs.spikes):
            self._entering += np.count_nonzero(block, axis=(0, block.ndim - 1)).reshape(-1)
            inputs.forget()
        self._samples += inputs.n_samples

    def state(self) -> dict[str, Int64Array]:
        """Return what has been counted as arrays, to go on from later."""
        counted = {f"fired.{index}": fired for index, fired in enumerate(self._fired)}
        samples = np.array(self._samples, dtype=np.int64)
        return {"samples": samples, "entering": self._entering, **counted}

    def restore(self, state: Mapping[str, Int64Array]) -> None:
        """Go on from what `state` returned for the same network."""
        self._samples = int(state["samples"])
        self._entering[:] = state["entering"]
        for index, fired in enumerate(self._fired):
            fired[:] = state[f"fired.{index}"]

    def counts(self) -> ActivityCounts:
        """Return the counts of all samples so far; there must be one at least."""
        layers: list[LayerActivity] = []
        cores: list[CoreActivity] = []
        updates = self._samples * self._n_steps
        for layer, leaving in zip(self._compiled.network.layers, self._fired, strict=True):
            arriving = np.concatenate(
                [self._entering if s < 0 else self._fired[s] for s in layer.sources]
            )
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
                for core in self._compiled.placement.cores_of(layer.name)
            ]
        return ActivityCounts(
            samples=self._samples,
            steps=self._n_steps,
            input_spikes=int(self._entering.sum()),
            layers=tuple(layers),
            cores=tuple(cores),
            chips=self._compiled.placement.chips,
        )


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

    Raises
    ------
    RunFolderError
        When layers are not in the log.
    """
    counter = ActivityCounter(compiled, spikes.n_steps)
    counter.add(inputs, spikes)
    return counter.counts()


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
