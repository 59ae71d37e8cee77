"""What is written is read back, number for number, in the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import assert_same, sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lavadeploy.netx import (
    PRODUCER,
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    NeuronKind,
    OutputError,
    read_netx,
    write_netx,
)
from lavadeploy.netx.hdf5_store import read_tree
from lavadeploy.netx.writer import netx_values

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)
EXACT = 1 << 24  # float32, SLAYER's type for weights, holds whole numbers up to here
SIZES = st.integers(1, 3)
PAIRS = st.tuples(st.integers(1, 5), st.integers(1, 5))


def whole(shape: Any, low: int = -EXACT, high: int = EXACT) -> st.SearchStrategy[Any]:
    return hnp.arrays(np.int32, shape, elements=st.integers(low, high))


def neurons(channels: int) -> st.SearchStrategy[CubaNeuron]:
    decays = (
        whole((), 0, 4096) | whole((channels,), 0, 4096) if channels > 1 else whole((), 0, 4096)
    )
    return st.builds(
        CubaNeuron,
        kind=st.sampled_from(NeuronKind),
        vth_mantissa=st.integers(-(2**31), 2**31 - 1),
        current_decay=decays,
        voltage_decay=decays,
        refractory_delay=st.integers(1, 64),
        graded_spike=st.booleans(),
    )


@st.composite
def input_layers(draw: st.DrawFn, name: str) -> InputLayer:
    numbers = st.none() | st.integers(-EXACT, EXACT)
    shape = tuple(draw(st.lists(SIZES, min_size=1, max_size=3)))
    return InputLayer(
        name=name,
        shape=shape,
        weight=draw(numbers),
        bias=draw(numbers),
        neuron=draw(st.none() | neurons(1)),
    )


@st.composite
def dense_layers(draw: st.DrawFn, name: str) -> DenseLayer:
    n_out, n_in = draw(SIZES), draw(SIZES)
    return DenseLayer(
        name=name,
        shape=draw(st.sampled_from([(n_out,), (n_out, 1, 1)])),
        weight=draw(whole((n_out, n_in))),
        neuron=draw(neurons(n_out)),
        bias=draw(st.none() | whole((n_out,))),
        delay=draw(st.none() | whole((n_out,))),
    )


@st.composite
def conv_layers(draw: st.DrawFn, name: str) -> ConvLayer:
    channels = draw(SIZES)
    return ConvLayer(
        name=name,
        shape=(channels, draw(SIZES), draw(SIZES)),
        weight=draw(whole((channels, draw(SIZES), draw(SIZES), draw(SIZES)))),
        stride=draw(PAIRS),
        padding=draw(st.tuples(st.integers(0, 5), st.integers(0, 5))),
        dilation=draw(PAIRS),
        groups=draw(SIZES),
        neuron=draw(neurons(channels)),
        bias=draw(st.none() | whole((channels,))),
        delay=draw(st.none() | whole((channels,))),
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    layers: list[Layer] = []
    for index in range(draw(st.integers(1, 4))):
        name = f"layer{index}"
        flatten = st.builds(FlattenLayer, name=st.just(name), shape=st.tuples(SIZES, SIZES, SIZES))
        kinds = (input_layers(name), dense_layers(name), conv_layers(name), flatten)
        layers.append(draw(st.one_of(*kinds)))
    return Network(layers=tuple(layers))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@QUICK
@given(network=networks())
def test_what_is_written_is_read(network: Network, folder: Path) -> None:
    write_netx(network, folder / "a.net")
    read = read_netx(folder / "a.net")
    assert_same(read, network, ignore=("source",))
    write_netx(read, folder / "b.net")
    assert (folder / "a.net").read_bytes() == (folder / "b.net").read_bytes()


def test_twelve_layers_keep_their_order(tmp_path: Path) -> None:
    layers = tuple(dense([[2 * i]], name=f"layer{i}") for i in range(12))
    write_netx(Network(layers=layers), tmp_path / "deep.net")
    assert_same(read_netx(tmp_path / "deep.net").layers, layers)


@pytest.mark.parametrize("value", [EXACT, -EXACT, EXACT + 1, -EXACT - 1, 2**31 - 1, -(2**31)])
def test_large_numbers_are_written_exactly(value: int, tmp_path: Path) -> None:
    one = np.array([value], dtype=np.int32)
    network = Network(
        layers=(
            InputLayer(name="layer0", shape=(1,), weight=value, bias=value),
            dense([[value]], name="layer1", bias=one, delay=one),
            conv([[[[value]]]], (1, 1, 1), name="layer2", bias=one, delay=one),
        )
    )
    write_netx(network, tmp_path / "large.net")
    assert_same(read_netx(tmp_path / "large.net").layers, network.layers)


def test_the_file_says_what_wrote_it(tmp_path: Path) -> None:
    write_netx(Network(layers=(dense([[2]]),)), str(tmp_path / "a.net"))
    assert dict(read_tree(tmp_path / "a.net").attributes) == {
        "format": "lavadeploy-netx",
        "format_version": 1,
        "producer": PRODUCER,
    }


def test_fields_have_slayers_types_and_shapes() -> None:
    layer = conv(np.zeros((4, 2, 3, 5)), (4, 6, 7), groups=2, bias=np.zeros(4, dtype=np.int32))
    values = netx_values(Network(layers=(layer, dense([[2, 4]], name="layer1"))))
    found = {
        name: value if isinstance(value, str) else (str(value.dtype), value.shape)
        for name, value in values.items()
    }
    neuron = {
        "neuron/type": "CUBA",
        "neuron/vThMant": ("int64", ()),
        "neuron/iDecay": ("int64", ()),
        "neuron/vDecay": ("int64", ()),
        "neuron/refDelay": ("int64", ()),
        "neuron/gradedSpike": ("bool", ()),
    }
    fields: list[dict[str, Any]] = [
        {
            "type": "conv",
            "shape": ("int64", (3,)),
            "inChannels": ("int64", ()),
            "outChannels": ("int64", ()),
            "kernelSize": ("int64", (2,)),
            "stride": ("int64", (2,)),
            "padding": ("int64", (2,)),
            "dilation": ("int64", (2,)),
            "groups": ("int64", ()),
            "weight": ("float32", (4, 2, 3, 5)),
            "bias": ("float32", (4,)),
            **neuron,
        },
        {
            "type": "dense",
            "shape": ("int64", (1,)),
            "inFeatures": ("int64", ()),
            "outFeatures": ("int64", ()),
            "weight": ("float32", (1, 2)),
            **neuron,
        },
    ]
    assert found == {
        f"layer/{i}/{k}": v for i, layer in enumerate(fields) for k, v in layer.items()
    }
    assert np.array_equal(np.asarray(values["layer/0/inChannels"]), 4)
    assert np.array_equal(np.asarray(values["layer/0/kernelSize"]), [3, 5])


def test_nothing_is_written_over_a_folder(tmp_path: Path) -> None:
    network = Network(layers=(dense([[2]]),))
    assert sentence(OutputError, write_netx, network, tmp_path) == (
        f"cannot write '{tmp_path}': it is a folder. Name a file."
    )


def test_a_per_channel_decay_is_written_as_one(tmp_path: Path) -> None:
    layer = dense([[2], [4]], neuron=cuba(du=np.array([0, 4096]), dv=np.array([1, 2])))
    write_netx(Network(layers=(layer,)), tmp_path / "a.net")
    assert_same(read_netx(tmp_path / "a.net").layers, (layer,))
