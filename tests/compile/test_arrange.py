"""Blocks lie where messages travel little, on as few chips as hold them."""

from __future__ import annotations

import itertools
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from placing import QUICK
from profiles import SHIPPED, limited

from lavadeploy.compile.arrange import (
    Flows,
    arrange,
    assign_chips,
    scaled_flows,
    swap_until_best,
)
from lavadeploy.compile.mesh import chip_sites, cost_table

Ints: TypeAlias = NDArray[np.int64]


def random_flows(seed: int, blocks: int, count: int) -> Flows:
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, blocks, (2, count), dtype=np.int32)
    return scaled_flows(source, target, rng.integers(0, 50, count).astype(np.float64))


def test_weights_are_in_proportion_and_what_stays_on_a_core_is_left_out() -> None:
    source, target = (np.array(a, dtype=np.int32) for a in ([0, 1, 2], [1, 1, 0]))
    flows = scaled_flows(source, target, np.array([1.0, 9.0, 4.0]))
    assert flows.source.tolist() == [0, 2]
    assert flows.weight.tolist() == [2**28, 2**30]
    silent = scaled_flows(source, target, np.zeros(3))
    assert silent.weight.tolist() == [0, 0]


def sent_across(chips: tuple[int, ...], flows: Flows) -> int:
    """Weight times borders between chips."""
    rows = zip(flows.source, flows.target, flows.weight, strict=True)
    return sum(int(w) * abs(chips[int(s)] - chips[int(t)]) for s, t, w in rows)


@QUICK
@given(seed=st.integers(0, 999), blocks=st.integers(1, 10), per_chip=st.integers(1, 5))
def test_chips_are_cut_where_least_is_sent_across(seed: int, blocks: int, per_chip: int) -> None:
    flows = random_flows(seed, blocks, 12)
    found = tuple(int(chip) for chip in assign_chips(blocks, per_chip, flows))
    chips = -(-blocks // per_chip)
    assert list(found) == sorted(found)
    assert set(found) == set(range(chips))
    assert max(found.count(chip) for chip in range(chips)) <= per_chip
    every_way = (
        tuple(chip for chip, held in enumerate(sizes) for _ in range(held))
        for sizes in itertools.product(range(1, per_chip + 1), repeat=chips)
        if sum(sizes) == blocks
    )
    assert sent_across(found, flows) == min(sent_across(way, flows) for way in every_way)


def total_cost(occupants: list[int], between: Ints, outside: Ints, d: Ints) -> int:
    n = range(len(occupants))
    inside = sum(int(between[occupants[p], occupants[q]] * d[p, q]) for p in n for q in n if p < q)
    return inside + sum(int(outside[occupants[p], p]) for p in n)


@QUICK
@given(seed=st.integers(0, 999), n=st.integers(1, 7))
def test_no_swap_of_two_makes_the_places_better(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    between = np.triu(rng.integers(0, 9, (n, n)), 1)
    between = between + between.T
    outside = rng.integers(0, 9, (n, n))
    places = rng.integers(0, 4, (n, 2))
    distance = np.abs(places[:, None] - places).sum(axis=-1)
    found = swap_until_best(between, outside, distance).tolist()
    assert sorted(found) == list(range(n))
    cost = total_cost(found, between, outside, distance)
    assert cost <= total_cost(list(range(n)), between, outside, distance)
    for p, q in itertools.combinations(range(n), 2):
        other = list(found)
        other[p], other[q] = other[q], other[p]
        assert cost <= total_cost(other, between, outside, distance)


def travelled(blocks: int, flows: Flows, name: str) -> tuple[int, int]:
    """Cost of the places found, and of the path that they start from."""
    profile = SHIPPED[name]
    found = arrange(blocks, flows, profile)
    assert len(set(found)) == blocks
    per_chip = 120
    chips = assign_chips(blocks, per_chip, flows).tolist()
    path = [s for c in range(chips[-1] + 1) for s in chip_sites(profile, c, 0)[: chips.count(c)]]
    costs = [
        cost_table(profile.mesh, tuple(sites), tuple(sites)).astype(np.int64)
        for sites in (found, path)
    ]
    a, b = (int((flows.weight * cost[flows.source, flows.target]).sum()) for cost in costs)
    return a, b


@pytest.mark.parametrize("blocks", [1, 2, 30, 120, 121, 300])
def test_swaps_save_hops_on_one_chip_and_on_several(blocks: int) -> None:
    flows = random_flows(blocks, blocks, 4 * blocks)
    found, path = travelled(blocks, flows, "loihi2")
    assert found <= path
    assert blocks < 30 or found < 0.9 * path  # random traffic: far from the path's order


def test_the_same_traffic_gives_the_same_places() -> None:
    flows = random_flows(7, 200, 900)
    assert arrange(200, flows, SHIPPED["loihi2"]) == arrange(200, flows, SHIPPED["loihi2"])


def test_a_chip_without_mesh_is_filled_in_order() -> None:
    flows = random_flows(7, 5, 20)
    found = arrange(5, flows, SHIPPED["ideal"])
    assert [site.core for site in found] == [0, 1, 2, 3, 4]
    assert {site.chip for site in found} == {0}


def test_each_chip_holds_no_more_than_its_cores() -> None:
    profile = limited("loihi2", cores_per_chip=10)
    found = arrange(35, random_flows(1, 35, 200), profile)
    chips = [site.chip for site in found]
    assert max(chips) == 3
    assert max(chips.count(chip) for chip in range(4)) <= 10
