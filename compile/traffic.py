"""Messages between cores: how many, and how far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles import HardwareProfile
from ..netx import IntArray, size_of
from .blocks import Block, block_of
from .core_resources import hears_itself
from .mesh import crossing_table, hop_table
from .placement import Placement
from .stages import ChipDense, ChipLayer, ChipNetwork, neuron_count

FloatArray: TypeAlias = NDArray[np.float64]
SpikeRates: TypeAlias = Mapping[str, NDArray[np.float64] | NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """Messages from core to core; one row for each pair where some are possible.

    Attributes
    ----------
    source, target : int32 array, shape (n,)
        Indices of the cores.
    messages : float64 array, shape (n,)
        As many as the rates say: one for each spike and each core that hears it.
    hops, crossings : int32 array, shape (n,)
        How many routers farther a message goes, and how often from chip to chip.
    """

    source: IntArray
    target: IntArray
    messages: FloatArray
    hops: IntArray
    crossings: IntArray

    @property
    def total_messages(self) -> float:
        """All messages."""
        return float(self.messages.sum())

    @property
    def total_hops(self) -> float:
        """All messages, each times its hops."""
        return float((self.messages * self.hops).sum())

    @property
    def total_crossings(self) -> float:
        """All messages, each times its ways from chip to chip."""
        return float((self.messages * self.crossings).sum())


def core_traffic(
    network: ChipNetwork,
    placement: Placement,
    profile: HardwareProfile,
    spike_rates: SpikeRates | None = None,
) -> Traffic:
    """Count the messages between the cores of a placed network.

    Parameters
    ----------
    network : ChipNetwork
        The layers.
    placement : Placement
        Their neurons on cores.
    profile : HardwareProfile
        Gives the mesh.
    spike_rates : mapping of array, shape () or (neurons,), optional
        Spikes of the neurons of each layer by name, per step or in a run: counts give counts. One
        each if not given.

    Returns
    -------
    Traffic
        Without what host and chip exchange: input of the network, and its answer.
    """
    number = {layer.name: index for index, layer in enumerate(network.layers)}
    blocks = [
        (number[core.layer], block_of(network.layers[number[core.layer]], core.neurons))
        for core in placement.cores
    ]
    source, target, messages = block_messages(network, blocks, spike_rates)
    sites = tuple(core.site for core in placement.cores)
    # distances of pairs, not of all with all: boards have thousands of cores
    hops = np.zeros(source.size, dtype=np.int32)
    crossings = np.zeros(source.size, dtype=np.int32)
    for core in map(int, np.unique(source)):
        rows = np.flatnonzero(source == core)
        there = tuple(sites[int(t)] for t in target[rows])
        hops[rows] = hop_table(profile.mesh, (sites[core],), there)[0]
        crossings[rows] = crossing_table(profile.mesh, (sites[core],), there)[0]
    return Traffic(source=source, target=target, messages=messages, hops=hops, crossings=crossings)


def block_messages(
    network: ChipNetwork, blocks: Sequence[tuple[int, Block]], spike_rates: SpikeRates | None = None
) -> tuple[IntArray, IntArray, FloatArray]:
    """Count the messages between blocks, given as (number of the layer, block).

    Returns
    -------
    source, target : int32 array, shape (n,)
        Positions in `blocks`, sorted by target and then by source.
    messages : float64 array, shape (n,)
        Between them; see `core_traffic`.
    """
    holder = _holders(network, blocks)
    spikes = [_spikes_of(layer, spike_rates) for layer in network.layers]
    sources: list[IntArray] = []
    targets: list[IntArray] = []
    messages: list[FloatArray] = []
    last: tuple[int, tuple[IntArray, FloatArray]] | None = None
    for position, (index, block) in enumerate(blocks):
        layer = network.layers[index]
        if last is not None and last[0] == index and isinstance(layer, ChipDense):
            found = last[1]  # all blocks of a dense layer hear the same
        else:
            found = _senders(network, index, block, holder, spikes)
        last = (index, found)
        sources.append(found[0])
        messages.append(found[1])
        targets.append(np.full(found[0].size, position, dtype=np.int32))
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(messages)


def heard_neurons(network: ChipNetwork, index: int, block: Block) -> Iterator[tuple[int, IntArray]]:
    """Yield each layer that a block hears and the numbers of the neurons it hears of it.

    The network's input is left out; a recurrent layer comes last.
    """
    layer = network.layers[index]
    heard = block.heard(layer)
    first = 0
    for source in layer.sources:
        if source < 0:
            first += size_of(network.input_shape)
            continue
        end = first + neuron_count(network.layers[source])
        low, high = np.searchsorted(heard, (first, end))
        yield source, heard[low:high] - first
        first = end
    if hears_itself(layer):
        yield index, np.arange(neuron_count(layer), dtype=np.int32)


def _senders(
    network: ChipNetwork,
    index: int,
    block: Block,
    holder: list[IntArray],
    spikes: list[FloatArray],
) -> tuple[IntArray, FloatArray]:
    """Return the blocks that a block hears, ascending, and the messages from each."""
    heard = list(heard_neurons(network, index, block))
    if not heard:
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float64)
    holders = np.concatenate([holder[source][neurons] for source, neurons in heard])
    weights = np.concatenate([spikes[source][neurons] for source, neurons in heard])
    found, which = np.unique(holders, return_inverse=True)
    messages: FloatArray = np.bincount(which, weights=weights, minlength=found.size)  # pyright: ignore[reportAssignmentType] - with weights it is float64
    return found, messages


def _holders(network: ChipNetwork, blocks: Sequence[tuple[int, Block]]) -> list[IntArray]:
    """Return for each layer the position of the block that holds each neuron."""
    holder = [np.full(neuron_count(layer), -1, dtype=np.int32) for layer in network.layers]
    for position, (index, block) in enumerate(blocks):
        holder[index][block.neurons(network.layers[index])] = position
    return holder


def _spikes_of(layer: ChipLayer, spike_rates: SpikeRates | None) -> FloatArray:
    count = neuron_count(layer)
    if spike_rates is None:
        return np.ones(count, dtype=np.float64)
    if layer.name not in spike_rates:
        raise ValueError(f"no spike rates of {layer.name}, but of {', '.join(spike_rates)}")
    found = np.broadcast_to(np.asarray(spike_rates[layer.name], dtype=np.float64), (count,))
    if not np.all(np.isfinite(found) & (found >= 0)):
        raise ValueError(f"spike rates of {layer.name} must be finite and not negative")
    return found
