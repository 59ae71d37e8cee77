"""Files of real numbers: written and read back equal, told from whole ones, rounded to nearest."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_kind import network_of_every_kind
from expect import assert_same, sentence
from hdf5_files import CONV, DENSE, write_layers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netx_strategies import networks

from lavadeploy.netx import (
    ConvLayer,
    DenseLayer,
    Network,
    NetxFormatError,
    RealNetwork,
    RealValues,
    RecurrentLayer,
    SynapticLayer,
    has_fractions,
    read_any_netx,
    read_netx,
    read_real_netx,
    write_netx,
    write_real_netx,
)
from lavadeploy.netx.real_network import real_values, stated_values

QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FRACTIONS = np.array([[2.25, -4.5, 6.75], [0.1, 254.5, -256.5]])
REAL_DENSE: Mapping[str, Any] = {
    **DENSE,
    "weight": FRACTIONS,
    "bias": [0.5, -1.5],
    "delay": [1.25, 62.0],
    "neuron/vThMant": 80.625,
    "neuron/iDecay": 1024.5,
    "neuron/vDecay": [127.5, 128.5],
}
INPUT: Mapping[str, Any] = {"type": b"input", "shape": [3]}


def written(network: Network | RealNetwork) -> Network | RealNetwork:
    """What is read of a file that a network was written to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.net"
        if isinstance(network, RealNetwork):
            write_real_netx(network, path)
        else:
            write_netx(network, path)
        return read_any_netx(path)


@st.composite
def real_networks(draw: st.DrawFn) -> RealNetwork:
    """Networks of every kind, whose numbers are off the whole ones by less than a half."""
    nearest = draw(networks())
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    values: dict[str, RealValues] = {}
    for layer in nearest.layers:
        if isinstance(layer, SynapticLayer):
            stated = {
                name: numbers
                + random.uniform(0, 0.49, numbers.shape) * np.where(numbers < 0, 1, -1)
                for name, numbers in stated_values(real_values(layer, {}))
                if name != "delay"
            }
            values[layer.name] = real_values(layer, stated)
    return RealNetwork(nearest=nearest, values=values)


@QUICK
@given(network=real_networks())
def test_what_was_written_is_read_back_equal(network: RealNetwork) -> None:
    found = written(network)
    if not has_fractions(network):  # no layer has synapses
        assert_same(found, network.nearest, ignore=("source", "warnings"))
        return
    assert_same(found, network, ignore=("source", "warnings"))


@QUICK
@given(network=networks())
def test_files_of_whole_numbers_hold_networks_whoever_wrote_them(network: Network) -> None:
    layers = [layer for layer in network.layers if isinstance(layer, SynapticLayer)]
    real = RealNetwork(nearest=network, values={n.name: real_values(n, {}) for n in layers})
    assert not has_fractions(real)
    for found in (written(network), written(real)):
        assert_same(found, network, ignore=("source", "warnings"))


def test_every_kind_of_layer_keeps_its_fractions(tmp_path: Path) -> None:
    nearest = network_of_every_kind()
    values: dict[str, RealValues] = {}
    for layer in nearest.layers:
        if isinstance(layer, SynapticLayer):
            stated = stated_values(real_values(layer, {}))
            values[layer.name] = real_values(layer, {n: v + 0.25 for n, v in stated})
    network = RealNetwork(nearest=nearest, values=values)
    write_real_netx(network, tmp_path / "x.net")
    found = read_real_netx(tmp_path / "x.net")
    assert_same(found, network, ignore=("source", "warnings"))
    names = {name for v in found.values.values() for name, _ in stated_values(v)}
    assert {"weight", "weight/real", "weight/imag", "weight_rec", "neuron/sinDecay"} <= names


def test_numbers_are_those_of_the_file_and_the_nearest_are_rounded_half_to_even(
    tmp_path: Path,
) -> None:
    path = write_layers(tmp_path / "x.net", REAL_DENSE)
    network = read_any_netx(path)
    assert isinstance(network, RealNetwork)
    values, (nearest,) = network.values["layer0"], network.nearest.layers
    assert isinstance(nearest, DenseLayer)
    assert (values.vth, values.vth_step, values.weight_rec) == (80.625, None, None)
    for found, stated, rounded, expected in (
        (values.weight, "weight", nearest.weight, [[2, -4, 7], [0, 254, -256]]),
        (values.bias, "bias", nearest.bias, [0, -2]),
        (values.delay, "delay", nearest.delay, [1, 62]),
    ):
        assert found is not None
        assert np.array_equal(found, REAL_DENSE[stated])
        assert (found.dtype, found.flags.writeable) == (np.float64, False)
        assert rounded is not None
        assert rounded.tolist() == expected
    assert float(values.decays["current_decay"]) == 1024.5
    assert values.decays["voltage_decay"].tolist() == [127.5, 128.5]
    assert nearest.neuron.vth_mantissa == 81
    assert network.nearest.source is not None


@QUICK
@given(network=real_networks())
def test_nearest_network_is_the_rounded_numbers(network: RealNetwork) -> None:
    found = written(network)
    assert isinstance(found, RealNetwork) == has_fractions(network)
    if isinstance(found, RealNetwork):
        for name, values in found.values.items():
            (layer,) = (n for n in found.nearest.layers if n.name == name)
            assert isinstance(layer, SynapticLayer)
            whole = dict(stated_values(real_values(layer, {})))
            for dataset, numbers in stated_values(values):
                assert np.array_equal(whole[dataset], np.round(numbers))


def test_one_number_for_all_channels_and_lava_dls_time_axis_get_the_shape_of_the_layer(
    tmp_path: Path,
) -> None:
    kernels = np.arange(8).reshape(2, 1, 2, 2) + 0.5
    conv = {**CONV, "weight": kernels[..., np.newaxis], "bias": 0.5, "delay": [1.5]}
    network = read_real_netx(write_layers(tmp_path / "x.net", conv))
    values = network.values["layer0"]
    assert isinstance(network.nearest.layers[0], ConvLayer)
    assert np.array_equal(values.weight, kernels)
    assert values.bias is not None
    assert values.bias.tolist() == [0.5, 0.5]
    assert values.delay is not None
    assert values.delay.tolist() == [1.5, 1.5]


def test_recurrent_weights_may_be_real(tmp_path: Path) -> None:
    back = [[0.5, 0.0], [0.0, -0.5]]
    path = write_layers(tmp_path / "x.net", {**DENSE, "type": b"dense_rec", "weight_rec": back})
    network = read_real_netx(path)
    layer = network.nearest.layers[0]
    assert isinstance(layer, RecurrentLayer)
    assert not layer.weight_rec.any()
    found = network.values["layer0"].weight_rec
    assert found is not None
    assert found.tolist() == back


def test_layer_without_neurons_gets_the_whole_numbers_of_the_default(tmp_path: Path) -> None:
    bare = {n: v for n, v in REAL_DENSE.items() if not n.startswith("neuron/")}
    values = read_real_netx(write_layers(tmp_path / "x.net", bare)).values["layer0"]
    assert values.vth == 1 << 17
    assert {n: float(v) for n, v in values.decays.items()} == {
        "current_decay": 0.0,
        "voltage_decay": 4096.0,
    }


WHOLE = "a whole number between -2147483648 and 2147483647 was expected."
RANGE = "numbers between -2147483648 and 2147483647 were expected."
REFUSED: list[tuple[str, tuple[Mapping[str, Any], ...], str]] = [
    *(
        (field, ({**REAL_DENSE, field: value},), f"{field} is 1.5 at {where}; {WHOLE}")
        for field, value, where in (
            ("shape", [1.5], "(0,)"),
            ("inFeatures", 1.5, "()"),
            ("neuron/refDelay", 1.5, "()"),
            ("neuron/gradedSpike", 1.5, "()"),
            ("neuron/weight_exp", [1.5], "(0,)"),
            ("neuron/messageBits", 1.5, "()"),
            ("delayShift", 1.5, "()"),
        )
    ),
    *(
        (field, ({**CONV, field: [1.5, 1]},), f"{field} is 1.5 at (0,); {WHOLE}")
        for field in ("stride", "padding", "dilation", "kernelSize")
    ),
    ("groups", ({**CONV, "groups": 1.5},), f"groups is 1.5 at (); {WHOLE}"),
    *(
        (str(value), ({**REAL_DENSE, "weight": np.full((2, 3), value)},), text)
        for value, text in (
            (np.nan, f"weight is nan at (0, 0); {RANGE}"),
            (-np.inf, f"weight is -inf at (0, 0); {RANGE}"),
            (2**31 - 0.5, f"weight is 2147483647.5 at (0, 0); {RANGE}"),
        )
    ),
    (
        "negative delay",
        ({**REAL_DENSE, "delay": [1.0, -0.25]},),
        "delay is -0.25; no spike leaves before it is made.",
    ),
    (
        "number of biases",
        ({**REAL_DENSE, "bias": [0.5, 1.5, 2.5]},),
        "bias has 3 values; 1 or 2 was expected.",
    ),
    *(
        (
            f"input layer's {field}",
            ({**INPUT, "neuron/type": b"CUBA", **numbers, field: 1.5}, REAL_DENSE),
            f"{field} is 1.5 at (); {WHOLE}",
        )
        for numbers in ({"neuron/vThMant": 8, "neuron/iDecay": 0, "neuron/vDecay": 0},)
        for field in ("weight", "bias", "neuron/vThMant", "neuron/iDecay")
    ),
]


@pytest.mark.parametrize(
    ("layers", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_must_be_whole_or_finite_is_refused(
    tmp_path: Path, layers: tuple[Mapping[str, Any], ...], text: str
) -> None:
    path = write_layers(tmp_path / "x.net", *layers)
    expected = f"'{path}', layer0: {text}"
    assert sentence(NetxFormatError, read_any_netx, path) == expected
    assert sentence(NetxFormatError, read_real_netx, path) == expected


@pytest.mark.parametrize(("value", "nearest"), [(2**31 - 0.75, 2**31 - 1), (-(2**31), -(2**31))])
def test_numbers_that_round_to_32_bits_are_read(tmp_path: Path, value: float, nearest: int) -> None:
    path = write_layers(tmp_path / "x.net", {**REAL_DENSE, "weight": np.full((2, 3), value)})
    layer = read_real_netx(path).nearest.layers[0]
    assert isinstance(layer, DenseLayer)
    assert layer.weight.tolist() == [[nearest] * 3] * 2


@pytest.mark.parametrize(
    "field", ["weight", "bias", "delay", "neuron/vThMant", "neuron/iDecay", "neuron/vDecay"]
)
def test_ordinary_reader_points_to_quantization(tmp_path: Path, field: str) -> None:
    path = write_layers(tmp_path / "x.net", {**DENSE, field: REAL_DENSE[field]})
    found = sentence(NetxFormatError, read_netx, path)
    assert found.startswith(f"'{path}', layer0: {field} is ")
    assert found.endswith(
        "; whole numbers (in units of 1/64) were expected. Quantize the network with "
        "`lavadeploy compile --bits 8`, or export quantized values, as export_slayer does."
    )


@pytest.mark.parametrize("numbers", [np.array([[np.nan]]), np.array([[np.inf]])])
def test_values_that_are_not_finite_are_refused(numbers: Any) -> None:
    expected = "weight holds numbers that are not finite"
    assert sentence(ValueError, RealValues, weight=numbers, vth=1.0) == expected


def test_values_cannot_be_changed_from_outside() -> None:
    weight = np.array([[0.5]])
    values = RealValues(weight=weight, vth=1.0)
    weight[0, 0] = 7
    assert values.weight.tolist() == [[0.5]]
    assert not values.weight.flags.writeable
