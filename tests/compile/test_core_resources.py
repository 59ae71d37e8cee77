"""A core's usage is what the Lava compiler printed for the same block."""

from __future__ import annotations

import pytest
from placing import PILOTNET_LIF, PILOTNET_SDNN, chip_dense, pilotnet, yolo_kp
from profiles import SHIPPED, limited

from lavadeploy.compile import ChipNetwork
from lavadeploy.compile.passes.partition import Partition
from lavadeploy.compile.placement import Usage
from lavadeploy.hw_profiles import HardwareProfile

IN_2022 = limited("loihi2", synapse_words_per_core=12000)

# lava-dl, tutorials/lava/lib/dl/netx/pilotnet_{snn,sdnn}/benchmark.ipynb: AxonIn, neurons and
# words of a full core; AxonMap and AxonMem as means of the layer's cores.
PILOTNET_ROWS = [  # layer, cores, AxonIn, neurons, words (LIF), words (SDNN), AxonMap, AxonMem
    ("input", 13, 1, 3168, 0, 0, 1015, 731),
    ("conv1", 25, 2, 3072, 81, 81, 253, 93),
    ("conv2", 13, 2, 2160, 864, 864, 113, 32),
    ("conv3", 3, 2, 2688, 1620, 1620, 112, 46),
    ("conv4", 3, 1, 2048, 2160, 2592, 29, 9),
    ("conv5", 2, 1, 2048, 2880, 2880, 1280, 0),
    ("fc1", 12, 2560, 9, 7680, 7680, 8, 0),
    ("fc2", 1, 100, 50, 1300, 1500, 50, 0),
    ("fc3", 1, 50, 10, 150, 150, 10, 0),
    ("fc4", 1, 10, 1, 10, 10, 1, 0),
]
# lava-dl, tutorials/lava/lib/dl/netx/yolo_kp/run.ipynb: percent of 16000 words, of 4095 neurons, of
# 8 groups, of 16000 map entries and memory entries, of 20000 in total.
YOLO_ROWS = [
    (224, 0.34, 87.52, 12.5, 1.40, 0.70, 19.88),
    (112, 3.60, 87.52, 12.5, 0.70, 0.35, 21.65),
    (56, 10.80, 87.52, 12.5, 0.35, 0.17, 26.99),
    (28, 39.60, 87.52, 12.5, 0.17, 0.35, 50.03),
    (56, 79.20, 87.52, 12.5, 0.17, 0.17, 81.57),
    (16, 72.00, 87.52, 12.5, 0.35, 2.80, 78.05),
    (32, 86.40, 87.52, 12.5, 0.35, 0.35, 87.61),
    (14, 67.20, 87.52, 12.5, 0.09, 0.35, 72.04),
    (32, 86.40, 87.52, 12.5, 0.35, 0.17, 87.47),
    (4, 19.20, 65.64, 25.0, 16.80, 0.00, 42.26),
]


def usage_by_layer(
    network: ChipNetwork, profile: HardwareProfile
) -> dict[str, list[dict[str, Usage]]]:
    found = Partition(profile=profile).run(network)
    return {
        layer.name: [{u.resource: u for u in usage} for usage in blocks.usage]
        for layer, blocks in zip(network.layers, found, strict=True)
    }


@pytest.mark.parametrize(("bits", "column"), [(PILOTNET_LIF, 4), (PILOTNET_SDNN, 5)])
def test_pilotnets_cores_are_taken_as_logged(bits: tuple[int, ...], column: int) -> None:
    network = pilotnet(bits, has_input=True)
    cores = usage_by_layer(network, IN_2022)
    for row in PILOTNET_ROWS:
        name, count, heard, neurons, *_, map_entries, memory = row
        layer = cores[name]
        assert len(layer) == count
        full = layer[0]
        assert full["input axons"].used == heard
        assert full["neurons"].used == neurons
        assert full["synapse words"].used == row[column]
        mean = sum(core["axon map entries"].used for core in layer) / count
        assert round(mean) == map_entries or int(mean) == map_entries, name
        assert sum(core["axon memory entries"].used for core in layer) / count >= memory


def test_words_of_pilotnets_first_dense_layer_add_up_to_the_logged_mean() -> None:
    for bits in (PILOTNET_LIF, PILOTNET_SDNN):
        cores = usage_by_layer(pilotnet(bits, has_input=False), IN_2022)["fc1"]
        assert sum(core["synapse words"].used for core in cores) // 12 == 7253


def test_yolo_kps_cores_are_taken_as_logged() -> None:
    network = yolo_kp()
    cores = usage_by_layer(network, SHIPPED["loihi2"])
    for layer, row in zip(network.layers, YOLO_ROWS, strict=True):
        count, words, neurons, groups, map_entries, memory, total = row
        full = cores[layer.name][0]
        assert len(cores[layer.name]) == count

        def shown(resource: str, full: dict[str, Usage] = full) -> float:
            percent = full[resource].percent
            assert percent is not None
            return percent

        # printed to two decimals
        for resource, logged in (
            ("synapse words", words),
            ("neurons", neurons),
            ("neuron groups", groups),
            ("axon map entries", map_entries),
        ):
            assert shown(resource) == pytest.approx(logged, abs=0.0051)
        assert memory - 0.0051 <= shown("axon memory entries") <= 4 * (memory + 0.0051)
        # the total holds the memory's entries, of which we count more
        spare = full["axon memory entries"].used - memory * 160
        assert shown("entries in total") == pytest.approx(total + spare / 200, abs=0.015)


def test_a_resource_without_limit_has_no_percent() -> None:
    assert Usage(resource="neurons", used=3, available=None).percent is None
    assert Usage(resource="neurons", used=3, available=12).percent == 25.0


def test_complex_and_recurrent_weights_each_take_words_and_a_format() -> None:
    plain = chip_dense("layer0", 20, 10, 4, (-1,))
    recurrent = chip_dense("layer0", 20, 10, 4, (-1,), recurs=True)
    for profile in ("loihi1", "loihi2"):
        used = [
            usage_by_layer(ChipNetwork(input_shape=(20,), layers=(layer,)), SHIPPED[profile])
            for layer in (plain, recurrent)
        ]
        one, two = (found["layer0"][0] for found in used)
        assert two["synapse words"].used * 20 == one["synapse words"].used * (20 + 10)
        assert (one["synapse formats"].used, two["synapse formats"].used) == (1, 2)
