"""The neuron group of a layer is read, field by field, for every kind of neuron."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from expect import sentence
from hdf5_files import CONV, DENSE, SPELLINGS, without, write_layers
from netx_examples import COMPLEX, NAMES, neuron_of

from lavadeploy.netx import (
    CubaNeuron,
    DenseLayer,
    InputLayer,
    LayerKind,
    Network,
    NetxFormatError,
    NeuronKind,
    SynapticLayer,
    current_shift,
    read_netx,
)
from lavadeploy.netx.hdf5_schema import DEFAULT_VTH_MANTISSA

LEAKY = {"neuron/iDecay": 1024, "neuron/vDecay": 128}
RESONATOR = {"neuron/sinDecay": 2287, "neuron/cosDecay": 3148}
ADAPTIVE = {"neuron/vThStep": 7, "neuron/thDecay": 300, "neuron/refDecay": 400}
NEEDED: Mapping[NeuronKind, Mapping[str, Any]] = {
    NeuronKind.CUBA: LEAKY,
    NeuronKind.LOIHI: LEAKY,
    NeuronKind.ALIF: LEAKY | ADAPTIVE,
    NeuronKind.RF: RESONATOR,
    NeuronKind.RF_IZ: RESONATOR,
    NeuronKind.ADRF: RESONATOR | ADAPTIVE,
    NeuronKind.ADRF_IZ: RESONATOR | ADAPTIVE,
    NeuronKind.SDNN: {},
}


def dense_of(kind: NeuronKind, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Fields of a dense layer of two such neurons; only what must be there, and `more`."""
    fields = {"type": b"dense", "shape": [2], "weight": [[2, -4], [6, 8]]}
    if kind in COMPLEX:
        fields = {"type": b"dense", "shape": [2]}
        fields |= {"weight/real": [[2, -4], [6, 8]], "weight/imag": [[-2, 4], [-6, -8]]}
    fields |= {"neuron/type": kind.value.encode(), "neuron/vThMant": 80}
    return {**fields, **NEEDED[kind], **(more or {})}


def read(path: Path, *layers: Mapping[str, Any]) -> Network:
    return read_netx(write_layers(path / "a.net", *layers))


def neuron_in(path: Path, layer: Mapping[str, Any]) -> Any:
    network = read(path, layer)
    assert network.warnings == ()
    assert isinstance(network.layers[0], SynapticLayer)
    return network.layers[0].neuron


@pytest.mark.parametrize("kind", NeuronKind)
def test_every_field_of_every_neuron_is_read(kind: NeuronKind, tmp_path: Path) -> None:
    expected = neuron_of(kind)
    ours = {field.name for field in dataclasses.fields(expected)} - {"kind"}
    stored = {f"neuron/{n}": getattr(expected, o) for n, o in NAMES.items() if o in ours}
    assert len(stored) == len(ours)
    neuron = neuron_in(tmp_path, dense_of(kind, stored))
    assert type(neuron) is type(expected)
    assert neuron.kind is kind
    for field in sorted(ours):
        assert np.array_equal(getattr(neuron, field), getattr(expected, field)), field


@pytest.mark.parametrize("kind", NeuronKind)
def test_optional_fields_have_slayers_values(kind: NeuronKind, tmp_path: Path) -> None:
    neuron = neuron_in(tmp_path, dense_of(kind))
    defaults = {
        "vth_fraction": 0,
        "refractory_delay": 1,
        "graded_spike": False,
        "current_exponent": 0,
        "message_bits": None,
        "activation": "relu",
        "sigma_output": False,
    }
    names = {field.name for field in dataclasses.fields(neuron)} & set(defaults)
    assert "message_bits" in names
    assert {n: getattr(neuron, n) for n in names} == {n: defaults[n] for n in names}


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in NeuronKind for field in NEEDED[kind]]
)
def test_other_fields_must_be_there(kind: NeuronKind, field: str, tmp_path: Path) -> None:
    path = write_layers(tmp_path / "a.net", without(dense_of(kind), field))
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}', layer0: field '{field}' is missing or not a number."
    )


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", NeuronKind)
def test_kinds_are_read_in_every_spelling(kind: NeuronKind, spelling: str, tmp_path: Path) -> None:
    spelled = SPELLINGS[spelling](kind.value)
    assert neuron_in(tmp_path, {**dense_of(kind), "neuron/type": spelled}).kind is kind


def test_decays_may_be_one_a_channel(tmp_path: Path) -> None:
    for layer in (DENSE, CONV):
        fields = {"neuron/iDecay": [[0], [4096]], "neuron/vDecay": [7]}
        neuron = neuron_in(tmp_path, {**layer, **fields})
        assert np.array_equal(neuron.current_decay, [0, 4096])
        assert neuron.current_decay.shape == (2,)
        assert neuron.voltage_decay.shape == ()
        assert int(neuron.voltage_decay) == 7


@pytest.mark.parametrize("kind", COMPLEX)
def test_complex_weights_are_read(kind: NeuronKind, tmp_path: Path) -> None:
    layer = read(tmp_path, dense_of(kind, {"bias": [2, 4], "bias_imag": [6, 8]})).layers[0]
    assert isinstance(layer, DenseLayer)
    assert np.array_equal(layer.weight, [[2, -4], [6, 8]])
    assert layer.weight_imag is not None
    assert np.array_equal(layer.weight_imag, [[-2, 4], [-6, -8]])
    assert layer.bias is not None
    assert layer.bias_imag is not None
    assert np.array_equal(layer.bias, [2, 4])
    assert np.array_equal(layer.bias_imag, [6, 8])


@pytest.mark.parametrize("kind", NeuronKind)
def test_an_input_layer_may_have_any_neuron(kind: NeuronKind, tmp_path: Path) -> None:
    group = {n: v for n, v in dense_of(kind).items() if n.startswith("neuron/")}
    layer = read(tmp_path, {"type": b"input", "shape": [2], **group}).layers[0]
    assert isinstance(layer, InputLayer)
    assert layer.neuron is not None
    assert layer.neuron.kind is kind


def integrator(path: Path, fields: Mapping[str, Any]) -> DenseLayer:
    network = read(path, fields)
    assert network.warnings == (
        (
            "layer0: no neuron group; read as lava-dl does, an integrator (iDecay 0, vDecay 4096) "
            "with threshold 131072, which never fires."
        ),
    )
    layer = network.layers[0]
    assert isinstance(layer, DenseLayer)
    return layer


def test_a_dense_layer_without_neurons_is_lava_dls_integrator(tmp_path: Path) -> None:
    fields = {n: v for n, v in DENSE.items() if not n.startswith("neuron/")}
    neuron = integrator(tmp_path, fields).neuron
    assert neuron.kind is NeuronKind.CUBA
    assert neuron.vth_mantissa == DEFAULT_VTH_MANTISSA == 131072
    assert neuron_fields(neuron) == (0, 4096, 1, False, 0, None)


def neuron_fields(neuron: Any) -> tuple[Any, ...]:
    decays = int(neuron.current_decay), int(neuron.voltage_decay)
    more = neuron.refractory_delay, neuron.graded_spike, neuron.current_exponent
    return (*decays, *more, neuron.message_bits)


@pytest.mark.parametrize(("stored", "used"), [(-8, -3), (-4, -3), (4, 3), (2**31 - 1, 3)])
def test_exponents_beyond_slayers_are_clamped_as_slayer_does(
    stored: int, used: int, tmp_path: Path
) -> None:
    fields = dense_of(NeuronKind.CUBA, {"neuron/weight_exp": [stored]})
    network = read(tmp_path, fields)
    assert network.warnings == (
        (
            f"layer0: weight_exp {stored} acts as {used}, since SLAYER's forward pass clamps it "
            "to 3 (WgtScaleBatchNorm) and lava-dl exports it unclamped."
        ),
    )
    layer = network.layers[0]
    assert isinstance(layer, DenseLayer)
    assert isinstance(layer.neuron, CubaNeuron)
    assert layer.neuron.current_exponent == stored
    assert current_shift(layer.neuron) == used


@pytest.mark.parametrize("stored", [-3, 0, 3])
def test_slayers_own_exponents_are_taken_as_they_are(stored: int, tmp_path: Path) -> None:
    neuron = neuron_in(tmp_path, dense_of(NeuronKind.CUBA, {"neuron/weight_exp": [stored]}))
    assert neuron.current_exponent == stored


BAD_NEURONS: list[tuple[str, Mapping[str, Any], str]] = [
    (
        "unknown",
        {**DENSE, "neuron/type": b"IZHIKEVICH"},
        (
            "unknown neuron kind 'IZHIKEVICH'; did you mean 'RF_IZHIKEVICH'? "
            "Valid: 'ADRF_IZHIKEVICH', 'ADRF_PHASE', 'ALIF', 'CUBA', 'LOIHI', 'RF_IZHIKEVICH', "
            "'RF_PHASE', 'SDNN'."
        ),
    ),
    (
        "refractory delay of nothing",
        dense_of(NeuronKind.ALIF, {"neuron/refDelay": 0}),
        "neuron/refDelay is 0; at least 1 was expected.",
    ),
    (
        "half graded",
        dense_of(NeuronKind.CUBA, {"neuron/gradedSpike": 2}),
        "neuron/gradedSpike is 2; 0 or 1 was expected.",
    ),
    *(
        (
            f"threshold's fraction {part}",
            dense_of(NeuronKind.SDNN, {"neuron/vThFraction": part}),
            f"neuron/vThFraction is {part}; 0 to 4095 was expected.",
        )
        for part in (-1, 4096)
    ),
    (
        "activation is a number",
        dense_of(NeuronKind.SDNN, {"neuron/activation": 1}),
        "field 'neuron/activation' is missing or not a string.",
    ),
    (
        "thresholds by channel",
        dense_of(NeuronKind.ADRF, {"neuron/vThStep": [1, 2]}),
        "neuron/vThStep has 2 values; 1 was expected.",
    ),
    (
        "decays of other channels",
        dense_of(NeuronKind.RF, {"neuron/sinDecay": [1, 2, 3]}),
        "neuron/sinDecay has 3 values; 1 or 2 was expected.",
    ),
    (
        "group in place of a number",
        dense_of(NeuronKind.CUBA, {"neuron/messageBits/a": 1}),
        "'neuron/messageBits' is a group; a dataset was expected.",
    ),
    (
        "number in place of the group",
        {"type": b"dense", "shape": [2], "weight": [[2], [4]], "neuron": b"CUBA"},
        "'neuron' is a dataset; a group was expected.",
    ),
    (
        "real weights of a complex neuron",
        {**without(dense_of(NeuronKind.RF), "weight/real", "weight/imag"), "weight": [[2], [4]]},
        "field 'weight/real' is missing or not a number.",
    ),
    (
        "complex weights of a real neuron",
        {**without(DENSE, "weight"), "weight/real": [[2], [4]], "weight/imag": [[2], [4]]},
        "has complex weights, but its neurons are CUBA, which are real.",
    ),
    (
        "recurrent resonators",
        {**dense_of(NeuronKind.RF_IZ), "type": b"dense_rec", "weight_rec": [[2, 4], [6, 8]]},
        "a recurrent layer of RF_IZHIKEVICH neurons is not known to NetX.",
    ),
    (
        "imaginary weights of another shape",
        dense_of(NeuronKind.ADRF_IZ, {"weight/imag": [[2], [4]]}),
        "weight/real has shape (2, 2), weight/imag (2, 1).",
    ),
]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [pytest.param(layer, expected, id=name) for name, layer, expected in BAD_NEURONS],
)
def test_bad_neurons_are_refused(layer: Mapping[str, Any], expected: str, tmp_path: Path) -> None:
    path = write_layers(tmp_path / "bad.net", layer)
    assert sentence(NetxFormatError, read_netx, path) == f"'{path}', layer0: {expected}"


def test_only_dense_layers_do_without_neurons(tmp_path: Path) -> None:
    for kind in (LayerKind.CONV, LayerKind.CONV_TRANSPOSE, LayerKind.POOL, LayerKind.UNPOOL):
        layer = {n: v for n, v in CONV.items() if not n.startswith("neuron/")}
        path = write_layers(tmp_path / "bad.net", {**layer, "type": kind.value.encode()})
        assert sentence(NetxFormatError, read_netx, path) == (
            f"'{path}', layer0: field 'neuron/type' is missing or not a string."
        )
