"""What is written has SLAYER's names, types and shapes, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, dense
from expect import assert_same, sentence
from hdf5_files import write_layers
from netx_examples import layer_of, neuron_of

from lavadeploy.netx import (
    PRODUCER,
    AverageLayer,
    InputLayer,
    LayerKind,
    Network,
    NeuronKind,
    OutputError,
    read_netx,
    write_netx,
)
from lavadeploy.netx.hdf5_store import read_tree
from lavadeploy.netx.writer import netx_values

EXACT = 1 << 24  # float32, SLAYER's type for weights, holds whole numbers up to here

# Types and shapes by field, as SLAYER's exporters write them; one value unless stated.
NEURON = {"type": "text", "vThMant": "int64", "messageBits": "int64"}
SPIKING = NEURON | {"gradedSpike": "bool"}
LEAKY = SPIKING | {
    "iDecay": "int64",
    "vDecay": "int64 (2,)",
    "refDelay": "int64",
    "weight_exp": "float32 (1,)",
}
RESONATOR = SPIKING | {"sinDecay": "int64", "cosDecay": "int64 (2,)"}
ADAPTIVE = {"vThStep": "int64", "thDecay": "int64", "refDecay": "int64 (2,)"}
SIGMA_DELTA = {"activation": "text", "sigma_output": "bool", "vThFraction": "int64"}
NEURON_FIELDS: Mapping[NeuronKind, Mapping[str, str]] = {
    NeuronKind.CUBA: LEAKY,
    NeuronKind.LOIHI: LEAKY,
    NeuronKind.ALIF: LEAKY | ADAPTIVE,
    NeuronKind.RF: RESONATOR,
    NeuronKind.RF_IZ: RESONATOR,
    NeuronKind.ADRF: RESONATOR | ADAPTIVE,
    NeuronKind.ADRF_IZ: RESONATOR | ADAPTIVE,
    NeuronKind.SDNN: NEURON | SIGMA_DELTA,
}
SYNAPSES = {"bias": "float32 (2,)", "delay": "float32 (2,)", "delayShift": "bool"}
DENSE = SYNAPSES | {"inFeatures": "int64", "outFeatures": "int64", "weight": "float32 (2, 3)"}
KERNEL = SYNAPSES | {
    field: "int64 (2,)" for field in ("kernelSize", "stride", "padding", "dilation")
}
CHANNELS = {"inChannels": "int64", "outChannels": "int64", "groups": "int64"}
LAYER_FIELDS: Mapping[LayerKind, Mapping[str, str]] = {
    LayerKind.INPUT: {"weight": "float32", "bias": "float32", "delayShift": "bool"},
    LayerKind.DENSE: DENSE,
    LayerKind.RECURRENT: DENSE | {"weight_rec": "float32 (2, 2)"},
    LayerKind.CONV: KERNEL | CHANNELS | {"weight": "float32 (2, 1, 2, 3)"},
    LayerKind.CONV_TRANSPOSE: KERNEL | CHANNELS | {"weight": "float32 (4, 1, 2, 3)"},
    LayerKind.POOL: KERNEL | {"weight": "float32 (1, 1, 2, 3)"},
    LayerKind.UNPOOL: KERNEL | {"weight": "float32 (1, 1, 2, 3)"},
    LayerKind.FLATTEN: {},
    LayerKind.AVERAGE: {},
    LayerKind.CONCAT: {"sources": "int64 (2,)"},
}


def forms(*layers: Any) -> dict[str, str]:
    """Name, type and shape of each dataset of a network's first layer."""
    return {
        name.removeprefix("layer/0/"): "text"
        if isinstance(value, str)
        else f"{value.dtype} {value.shape or ''}".strip()
        for name, value in netx_values(Network(layers=layers)).items()
    }


@pytest.mark.parametrize("kind", LayerKind)
def test_layers_have_slayers_fields(kind: LayerKind) -> None:
    layer = layer_of(kind)
    found = forms(layer)
    neuron = {n: form for n, form in found.items() if n.startswith("neuron/")}
    with_neuron = kind not in (LayerKind.FLATTEN, LayerKind.AVERAGE, LayerKind.CONCAT)
    assert bool(neuron) is with_neuron
    assert {n: form for n, form in found.items() if n not in neuron} == {
        "type": "text",
        "shape": f"int64 ({len(layer.shape)},)",
        **LAYER_FIELDS[kind],
    }


@pytest.mark.parametrize("kind", NeuronKind)
def test_neurons_have_slayers_fields(kind: NeuronKind) -> None:
    found = forms(layer_of(LayerKind.DENSE, neuron_of(kind)))
    assert {n: form for n, form in found.items() if n.startswith("neuron/")} == {
        f"neuron/{n}": form for n, form in NEURON_FIELDS[kind].items()
    }


@pytest.mark.parametrize("kind", [LayerKind.DENSE, LayerKind.CONV, LayerKind.POOL])
def test_complex_weights_are_a_group(kind: LayerKind) -> None:
    real = forms(layer_of(kind))
    found = forms(layer_of(kind, neuron_of(NeuronKind.RF)))
    assert {n: form for n, form in found.items() if n.startswith(("weight", "bias"))} == {
        "weight/real": real["weight"],
        "weight/imag": real["weight"],
        "bias": "float32 (2,)",
        "bias_imag": "float32 (2,)",
    }


def test_what_is_not_given_is_not_written() -> None:
    layer = dense([[2, 4]], neuron=neuron_of(NeuronKind.CUBA))
    assert not forms(layer).keys() & {"bias", "delay", "delayShift"}
    quiet = InputLayer(name="layer0", shape=(2,))
    assert forms(quiet) == {"type": "text", "shape": "int64 (1,)"}


def test_repeated_fields_say_what_the_weights_do() -> None:
    layers = (
        layer_of(LayerKind.CONV),
        layer_of(LayerKind.CONV_TRANSPOSE),
        layer_of(LayerKind.DENSE),
    )
    values = netx_values(Network(layers=layers))
    found = {
        name: np.asarray(value).tolist()
        for name, value in values.items()
        if name.endswith(("Channels", "Features", "groups", "kernelSize"))
    }
    assert found == {
        "layer/0/inChannels": 2,
        "layer/0/outChannels": 2,
        "layer/0/groups": 2,
        "layer/0/kernelSize": [2, 3],
        "layer/1/inChannels": 4,
        "layer/1/outChannels": 2,
        "layer/1/groups": 2,
        "layer/1/kernelSize": [2, 3],
        "layer/2/inFeatures": 3,
        "layer/2/outFeatures": 2,
    }


def test_twelve_layers_keep_their_order(tmp_path: Path) -> None:
    layers = tuple(dense([[2 * i]], name=f"layer{i}") for i in range(12))
    write_netx(Network(layers=layers), tmp_path / "deep.net")
    assert_same(read_netx(tmp_path / "deep.net").layers, layers)


@pytest.mark.parametrize("value", [EXACT, -EXACT, EXACT + 1, -EXACT - 1, 2**31 - 1, -(2**31)])
def test_large_numbers_are_written_exactly(value: int, tmp_path: Path) -> None:
    one = np.array([value], dtype=np.int32)
    late = np.array([max(value, 0)], dtype=np.int32)
    network = Network(
        layers=(
            InputLayer(name="layer0", shape=(1,), weight=value, bias=value),
            dense([[value]], name="layer1", bias=one, delay=late),
            conv([[[[value]]]], (1, 1, 1), name="layer2", bias=one, delay=late),
        )
    )
    write_netx(network, tmp_path / "large.net")
    assert_same(read_netx(tmp_path / "large.net").layers, network.layers)


def test_the_file_says_what_wrote_it(tmp_path: Path) -> None:
    write_netx(Network(layers=(dense([[2]]),)), str(tmp_path / "a.net"))
    assert dict(read_tree(tmp_path / "a.net").attributes) == {
        "format": "lavadeploy-netx",
        "format_version": 2,
        "producer": PRODUCER,
    }


def test_nobody_else_can_say_what_wrote_it(tmp_path: Path) -> None:
    extra = {"format": "theirs", "producer": "they", "author": "she"}
    write_netx(Network(layers=(dense([[2]]),), extra_attributes=extra), tmp_path / "a.net")
    attributes = read_tree(tmp_path / "a.net").attributes
    assert attributes["format"] == "lavadeploy-netx"
    assert attributes["producer"] == PRODUCER
    assert attributes["author"] == "she"


def test_unknown_datasets_keep_type_and_shape(tmp_path: Path) -> None:
    extra = {
        "notes/half": np.array([[0.5]], dtype=np.float16),
        "notes/nan": np.array(np.nan),
        "notes/none": np.zeros((0, 3), dtype=np.uint64),
        "notes/flags": np.array([True, False]),
        "notes/text": "µ",
    }
    layers = (AverageLayer(name="layer0", shape=(1,), extra=extra), dense([[2]], name="layer1"))
    network = Network(layers=layers, extra=extra, extra_attributes={"a": 1, "b": 0.5, "c": "µ"})
    write_netx(network, tmp_path / "a.net")
    assert_same(read_netx(tmp_path / "a.net"), network, ignore=("source", "warnings"))


def test_the_integrator_that_lava_dl_assumes_is_stated(tmp_path: Path) -> None:
    bare = {"type": b"dense", "shape": [1], "weight": [[2, 4]]}
    read = read_netx(write_layers(tmp_path / "a.net", bare))
    assert len(read.warnings) == 1
    write_netx(read, tmp_path / "b.net")
    again = read_netx(tmp_path / "b.net")
    assert again.warnings == ()
    assert_same(again.layers, read.layers)


def test_nothing_is_written_over_a_folder(tmp_path: Path) -> None:
    network = Network(layers=(dense([[2]]),))
    assert sentence(OutputError, write_netx, network, tmp_path) == (
        f"cannot write '{tmp_path}': it is a folder. Name a file."
    )
