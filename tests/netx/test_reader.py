"""What NetX files in the wild hold is read, number for number."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from expect import sentence
from hdf5_files import CONV, DENSE, NEURON, SPELLINGS, without, write_hdf5, write_layers

from lavadeploy.netx import (
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    NetxFormatError,
    NeuronKind,
    read_netx,
    summarize_network,
)
from lavadeploy.netx.hdf5_schema import DEFAULT_VTH_MANTISSA


def only_layer(path: Path, layer: Any) -> Any:
    network = read_netx(write_layers(path / "one.net", layer))
    assert network.warnings == ()
    return network.layers[0]


def test_a_dense_layer_is_read_as_stored(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, {**DENSE, "bias": [2, -4], "delay": [0, 62]})
    assert isinstance(layer, DenseLayer)
    assert (layer.name, layer.shape) == ("layer0", (2,))
    assert layer.weight.dtype == np.int32
    assert np.array_equal(layer.weight, [[2, -4, 6], [0, 254, -256]])
    assert layer.bias is not None
    assert layer.delay is not None
    assert np.array_equal(layer.bias, [2, -4])
    assert np.array_equal(layer.delay, [0, 62])
    assert layer.neuron.kind is NeuronKind.CUBA
    assert layer.neuron.vth_mantissa == 80
    assert (layer.neuron.current_decay.shape, int(layer.neuron.current_decay)) == ((), 1024)
    assert (layer.neuron.voltage_decay.shape, int(layer.neuron.voltage_decay)) == ((), 128)
    assert layer.neuron.refractory_delay == 1
    assert layer.neuron.graded_spike is False


def test_a_convolution_is_read_as_stored(tmp_path: Path) -> None:
    geometry = {"stride": [1, 2], "padding": [3, 4], "dilation": [5, 6], "groups": 1}
    layer = only_layer(tmp_path, {**CONV, **geometry})
    assert isinstance(layer, ConvLayer)
    assert layer.shape == (2, 3, 4)
    assert layer.kernel_size == (2, 2)
    assert np.array_equal(layer.weight.reshape(-1), np.arange(-8, 8, 2))
    assert (layer.stride, layer.padding, layer.dilation) == ((1, 2), (3, 4), (5, 6))
    assert (layer.groups, layer.bias, layer.delay) == (1, None, None)


def test_geometry_has_torchs_defaults(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, CONV)
    assert isinstance(layer, ConvLayer)
    assert (layer.stride, layer.padding, layer.dilation) == ((1, 1), (0, 0), (1, 1))
    assert layer.groups == 1


def test_a_single_number_is_both_height_and_width(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, {**CONV, "stride": 2, "padding": [3], "dilation": 4})
    assert isinstance(layer, ConvLayer)
    assert (layer.stride, layer.padding, layer.dilation) == ((2, 2), (3, 3), (4, 4))


def test_twelve_layers_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    # as text, '10' and '11' come before '2'
    layers = [{**DENSE, "neuron/vThMant": 100 + i} for i in range(12)]
    network = read_netx(write_layers(tmp_path / "deep.net", *layers))
    assert [layer.name for layer in network.layers] == [f"layer{i}" for i in range(12)]
    thresholds = [
        layer.neuron.vth_mantissa for layer in network.layers if isinstance(layer, DenseLayer)
    ]
    assert thresholds == list(range(100, 112))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_kinds_are_read_in_every_spelling(spelling: str, tmp_path: Path) -> None:
    spell = SPELLINGS[spelling]
    layer = only_layer(tmp_path, {**DENSE, "type": spell("dense"), "neuron/type": spell("LOIHI")})
    assert isinstance(layer, DenseLayer)
    assert layer.neuron.kind is NeuronKind.LOIHI


def test_dense_weights_of_one_dimension_are_taken_row_by_row(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, {**DENSE, "weight": [2, -4, 6, 0, 254, -256]})
    assert np.array_equal(layer.weight, [[2, -4, 6], [0, 254, -256]])


def test_convolution_weights_with_a_time_axis_lose_it(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, {**CONV, "weight": np.arange(8).reshape(2, 1, 2, 2, 1)})
    assert np.array_equal(layer.weight, np.arange(8).reshape(2, 1, 2, 2))


@pytest.mark.parametrize("stored", [6, [6], [[6]], [6, 6]])
def test_a_single_bias_or_delay_is_that_of_every_channel(stored: Any, tmp_path: Path) -> None:
    for layer in (DENSE, CONV):
        read = only_layer(tmp_path, {**layer, "bias": stored, "delay": stored})
        assert np.array_equal(read.bias, [6, 6])
        assert np.array_equal(read.delay, [6, 6])


def test_decays_may_be_one_a_channel(tmp_path: Path) -> None:
    for layer in (DENSE, CONV):
        read = only_layer(tmp_path, {**layer, "neuron/iDecay": [[0], [4096]], "neuron/vDecay": [7]})
        assert np.array_equal(read.neuron.current_decay, [0, 4096])
        assert read.neuron.current_decay.shape == (2,)
        assert read.neuron.voltage_decay.shape == ()
        assert int(read.neuron.voltage_decay) == 7


@pytest.mark.parametrize("shape", [[2], [2, 1, 1], [1, 1, 2]])
def test_dense_shapes_stay_as_stored(shape: list[int], tmp_path: Path) -> None:
    assert only_layer(tmp_path, {**DENSE, "shape": shape}).shape == tuple(shape)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float16, np.float32, np.float64])
def test_whole_numbers_of_every_type_are_read(dtype: Any, tmp_path: Path) -> None:
    weight: Any = np.array([[2, -4, 6], [0, 126, -128]], dtype=dtype)
    layer = only_layer(tmp_path, {**DENSE, "weight": weight})
    assert layer.weight.dtype == np.int32
    assert np.array_equal(layer.weight, [[2, -4, 6], [0, 126, -128]])


def test_the_ends_of_32_bits_are_read(tmp_path: Path) -> None:
    ends = [[-(2**31), 2**31 - 1, 0], [0, 0, 0]]
    assert np.array_equal(only_layer(tmp_path, {**DENSE, "weight": ends}).weight, ends)


def test_refractory_delay_and_graded_spikes_are_read(tmp_path: Path) -> None:
    neuron = {"neuron/refDelay": 5, "neuron/gradedSpike": np.True_}
    layer = only_layer(tmp_path, {**DENSE, **neuron})
    assert layer.neuron.refractory_delay == 5
    assert layer.neuron.graded_spike is True


def test_an_input_layer_only_declares_a_shape(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, {"type": b"input", "shape": [3, 4, 5]})
    assert isinstance(layer, InputLayer)
    assert (layer.shape, layer.weight, layer.bias, layer.neuron) == ((3, 4, 5), None, None, None)


@pytest.mark.parametrize("pair", [(64, -2), ([64], [-2])])
def test_an_input_layer_with_neurons_keeps_scale_and_offset(pair: Any, tmp_path: Path) -> None:
    fields = {"type": b"input", "shape": [3], "weight": pair[0], "bias": pair[1], **NEURON}
    layer = only_layer(tmp_path, fields)
    assert isinstance(layer, InputLayer)
    assert (layer.weight, layer.bias) == (64, -2)
    assert layer.neuron is not None
    assert layer.neuron.vth_mantissa == 80


def test_a_flatten_layer_is_read(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, {"type": b"flatten", "shape": [12, 1, 1]})
    assert isinstance(layer, FlattenLayer)
    assert layer.shape == (12, 1, 1)


def test_a_dense_layer_without_neurons_is_lava_dls_integrator(tmp_path: Path) -> None:
    fields = without(DENSE, "neuron/type", "neuron/vThMant", "neuron/iDecay", "neuron/vDecay")
    network = read_netx(write_layers(tmp_path / "f", fields))
    assert network.warnings == (
        (
            "layer0: no neuron group; read as lava-dl does, an integrator (iDecay 0, vDecay 4096) "
            "with threshold 131072, which never fires."
        ),
    )
    layer = network.layers[0]
    assert isinstance(layer, DenseLayer)
    assert layer.neuron.vth_mantissa == DEFAULT_VTH_MANTISSA == 131072
    assert (int(layer.neuron.current_decay), int(layer.neuron.voltage_decay)) == (0, 4096)


def test_datasets_not_understood_are_named_once_for_all_their_layers(tmp_path: Path) -> None:
    extra = {**DENSE, "neuron/tauRho": 1, "alpha": 2}
    network = read_netx(write_layers(tmp_path / "f", extra, DENSE, extra, {**DENSE, "alpha": 1}))
    assert network.warnings == (
        "layer0, layer2: not read: alpha, neuron/tauRho.",
        "layer3: not read: alpha.",
    )


def test_groups_besides_the_layers_are_passed_over(tmp_path: Path) -> None:
    values = {f"layer/0/{name}": value for name, value in DENSE.items()}
    network = read_netx(write_hdf5(tmp_path / "f", {**values, "simulation/Ts": 1}))
    assert network.warnings == ()
    assert len(network.layers) == 1


def test_a_network_knows_where_it_came_from(tmp_path: Path) -> None:
    path = write_layers(tmp_path / "f", DENSE)
    source = read_netx(str(path)).source
    assert source is not None
    assert source.path == path
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


TRAINED_BY_OTHERS: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "mnist/network.net": (("dense", (128,)), ("dense", (64,)), ("dense", (10,))),
    "oxford/network.net": (("dense", (256,)), ("dense", (200,))),
    "tinynet/tiny.net": (("input", (3, 16, 16)), ("conv", (24, 6, 6)), ("conv", (36, 1, 1))),
    "pilotnet_lif/network.net": (
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
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", TRAINED_BY_OTHERS)
def test_networks_trained_by_others_are_read(name: str, shared_data: Path) -> None:
    rows = summarize_network(read_netx(shared_data / "netx" / name))
    assert tuple((row.kind, row.shape_out) for row in rows) == TRAINED_BY_OTHERS[name]


@pytest.mark.shared_data
def test_legacy_fields_of_pilotnet_are_named(shared_data: Path) -> None:
    assert read_netx(shared_data / "netx/pilotnet_lif/network.net").warnings == (
        (
            "layer0, layer1, layer2, layer3, layer4, layer5, layer7, layer8, layer9, layer10: not "
            "read: neuron/scaleRho, neuron/tauRho, neuron/theta, neuron/wgtExp."
        ),
    )


@pytest.mark.shared_data
def test_kernels_are_those_lava_dl_tests_with(shared_data: Path) -> None:
    layer = read_netx(shared_data / "netx/tinynet/tiny.net").layers[1]
    assert isinstance(layer, ConvLayer)
    kernel = np.load(shared_data / "netx/tinynet/layer1_kernel.npy")
    assert np.array_equal(layer.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1), kernel)


@pytest.mark.shared_data
def test_a_sigma_delta_network_is_refused(shared_data: Path) -> None:
    path = shared_data / "netx/pilotnet_sdnn/network.net"
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}', layer0: neuron kind 'SDNN' cannot be read by this version. "
        "It reads CUBA, LOIHI."
    )
