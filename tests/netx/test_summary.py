"""A summary is what `lavadeploy inspect` shows, as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

import numpy as np
import pytest
from builders import conv, cuba, dense
from every_kind import ints, network_of_every_kind
from expect import sentence

from lavadeploy.netx import (
    InputLayer,
    Network,
    NetxFormatError,
    RecurrentLayer,
    infer_shapes,
    summarize_network,
)
from lavadeploy.netx.layers import LayerKind, layer_kind


def shapes(
    name: str, kind: str, shape_in: tuple[int, ...], shape_out: tuple[int, ...], neurons: int
) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "shape_in": shape_in,
        "shape_out": shape_out,
        "neurons": neurons,
    }


def kernel(
    size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    return {"kernel": size, "stride": stride, "padding": padding, "dilation": (1, 1)}


def weights(count: int, zeros: int, least: int, largest: int, bits: int) -> dict[str, Any]:
    return {
        "weights": count,
        "zero_weights": zeros,
        "sparsity": zeros / count,
        "weight_min": least,
        "weight_max": largest,
        "used_bits": bits,
    }


def bias(least: int, largest: int) -> dict[str, Any]:
    return {"bias_min": least, "bias_max": largest}


NO_WEIGHTS: dict[str, Any] = {"weights": 0, "zero_weights": 0}

# By hand: what is stated, and weights, ranges and zeros counted. Neurons apart, below.
EXPECTED: list[dict[str, Any]] = [
    shapes("layer0", "input", (2, 4, 4), (2, 4, 4), 32) | weights(1, 0, 64, 64, 1) | bias(-3, -3),
    shapes("layer1", "conv", (2, 4, 4), (4, 2, 3), 24)
    | kernel((3, 2), (2, 1), (1, 0))
    | weights(24, 1, -24, 22, 5)  # -12 to 11 once the factor 2 is taken out
    | bias(-2, 4)
    | {"groups": 2, "delay_min": 1, "delay_max": 7, "delay_shift": True},
    shapes("layer2", "convT", (4, 2, 3), (2, 4, 6), 48)
    | kernel((2, 2), (2, 2))
    | weights(64, 0, -16, 8, 1)  # each set has one sign and is a power of two
    | bias(-5, 2)
    | {"groups": 1},
    shapes("layer3", "pool", (2, 4, 6), (2, 2, 3), 12)
    | kernel((2, 2), (2, 2))
    | weights(8, 5, -2, 6, 3),  # -1, 2, 0 and 3
    shapes("layer4", "unpool", (2, 2, 3), (2, 4, 6), 48)
    | kernel((2, 2), (2, 2))
    | weights(8, 2, -2, 6, 3),
    shapes("layer5", "flatten", (2, 4, 6), (48,), 0) | NO_WEIGHTS,
    shapes("layer6", "dense", (48,), (6,), 6) | weights(576, 576, 0, 0, 0),
    shapes("layer7", "dense_rec", (6,), (6,), 6)
    | weights(72, 31, -128, 35, 6)  # 0 to 35 takes 6 bits, 0 and -128 one
    | {"delay_shift": False},
    shapes("layer8", "average", (6,), (3,), 0) | NO_WEIGHTS,
    shapes("layer9", "concat", (3,), (9,), 0) | NO_WEIGHTS | {"sources": (7, 8)},
    shapes("layer10", "dense", (9,), (2,), 2) | weights(18, 0, 1, 1, 1) | {"delay_shift": False},
    shapes("layer11", "dense", (2,), (1,), 1) | weights(2, 0, -256, 255, 9),
]

# -1 / ln(1 - d / 4096)
TAU_128, TAU_410, TAU_1024, TAU_2048 = 31.497354, 9.481456, 3.476059, 1.442695


def states(**decays: tuple[tuple[int, int], tuple[float | None, float | None]]) -> dict[str, Any]:
    """Decays and time constants of each state; None is infinite."""
    return {
        "decays": {state: stated for state, (stated, _) in decays.items()},
        "time_constants_steps": {state: steps for state, (_, steps) in decays.items()},
    }


def resonator(
    sin: tuple[int, int],
    cos: tuple[int, int],
    amplitude: tuple[float | None, float | None],
    period: tuple[float | None, float | None],
    **decays: tuple[tuple[int, int], tuple[float | None, float | None]],
) -> dict[str, Any]:
    adaptive = states(**decays)
    return {
        "decays": {"sin": sin, "cos": cos, **adaptive["decays"]},
        "time_constants_steps": {"amplitude": amplitude, **adaptive["time_constants_steps"]},
        "period_steps": period,
        "graded_spike": False,
    }


ADAPTIVE: Any = {
    "threshold": ((2048, 2048), (TAU_2048, TAU_2048)),
    "refractory": ((4096, 4096), (0, 0)),
}
# half of the amplitude is kept and turned by a quarter
QUARTER: Any = {
    "sin": (2048, 2048),
    "cos": (0, 0),
    "amplitude": (TAU_2048, TAU_2048),
    "period": (4, 4),
}
CURRENT_BASED: dict[str, Any] = {
    "refractory_delay": 1,
    "graded_spike": False,
    "current_exponent": 0,
}
EXPECTED_NEURONS: dict[str, dict[str, Any]] = {
    "layer0": {"kind": "CUBA", "vth_mantissa": 80, "message_bits": 16}
    | states(current=((1024, 1024), (TAU_1024, TAU_1024)), voltage=((0, 0), (None, None)))
    | CURRENT_BASED,
    "layer1": {"kind": "ALIF", "vth_mantissa": 80, "vth_step": 5}
    | states(current=((0, 4096), (0, None)), voltage=((410, 410), (TAU_410, TAU_410)), **ADAPTIVE)
    | CURRENT_BASED
    | {"graded_spike": True},
    "layer2": {"kind": "RF_PHASE", "vth_mantissa": 80} | resonator(**QUARTER),
    "layer3": {"kind": "RF_IZHIKEVICH", "vth_mantissa": 80}
    # one channel stays as it is, the other turns by an eighth and keeps 4095.5624 of 4096
    | resonator(sin=(0, 2896), cos=(2896, 4096), amplitude=(9361.286, None), period=(8, None)),
    "layer4": {"kind": "ADRF_PHASE", "vth_mantissa": 80, "vth_step": 5}
    | resonator(**QUARTER, **ADAPTIVE),
    "layer6": {"kind": "ADRF_IZHIKEVICH", "vth_mantissa": 80, "vth_step": 5}
    | resonator(
        sin=(0, 3000),
        cos=(2000, 4000),
        # (3000, 2000) keeps 3605.5513; (2897, 2897) keeps 4096.9767, so it grows
        amplitude=(7.840910, -4194.2556),
        # atan2(3000, 2000) is 0.98279372; a sine of 0 does not turn
        period=(6.393188, None),
        threshold=((1000, 1005), (3.552193, 3.572705)),
        refractory=((10, 15), (272.566361, 409.099796)),
    ),
    "layer7": {"kind": "LOIHI", "vth_mantissa": 80}
    | states(current=((1024, 1024), (TAU_1024, TAU_1024)), voltage=((128, 128), (TAU_128, TAU_128)))
    | CURRENT_BASED
    | {"refractory_delay": 3, "current_exponent": 2},
    "layer10": {"kind": "SDNN", "vth_mantissa": 6, "vth_fraction": 1024}
    | {"activation": "tanh", "sigma_output": True}
    | states(),
    "layer11": {"kind": "CUBA", "vth_mantissa": 262143, "is_readout": True}
    | states(current=((4096, 4096), (0, 0)), voltage=((0, 0), (None, None)))
    | CURRENT_BASED,
}


def assert_near(found: Any, expected: Any, where: str = "neuron") -> None:
    """Trees of dicts, tuples and plain values agree; real numbers to the digits written here."""
    if isinstance(expected, dict):
        by_key = cast(dict[str, Any], expected)
        assert set(found) == set(by_key), where
        for key, value in by_key.items():
            assert_near(found[key], value, f"{where}.{key}")
    elif isinstance(expected, tuple):
        for left, right in zip(found, cast(tuple[Any, ...], expected), strict=True):
            assert_near(left, right, where)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=3e-7), where
    else:
        assert found == expected, where


def stated(summary: Any) -> dict[str, Any]:
    """Fields that are not None, without the neuron."""
    return {k: v for k, v in asdict(summary).items() if v is not None and k != "neuron"}


def test_the_network_has_every_kind_of_layer() -> None:
    assert {layer_kind(layer) for layer in network_of_every_kind().layers} == set(LayerKind)


def test_every_kind_of_layer_has_its_figures() -> None:
    assert [stated(row) for row in summarize_network(network_of_every_kind())] == EXPECTED


@pytest.mark.parametrize("name", EXPECTED_NEURONS)
def test_every_kind_of_neuron_has_its_figures(name: str) -> None:
    (row,) = [r for r in summarize_network(network_of_every_kind()) if r.name == name]
    found, expected = stated(row.neuron), {"is_readout": False} | EXPECTED_NEURONS[name]
    assert_near(found, expected)


def test_layers_without_neurons_say_so() -> None:
    rows = summarize_network(network_of_every_kind())
    assert {r.name for r in rows if r.neuron is not None} == set(EXPECTED_NEURONS)


def test_a_network_of_one_layer_without_neurons_has_figures_too() -> None:
    row = summarize_network(Network(layers=(InputLayer(name="layer0", shape=(6,)),)))[0]
    assert (row.neurons, row.weights, row.neuron, row.sparsity) == (0, 0, None, None)


def test_shapes_are_those_that_flow() -> None:
    network = network_of_every_kind()
    rows = summarize_network(network)
    assert [(r.shape_in, r.shape_out) for r in rows] == [
        (shape.shape_in, shape.shape_out) for shape in infer_shapes(network)
    ]


def test_decays_given_by_channel_are_ranges() -> None:
    network = Network(layers=(dense([[2], [4]], neuron=cuba(du=np.array([5, 2]), dv=7)),))
    neuron = summarize_network(network)[0].neuron
    assert neuron is not None
    assert neuron.decays == {"current": (2, 5), "voltage": (7, 7)}


def test_bits_are_those_of_the_set_that_needs_most() -> None:
    layer = RecurrentLayer(
        name="layer0", shape=(1,), weight=ints([[-64]]), weight_rec=ints([[7]]), neuron=cuba()
    )
    # together, -64 and 7 would need 8
    assert summarize_network(Network(layers=(layer,)))[0].used_bits == 3


def test_a_given_input_shape_is_used() -> None:
    network = Network(layers=(conv(np.zeros((2, 1, 1, 1)), (2, 2, 2), stride=(2, 2)),))
    assert summarize_network(network, (1, 3, 4))[0].shape_in == (1, 3, 4)


def test_layers_that_do_not_fit_are_refused() -> None:
    network = Network(layers=(dense([[2]]), dense([[2, 4]], name="layer1")))
    assert sentence(NetxFormatError, summarize_network, network) == (
        "layer1: its weight has 2 inputs, but 1 neurons (1,) come in."
    )
