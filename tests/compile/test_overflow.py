"""Warnings come where SLAYER and Lava can part, at the very limit, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense
from hypothesis import given, settings
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import ChipNetwork, as_netx, compile_network
from lavadeploy.compile.overflow import STATE_LIMIT, current_bounds, parity_warnings
from lavadeploy.hw_profiles import load_profile
from lavadeploy.sim import run_network

IDEAL = load_profile("ideal")


def network(*layers: Any) -> ChipNetwork:
    return compiled(*layers, profile="ideal").network


def warned(*layers: Any) -> list[str]:
    return list(parity_warnings(network(*layers)))


def weights_that_add_up_to(total: int) -> Any:
    """One neuron's weights, each at most 254 or at least -256, with this sum."""
    sign, left = (1, total) if total > 0 else (-1, -total)
    full, rest = divmod(left, 254)
    return [[sign * 254] * full + [sign * rest]]


def threshold(vth: int) -> str:
    return (
        f"layer0: threshold {vth} is 4096 or more; there SLAYER fires when the voltage equals the "
        "threshold, Lava only above it."
    )


def current(reach: str) -> str:
    return (
        f"layer0: its current can reach {reach}, beyond the 24 bits of 8388608; there Lava wraps "
        "and SLAYER does not."
    )


def voltage(low: str, high: str) -> str:
    return (
        f"layer0: its voltage can leave the 24 bits of ±8388607 (bounds {low} to {high}); there "
        "Lava clips and SLAYER does not."
    )


ENDLESS = (
    "layer0: its current never decays (iDecay 0), so a long input can take it out of 24 bits, "
    "where Lava wraps and SLAYER does not."
)


def test_a_usual_network_has_no_warning() -> None:
    assert warned(dense([[254, -256]]), dense([[2]], name="layer1")) == []


def test_thresholds_are_strict_in_slayer_below_4096_only() -> None:
    assert warned(dense([[2]], neuron=cuba(4095))) == []
    assert warned(dense([[2]], neuron=cuba(4096))) == [threshold(4096)]


def test_a_current_that_never_decays_is_unbounded() -> None:
    assert warned(dense([[2]], neuron=cuba(du=0))) == [ENDLESS]
    assert warned(dense([[-2]], neuron=cuba(du=0))) == [ENDLESS]
    assert warned(dense([[2]], neuron=cuba(du=1))) == []


def test_one_neuron_without_decay_is_enough() -> None:
    layer = dense([[2], [2]], neuron=cuba(du=np.array([4096, 0])))
    assert warned(layer) == [ENDLESS]


def test_weights_of_zero_need_no_decay() -> None:
    assert warned(dense([[0]], neuron=cuba(du=0, dv=0))) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_the_current_at_its_limit(sign: int) -> None:
    neuron = cuba(0, du=4096, dv=4096)
    assert warned(dense(weights_that_add_up_to(sign * 131071), neuron=neuron)) == []
    found = warned(dense(weights_that_add_up_to(sign * 131072), neuron=neuron))
    assert found[0] == current("8.39e+06")
    bounds = ("0", "8.39e+06") if sign > 0 else ("-8.39e+06", "0")
    assert found[1:] == [voltage(*bounds)]


def test_slow_decay_adds_up() -> None:
    # 64 * 254 * 4096 / 7 = 9511789 is beyond 2**23, with 8 it is 8323072
    assert warned(dense([[254]], neuron=cuba(0, du=8))) == []
    assert warned(dense([[254]], neuron=cuba(0, du=7)))[0] == current("9.51e+06")


def test_the_slowest_decay_and_the_largest_row_count() -> None:
    weight = [[254, 254], [2, 2], [-256, 2]]
    bounds = current_bounds(network(dense(weight, neuron=cuba(du=np.array([9, 4, 7])))).layers[0])
    assert bounds == (508 * 64 * 1024, -256 * 64 * 1024)


def test_the_bounds_of_a_kernel_are_those_of_a_neuron_amid_the_image() -> None:
    layer = conv(np.array([2, 4, -6, 8]).reshape(1, 1, 2, 2), (1, 3, 3), neuron=cuba(du=4096))
    assert current_bounds(network(layer).layers[0]) == (14 * 64, -6 * 64)


def test_the_voltage_at_its_upper_limit() -> None:
    # threshold plus one step's current: 64 * (vth + w) against 2**23
    def layer(vth: int, weight: int) -> Any:
        return dense([[weight]], neuron=cuba(vth, du=4096, dv=4096))

    assert warned(layer(131072 - 255, 254)) == [threshold(130817)]
    assert warned(layer(131072 - 254, 254)) == [threshold(130818), voltage("0", "8.39e+06")]


@pytest.mark.parametrize(("bias", "warns"), [(4095, True), (4094, False)])
def test_the_bias_raises_the_upper_limit(bias: int, warns: bool) -> None:
    layer = dense(
        [[2]],
        neuron=cuba(131072 - 4097, du=4096, dv=4096),
        bias=np.array([bias], dtype=np.int32),
    )
    expected = [threshold(126975)] + [voltage("0", "8.39e+06")] * warns
    assert warned(layer) == expected


def test_the_voltage_at_its_lower_limit() -> None:
    # 64 * 256 * 4096 / 8 is 2**23 exactly
    assert warned(dense([[-256]], neuron=cuba(du=4096, dv=9))) == []
    found = warned(dense([[-256]], neuron=cuba(du=4096, dv=8)))
    assert found == [voltage("-8.39e+06", "5.12e+03")]


def test_a_voltage_that_never_decays_sinks_without_end() -> None:
    assert warned(dense([[2]], neuron=cuba(dv=0))) == []
    assert warned(dense([[-2]], neuron=cuba(dv=0))) == [voltage("-inf", "5.12e+03")]


def test_a_negative_bias_sinks_too() -> None:
    bias = np.array([-1], dtype=np.int32)
    assert warned(dense([[2]], neuron=cuba(dv=0), bias=bias)) == [voltage("-inf", "5.63e+03")]
    assert warned(dense([[2]], neuron=cuba(dv=1), bias=bias)) == []


def test_every_layer_is_judged_by_its_own_name() -> None:
    layers = (dense([[2]]), dense([[2]], name="layer1", neuron=cuba(4096)))
    assert warned(*layers) == [threshold(4096).replace("layer0", "layer1")]


def check_that_states_stay_inside(case: Case) -> None:
    compiled_case = compile_network(case.network, IDEAL, input_shape=case.input_shape)
    spikes = (case.inputs.spikes > 0).astype(np.int64)
    spikes = spikes.reshape(spikes.shape[0], -1, spikes.shape[-1]).repeat(8, axis=-1)
    for layer in compiled_case.network.layers:
        alone = ChipNetwork(input_shape=layer.shape_in, layers=(layer,))
        silent = not parity_warnings(alone)
        high, low = current_bounds(layer)
        run = run_network(as_netx(alone), spikes)[-1]
        spikes = run.output
        current, voltage = run.states["current"], run.states["voltage"]
        if high is not None and low is not None and max(high, -low) < STATE_LIMIT:
            assert low <= int(current.min()) <= int(current.max()) <= high
        if silent:
            assert abs(current.astype(np.int64)).max() < STATE_LIMIT
            assert abs(voltage.astype(np.int64)).max() < STATE_LIMIT - 1


QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@QUICK
@given(case=dense_cases())
def test_dense_layers_without_warning_stay_inside(case: Case) -> None:
    check_that_states_stay_inside(case)


@QUICK
@given(case=conv_cases())
def test_convolutions_without_warning_stay_inside(case: Case) -> None:
    check_that_states_stay_inside(case)
