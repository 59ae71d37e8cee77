"""How a layer is wired: who hears it, on how many cores, and how late it hears others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..netx import IntArray, size_of
from .blocks import Cut, box_shape, heard_channels, heard_positions
from .core_resources import Readers
from .stages import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    ChipNetwork,
    input_count,
    neuron_count,
)
from .synapse_memory import delay_bits_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wiring:
    """Who hears a layer, other than itself, and how late it hears others.

    Attributes
    ----------
    readers : Readers
        How many layers of which kind.
    sums : int64 array, shape (channels + 1, rows + 1, columns + 1)
        At [c, r, w] how many cores hear the neurons before c, r and w, added.
    delay_bits : int
        Bits that each of the layer's synapses spends on the delays of what it hears.
    """

    readers: Readers
    sums: NDArray[np.int64] = field(repr=False)
    delay_bits: int

    def pairs_of(self, cut: Cut) -> NDArray[np.int64]:
        """Return the pairs of each block, int64 array of shape (channels, rows, columns)."""
        axes = (cut.channels, cut.rows, cut.columns)
        ends = [np.array([parts[0].start, *(part.stop for part in parts)]) for parts in axes]
        found = self.sums[np.ix_(*ends)]
        for axis in range(3):
            found = np.diff(found, axis=axis)
        return found


def wiring_of(network: ChipNetwork, index: int, cuts: Mapping[int, Cut]) -> Wiring:
    """Return how a layer is wired, given how all later layers are cut."""
    layer = network.layers[index]
    dense, convolutions = 0, list[int]()
    cores = np.zeros(neuron_count(layer), dtype=np.int64)
    for number, first in _places(network, index):
        reader = network.layers[number]
        if isinstance(reader, ChipConv):
            convolutions.append(len(cuts[number].channels))
        else:
            dense += 1
        cores += _hearing_cores(reader, cuts[number])[first : first + cores.size]
    shape = box_shape(layer)
    sums = np.zeros(tuple(size + 1 for size in shape), dtype=np.int64)
    sums[1:, 1:, 1:] = cores.reshape(shape).cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
    return Wiring(
        readers=Readers(dense=dense, convolutions=tuple(convolutions)),
        sums=sums,
        delay_bits=delay_bits_of(_longest_delay(network, layer)),
    )


def heard_count(layer: ChipLayer, axis: int, part: range) -> int:
    """Return over how many channels (axis 0), rows or columns of its input a part of a layer hears.

    The product of the three is the number of inputs that a block hears.
    """
    match layer:
        case ChipInput():
            return len(part)
        case ChipDense():
            return input_count(layer) if axis == 0 else 1
        case ChipConv():
            if axis == 0:
                return heard_channels(layer, part).size
            return heard_positions(layer, axis - 1, part).size


def _longest_delay(network: ChipNetwork, layer: ChipLayer) -> int:
    """Return the longest axonal delay of the layers that a layer hears, in steps."""
    delays = (
        source.delay
        for source in (network.layers[number] for number in layer.sources if number >= 0)
        if not isinstance(source, ChipInput)
    )
    return max((int(delay.max(initial=0)) for delay in delays if delay is not None), default=0)


def _places(network: ChipNetwork, index: int) -> Iterator[tuple[int, int]]:
    """Yield each layer that hears another, and where the other's neurons begin in its input."""
    for number, reader in enumerate(network.layers):
        first = 0
        for source in reader.sources:
            if source == index:
                yield number, first
            first += (
                size_of(network.input_shape) if source < 0 else neuron_count(network.layers[source])
            )


def _hearing_cores(reader: ChipLayer, cut: Cut) -> IntArray:
    """Return how many blocks of a cut hear each input of a layer, flat."""
    if not isinstance(reader, ChipConv):
        return np.full(input_count(reader), cut.parts, dtype=np.int32)
    channels, rows, columns = (np.zeros(size, dtype=np.int32) for size in reader.shape_in)
    for part in cut.channels:
        channels[heard_channels(reader, part)] += 1
    for part in cut.rows:
        rows[heard_positions(reader, 0, part)] += 1
    for part in cut.columns:
        columns[heard_positions(reader, 1, part)] += 1
    return (channels[:, None, None] * rows[:, None] * columns).reshape(-1)
