"""Counting what a network does, portion by portion of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..compile import ChipLayer, CompiledNetwork, Traffic, core_traffic, neuron_count
from ..hw_profiles.arithmetic import Int64Array
from ..netx import size_of
from .activity import ActivityCounts, CoreActivity, LayerActivity, StepActivity
from .fan_out import FanOut, fan_out
from .spike_input import SpikeInput
from .spike_log import SpikeLog

EVENTS_AT_ONCE = 1 << 22  # what is counted together of a large log


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoreMessages:
    """Messages of each core.

    Attributes
    ----------
    sent, received : float64 array, shape (cores,)
        Messages from and to each; whole numbers where spikes are, exact below 2**53.
    hops, crossings : float64 array, shape (cores,)
        What those sent go: routers, and ways from chip to chip.
    """

    sent: NDArray[np.float64]
    received: NDArray[np.float64]
    hops: NDArray[np.float64]
    crossings: NDArray[np.float64]


def messages_of_cores(traffic: Traffic, cores: int) -> CoreMessages:
    """Return what each core sends and receives of the traffic; cores are numbered from 0."""

    def total(core: NDArray[np.int32], amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        result = np.zeros(cores, dtype=np.float64)
        np.add.at(result, core, amounts)
        return result

    messages = traffic.messages
    return CoreMessages(
        sent=total(traffic.source, messages),
        received=total(traffic.target, messages),
        hops=total(traffic.source, messages * traffic.hops),
        crossings=total(traffic.source, messages * traffic.crossings),
    )


class ActivityCounter:
    """Counts a run portion by portion; memory does not grow with the samples.

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
        self._fans = [fan_out(compiled, layer) for layer in layers]
        self._core_of = [_core_of_neurons(compiled, layer) for layer in layers]
        n_cores = len(compiled.placement.cores)
        inputs = size_of(compiled.network.input_shape)
        # every number that is counted, so that a run can be gone on with
        self._counted: dict[str, Int64Array] = {
            "samples": np.zeros(1, dtype=np.int64),
            "input steps": np.zeros(1, dtype=np.int64),
            "entering": np.zeros(inputs, dtype=np.int64),
            "graded": np.zeros(1 + len(layers), dtype=np.int64),  # the network's input first
            "input_spikes": np.zeros(n_steps, dtype=np.int64),
            "core_spikes": np.zeros((n_cores, n_steps), dtype=np.int64),
            "core_operations": np.zeros((n_cores, n_steps), dtype=np.int64),
            **{f"fired.{k}": _zeros(layer) for k, layer in enumerate(layers)},
        }

    def state(self) -> dict[str, Int64Array]:
        """Return what has been counted as arrays, to go on from later."""
        return {name: values.copy() for name, values in self._counted.items()}

    def restore(self, state: Mapping[str, NDArray[np.int64]]) -> None:
        """Go on from what `state` returned for the same network."""
        for name, values in self._counted.items():
            values[:] = state[name]

    def add(self, inputs: SpikeInput, spikes: SpikeLog) -> None:
        """Count some samples.

        Parameters
        ----------
        inputs : SpikeInput
            Those samples.
        spikes : SpikeLog
            What came out, of every layer.
        """
        for index in range(len(self._fans)):
            spikes.check_logged(index)
        for block in inputs.blocks():
            self._add_input(block.reshape(block.shape[0], -1, block.shape[-1]))
        for start in range(0, len(spikes), EVENTS_AT_ONCE):
            part = slice(start, start + EVENTS_AT_ONCE)
            layer = spikes.layer[part]
            for index in range(len(self._fans)):
                mine = layer == index
                values = spikes.value[part][mine]
                self._counted["graded"][1 + index] |= int(((values != 1) & (values != -1)).any())
                self._add_events(index, spikes.neuron[part][mine], spikes.step[part][mine])
        self._counted["samples"] += inputs.n_samples
        self._counted["input steps"] += inputs.n_samples * inputs.n_steps

    def _add_input(self, block: NDArray[np.integer]) -> None:
        """Count the network's input, (samples, inputs, T)."""
        events = np.count_nonzero(block, axis=0).astype(np.int64)  # (inputs, T)
        steps = events.shape[1]
        self._counted["entering"] += events.sum(axis=1)
        self._counted["input_spikes"][:steps] += events.sum(axis=0)
        self._counted["graded"][0] |= int(block.max() > 1 or block.min() < -1)
        for fan, first in self._heard_at(-1):
            classes = fan.classes[first : first + len(events)]
            by_class = np.zeros((fan.by_core.shape[1], steps), dtype=np.int64)
            order = np.argsort(classes, kind="stable")
            found, starts = np.unique(classes[order], return_index=True)
            by_class[found] = np.add.reduceat(events[order], starts, axis=0)
            self._counted["core_operations"][fan.cores, :steps] += _deliver(fan, by_class)

    def _add_events(self, index: int, neuron: NDArray[np.int32], step: NDArray[np.int32]) -> None:
        """Count spikes of a layer."""
        fired = self._counted[f"fired.{index}"]
        fired += np.bincount(neuron, minlength=fired.size)
        cores = self._fans[index].cores
        sent = self._by_step(self._core_of[index][neuron], step, len(cores))
        self._counted["core_spikes"][cores] += sent
        for fan, first in self._heard_at(index):
            by_class = self._by_step(fan.classes[first + neuron], step, fan.by_core.shape[1])
            self._counted["core_operations"][fan.cores] += _deliver(fan, by_class)
        own = self._fans[index].own
        if own.any():
            self._counted["core_operations"][cores] += np.outer(own, sent.sum(axis=0))

    def _by_step(
        self, group: NDArray[np.integer], step: NDArray[np.int32], groups: int
    ) -> Int64Array:
        """Return how many events each group has in each step, shape (groups, T)."""
        flat = group.astype(np.int64) * self._n_steps + step
        return np.bincount(flat, minlength=groups * self._n_steps).reshape(groups, -1)

    def _heard_at(self, source: int) -> list[tuple[FanOut, int]]:
        """Return for each layer that hears a source, as often as it does, the first input of it."""
        found: list[tuple[FanOut, int]] = []
        for layer, fan in zip(self._compiled.network.layers, self._fans, strict=True):
            first = 0
            for each in layer.sources if fan.classes.size else ():
                if each == source:
                    found.append((fan, first))
                first += self._fired(each).size
        return found

    def _fired(self, source: int) -> Int64Array:
        """Return how often each neuron of a layer, or each input of the network, fired."""
        return self._counted["entering" if source < 0 else f"fired.{source}"]

    def counts(self) -> ActivityCounts:
        """Return the counts of all samples so far; there must be one at least."""
        placement, network = self._compiled.placement, self._compiled.network
        samples = int(self._counted["samples"][0])
        updates = samples * self._n_steps
        traffic, by_step = self._traffic(), self._steps()
        into = self._input_messages()
        cores = tuple(
            CoreActivity(
                core=core.index,
                layer=core.layer,
                neurons=int(core.neurons.size),
                spikes=int(by_step.core_spikes[core.index].sum()),
                synaptic_operations=int(by_step.core_operations[core.index].sum()),
                neuron_updates=int(core.neurons.size) * updates,
                messages_in=int(traffic.received[core.index]),
                messages_out=int(traffic.sent[core.index]),
                input_messages=int(into[core.index]),
                hops=int(traffic.hops[core.index]),
                crossings=int(traffic.crossings[core.index]),
            )
            for core in placement.cores
        )
        return ActivityCounts(
            samples=samples,
            steps=self._n_steps,
            input_spikes=int(self._counted["entering"].sum()),
            layers=tuple(
                self._layer(index, [core for core in cores if core.layer == layer.name])
                for index, layer in enumerate(network.layers)
            ),
            cores=cores,
            chips=placement.chips,
            by_step=by_step,
        )

    def _layer(self, index: int, cores: list[CoreActivity]) -> LayerActivity:
        layer, fan = self._compiled.network.layers[index], self._fans[index]
        fired, samples = self._fired(index), int(self._counted["samples"][0])
        arriving = [self._fired(source) for source in layer.sources if fan.classes.size]
        effective = sum(int(np.dot(a, b)) for a, b in self._met(fan, arriving))
        effective += int(np.dot(fired, fan.own_nonzero))
        operations, spikes = sum(core.synaptic_operations for core in cores), int(fired.sum())
        heard = [*layer.sources, index] if fan.own.any() else layer.sources
        updates = fired.size * samples * self._n_steps
        return LayerActivity(
            name=layer.name,
            neurons=fired.size,
            spikes=spikes,
            activity=spikes / updates,
            synaptic_operations=operations,
            neuron_updates=updates,
            synapses=fan.synapses,
            effective_operations=effective,
            dense_operations=fan.synapses * int(self._counted["input steps"][0]),
            spikes_per_synapse=operations / (fan.synapses * samples) if fan.synapses else 0.0,
            takes_graded=any(bool(self._counted["graded"][1 + source]) for source in heard),
            messages=sum(core.messages_out for core in cores),
            hops=sum(core.hops for core in cores),
            crossings=sum(core.crossings for core in cores),
        )

    @staticmethod
    def _met(fan: FanOut, arriving: list[Int64Array]) -> list[tuple[Int64Array, Int64Array]]:
        ends = np.cumsum([each.size for each in arriving])[:-1]
        return list(zip(arriving, np.split(fan.nonzero, ends), strict=True)) if arriving else []

    def _steps(self) -> StepActivity:
        spikes, operations = self._counted["core_spikes"], self._counted["core_operations"]
        return StepActivity(
            input_spikes=self._counted["input_spikes"].copy(),
            layer_spikes=np.array([spikes[fan.cores].sum(axis=0) for fan in self._fans]),
            layer_operations=np.array([operations[fan.cores].sum(axis=0) for fan in self._fans]),
            core_spikes=spikes.copy(),
            core_operations=operations.copy(),
        )

    def _traffic(self) -> CoreMessages:
        network, placement = self._compiled.network, self._compiled.placement
        rates = {layer.name: self._fired(k) for k, layer in enumerate(network.layers)}
        found = core_traffic(network, placement, self._compiled.profile, rates)
        return messages_of_cores(found, len(placement.cores))

    def _input_messages(self) -> Int64Array:
        """Return how many spikes of the network's input reached each core."""
        entering = self._counted["entering"]
        found = np.zeros(len(self._compiled.placement.cores), dtype=np.int64)
        for fan, first in self._heard_at(-1):
            by_class = np.zeros(fan.by_core.shape[1], dtype=np.int64)
            np.add.at(by_class, fan.classes[first : first + entering.size], entering)
            found[fan.cores] += (fan.by_core > 0) @ by_class
        return found


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


def _deliver(fan: FanOut, by_class: Int64Array) -> Int64Array:
    """Return the operations that spikes cause on each core in each step.

    float64 has fast matrix products and is exact: a portion's sums are far below 2**53.
    """
    return (fan.by_core.astype(np.float64) @ by_class.astype(np.float64)).astype(np.int64)


def _core_of_neurons(compiled: CompiledNetwork, layer: ChipLayer) -> NDArray[np.int32]:
    """Return for each neuron which of the layer's cores holds it, counted from 0."""
    found = np.zeros(neuron_count(layer), dtype=np.int32)
    for position, core in enumerate(compiled.placement.cores_of(layer.name)):
        found[core.neurons] = position
    return found


def _zeros(layer: ChipLayer) -> Int64Array:
    return np.zeros(neuron_count(layer), dtype=np.int64)
