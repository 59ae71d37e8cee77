"""What NetX files in the wild hold is read, number for number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hdf5_files import CONV, DENSE, NEURON, SPELLINGS, write_hdf5, write_layers

from lavadeploy.netx import (
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    KernelLayer,
    LayerKind,
    Network,
    NeuronKind,
    PoolLayer,
    RecurrentLayer,
    UnpoolLayer,
    layer_kind,
    read_netx,
)

CONV_T: Mapping[str, Any] = {**CONV, "type": b"convT", "weight": np.arange(24).reshape(3, 2, 2, 2)}
POOL: Mapping[str, Any] = {**CONV, "type": b"pool", "weight": [[[[64, 64, 64], [64, 64, 64]]]]}
UNPOOL: Mapping[str, Any] = {**POOL, "type": b"unpool"}
RECURRENT: Mapping[str, Any] = {**DENSE, "type": b"dense_rec", "weight_rec": [[2, 4], [6, 8]]}
INPUT: Mapping[str, Any] = {"type": b"input", "shape": [2]}
FLATTEN: Mapping[str, Any] = {"type": b"flatten", "shape": [24, 1, 1]}
AVERAGE: Mapping[str, Any] = {"type": b"average", "shape": [12, 1, 1]}
CONCAT: Mapping[str, Any] = {"type": b"concat", "shape": [4], "sources": [0, 0]}
LAYERS: Mapping[LayerKind, Mapping[str, Any]] = {
    LayerKind.INPUT: INPUT,
    LayerKind.DENSE: DENSE,
    LayerKind.RECURRENT: RECURRENT,
    LayerKind.CONV: CONV,
    LayerKind.CONV_TRANSPOSE: CONV_T,
    LayerKind.POOL: POOL,
    LayerKind.UNPOOL: UNPOOL,
    LayerKind.FLATTEN: FLATTEN,
    LayerKind.AVERAGE: AVERAGE,
    LayerKind.CONCAT: CONCAT,
}


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


def test_a_convolution_is_read_as_stored(tmp_path: Path) -> None:
    geometry = {"stride": [1, 2], "padding": [3, 4], "dilation": [5, 6], "groups": 1}
    layer = only_layer(tmp_path, {**CONV, **geometry})
    assert isinstance(layer, ConvLayer)
    assert layer.shape == (2, 3, 4)
    assert layer.kernel_size == (2, 2)
    assert np.array_equal(layer.weight.reshape(-1), np.arange(-8, 8, 2))
    assert (layer.stride, layer.padding, layer.dilation) == ((1, 2), (3, 4), (5, 6))
    assert (layer.groups, layer.bias, layer.delay) == (1, None, None)


def test_a_recurrent_layer_is_read_as_stored(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, RECURRENT)
    assert isinstance(layer, RecurrentLayer)
    assert np.array_equal(layer.weight, [[2, -4, 6], [0, 254, -256]])
    assert np.array_equal(layer.weight_rec, [[2, 4], [6, 8]])


def test_a_transposed_convolution_is_read_as_stored(tmp_path: Path) -> None:
    geometry = {"stride": [1, 2], "padding": [3, 4], "dilation": [5, 6], "inChannels": 3}
    layer = only_layer(tmp_path, {**CONV_T, **geometry, "outChannels": 2, "delay": [1, 2]})
    assert isinstance(layer, ConvTransposeLayer)
    assert np.array_equal(layer.weight, np.arange(24).reshape(3, 2, 2, 2))
    assert (layer.stride, layer.padding, layer.dilation) == ((1, 2), (3, 4), (5, 6))
    assert (layer.groups, layer.kernel_size) == (1, (2, 2))
    assert layer.delay is not None
    assert np.array_equal(layer.delay, [1, 2])
    grouped = {**CONV_T, "weight": np.zeros((4, 1, 2, 2)), "groups": 2, "inChannels": 4}
    assert only_layer(tmp_path, grouped).groups == 2


@pytest.mark.parametrize(("fields", "layer"), [(POOL, PoolLayer), (UNPOOL, UnpoolLayer)])
def test_poolings_are_read_as_stored(
    fields: Mapping[str, Any], layer: type[KernelLayer], tmp_path: Path
) -> None:
    read = only_layer(tmp_path, {**fields, "stride": [1, 2], "padding": 1, "kernelSize": [2, 3]})
    assert type(read) is layer
    assert np.array_equal(read.weight, np.full((1, 1, 2, 3), 64))
    assert (read.stride, read.padding, read.dilation) == ((1, 2), (1, 1), (1, 1))
    assert only_layer(tmp_path, fields).stride == (2, 3)  # SLAYER's default is the kernel's size


def test_an_average_layer_is_read(tmp_path: Path) -> None:
    layer = only_layer(tmp_path, AVERAGE)
    assert isinstance(layer, AverageLayer)
    assert layer.shape == (12, 1, 1)


def test_a_concat_layer_names_its_sources(tmp_path: Path) -> None:
    layers = [DENSE, DENSE, {**CONCAT, "sources": [1, 0, 1]}, {**CONCAT, "sources": 2}]
    network = read_netx(write_layers(tmp_path / "a.net", *layers))
    sources = [layer.sources for layer in network.layers if isinstance(layer, ConcatLayer)]
    assert sources == [(1, 0, 1), (2,)]
    assert network.warnings == ()


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", LayerKind)
def test_kinds_are_read_in_every_spelling(kind: LayerKind, spelling: str, tmp_path: Path) -> None:
    fields = {**LAYERS[kind], "type": SPELLINGS[spelling](kind.value)}
    network = read_netx(write_layers(tmp_path / "a.net", INPUT, fields))
    assert layer_kind(network.layers[1]) is kind


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


def test_dense_weights_of_one_dimension_are_taken_row_by_row(tmp_path: Path) -> None:
    flat = {"weight": [2, -4, 6, 0, 254, -256], "weight_rec": [2, 4, 6, 8]}
    layer = only_layer(tmp_path, {**RECURRENT, **flat})
    assert np.array_equal(layer.weight, [[2, -4, 6], [0, 254, -256]])
    assert np.array_equal(layer.weight_rec, [[2, 4], [6, 8]])


@pytest.mark.parametrize("kind", ["conv", "convT", "pool", "unpool"])
def test_kernels_with_a_time_axis_lose_it(kind: str, tmp_path: Path) -> None:
    fields = next(layer for k, layer in LAYERS.items() if k.value == kind)
    kernel = np.array(fields["weight"])
    layer = only_layer(tmp_path, {**fields, "weight": kernel[..., np.newaxis]})
    assert np.array_equal(layer.weight, kernel)
    group = {n: v for n, v in fields.items() if n != "weight"}
    group |= {"neuron/type": b"RF_PHASE", "neuron/sinDecay": 1, "neuron/cosDecay": 2}
    group |= {"weight/real": kernel[..., np.newaxis], "weight/imag": -kernel[..., np.newaxis]}
    layer = read_netx(write_layers(tmp_path / "a.net", group)).layers[0]
    assert isinstance(layer, KernelLayer)
    assert np.array_equal(layer.weight, kernel)
    assert layer.weight_imag is not None
    assert np.array_equal(layer.weight_imag, -kernel)


@pytest.mark.parametrize(("stored", "expected"), [(None, None), (0, False), ([True], True)])
def test_a_file_may_say_whether_output_came_a_step_late(
    stored: Any, expected: bool | None, tmp_path: Path
) -> None:
    field = {} if stored is None else {"delayShift": stored}
    for layer in (DENSE, RECURRENT, CONV, CONV_T, POOL, UNPOOL, {**INPUT, **NEURON}):
        assert only_layer(tmp_path, {**layer, **field}).delay_shift is expected


@pytest.mark.parametrize("stored", [6, [6], [[6]], [6, 6]])
def test_a_single_bias_or_delay_is_that_of_every_channel(stored: Any, tmp_path: Path) -> None:
    for layer in (DENSE, RECURRENT, CONV, CONV_T, POOL, UNPOOL):
        read = only_layer(tmp_path, {**layer, "bias": stored, "delay": stored})
        assert np.array_equal(read.bias, [6, 6])
        assert np.array_equal(read.delay, [6, 6])


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


def test_datasets_not_understood_are_named_once_for_all_their_layers(tmp_path: Path) -> None:
    extra = {**DENSE, "neuron/tauRho": 0.5, "alpha": 2}
    layers = (extra, DENSE, {**extra, "alpha": 3}, {**FLATTEN, "alpha": b"text"})
    network = read_netx(write_layers(tmp_path / "f", *layers))
    assert network.warnings == (
        "layer0, layer2: not understood, kept as it is: alpha, neuron/tauRho.",
        "layer3: not understood, kept as it is: alpha.",
    )
    assert [sorted(layer.extra) for layer in network.layers] == [
        ["alpha", "neuron/tauRho"],
        [],
        ["alpha", "neuron/tauRho"],
        ["alpha"],
    ]
    assert network.layers[0].extra == {"alpha": 2, "neuron/tauRho": 0.5}
    assert network.layers[3].extra == {"alpha": "text"}


@pytest.mark.parametrize("kind", LayerKind)
def test_every_layer_keeps_what_is_not_understood(kind: LayerKind, tmp_path: Path) -> None:
    layers = (INPUT, {**LAYERS[kind], "alpha/beta": 2.5})
    network = read_netx(write_layers(tmp_path / "f", *layers))
    assert network.warnings == ("layer1: not understood, kept as it is: alpha/beta.",)
    assert network.layers[1].extra == {"alpha/beta": 2.5}


def with_file_fields(
    path: Path, values: Mapping[str, Any], attributes: Mapping[str, Any] | None = None
) -> Network:
    layer = {f"layer/0/{name}": value for name, value in DENSE.items()}
    return read_netx(write_hdf5(path / "f", {**layer, **values}, attributes))


def test_what_stands_outside_of_layers_is_kept(tmp_path: Path) -> None:
    values = {"simulation/Ts": 1, "simulation/tSample": 64, "note": b"mine", "layer/count": 1}
    network = with_file_fields(tmp_path, values, {"author": "µ", "run": 3})
    assert network.warnings == (
        (
            "file: not understood, kept as it is: attribute author, attribute run, layer/count, "
            "note, simulation."
        ),
    )
    expected = {"simulation/Ts": 1, "simulation/tSample": 64, "note": "mine", "layer/count": 1}
    assert network.extra == expected
    assert network.extra_attributes == {"author": "µ", "run": 3}


def test_attributes_that_writing_replaces_are_told(tmp_path: Path) -> None:
    network = with_file_fields(tmp_path, {}, {"format": "theirs", "producer": "they"})
    assert network.warnings == (
        "file: attributes that lavadeploy writes itself are not kept: format, producer.",
    )
    assert network.extra_attributes == {}


def test_a_network_knows_where_it_came_from(tmp_path: Path) -> None:
    path = write_layers(tmp_path / "f", DENSE)
    source = read_netx(str(path)).source
    assert source is not None
    assert source.path == path
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
