"""Blocks to sites: on which chip, and on which tile, so that messages travel little.

All on plain arrays: blocks are numbers in forward order, traffic is a list of (source, target,
weight) with whole weights, so that the same traffic gives the same places on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles import HardwareProfile
from ..netx import IntArray
from .mesh import Site, chip_sites, cost_table

WEIGHT_BITS = 30  # weights are scaled to this; sums over thousands of blocks stay within 64 bits
SWAPS_PER_SITE = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flows:
    """Messages between blocks, whole numbers.

    Attributes
    ----------
    source, target : int32 array, shape (n,)
        Blocks; none sends to itself.
    weight : int64 array, shape (n,)
        In proportion to the messages, largest near ``2**WEIGHT_BITS``.
    """

    source: IntArray
    target: IntArray
    weight: NDArray[np.int64]


def scaled_flows(source: IntArray, target: IntArray, messages: NDArray[np.float64]) -> Flows:
    """Return messages as whole weights, without those that stay on a core."""
    leaves = source != target
    largest = float(messages[leaves].max(initial=0.0))
    scale = 0.0 if largest == 0 else 2.0**WEIGHT_BITS / largest
    weight = np.rint(messages[leaves] * scale).astype(np.int64)
    return Flows(source=source[leaves], target=target[leaves], weight=weight)


def assign_chips(blocks: int, per_chip: int, flows: Flows) -> IntArray:
    """Fill the fewest chips with consecutive blocks, cut where least is sent across.

    Parameters
    ----------
    blocks, per_chip : int
        How many there are, and how many fit on a chip.
    flows : Flows
        What they send each other.

    Returns
    -------
    int32 array, shape (blocks,)
        Chip of each block, ascending.
    """
    chips = -(-blocks // per_chip)
    if chips <= 1:
        return np.zeros(blocks, dtype=np.int32)
    # what is sent across the border before block i, in either direction
    across = np.zeros(blocks + 2, dtype=np.int64)
    low = np.minimum(flows.source, flows.target)
    high = np.maximum(flows.source, flows.target)
    np.add.at(across, low + 1, flows.weight)
    np.subtract.at(across, high + 1, flows.weight)
    across = across.cumsum()[: blocks + 1]

    # best[i]: least sent across all borders when the chips so far hold the first i blocks
    unreachable = np.iinfo(np.int64).max // 2
    best = np.full(blocks + 1, unreachable, dtype=np.int64)
    best[0] = 0
    choices: list[NDArray[np.int64]] = []
    for _ in range(chips):
        padded = np.concatenate([np.full(per_chip, unreachable, dtype=np.int64), best[:-1]])
        windows = np.lib.stride_tricks.sliding_window_view(padded, per_chip)
        choice = windows.argmin(axis=1)
        least = np.take_along_axis(windows, choice[:, None], axis=1)[:, 0]
        choices.append(choice + np.arange(blocks + 1) - per_chip)
        best = np.minimum(least + across, unreachable)
    assigned = np.zeros(blocks, dtype=np.int32)
    end = blocks
    for chip in reversed(range(chips)):
        first = int(choices[chip][end])
        assigned[first:end] = chip
        end = first
    return assigned


def arrange(blocks: int, flows: Flows, profile: HardwareProfile) -> tuple[Site, ...]:
    """Return a site for each block: in forward order along a path, then improved by swaps.

    Parameters
    ----------
    blocks : int
        How many there are, in forward order.
    flows : Flows
        What they send each other.
    profile : HardwareProfile
        Chips and mesh.
    """
    limit = profile.limits.cores_per_chip
    chips = assign_chips(blocks, blocks if limit is None else limit.value, flows)
    sites: list[Site] = []
    for chip in range(int(chips[-1]) + 1):
        held = int(np.count_nonzero(chips == chip))
        sites += chip_sites(profile, chip, held)[:held]
    if profile.mesh is None:
        return tuple(sites)
    several = int(chips[-1]) > 0  # once more then, when all others have found their places
    for chip in [*range(int(chips[-1]) + 1)] * (2 if several else 1):
        _improve_chip(np.flatnonzero(chips == chip), sites, chip, flows, profile)
    return tuple(sites)


def _improve_chip(
    held: NDArray[np.intp], sites: list[Site], chip: int, flows: Flows, profile: HardwareProfile
) -> None:
    """Swap the blocks of a chip, and its free sites, as long as that saves hops."""
    places = chip_sites(profile, chip, held.size)
    first, n = int(held[0]), len(places)
    inside_source = (flows.source >= first) & (flows.source < first + held.size)
    inside_target = (flows.target >= first) & (flows.target < first + held.size)

    between = np.zeros((n, n), dtype=np.int64)
    both = inside_source & inside_target
    np.add.at(between, (flows.source[both] - first, flows.target[both] - first), flows.weight[both])
    between += between.T

    outside = np.zeros((n, n), dtype=np.int64)  # cost of each block at each site
    for inner, outer, crossing in (
        (flows.source, flows.target, inside_source & ~inside_target),
        (flows.target, flows.source, inside_target & ~inside_source),
    ):
        others, which = np.unique(outer[crossing], return_inverse=True)
        if others.size:
            weights = np.zeros((n, others.size), dtype=np.int64)
            np.add.at(weights, (inner[crossing] - first, which), flows.weight[crossing])
            there = tuple(sites[int(other)] for other in others)
            outside += weights @ cost_table(profile.mesh, there, places).astype(np.int64)
    distance = cost_table(profile.mesh, places, places).astype(np.int64)
    occupants = swap_until_best(between, outside, distance)
    for site, occupant in zip(places, occupants, strict=True):
        if occupant < held.size:
            sites[first + int(occupant)] = site


def swap_until_best(
    between: NDArray[np.int64], outside: NDArray[np.int64], distance: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Swap the occupants of two sites, the best pair first, until no swap helps.

    Parameters
    ----------
    between : int64 array, shape (n, n)
        Weight between occupants, symmetric, with a zero diagonal.
    outside : int64 array, shape (n, n)
        Cost of each occupant (row) at each site (column) for what it exchanges with others.
    distance : int64 array, shape (n, n)
        Between sites, symmetric.

    Returns
    -------
    int array, shape (n,)
        The occupant of each site; occupant i starts at site i.
    """
    sites = between.shape[0]
    occupants = np.arange(sites, dtype=np.intp)
    weight = between.copy()  # by site
    cost: NDArray[np.int64] = (
        weight @ distance + outside
    )  # of the occupant of site p, were it at site q
    for _ in range(SWAPS_PER_SITE * sites):
        here = np.diagonal(cost)
        saved = here[:, None] + here - cost - cost.T - 2 * weight * distance
        p, q = divmod(int(saved.argmax()), sites)
        if saved[p, q] <= 0:
            break
        cost += (weight[:, p] - weight[:, q])[:, None] * (distance[q] - distance[p])
        cost[[p, q]] = cost[[q, p]]
        weight[:, [p, q]] = weight[:, [q, p]]
        weight[[p, q]] = weight[[q, p]]
        occupants[[p, q]] = occupants[[q, p]]
    return occupants
