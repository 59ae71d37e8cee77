"""Networks trained by others, with lava-dl 0.2 to 0.6, are read, shown and written again whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from expect import assert_same
from hdf5_files import assert_holds, read_hdf5

from lavadeploy.netx import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    InputLayer,
    NeuronKind,
    SigmaDeltaNeuron,
    read_netx,
    summarize_network,
    write_netx,
)

pytestmark = pytest.mark.shared_data

PATHS: Mapping[str, str] = {
    "tinynet": "tinynet/tiny.net",
    "mnist": "mnist/network.net",
    "oxford": "oxford/network.net",
    "pilotnet_lif": "pilotnet_lif/network.net",
    "pilotnet_sdnn": "pilotnet_sdnn/network.net",
}
# Kind and output shape of every layer.
LAYERS: Mapping[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "tinynet": (("input", (3, 16, 16)), ("conv", (24, 6, 6)), ("conv", (36, 1, 1))),
    "mnist": (("dense", (128,)), ("dense", (64,)), ("dense", (10,))),
    "oxford": (("dense", (256,)), ("dense", (200,))),
    "pilotnet_lif": (
        ("input", (3, 66, 200)),
        ("conv", (24, 32, 99)),
        ("conv", (36, 15, 49)),
        ("conv", (48, 7, 24)),
        ("conv", (64, 4, 22)),
        ("conv", (64, 2, 20)),
        ("flatten", (2560,)),
        ("dense", (100,)),
        ("dense", (50,)),
        ("dense", (10,)),
        ("dense", (1,)),
    ),
    "pilotnet_sdnn": (
        ("input", (3, 33, 100)),
        ("conv", (24, 16, 49)),
        ("conv", (36, 7, 24)),
        ("conv", (64, 4, 22)),
        ("conv", (64, 2, 20)),
        ("flatten", (2560,)),
        ("dense", (100,)),
        ("dense", (50,)),
        ("dense", (10,)),
        ("dense", (1,)),
    ),
}
LEGACY = "neuron/scaleRho, neuron/tauRho, neuron/theta, neuron/wgtExp."
PILOTNET_LAYERS = ", ".join(f"layer{i}" for i in range(11) if i != 6)
SIMULATION = "file: not understood, kept as it is: simulation."
WARNINGS: Mapping[str, tuple[str, ...]] = {
    "tinynet": (
        f"layer0, layer1, layer2: not understood, kept as it is: {LEGACY}",
        SIMULATION,
    ),
    "mnist": (),
    "oxford": (),
    "pilotnet_lif": (
        f"{PILOTNET_LAYERS}: not understood, kept as it is: {LEGACY}",
        SIMULATION,
    ),
    "pilotnet_sdnn": (),
}


@pytest.fixture
def original(name: str, shared_data: Path) -> Path:
    return shared_data / "netx" / PATHS[name]


def of_each_file(test: Any) -> Any:
    return pytest.mark.parametrize("name", PATHS)(test)


def test_no_file_is_left_out(shared_data: Path) -> None:
    found = {
        str(p.relative_to(shared_data / "netx")) for p in (shared_data / "netx").rglob("*.net")
    }
    assert found == set(PATHS.values())


@of_each_file
def test_it_is_read(name: str, original: Path) -> None:
    network = read_netx(original)
    assert network.warnings == WARNINGS[name]
    assert [layer.name for layer in network.layers] == [
        f"layer{i}" for i in range(len(LAYERS[name]))
    ]


@of_each_file
def test_every_dataset_is_written_again(original: Path, tmp_path: Path) -> None:
    network = read_netx(original)
    write_netx(network, tmp_path / "again.net")
    assert_holds(tmp_path / "again.net", original)
    assert_same(read_netx(tmp_path / "again.net"), network, ignore=("source",))


@of_each_file
def test_it_is_inspected(name: str, original: Path) -> None:
    rows = summarize_network(read_netx(original))
    assert tuple((row.kind, row.shape_out) for row in rows) == LAYERS[name]
    for index, row in enumerate(rows):
        if row.kind in ("conv", "dense"):
            weight = read_hdf5(original)[f"layer/{index}/weight"]
            assert (row.weights, row.weight_min, row.weight_max) == (
                weight.size,
                weight.min(),
                weight.max(),
            )
            assert row.zero_weights == np.count_nonzero(weight == 0)


def test_kernels_are_those_lava_dl_tests_with(shared_data: Path) -> None:
    layer = read_netx(shared_data / "netx/tinynet/tiny.net").layers[1]
    assert isinstance(layer, ConvLayer)
    kernel = np.load(shared_data / "netx/tinynet/layer1_kernel.npy")
    assert np.array_equal(layer.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1), kernel)


def test_the_input_layer_of_lava_dl_0_2_has_neurons(shared_data: Path) -> None:
    for name, weight, bias in (("tinynet", 36, 34), ("pilotnet_lif", 40, 36)):
        layer = read_netx(shared_data / "netx" / PATHS[name]).layers[0]
        assert isinstance(layer, InputLayer)
        assert (layer.weight, layer.bias) == (weight, bias)
        assert isinstance(layer.neuron, CubaNeuron)
        assert (layer.neuron.kind, layer.neuron.vth_mantissa) == (NeuronKind.LOIHI, 25)
        assert layer.extra["neuron/tauRho"] == 0.5


def test_weights_of_one_dimension_belong_to_the_one_neuron_of_pilotnet(shared_data: Path) -> None:
    layer = read_netx(shared_data / "netx" / PATHS["pilotnet_lif"]).layers[10]
    assert isinstance(layer, DenseLayer)
    assert (layer.shape, layer.weight.shape) == ((1, 1, 1), (1, 10))


def test_sigma_delta_neurons_of_pilotnet(shared_data: Path) -> None:
    layers = read_netx(shared_data / "netx" / PATHS["pilotnet_sdnn"]).layers
    neurons = [x.neuron for x in layers if isinstance(x, InputLayer | ConvLayer | DenseLayer)]
    found = [n for n in neurons if isinstance(n, SigmaDeltaNeuron)]
    assert [n.vth_mantissa for n in found] == [0, 13, 0, 0, 0, 23, 1, 6, 6]
    assert {n.activation for n in found} == {"relu"}
    assert [n.sigma_output for n in found] == [False] * 8 + [True]
