"""Cores get sites of the board by the traffic that is expected, the same every time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import compiled, dense
from expect import sentence
from placing import PILOTNET_LIF, chip_dense, pilotnet, yolo_kp
from profiles import SHIPPED, limited

from lavadeploy.compile import (
    ChipNetwork,
    Placement,
    Site,
    compile_network,
    core_traffic,
    report_compilation,
)
from lavadeploy.compile.passes.place import Place
from lavadeploy.netx import Network, UnsupportedNetworkError


def sites(placement: Placement) -> list[Site]:
    return [core.site for core in placement.cores]


def test_the_same_network_is_placed_the_same() -> None:
    network = pilotnet(PILOTNET_LIF, has_input=True)
    place = Place(profile=SHIPPED["loihi2"])
    assert sites(place.run(network)) == sites(place.run(network))


def test_a_large_network_takes_several_chips_of_the_board() -> None:
    network, profile = yolo_kp(), SHIPPED["loihi2"]
    placement = Place(profile=profile).run(network)
    assert len(placement.cores) == 574
    assert placement.chips == 5  # of 120 cores
    on_chip = [core.site.chip for core in placement.cores]
    assert on_chip == sorted(on_chip)
    assert max(np.bincount(on_chip)) <= 120
    traffic = core_traffic(network, placement, profile)
    in_order = dataclasses.replace(
        placement,
        cores=tuple(
            dataclasses.replace(
                core, site=Site(chip=k // 120, column=t // 16, row=t // 4 % 4, core=t % 4)
            )
            for k, core in enumerate(placement.cores)
            for t in [k % 120]
        ),
    )
    plain = core_traffic(network, in_order, profile)
    assert traffic.total_messages == plain.total_messages
    assert traffic.total_hops < plain.total_hops
    assert traffic.total_crossings < plain.total_crossings


def fan() -> ChipNetwork:
    """One layer that two others hear."""
    return ChipNetwork(
        input_shape=(3,),
        layers=(
            chip_dense("a", 3, 40, 4, (-1,)),
            chip_dense("b", 3, 40, 4, (-1,)),
            chip_dense("c", 80, 40, 4, (0, 1)),
        ),
    )


def test_cores_that_send_each_other_more_lie_nearer() -> None:
    profile = limited("loihi2", neurons_per_core=4)
    for loud, quiet in (("a", "b"), ("b", "a")):
        rates = {loud: np.array(9.0), quiet: np.array(0.01), "c": np.array(0.0)}
        placement = Place(profile=profile).run(fan(), rates)
        traffic = core_traffic(fan(), placement, profile)
        hops = {
            name: sum(
                hops
                for source, hops in zip(
                    map(int, traffic.source), map(int, traffic.hops), strict=True
                )
                if placement.cores[source].layer == name
            )
            for name in (loud, quiet)
        }
        assert hops[loud] < hops[quiet]
        expected = core_traffic(fan(), placement, profile, rates).total_hops
        assert (
            expected
            < core_traffic(fan(), Place(profile=profile).run(fan()), profile, rates).total_hops
        )


def test_rates_reach_the_placement_through_the_compiler() -> None:
    layers = (dense(np.full((9, 3), 2)), dense(np.full((9, 9), 2), name="layer1"))
    profile = limited("loihi2", neurons_per_core=1)
    by_neuron = np.zeros(9)
    by_neuron[8] = 5.0
    rates = {"layer0": by_neuron, "layer1": np.array(0.0)}
    quiet = compile_network(Network(layers=layers), profile, spike_rates=rates).placement
    loud = compile_network(Network(layers=layers), profile).placement
    assert sites(quiet) != sites(loud)


def test_every_core_names_the_users_layer_and_its_share_of_each_resource() -> None:
    network = compiled(dense(np.full((5000, 4), 2), name="hidden"))
    assert [core.layer for core in network.placement.cores] == ["hidden", "hidden"]
    percent = {u.resource: u.percent for u in network.placement.cores[0].usage}
    assert percent["neurons"] == 100.0
    assert percent["input axons"] == 0.025
    assert network.placement.core_of_neurons("hidden").tolist() == [0] * 4095 + [1] * 905
    assert report_compilation(network).layers[0].cores == 2


def test_a_placement_of_another_network_is_found_out() -> None:
    small, large = (compiled(dense(np.full((n, 1), 2))) for n in (2, 3))
    place = Place(profile=SHIPPED["loihi2"])
    place.ensures(small.network, small.placement)
    with pytest.raises(AssertionError, match="layer0"):
        place.ensures(large.network, small.placement)
    one_site = Placement(
        cores=tuple(
            dataclasses.replace(core, site=small.placement.cores[0].site)
            for core in Place(profile=limited("loihi2", neurons_per_core=1))
            .run(small.network)
            .cores
        )
    )
    with pytest.raises(AssertionError):
        place.ensures(small.network, one_site)


def test_a_board_that_is_too_small_is_refused() -> None:
    small = compiled(dense(np.full((2, 1), 2)))
    tight = limited("loihi2", neurons_per_core=1)
    assert len(Place(profile=tight).run(small.network).cores) == 2
    assert sentence(
        UnsupportedNetworkError,
        Place(profile=limited("loihi2", neurons_per_core=1, cores_per_chip=1, chips=1)).run,
        small.network,
    ) == (
        "network: 2 cores needed; loihi2 allows 1 cores per chip. Use a smaller network, or a "
        "profile with more chips. [cores_per_chip]"
    )
