"""Synapse words are those that the Lava compiler logged and nengo-loihi counts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from builders import compiled, conv, dense
from placing import bits_of_layer
from profiles import SHIPPED

from lavadeploy.compile import ChipLayer, compile_network, weight_sets
from lavadeploy.compile.synapse_memory import (
    channel_runs,
    delay_bits_of,
    lava_conv_words,
    lava_dense_words,
    synapse_words,
)
from lavadeploy.compile.weight_registers import weight_registers
from lavadeploy.netx import ConvLayer, DenseLayer, read_netx

# Per-core tables printed in lava-dl's notebooks (hardware_facts §1.2.3): targets of a list, lists,
# bits of a weight, words.
LOGGED_DENSE = [
    ("mnist fc1, 50 neurons a core", 50, 784, 8, 12544),
    ("mnist fc2", 64, 128, 8, 2688),
    ("mnist fc3", 10, 64, 8, 256),
    ("oxford L1", 256, 200, 8, 16200),
    ("oxford L2", 200, 256, 8, 16128),
    ("pilotnet sdnn fc1, unsplit", 100, 2560, 4, 66560),
    ("pilotnet lif fc1, unsplit", 100, 2560, 3, 61440),
    ("pilotnet sdnn fc1, 17 neurons a core", 17, 2560, 4, 12800),
    ("pilotnet lif fc1, 17 neurons a core", 17, 2560, 3, 12800),
    ("pilotnet sdnn fc2", 50, 100, 6, 1500),
    ("pilotnet lif fc2", 50, 100, 4, 1300),
    ("pilotnet sdnn fc3", 10, 50, 5, 150),
    ("pilotnet lif fc3", 10, 50, 5, 150),
    ("pilotnet sdnn fc4", 1, 10, 4, 10),
    ("pilotnet lif fc4", 1, 10, 4, 10),
]
LOGGED_CONV = [
    ("pilotnet sdnn conv1", 24, 27, 6, 81),
    ("pilotnet lif conv1", 24, 27, 5, 81),
    ("pilotnet sdnn conv2", 36, 216, 5, 864),
    ("pilotnet lif conv2", 36, 216, 4, 864),
    ("pilotnet sdnn conv3", 48, 324, 4, 1620),
    ("pilotnet lif conv3", 48, 324, 4, 1620),
    ("pilotnet sdnn conv4", 64, 432, 5, 2592),
    ("pilotnet lif conv4", 64, 432, 4, 2160),
    ("pilotnet sdnn conv5", 64, 576, 4, 2880),
    ("pilotnet lif conv5", 64, 576, 4, 2880),
    # YOLO-KP: percent of 16000; bits are the fewest that explain them
    ("yolo-kp conv1", 16, 27, 5, 54),
    ("yolo-kp conv2", 32, 144, 6, 576),
    ("yolo-kp conv3", 64, 288, 5, 1728),
    ("yolo-kp conv4", 128, 576, 5, 6336),
    ("yolo-kp conv5, 128 of 256", 128, 1152, 5, 12672),
    ("yolo-kp conv6, 64 of 256", 64, 2304, 4, 11520),
    ("yolo-kp conv7 and conv9, 64 of 512", 64, 2304, 5, 13824),
    ("yolo-kp conv8", 256, 512, 5, 10752),
    ("yolo-kp conv10", 48, 512, 6, 3072),
]


@pytest.mark.parametrize(("targets", "lists", "bits", "words"), [row[1:] for row in LOGGED_DENSE])
def test_dense_layers_take_the_logged_words(
    targets: int, lists: int, bits: int, words: int
) -> None:
    assert lists * lava_dense_words(targets, bits) == words


@pytest.mark.parametrize(("targets", "lists", "bits", "words"), [row[1:] for row in LOGGED_CONV])
def test_convolutions_take_the_logged_words(
    targets: int, lists: int, bits: int, words: int
) -> None:
    assert lists * lava_conv_words(targets, bits) == words


def words_of(layer: ChipLayer, profile: str, *, neurons: int = 0, channels: int = 0) -> int:
    inputs = math.prod(layer.shape_in)
    return synapse_words(
        layer, SHIPPED[profile], neurons=neurons, channels=range(channels), inputs=inputs
    )


def dense_layer(n_out: int, n_in: int, largest: int) -> ChipLayer:
    weight = np.full((n_out, n_in), 2)
    weight[0, 0] = largest
    return compiled(dense(weight), profile="ideal").network.layers[0]


def conv_layer(channels: int, lists: tuple[int, int, int], groups: int = 1) -> ChipLayer:
    weight = np.full((channels, *lists), 2)
    weight[0, 0, 0, 0] = 254  # 2 and 254 need seven bits and the zero below: eight
    layer = conv(weight, (channels, 2, 3), groups=groups)
    return compiled(layer, profile="ideal").network.layers[0]


def test_a_dense_core_counts_its_neurons_and_inputs() -> None:
    layer = dense_layer(100, 784, 255)
    assert bits_of_layer(layer) == 8
    assert words_of(layer, "loihi2", neurons=50) == 12544
    assert words_of(layer, "loihi2", neurons=51) == 784 * 17
    assert words_of(layer, "loihi2", neurons=1) == 784


def test_a_convolution_shares_one_list_for_all_places() -> None:
    layer = conv_layer(64, (3, 3, 2))
    bits = bits_of_layer(layer)
    assert words_of(layer, "loihi2", channels=64) == 18 * lava_conv_words(64, bits)
    assert words_of(layer, "loihi2", channels=7) == 18 * lava_conv_words(7, bits)


def test_a_block_holds_the_lists_of_its_own_groups_only() -> None:
    layer, profile = conv_layer(64, (3, 3, 2), groups=4), SHIPPED["loihi2"]

    def words(channels: range) -> int:
        return synapse_words(layer, profile, neurons=0, channels=channels, inputs=0)

    bits = bits_of_layer(layer)
    assert words(range(16)) == words(range(48, 64)) == 18 * lava_conv_words(16, bits)
    assert words(range(20, 21)) == 18 * lava_conv_words(1, bits)
    assert words(range(16, 48)) == 36 * lava_conv_words(16, bits)


def test_a_group_of_a_convolution_reaches_only_its_own_channels() -> None:
    layer = conv_layer(64, (3, 3, 2), groups=4)
    assert layer.shape_in[0] == 12
    assert words_of(layer, "loihi2", channels=64) == 72 * lava_conv_words(16, bits_of_layer(layer))


@pytest.mark.parametrize("targets", [1, 2, 3, 4, 32, 64, 256])
def test_powers_of_two_are_one_run(targets: int) -> None:
    assert channel_runs(targets) == (targets,)
    assert lava_conv_words(targets, 8) == math.ceil((10 + 8 * targets) / 64)


@pytest.mark.parametrize(
    ("targets", "runs"),
    [
        (24, (16, 8)),
        (36, (32, 4)),
        (48, (32, 16)),
        (5, (5,)),
        (9, (8, 1)),
        (63, (63,)),
        (65, (64, 1)),
    ],
)
def test_other_numbers_are_several_runs(targets: int, runs: tuple[int, ...]) -> None:
    assert channel_runs(targets) == runs
    assert lava_conv_words(targets, 8) == sum(math.ceil((10 + 8 * run) / 64) for run in runs)


@pytest.mark.parametrize("targets", range(1, 200))
def test_runs_hold_every_channel_once(targets: int) -> None:
    assert sum(channel_runs(targets)) == targets


def nengo_words(targets: int, bits: int) -> int:
    """nengo_loihi/block.py: blocks of at most 64 targets, each aligned to 64 bits."""
    blocks = [min(64, targets - first) for first in range(0, targets, 64)]
    return sum(math.ceil((n * bits + 4 + 6) / 64) for n in blocks)


@pytest.mark.parametrize("neurons", [1, 6, 7, 63, 64, 65, 128, 129, 1000])
def test_loihi1_counts_as_nengo_loihi_does(neurons: int) -> None:
    layer = dense_layer(1, 30, 255)
    assert bits_of_layer(layer) == 8
    assert words_of(layer, "loihi1", neurons=neurons) == 30 * nengo_words(neurons, 8)


@pytest.mark.parametrize(("most", "bits"), [(0, 0), (1, 3), (7, 3), (8, 4), (31, 5), (62, 6)])
def test_delays_take_bits_of_every_synapse_that_hears_them(most: int, bits: int) -> None:
    assert delay_bits_of(most) == bits
    first = dense(np.full((40, 3), 2), delay=np.array([most] + [0] * 39))
    weight = np.full((30, 40), 2)
    weight[0, :2] = (254, -254)  # 8 bits
    second = dense(weight, name="layer1")
    for profile, expected in (
        ("loihi1", 40 * nengo_words(30, 8 + bits)),
        ("loihi2", 40 * lava_dense_words(30, 8 + bits)),
    ):
        placement = compiled(first, second, profile=profile).placement
        undelayed, delayed = (
            next(u.used for u in core.usage if u.resource == "synapse words")
            for core in placement.cores
        )
        assert delayed == expected
        assert undelayed == compiled(first, profile=profile).placement.cores[0].usage[1].used


def test_convolutions_on_loihi1_share_lists_too() -> None:
    layer = conv_layer(70, (3, 3, 2))
    expected = 18 * nengo_words(70, bits_of_layer(layer))
    assert words_of(layer, "loihi1", channels=70) == expected


def test_the_ideal_profile_counts_no_words() -> None:
    assert words_of(dense_layer(100, 784, 255), "ideal", neurons=100) == 0
    assert words_of(conv_layer(64, (3, 3, 2)), "ideal", channels=64) == 0


def bits_of(layer: DenseLayer | ConvLayer, profile: str) -> int:
    registers = weight_registers(layer.weight, SHIPPED[profile])
    assert registers is not None
    return registers.bits


@pytest.mark.shared_data
def test_oxfords_second_layer_has_seven_bits_but_was_logged_with_eight(shared_data: Path) -> None:
    layer = read_netx(shared_data / "netx/oxford/network.net").layers[1]
    assert isinstance(layer, DenseLayer)
    assert bits_of(layer, "ideal") == 7
    assert 256 * lava_dense_words(200, 7) == 15360
    assert 256 * lava_dense_words(200, 8) == 16128  # as logged: no width of 7
    assert bits_of(layer, "loihi2") == 8


@pytest.mark.shared_data
def test_pilotnets_layers_take_the_logged_words(shared_data: Path) -> None:
    network = read_netx(shared_data / "netx/pilotnet_lif/network.net")
    words: list[int] = []
    for layer in network.layers:
        if isinstance(layer, ConvLayer):
            lists = math.prod(layer.weight.shape[1:])
            words.append(lists * lava_conv_words(layer.shape[0], bits_of(layer, "loihi2")))
        elif isinstance(layer, DenseLayer):
            n_out, n_in = layer.weight.shape
            words.append(n_in * lava_dense_words(n_out, bits_of(layer, "loihi2")))
    assert words == [81, 864, 1620, 2160, 2880, 61440, 1300, 150, 10]


@pytest.mark.shared_data
def test_mnists_cores_hold_the_logged_words(shared_data: Path) -> None:
    network = compile_network(read_netx(shared_data / "netx/mnist/network.net"), SHIPPED["loihi2"])
    bits = [weights.bits for layer in network.network.layers for _, weights in weight_sets(layer)]
    assert bits == [8, 8, 8]
    words = [
        usage.used
        for core in network.placement.cores
        for usage in core.usage
        if usage.resource == "synapse words"
    ]
    # 50 neurons on each of two cores and 28 on a third, as logged
    assert words == [12544, 12544, 784 * 9, 2688, 256]
