"""Pass: cut layers into blocks, one for each core, so that every core's limits hold.

Layers are cut from the last to the first, since what a core sends depends on how those that hear it
are cut. A layer is cut along channels, rows and columns into a regular grid; a dense layer by its
neurons, each of which keeps all its inputs: the sum of a neuron is made on one core only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ...hw_profiles import HardwareProfile
from ..axis_cuts import (
    Axes,
    AxisCut,
    axis_cut,
    binary_cuts,
    cut_of,
    different_channels,
    even_cuts,
    even_ranges,
    filled_ranges,
    finest,
    first_that,
    halved_cuts,
)
from ..blocks import Cut, box_shape
from ..core_resources import (
    OUTPUT_AXONS,
    SYNAPSE_WORDS,
    Extent,
    core_usage,
    hears_itself,
    limit_of,
)
from ..placement import Usage
from ..problems import Problem, raise_problems
from ..rules_of_cores import core_problems
from ..stages import ChipConv, ChipLayer, ChipNetwork, neuron_count
from ..wiring import Wiring, heard_count, wiring_of

Overruns: TypeAlias = Callable[[Axes], list[Usage]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerBlocks:
    """A layer cut into blocks.

    Attributes
    ----------
    cut : Cut
        The blocks.
    usage : tuple of tuple of Usage
        What each block takes of its core, in the order of ``cut.blocks()``.
    """

    cut: Cut
    usage: tuple[tuple[Usage, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Cut every layer into as few blocks as the profile's way of cutting allows.

    Before: layers.
    After: for each layer a grid of blocks, each of which fits on a core.

    Attributes
    ----------
    profile : HardwareProfile
        Limits, formulas and the way of cutting.
    """

    profile: HardwareProfile
    name: str = "partition"

    def run(self, network: ChipNetwork) -> tuple[LayerBlocks, ...]:
        """Return the blocks of each layer.

        Raises
        ------
        UnsupportedNetworkError
            With every layer of which not even a single neuron fits on a core.
        """
        cuts: dict[int, Cut] = {}
        found: list[LayerBlocks] = []
        problems: list[Problem] = []
        for index in reversed(range(len(network.layers))):
            layer = network.layers[index]
            wiring = wiring_of(network, index, cuts)
            cut = self._cut(layer, wiring)
            if isinstance(cut, tuple):
                problems = [*cut, *problems]  # layers come last to first
                cut = _whole(layer)  # as if it fitted, to find what else is wrong
            cuts[index] = cut
            found.append(LayerBlocks(cut=cut, usage=self._usage(layer, wiring, cut)))
        raise_problems(problems)
        return tuple(reversed(found))

    def ensures(self, network: ChipNetwork, found: tuple[LayerBlocks, ...]) -> None:
        """Check that the parts of each axis follow each other and every block fits on a core."""
        for layer, blocks in zip(network.layers, found, strict=True):
            axes = (blocks.cut.channels, blocks.cut.rows, blocks.cut.columns)
            for size, parts in zip(box_shape(layer), axes, strict=True):
                assert list(itertools.chain(*parts)) == list(range(size)), layer.name
            assert not [u for usage in blocks.usage for u in usage if u.exceeds], layer.name

    def _cut(self, layer: ChipLayer, wiring: Wiring) -> Cut | tuple[Problem, ...]:
        singles = finest(layer)
        problems = core_problems(
            layer.name, tuple(self._most(layer, wiring, singles)), self.profile
        )
        if problems:
            return problems

        # Intel's compiler for Loihi 1 (NxTF) keeps the words of a core below its memory, not at it
        as_lava = self.profile.partition.model == "lava-loihi2"
        kept_below = SYNAPSE_WORDS if as_lava else None

        def overruns(axes: Axes) -> list[Usage]:
            taken = self._most(layer, wiring, axes)
            return [u for u in taken if u.exceeds or (u.resource == kept_below and u.is_full)]

        if isinstance(layer, ChipConv) or box_shape(layer)[1:] != (1, 1):
            return cut_of(_cut_image(layer, overruns, as_lava=as_lava) or singles)
        if as_lava:
            most = self.profile.limits.neurons_per_core
            bound = neuron_count(layer) if most is None else most.value
            return cut_of(_cut_repeatedly(layer, bound, overruns) or singles)
        return cut_of(_cut_evenly(layer, overruns))

    def _most(self, layer: ChipLayer, wiring: Wiring, axes: Axes) -> Iterator[Usage]:
        """Yield the most that any block of a cut takes of each resource."""
        channels, rows, columns = axes
        pairs = 0
        if limit_of(self.profile, OUTPUT_AXONS) is not None:
            cut = cut_of(axes)
            pairs = int(wiring.pairs_of(cut).max()) + _own_pairs(layer, cut, channels.nominal)
        for part in different_channels(layer, channels):
            extent = Extent(
                neurons=channels.nominal * rows.nominal * columns.nominal,
                positions=rows.nominal * columns.nominal,
                channels=part,
                heard=channels.heard * rows.heard * columns.heard,
                pairs=pairs,
                delay_bits=wiring.delay_bits,
            )
            yield from core_usage(layer, extent, wiring.readers, self.profile)

    def _usage(self, layer: ChipLayer, wiring: Wiring, cut: Cut) -> tuple[tuple[Usage, ...], ...]:
        """Return what each block takes."""
        axes = (cut.channels, cut.rows, cut.columns)
        heard = [[heard_count(layer, a, part) for part in parts] for a, parts in enumerate(axes)]
        pairs = wiring.pairs_of(cut).reshape(-1).tolist()
        return tuple(
            core_usage(
                layer,
                Extent(
                    neurons=block.size,
                    positions=len(block.rows) * len(block.columns),
                    channels=block.channels,
                    heard=c * r * w,
                    pairs=out + _own_pairs(layer, cut, block.size),
                    delay_bits=wiring.delay_bits,
                ),
                wiring.readers,
                self.profile,
            )
            for block, (c, r, w), out in zip(
                cut.blocks(), itertools.product(*heard), pairs, strict=True
            )
        )


def _cut_image(layer: ChipLayer, overruns: Overruns, *, as_lava: bool) -> Axes | None:
    """Return the fitting grid of fewest blocks, and among these the one that hears least.

    Lava's compiler halves rows and channels, the latter only if it must, and makes blocks a power
    of two wide: all 19 grids in its logs have this many blocks.
    """
    many, wide = (halved_cuts, binary_cuts) if as_lava else (even_cuts, even_cuts)
    channel_cuts, row_cuts, column_cuts = many(layer, 0), many(layer, 1), wide(layer, 2)
    best: tuple[tuple[int, int, int, int], Axes] | None = None
    for channels, rows in itertools.product(channel_cuts, row_cuts):
        bands = len(channels.parts) * len(rows.parts)
        if best is not None:
            if as_lava and len(channels.parts) > best[0][2]:
                break
            if bands > best[0][0]:
                continue

        def fits(columns: AxisCut, c: AxisCut = channels, r: AxisCut = rows) -> bool:
            return not overruns((c, r, columns))

        columns = first_that(fits, column_cuts)
        if columns is None:
            continue
        heard = channels.total_heard * rows.total_heard * columns.total_heard
        cost = (bands * len(columns.parts), heard, len(channels.parts), len(rows.parts))
        if best is None or cost < best[0]:
            best = (cost, (channels, rows, columns))
    return None if best is None else best[1]


def _cut_repeatedly(layer: ChipLayer, bound: int, overruns: Overruns) -> Axes | None:
    """Divide the bound on a block's neurons by the worst overrun, rounded up, until blocks fit.

    This is how Lava's compiler came to 50, 50 and 28 neurons for MNIST (4095 / 3 / 3 / 3 / 3 = 50)
    and to 127, 127 and 2 for Oxford.
    """
    neurons = neuron_count(layer)
    while True:
        size = min(bound, neurons)
        axes = _dense_axes(layer, filled_ranges(neurons, size))
        too_much = overruns(axes)
        if not too_much:
            return axes
        if size == 1:
            return None
        worst = max(-(-u.used // u.available) for u in too_much if u.available)
        bound = max(1, bound // max(2, worst))


def _cut_evenly(layer: ChipLayer, overruns: Overruns) -> Axes:
    """Return the fewest blocks of even size that fit."""
    neurons = neuron_count(layer)
    low, high = 1, neurons
    while low < high:
        middle = (low + high) // 2
        fits = not overruns(_dense_axes(layer, even_ranges(neurons, middle)))
        low, high = (low, middle) if fits else (middle + 1, high)
    return _dense_axes(layer, even_ranges(neurons, low))


def _dense_axes(layer: ChipLayer, parts: tuple[range, ...]) -> Axes:
    one = (range(1),)
    return axis_cut(layer, 0, parts), axis_cut(layer, 1, one), axis_cut(layer, 2, one)


def _whole(layer: ChipLayer) -> Cut:
    channels, rows, columns = (range(size) for size in box_shape(layer))
    return Cut(channels=(channels,), rows=(rows,), columns=(columns,))


def _own_pairs(layer: ChipLayer, cut: Cut, neurons: int) -> int:
    """Return a block's neurons, each times the cores of its own layer that hear it."""
    return cut.parts * neurons if hears_itself(layer) else 0
