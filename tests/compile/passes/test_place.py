"""Every neuron sits on exactly one core, and no core holds more than it can."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, convolve, dense
from expect import sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from profiles import SHIPPED, limited
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import ChipConv, ChipLayer, ChipNetwork, compile_network, neuron_count
from lavadeploy.compile.passes.place import Block, Place
from lavadeploy.compile.synapse_memory import lava_conv_words
from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.netx import Network, UnsupportedNetworkError, read_netx

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)
RESOURCES = ["neurons", "synapse words", "input axons", "output axons"]


def chip(case: Case) -> ChipNetwork:
    return compile_network(case.network, SHIPPED["ideal"], input_shape=case.input_shape).network


def reached_by_brute_force(layer: ChipLayer, neurons: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Send a spike into every input alone, and see which arrive at these neurons."""
    n_in = math.prod(layer.shape_in)
    if not isinstance(layer, ChipConv):
        return np.ones(n_in, dtype=np.bool_)
    ones = np.ones(layer.weights.mantissa.shape, dtype=np.int64)
    arrived = convolve(layer, np.eye(n_in, dtype=np.int64), ones)
    return np.any(arrived[:, neurons] > 0, axis=1)


def box(draw: st.DrawFn, layer: ChipLayer) -> Block:
    sizes = (*layer.shape_out, 1, 1)[:3]
    ranges: list[range] = []
    for size in sizes:
        start = draw(st.integers(0, size - 1))
        ranges.append(range(start, draw(st.integers(start + 1, size))))
    return Block(channels=ranges[0], rows=ranges[1], columns=ranges[2])


@QUICK
@given(data=st.data(), case=st.one_of(conv_cases(), dense_cases()))
def test_a_blocks_inputs_are_those_that_reach_it(data: st.DataObject, case: Case) -> None:
    for layer in chip(case).layers:
        block = data.draw(st.composite(box)(layer))
        numbers = np.arange(neuron_count(layer)).reshape((*layer.shape_out, 1, 1)[:3])
        expected = [
            numbers[place] for place in itertools.product(block.channels, block.rows, block.columns)
        ]
        neurons = block.neurons(layer)
        assert np.array_equal(neurons, expected)
        assert neurons.dtype == np.int32
        assert np.array_equal(block.inputs(layer), reached_by_brute_force(layer, neurons))


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
    profile = limited(
        model,
        neurons_per_core=neurons_per_core,
        input_axons_per_core=None
        if spare_inputs is None
        else widest_fan_in(network) + spare_inputs,
        output_axons_per_core=None,
        cores_per_chip=None,
    )
    placement = Place(profile=profile).run(network)
    Place(profile=profile).ensures(network, placement)
    assert [core.index for core in placement.cores] == list(range(len(placement.cores)))
    layer_of_core = [core.layer for core in placement.cores]
    assert layer_of_core == sorted(layer_of_core)  # forward order
    for position, layer in enumerate(network.layers):
        cores = placement.cores_of(layer.name)
        placed = np.concatenate([core.neurons for core in cores])
        assert np.array_equal(np.sort(placed), np.arange(neuron_count(layer)))
        following = network.layers[position + 1 : position + 2]
        readers = [
            reached_by_brute_force(after, core.neurons)
            for after in following
            for core in placement.cores_of(after.name)
        ]
        for core in cores:
            assert np.array_equal(core.neurons, np.sort(core.neurons))
            assert not core.neurons.flags.writeable
            reached = int(np.count_nonzero(reached_by_brute_force(layer, core.neurons)))
            outputs = sum(int(np.count_nonzero(reader[core.neurons])) for reader in readers)
            assert [usage.resource for usage in core.usage] == RESOURCES
            neurons, _, inputs, axons = (usage.used for usage in core.usage)
            assert (neurons, inputs, axons) == (core.neurons.size, reached, outputs)
            for usage in core.usage:
                assert usage.available is None or usage.used <= usage.available


@pytest.mark.parametrize(("neurons", "cores"), [(1, 1), (4095, 1), (4096, 2), (8190, 2), (8191, 3)])
def test_neurons_fill_cores_to_the_limit(neurons: int, cores: int) -> None:
    found = compiled(dense(np.full((neurons, 1), 2)))
    sizes = [core.neurons.size for core in found.placement.cores]
    assert len(sizes) == cores
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


def outcome(profile: HardwareProfile, *layers: Any) -> int | str:
    """Return the number of cores, or the sentence."""
    network = Network(layers=layers)
    try:
        return len(compile_network(network, profile).placement.cores)
    except UnsupportedNetworkError as error:
        return str(error)


def too_much(found: str, allowed: str, rule: str, layer: str = "layer0") -> str:
    return (
        f"{layer}: {found} for a single neuron; {allowed} per core. Use a layer with fewer inputs, "
        f"or compile for another profile. [{rule}]"
    )


def test_inputs_at_the_limit_fit_and_one_more_does_not() -> None:
    weight = np.full((2, 4097), 2)
    assert outcome(SHIPPED["loihi1"], dense(weight[:, :4096])) == 1
    assert outcome(SHIPPED["loihi1"], dense(weight)) == too_much(
        "4097 input axons", "loihi1 allows 4096", "core_input_axons"
    )


def test_synapse_words_at_the_limit_fit_and_one_more_does_not() -> None:
    weight = np.full((1, 16001), 2)  # one word an axon
    assert outcome(SHIPPED["loihi2"], dense(weight[:, :16000])) == 1
    found = outcome(SHIPPED["loihi2"], dense(weight))
    assert found == too_much("16001 synapse words", "loihi2 allows 16000", "core_synapse_words")
    assert outcome(limited("loihi2", synapse_words_per_core=None), dense(weight)) == too_much(
        "16001 input axons", "loihi2 allows 16000", "core_input_axons"
    )


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


@pytest.mark.parametrize(("neurons", "cores"), [(120, 120), (121, 121)])
def test_cores_at_the_limit_fit_and_one_more_does_not(neurons: int, cores: int) -> None:
    found = outcome(limited("loihi2", neurons_per_core=1), dense(np.full((neurons, 1), 2)))
    assert found == (
        cores
        if cores <= 120
        else "network: 121 cores needed; loihi2 has 120 on a chip. Use a smaller network; "
        "several chips are not supported by this version. [cores_per_chip]"
    )


def test_output_axons_at_the_limit_fit_and_one_more_does_not() -> None:
    # each of the first layer's neurons reaches both cores of the second
    def layers(width: int) -> tuple[Any, Any]:
        return (
            dense(np.full((width, 1), 2)),
            dense(np.full((2, width), 2), name="layer1"),
        )

    profile = limited("loihi2", output_axons_per_core=10, synapse_words_per_core=6)
    assert outcome(profile, *layers(5)) == 1 + 1
    one_neuron = limited("loihi2", output_axons_per_core=10, neurons_per_core=6)
    assert outcome(one_neuron, *layers(6)) == 1 + 1
    wide = (dense(np.full((6, 1), 2)), dense(np.full((7, 6), 2), name="layer1"))
    assert outcome(one_neuron, *wide) == (
        "layer0: 12 output axons on core 0; loihi2 allows 10 per core. "
        "Use a narrower layer, or a next layer that fits on fewer cores. [core_output_axons]"
    )
    narrow = (dense(np.full((5, 1), 2)), dense(np.full((7, 5), 2), name="layer1"))
    assert outcome(one_neuron, *narrow) == 1 + 2


def test_the_last_layer_needs_no_output_axons() -> None:
    profile = limited("loihi2", output_axons_per_core=0)
    assert outcome(profile, dense(np.full((50, 1), 2))) == 1


def test_bands_of_rows_come_before_channels_and_columns() -> None:
    layer = conv(np.full((4, 1, 3, 3), 2), (4, 8, 8), padding=(1, 1))
    profile = limited("loihi2", neurons_per_core=128)
    cores = compile_network(Network(layers=(layer,)), profile).placement.cores
    assert len(cores) == 2
    rows = [sorted({int(n) // 8 % 8 for n in core.neurons}) for core in cores]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_columns_are_cut_once_rows_stand_alone() -> None:
    layer = conv(np.full((1, 1, 1, 1), 2), (1, 2, 6))
    profile = limited("loihi2", neurons_per_core=3)
    cores = compile_network(Network(layers=(layer,)), profile).placement.cores
    assert [core.neurons.tolist() for core in cores] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 8],
        [9, 10, 11],
    ]


@QUICK
@given(neurons=st.integers(1, 60), limit=st.integers(1, 20))
def test_a_dense_layer_takes_the_fewest_cores(neurons: int, limit: int) -> None:
    profile = limited("loihi2", neurons_per_core=limit, cores_per_chip=None)
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
    bits = network.network.layers[0].weights.bits
    for core in network.placement.cores:
        targets = [n for n in np.bincount(core.neurons // 5).tolist() if n]
        least = sum(2 * 2 * 2 * lava_conv_words(n, bits) for n in targets)
        most = len(targets) * 2 * 2 * 2 * lava_conv_words(min(core.neurons.size, 5), bits)
        assert least <= core.usage[1].used <= most
        assert len(targets) > 1 or least == most


@pytest.mark.shared_data
def test_mnist_takes_the_five_cores_that_were_logged(shared_data: Path) -> None:
    network = read_netx(shared_data / "netx/mnist/network.net")
    found = compile_network(network, SHIPPED["loihi2"]).placement.cores
    assert [core.layer for core in found] == ["layer0"] * 3 + ["layer1", "layer2"]


def test_a_placement_of_another_network_is_found_out() -> None:
    small, large = (compiled(dense(np.full((n, 1), 2))) for n in (2, 3))
    place = Place(profile=SHIPPED["loihi2"])
    place.ensures(small.network, small.placement)
    with pytest.raises(AssertionError, match="layer0"):
        place.ensures(large.network, small.placement)
    tight = limited("loihi2", neurons_per_core=1)
    assert sentence(
        UnsupportedNetworkError,
        Place(profile=limited("loihi2", neurons_per_core=1, cores_per_chip=1)).run,
        small.network,
    ) == (
        "network: 2 cores needed; loihi2 has 1 on a chip. Use a smaller network; "
        "several chips are not supported by this version. [cores_per_chip]"
    )
    assert len(Place(profile=tight).run(small.network).cores) == 2
