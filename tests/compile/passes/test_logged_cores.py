"""Networks whose cores Lava's compiler logged are cut here in the same way, into as many cores."""

from __future__ import annotations

from pathlib import Path

import pytest
from placing import PILOTNET_LIF, PILOTNET_SDNN, chip_dense, pilotnet, yolo_kp
from profiles import SHIPPED, limited

from lavadeploy.compile import ChipNetwork, compile_network
from lavadeploy.compile.passes.partition import Partition
from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.netx import read_netx

IN_2022 = limited("loihi2", synapse_words_per_core=12000)  # the budget that logs of 2022 print


def blocks_by_layer(network: ChipNetwork, profile: HardwareProfile) -> dict[str, int]:
    found = Partition(profile=profile).run(network)
    return {layer.name: f.cut.parts for layer, f in zip(network.layers, found, strict=True)}


PILOTNET_CORES = {
    "conv1": 25,
    "conv2": 13,
    "conv3": 3,
    "conv4": 3,
    "conv5": 2,
    "fc1": 12,
    "fc2": 1,
    "fc3": 1,
    "fc4": 1,
}


def test_pilotnet_takes_the_cores_that_were_logged() -> None:
    lif = blocks_by_layer(pilotnet(PILOTNET_LIF, has_input=True), IN_2022)
    assert lif == {"input": 13} | PILOTNET_CORES
    assert sum(lif.values()) == 74
    sdnn = blocks_by_layer(pilotnet(PILOTNET_SDNN, has_input=False), IN_2022)
    assert sdnn == PILOTNET_CORES
    assert sum(sdnn.values()) == 61


def test_yolo_kp_takes_the_cores_that_were_logged() -> None:
    cores = list(blocks_by_layer(yolo_kp(), SHIPPED["loihi2"]).values())
    assert cores == [224, 112, 56, 28, 56, 16, 32, 14, 32, 4]
    assert sum(cores) == 574


def test_with_the_larger_memory_of_later_compilers_pilotnet_takes_fewer_cores() -> None:
    for network, cores in (
        (pilotnet(PILOTNET_LIF, has_input=True), 67),
        (pilotnet(PILOTNET_SDNN, has_input=False), 56),
    ):
        assert sum(blocks_by_layer(network, SHIPPED["loihi2"]).values()) == cores


def dense_blocks(network: ChipNetwork, layer: int, profile: HardwareProfile) -> list[int]:
    return [len(part) for part in Partition(profile=profile).run(network)[layer].cut.channels]


def test_dense_layers_are_cut_into_the_blocks_that_were_logged() -> None:
    mnist = chip_dense("layer0", 784, 128, 8, (-1,))
    network = ChipNetwork(input_shape=(784,), layers=(mnist,))
    assert dense_blocks(network, 0, SHIPPED["loihi2"]) == [50, 50, 28]
    first = chip_dense("layer0", 200, 256, 8, (-1,))
    second = chip_dense("layer1", 256, 200, 8, (0,))
    oxford = ChipNetwork(input_shape=(200,), layers=(first, second))
    assert dense_blocks(oxford, 0, IN_2022) == [127, 127, 2]
    assert dense_blocks(oxford, 1, IN_2022) == [127, 73]
    fc1 = dense_blocks(pilotnet(PILOTNET_SDNN, has_input=False), 5, IN_2022)
    assert fc1 == [9] * 11 + [1]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "in_2022", "cores"),
    # logged: 74 and 5 in 2022, 5 later; the stored SDNN is smaller than the one that was logged
    [("pilotnet_lif", 74, 67), ("oxford", 5, 5), ("mnist", 8, 5), ("pilotnet_sdnn", 33, 28)],
)
def test_networks_of_lava_dl_take_as_many_cores_as_logged(
    name: str, in_2022: int, cores: int, shared_data: Path
) -> None:
    network = read_netx(shared_data / f"netx/{name}/network.net")
    for profile, expected in ((IN_2022, in_2022), (SHIPPED["loihi2"], cores)):
        assert len(compile_network(network, profile).placement.cores) == expected
