"""Layers are cut so that every neuron sits on one core, and no core holds more than it can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, dense
from hypothesis import given
from hypothesis import strategies as st
from placing import (
    QUICK,
    bits_of_layer,
    chip,
    chip_dense,
    reached_by_brute_force,
)
from profiles import SHIPPED, limited
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import ChipNetwork, compile_network, neuron_count
from lavadeploy.compile.blocks import Cut
from lavadeploy.compile.core_resources import LIMIT_OF
from lavadeploy.compile.passes.partition import Partition
from lavadeploy.compile.passes.place import Place
from lavadeploy.compile.synapse_memory import lava_conv_words
from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.netx import Network, UnsupportedNetworkError

LOIHI1 = ["neurons", "synapse words", "neuron groups", "input axons", "output axons"]
LOIHI2 = [*LOIHI1[:4], "axon map entries", "axon memory entries", "entries in total"]
IN_2022 = limited("loihi2", synapse_words_per_core=12000)  # the budget that logs of 2022 print


def widest_fan_in(network: ChipNetwork) -> int:
    """Return the inputs of the neuron that has most of them."""
    return max(
        int(np.count_nonzero(reached_by_brute_force(layer, np.array([neuron], dtype=np.int32))))
        for layer in network.layers
        for neuron in range(neuron_count(layer))
    )


@pytest.mark.parametrize("model", ["loihi1", "loihi2"])
@QUICK
@given(
    case=st.one_of(conv_cases(), dense_cases()),
    neurons_per_core=st.integers(1, 12),
    spare_inputs=st.none() | st.integers(0, 20),
)
def test_every_neuron_is_placed_once_within_all_limits(
    model: str, case: Case, neurons_per_core: int, spare_inputs: int | None
) -> None:
    network = chip(case)
    inputs = None if spare_inputs is None else widest_fan_in(network) + spare_inputs
    profile = limited(
        model, neurons_per_core=neurons_per_core, input_axons_per_core=inputs, chips=10_000
    )
    placement = Place(profile=profile).run(network)
    Place(profile=profile).ensures(network, placement)
    assert [core.index for core in placement.cores] == list(range(len(placement.cores)))
    layer_of_core = [core.layer for core in placement.cores]
    assert layer_of_core == sorted(layer_of_core)  # forward order
    assert len({core.site for core in placement.cores}) == len(placement.cores)
    for layer in network.layers:
        cores = placement.cores_of(layer.name)
        placed = np.concatenate([core.neurons for core in cores])
        assert np.array_equal(np.sort(placed), np.arange(neuron_count(layer)))
        holders = placement.core_of_neurons(layer.name)
        for core in cores:
            assert np.array_equal(core.neurons, np.sort(core.neurons))
            assert not core.neurons.flags.writeable
            assert set(holders[core.neurons].tolist()) == {core.index}
            used = {usage.resource: usage.used for usage in core.usage}
            assert list(used)[:-1] == (LOIHI1 if model == "loihi1" else LOIHI2)
            assert used["neurons"] == core.neurons.size
            if model == "loihi1":
                reached = reached_by_brute_force(layer, core.neurons)
                assert used["input axons"] == int(np.count_nonzero(reached))
            else:
                counted = [used[name] for name in LOIHI2[:-1]]
                assert used["entries in total"] == sum(counted)
            for usage in core.usage:
                assert usage.available is None or usage.used <= usage.available


@QUICK
@given(case=st.one_of(conv_cases(), dense_cases()), neurons_per_core=st.integers(1, 12))
def test_output_axons_are_one_for_each_neuron_and_core_that_hears_it(
    case: Case, neurons_per_core: int
) -> None:
    network = chip(case)
    profile = limited("loihi1", neurons_per_core=neurons_per_core, chips=10_000)
    placement = Place(profile=profile).run(network)
    following = dict(zip(network.layers, network.layers[1:], strict=False))
    for layer in network.layers:
        readers = [
            reached_by_brute_force(following[layer], core.neurons)
            for core in (placement.cores_of(following[layer].name) if layer in following else ())
        ]
        for core in placement.cores_of(layer.name):
            expected = sum(int(np.count_nonzero(reader[core.neurons])) for reader in readers)
            assert {u.resource: u.used for u in core.usage}["output axons"] == expected


def cuts_or_problems(partition: Partition, network: ChipNetwork) -> list[Cut] | list[str]:
    try:
        return [layer.cut for layer in partition.run(network)]
    except UnsupportedNetworkError as error:
        return list(error.problems)


@QUICK
@given(
    case=st.one_of(conv_cases(), dense_cases()),
    neurons=st.integers(1, 12),
    axons=st.integers(6, 40),
    words=st.integers(30, 90),
)
def test_a_cut_keeps_all_limits_at_once_or_says_why_not(
    case: Case, neurons: int, axons: int, words: int
) -> None:
    network = chip(case)
    for model in ("loihi1", "loihi2"):
        profile = limited(
            model,
            neurons_per_core=neurons,
            synapse_words_per_core=words,
            output_axons_per_core=axons if model == "loihi1" else None,
            axon_memory_per_core=axons if model == "loihi2" else None,
            total_per_core=words + axons if model == "loihi2" else None,
        )
        partition = Partition(profile=profile)
        found = cuts_or_problems(partition, network)
        assert cuts_or_problems(partition, network) == found
        if isinstance(found[0], str):
            assert all("for a single neuron" in str(problem) for problem in found)
        else:
            partition.ensures(network, partition.run(network))


@pytest.mark.parametrize(("neurons", "cores"), [(1, 1), (4095, 1), (4096, 2), (8190, 2), (8191, 3)])
def test_neurons_fill_cores_to_the_limit(neurons: int, cores: int) -> None:
    found = compiled(dense(np.full((neurons, 1), 2)))
    sizes = [core.neurons.size for core in found.placement.cores]
    assert len(sizes) == cores
    assert set(sizes[:-1]) <= {4095}  # as Lava's compiler fills them


@pytest.mark.parametrize(("neurons", "sizes"), [(1024, [1024]), (1025, [513, 512])])
def test_on_loihi1_neurons_are_spread_evenly(neurons: int, sizes: list[int]) -> None:
    found = compiled(dense(np.full((neurons, 1), 2)), profile="loihi1")
    assert [core.neurons.size for core in found.placement.cores] == sizes


def outcome(profile: HardwareProfile, *layers: Any) -> int | str:
    """Return the number of cores, or the sentence."""
    network = Network(layers=layers)
    try:
        return len(compile_network(network, profile).placement.cores)
    except UnsupportedNetworkError as error:
        return str(error)


def too_much(found: str, allowed: str, rule: str, layer: str = "layer0") -> str:
    return (
        f"{layer}: {found} for a single neuron; {allowed} per core. All inputs of a neuron meet on "
        f"one core: use a layer with fewer, or compile for another profile. [{rule}]"
    )


def test_inputs_at_the_limit_fit_and_one_more_does_not() -> None:
    weight = np.full((2, 4097), 2)
    assert outcome(SHIPPED["loihi1"], dense(weight[:, :4096])) == 1
    assert outcome(SHIPPED["loihi1"], dense(weight)) == too_much(
        "4097 input axons", "loihi1 allows 4096", "core_input_axons"
    )


def test_synapse_words_at_the_limit_fit_and_one_more_does_not() -> None:
    weight = np.full((1, 16001), 2)  # one word an axon
    profile = limited("loihi2", total_per_core=None)
    assert outcome(profile, dense(weight[:, :16000])) == 1
    words = too_much("16001 synapse words", "loihi2 allows 16000", "core_synapse_words")
    axons = too_much("16001 input axons", "loihi2 allows 16000", "core_input_axons")
    assert outcome(profile, dense(weight)) == f"{words}\n{axons}"
    only_axons = limited("loihi2", total_per_core=None, synapse_words_per_core=None)
    assert outcome(only_axons, dense(weight)) == too_much(
        "16001 input axons", "loihi2 allows 16000", "core_input_axons"
    )


def test_entries_in_total_at_the_limit_fit_and_one_more_does_not() -> None:
    weight = np.full((1, 9999), 2)  # a word and an axon each; a neuron, a group, a map entry
    assert outcome(SHIPPED["loihi2"], dense(weight[:, :9998])) == 1
    assert outcome(SHIPPED["loihi2"], dense(weight)) == too_much(
        "20001 entries in total", "loihi2 allows 20000", "core_entries_in_total"
    )


def test_blocks_stay_below_the_synapse_memory_as_nxtf_keeps_them() -> None:
    weight = np.full((255, 200), 2)
    weight[0, :2] = (254, -2)  # 8 bits
    words = 200 * 80  # of 255 neurons, 16000 words
    for limit, cores in ((words, 3), (words + 1, 1)):
        changed = limited("loihi2", neurons_per_core=255, synapse_words_per_core=limit)
        assert outcome(changed, dense(weight)) == cores


def test_a_neuron_in_the_middle_may_have_more_inputs_than_one_at_the_edge() -> None:
    # nine places meet the kernel in the middle, four in the corner, where the first block is
    layer = conv(np.full((1, 600, 3, 3), 2), (1, 3, 3), padding=(1, 1))
    assert outcome(SHIPPED["loihi1"], layer) == too_much(
        "5400 input axons", "loihi1 allows 4096", "core_input_axons"
    )
    profile = limited("loihi1", input_axons_per_core=5400)
    assert outcome(profile, layer) == 1
    assert outcome(limited("loihi1", input_axons_per_core=5399), layer) == too_much(
        "5400 input axons", "loihi1 allows 5399", "core_input_axons"
    )


def test_every_layer_that_does_not_fit_is_named() -> None:
    layers = (
        dense(np.full((5000, 4097), 2)[:2]),
        dense(np.full((4097, 2), 2), name="layer1"),
        dense(np.full((2, 4097), 2), name="layer2"),
    )
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(Network(layers=layers), SHIPPED["loihi1"])
    assert caught.value.problems == tuple(
        too_much("4097 input axons", "loihi1 allows 4096", "core_input_axons", layer)
        for layer in ("layer0", "layer2")
    )


@pytest.mark.parametrize(("neurons", "cores"), [(120, 120), (121, 121), (960, 960), (961, 961)])
def test_cores_at_the_limit_fit_and_one_more_does_not(neurons: int, cores: int) -> None:
    found = outcome(limited("loihi2", neurons_per_core=1), dense(np.full((neurons, 1), 2)))
    assert found == (
        cores
        if cores <= 960
        else "network: 961 cores needed, on 9 chips; loihi2 allows 8 chips per board. Use a "
        "smaller network, or a profile of a larger board. [chips_per_board]"
    )


def test_a_layer_is_cut_until_its_output_axons_fit() -> None:
    # each of the first layer's neurons reaches all cores of the second
    def layers(width: int, behind: int) -> tuple[Any, Any]:
        return (
            dense(np.full((width, 1), 2)),
            dense(np.full((behind, width), 2), name="layer1"),
        )

    profile = limited("loihi1", output_axons_per_core=10, neurons_per_core=6)
    assert outcome(profile, *layers(5, 2)) == 1 + 1
    assert outcome(profile, *layers(6, 6)) == 1 + 1
    assert outcome(profile, *layers(5, 7)) == 1 + 2  # 5 * 2 axons
    assert outcome(profile, *layers(6, 7)) == 2 + 2  # 3 * 2 axons each
    assert outcome(profile, *layers(2, 60)) == 2 + 10
    assert outcome(profile, *layers(2, 61)) == (
        "layer0: 11 output axons for a single neuron; loihi1 allows 10 per core. Let fewer cores "
        "hear it, with narrower layers behind it, or compile for another profile. "
        "[core_output_axons]"
    )


def test_the_last_layer_needs_no_output_axons() -> None:
    profile = limited("loihi1", output_axons_per_core=0)
    assert outcome(profile, dense(np.full((50, 1), 2))) == 1


def test_a_recurrent_layer_hears_itself_on_all_its_cores() -> None:
    layer = chip_dense("layer0", 3, 10, 4, (-1,), recurs=True)
    network = ChipNetwork(input_shape=(3,), layers=(layer,))
    for core in Place(profile=limited("loihi1", neurons_per_core=4)).run(network).cores:
        used = {usage.resource: usage.used for usage in core.usage}
        assert used["input axons"] == 3 + 10
        assert used["output axons"] == 3 * core.neurons.size
        assert used["synapse formats"] == 2
    for core in Place(profile=limited("loihi2", neurons_per_core=4)).run(network).cores:
        used = {usage.resource: usage.used for usage in core.usage}
        assert used["input axons"] == 3 + 10
        assert used["axon map entries"] == 2 * core.neurons.size  # itself, and the host


def shapes_of_blocks(layer: Any, profile: HardwareProfile) -> list[list[int]]:
    """Return channels, rows and columns of the parts."""
    network = compile_network(Network(layers=(layer,)), profile).network
    (found,) = Partition(profile=profile).run(network)
    return [
        [len(p) for p in axis] for axis in (found.cut.channels, found.cut.rows, found.cut.columns)
    ]


def test_the_grid_of_fewest_blocks_that_hears_least_is_taken() -> None:
    layer = conv(np.full((4, 1, 3, 3), 2), (4, 8, 8), padding=(1, 1))
    for model in ("loihi1", "loihi2"):
        assert shapes_of_blocks(layer, limited(model, neurons_per_core=128)) == [[4], [8], [4, 4]]
        square = [[4], [4, 4], [4, 4]]  # hears less than bands do
        assert shapes_of_blocks(layer, limited(model, neurons_per_core=64)) == square


def test_channels_are_cut_when_a_place_of_the_image_has_too_many() -> None:
    layer = conv(np.full((10, 1, 1, 1), 2), (10, 2, 2))
    for model in ("loihi1", "loihi2"):
        found = shapes_of_blocks(layer, limited(model, neurons_per_core=6))
        assert found == [[5, 5], [1, 1], [1, 1]]


def test_blocks_are_a_power_of_two_wide_as_in_lava() -> None:
    # 20 columns of 128 neurons would fit, but count as 32 (PilotNet's fifth convolution)
    layer = conv(np.full((64, 1, 1, 1), 2), (64, 2, 20))
    assert shapes_of_blocks(layer, SHIPPED["loihi2"]) == [[64], [2], [16, 4]]
    assert shapes_of_blocks(layer, limited("loihi1", neurons_per_core=4095)) == [[64], [2], [20]]


@QUICK
@given(neurons=st.integers(1, 60), limit=st.integers(1, 20))
def test_a_dense_layer_takes_the_fewest_cores_for_its_neurons(neurons: int, limit: int) -> None:
    profile = limited("loihi2", neurons_per_core=limit)
    assert outcome(profile, dense(np.full((neurons, 2), 2))) == -(-neurons // limit)


def test_without_limits_every_layer_has_one_core() -> None:
    layers = (dense(np.full((5000, 3), 2)), dense(np.full((2, 5000), 2), name="layer1"))
    assert outcome(SHIPPED["ideal"], *layers) == 2


def test_a_depthwise_convolution_fits_when_split_by_channels() -> None:
    # 9 lists a channel; a core needs only those of the channels it holds
    layer = conv(np.full((16, 1, 3, 3), 2), (16, 1, 1), groups=16)
    assert outcome(limited("loihi2", synapse_words_per_core=9), layer) == 16
    assert outcome(limited("loihi2", synapse_words_per_core=8), layer) == too_much(
        "9 synapse words", "loihi2 allows 8", "core_synapse_words"
    )


@pytest.mark.parametrize("neurons", [1, 2, 5, 7, 8, 15])
def test_a_core_holds_the_lists_of_its_own_groups(neurons: int) -> None:
    # three groups of two channels in, five out; a list reaches the channels of its group only
    layer = conv(np.full((15, 2, 2, 2), 254), (15, 1, 1), groups=3)
    chosen = limited("loihi2", neurons_per_core=neurons)
    network = compile_network(Network(layers=(layer,)), chosen)
    bits = bits_of_layer(network.network.layers[0])
    for core in network.placement.cores:
        targets = [n for n in np.bincount(core.neurons // 5).tolist() if n]
        least = sum(2 * 2 * 2 * lava_conv_words(n, bits) for n in targets)
        most = len(targets) * 2 * 2 * 2 * lava_conv_words(min(core.neurons.size, 5), bits)
        assert least <= core.usage[1].used <= most
        assert len(targets) > 1 or least == most


def test_every_limit_of_a_core_is_counted() -> None:
    limits = {
        key for key in type(SHIPPED["loihi2"].limits).model_fields if key.endswith("_per_core")
    }
    assert set(LIMIT_OF.values()) == limits
