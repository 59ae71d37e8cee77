"""Pass: split layers over cores so that every core's limits hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...hw_profiles import HardwareProfile
from ...netx import size_of
from ..placement import Core, Placement, Usage
from ..problems import Problem, raise_problems
from ..stages import ChipConv, ChipDense, ChipInput, ChipLayer, ChipNetwork
from ..stages import neuron_count as count_neurons
from ..synapse_memory import synapse_words

NEURONS = "neurons"
SYNAPSE_WORDS = "synapse words"
INPUT_AXONS = "input axons"
OUTPUT_AXONS = "output axons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A box of a layer's output: channels, rows and columns; a dense layer has channels only."""

    channels: range
    rows: range
    columns: range

    def neurons(self, layer: ChipLayer) -> NDArray[np.int32]:
        """Return the numbers of its neurons, channel slowest, ascending."""
        numbers = np.arange(count_neurons(layer), dtype=np.int32).reshape(_box_shape(layer))
        return numbers[np.ix_(self.channels, self.rows, self.columns)].reshape(-1)

    def inputs(self, layer: ChipLayer) -> NDArray[np.bool_]:
        """Return which neurons of the layer before reach it, flat, channel slowest."""
        if isinstance(layer, ChipInput):
            return np.isin(np.arange(size_of(layer.shape_in)), self.neurons(layer))
        if isinstance(layer, ChipDense):
            return np.ones(size_of(layer.shape_in), dtype=np.bool_)
        reached = np.zeros(layer.shape_in, dtype=np.bool_)
        in_group = layer.shape_in[0] // layer.groups
        out_group = layer.shape_out[0] // layer.groups
        groups = {c // out_group for c in self.channels}
        channels = [c for g in sorted(groups) for c in range(g * in_group, (g + 1) * in_group)]
        rows = _receptive(layer, 0, self.rows)
        columns = _receptive(layer, 1, self.columns)
        reached[np.ix_(channels, rows, columns)] = True
        return reached.reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Give every neuron a core, in the fewest cores a regular split of each layer allows.

    Before: layers.
    After: cores in forward order, each with a box of one layer; evenly split.

    Attributes
    ----------
    profile : HardwareProfile
        The chip.
    """

    profile: HardwareProfile
    name: str = "place"

    def run(self, network: ChipNetwork) -> Placement:
        """Return the placement.

        Raises
        ------
        UnsupportedNetworkError
            With every layer that no split makes fit, or when the chip has too few cores.
        """
        blocks: list[tuple[ChipLayer, Block]] = []
        problems: list[Problem] = []
        for layer in network.layers:
            found = self._split(layer)
            if isinstance(found, Problem):
                problems.append(found)
            else:
                blocks += [(layer, block) for block in found]
        raise_problems(tuple(problems))
        raise_problems(self._too_many_cores(len(blocks)))
        fan_in = [block.inputs(layer) for layer, block in blocks]
        cores = [
            Core(
                index=index,
                layer=layer.name,
                neurons=_read_only(block.neurons(layer)),
                usage=self._usage(layer, block, self._output_axons(network, blocks, fan_in, index)),
            )
            for index, (layer, block) in enumerate(blocks)
        ]
        raise_problems(self._too_many_output_axons(cores))
        return Placement(cores=tuple(cores))

    def ensures(self, network: ChipNetwork, placement: Placement) -> None:
        """Check that every neuron sits on exactly one core and every core is within its limits."""
        for layer in network.layers:
            placed = np.concatenate([c.neurons for c in placement.cores_of(layer.name)])
            assert np.array_equal(np.sort(placed), np.arange(count_neurons(layer))), layer.name
        for core in placement.cores:
            for usage in core.usage:
                assert usage.available is None or usage.used <= usage.available, core

    def _split(self, layer: ChipLayer) -> tuple[Block, ...] | Problem:
        """Return the first split, fewest cores first, whose largest block fits on a core."""
        shape = _box_shape(layer)
        # Bands of rows first: neighbouring rows share most of their inputs
        counts = sorted(_split_counts(layer), key=lambda n: (n[0] * n[1] * n[2], n[0], n[2]))
        one = Block(channels=range(1), rows=range(1), columns=range(1))
        overrun = list(self._overrun(layer, one))
        if overrun:  # no split helps; large layers have many
            return _too_large_for_a_core(layer, overrun[0], self.profile)
        for parts in counts:
            blocks = tuple(
                Block(channels=c, rows=r, columns=w)
                for c, r, w in itertools.product(
                    *(_even_ranges(size, n) for size, n in zip(shape, parts, strict=True))
                )
            )
            # the first block is among the largest, so most splits are refused by it alone
            too_much = next((u for b in blocks for u in self._overrun(layer, b)), None)
            if too_much is None:
                return blocks
            overrun.append(too_much)
        return _too_large_for_a_core(layer, overrun[-1], self.profile)

    def _overrun(self, layer: ChipLayer, block: Block) -> tuple[Usage, ...]:
        """Return the resources of which a block needs more than a core has."""
        return tuple(
            usage
            for usage in self._usage(layer, block, 0)
            if usage.available is not None and usage.used > usage.available
        )

    def _usage(self, layer: ChipLayer, block: Block, output_axons: int) -> tuple[Usage, ...]:
        limits = self.profile.limits
        neurons = len(block.channels) * len(block.rows) * len(block.columns)
        inputs = int(np.count_nonzero(block.inputs(layer)))
        words = synapse_words(
            layer, self.profile, neurons=neurons, channels=block.channels, inputs=inputs
        )
        return tuple(
            Usage(resource=name, used=used, available=None if limit is None else limit.value)
            for name, used, limit in (
                (NEURONS, neurons, limits.neurons_per_core),
                (SYNAPSE_WORDS, words, limits.synapse_words_per_core),
                (INPUT_AXONS, inputs, limits.input_axons_per_core),
                (OUTPUT_AXONS, output_axons, limits.output_axons_per_core),
            )
        )

    def _output_axons(
        self,
        network: ChipNetwork,
        blocks: list[tuple[ChipLayer, Block]],
        fan_in: list[NDArray[np.bool_]],
        index: int,
    ) -> int:
        """Count one axon for each neuron and each core of the next layer that it reaches."""
        layer, block = blocks[index]
        number = network.layers.index(layer)
        neurons = block.neurons(layer)
        axons = 0
        for (other, _), reached in zip(blocks, fan_in, strict=True):
            first = 0  # of the inputs that come from each source
            for source in other.sources:
                size = _source_size(network, source)
                if source == number:
                    axons += int(np.count_nonzero(reached[first + neurons]))
                first += size
            if other is layer and isinstance(layer, ChipDense) and layer.weights_rec is not None:
                axons += neurons.size
        return axons

    def _too_many_cores(self, cores: int) -> tuple[Problem, ...]:
        limit = self.profile.limits.cores_per_chip
        if limit is None or cores <= limit.value:
            return ()
        return (
            Problem(
                layer="network",
                found=f"{cores} cores needed",
                allowed=f"{self.profile.name} has {limit.value} on a chip",
                remedy="Use a smaller network; several chips are not supported by this version.",
                rule="cores_per_chip",
            ),
        )

    def _too_many_output_axons(self, cores: list[Core]) -> tuple[Problem, ...]:
        return tuple(
            Problem(
                layer=core.layer,
                found=f"{usage.used} output axons on core {core.index}",
                allowed=f"{self.profile.name} allows {usage.available} per core",
                remedy="Use a narrower layer, or a next layer that fits on fewer cores.",
                rule="core_output_axons",
            )
            for core in cores
            for usage in core.usage
            if usage.resource == OUTPUT_AXONS
            and usage.available is not None
            and usage.used > usage.available
        )


def _source_size(network: ChipNetwork, source: int) -> int:
    return size_of(network.input_shape) if source < 0 else count_neurons(network.layers[source])


def _too_large_for_a_core(layer: ChipLayer, usage: Usage, profile: HardwareProfile) -> Problem:
    return Problem(
        layer=layer.name,
        found=f"{usage.used} {usage.resource} for a single neuron",
        allowed=f"{profile.name} allows {usage.available} per core",
        remedy="Use a layer with fewer inputs, or compile for another profile.",
        rule="core_" + usage.resource.replace(" ", "_"),
    )


def _box_shape(layer: ChipLayer) -> tuple[int, int, int]:
    """Return the output as (channels, rows, columns); a dense layer has neurons as channels."""
    if not isinstance(layer, ChipConv):
        return (count_neurons(layer), 1, 1)
    channels, rows, columns = layer.shape_out
    return (channels, rows, columns)


def _split_counts(layer: ChipLayer) -> Iterator[tuple[int, int, int]]:
    """Yield in how many parts channels, rows and columns may be cut."""
    channels, rows, columns = _box_shape(layer)
    if not isinstance(layer, ChipConv):
        yield from ((n, 1, 1) for n in range(1, channels + 1))
        return
    # columns are cut only once every row stands alone, so that blocks stay bands
    yield from ((c, r, 1) for c in range(1, channels + 1) for r in range(1, rows + 1))
    yield from ((c, rows, w) for c in range(1, channels + 1) for w in range(2, columns + 1))


def _even_ranges(size: int, parts: int) -> tuple[range, ...]:
    """Cut a range into parts whose lengths differ by at most one, longest first."""
    least, longer = divmod(size, parts)
    ends = list(itertools.accumulate(least + (p < longer) for p in range(parts)))
    return tuple(range(end - least - (p < longer), end) for p, end in enumerate(ends))


def _receptive(layer: ChipConv, axis: int, outputs: range) -> list[int]:
    """Return the input rows (axis 0) or columns (axis 1) that a range of outputs reads."""
    kernel = layer.weights.mantissa.shape[2 + axis]
    size = layer.shape_in[1 + axis]
    stride, padding, dilation = layer.stride[axis], layer.padding[axis], layer.dilation[axis]
    read = {o * stride - padding + k * dilation for o in outputs for k in range(kernel)}
    return sorted(i for i in read if 0 <= i < size)


def _read_only(array: NDArray[np.int32]) -> NDArray[np.int32]:
    array.setflags(write=False)
    return array
