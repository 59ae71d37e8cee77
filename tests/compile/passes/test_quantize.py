"""Real numbers become whole ones that registers of the asked width hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import cuba, dense
from expect import sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from netx_examples import layer_of, neuron_of
from profiles import SHIPPED
from real_networks import as_real, real_conv, real_dense, real_network, real_networks, with_neuron
from strategies import UNHURRIED, dense_cases

from lavadeploy.compile import (
    LayerPlan,
    Method,
    QuantizationPlan,
    Quantize,
    QuantizedNetwork,
    compile_network,
    plan_uniformly,
    synaptic_layers,
)
from lavadeploy.compile.weight_registers import weight_registers
from lavadeploy.netx import (
    FlattenLayer,
    LayerKind,
    Network,
    NeuronKind,
    OptionError,
    RealNetwork,
    SigmaDeltaNeuron,
    SynapticLayer,
    UnsupportedNetworkError,
)

LOIHI2 = SHIPPED["loihi2"]
PLAIN = [Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES]
WIDTHS = st.sampled_from(LOIHI2.formats.weight_bits.value)


def quantized(
    network: RealNetwork, bits: Any = 8, method: Method = Method.LEAST_SQUARES, **options: Any
) -> QuantizedNetwork:
    plan = plan_uniformly(network, bits, method, **options)
    quantize = Quantize(profile=LOIHI2, plan=plan)
    found = quantize.run(network)
    quantize.ensures(network, found)
    return found


def first_layer(network: QuantizedNetwork) -> Any:
    return network.network.layers[0]


@settings(suppress_health_check=UNHURRIED, deadline=None)
@given(real_networks(), WIDTHS, st.sampled_from(PLAIN))
def test_registers_of_the_asked_width_hold_every_layer(
    network: RealNetwork, bits: int, method: Method
) -> None:
    found = quantized(network, bits, method)
    formats = LOIHI2.formats
    for layer, loss in zip(found.network.layers, found.losses, strict=True):
        assert isinstance(layer, SynapticLayer)
        registers = weight_registers(layer.weight, LOIHI2)
        assert registers is not None
        assert registers.bits <= bits == loss.bits
        assert formats.weight_min.value <= layer.weight.min()
        assert layer.weight.max() <= formats.weight_max.value
        assert 0 <= layer.neuron.vth_mantissa <= formats.threshold_mantissa_max.value
        assert layer.bias is None or np.abs(layer.bias).max() <= formats.bias_mantissa_max.value


@settings(suppress_health_check=UNHURRIED, deadline=None)
@given(real_networks(), WIDTHS)
def test_nothing_is_clipped_by_the_largest_value(network: RealNetwork, bits: int) -> None:
    found = quantized(network, bits, Method.LARGEST)
    for loss, values in zip(found.losses, network.values.values(), strict=True):
        keeps_signs = bits > 1 or values.weight.min() >= 0 or values.weight.max() <= 0
        assert loss.clipped == 0 or not keeps_signs


@settings(suppress_health_check=UNHURRIED, deadline=None)
@given(real_networks(1), WIDTHS, st.sampled_from(PLAIN), st.integers(-6, 6))
def test_a_layer_times_a_factor_has_the_same_registers(
    network: RealNetwork, bits: int, method: Method, power: int
) -> None:
    values = network.values["layer0"]
    factor = 2.0**power  # exact in floating point, so that ties stay ties
    scaled = dataclasses.replace(
        values,
        weight=values.weight * factor,
        bias=None if values.bias is None else values.bias * factor,
        vth=values.vth * factor,
    )
    other = RealNetwork(nearest=network.nearest, values={"layer0": scaled})
    before, after = (first_layer(quantized(n, bits, method)) for n in (network, other))
    if not np.array_equal(np.rint(values.weight), values.weight):
        assert np.array_equal(before.weight, after.weight)
        assert before.neuron.vth_mantissa == after.neuron.vth_mantissa
        assert np.array_equal(before.bias, after.bias)


@pytest.mark.parametrize("factor", [0.37, 3.1, 17.0])
@pytest.mark.parametrize("method", PLAIN)
def test_a_factor_that_is_no_power_of_two_changes_nothing_either(
    factor: float, method: Method
) -> None:
    weight = np.random.default_rng(0).normal(0, 20, (5, 30))
    before, after = (
        first_layer(quantized(real_network(real_dense(weight * f, vth=77.7 * f)), 4, method))
        for f in (1.0, factor)
    )
    assert np.array_equal(before.weight, after.weight)
    assert before.neuron.vth_mantissa == after.neuron.vth_mantissa


@settings(suppress_health_check=UNHURRIED, deadline=None)
@given(dense_cases(), st.sampled_from(PLAIN))
def test_whole_numbers_that_fit_are_left_as_they_are(case: Any, method: Method) -> None:
    found = quantized(as_real(case.network), 8, method)
    layers: Any = zip(case.network.layers, found.network.layers, strict=True)
    for before, after in layers:
        for name in ("weight", "bias", "delay"):
            assert np.array_equal(getattr(before, name), getattr(after, name))
        assert before.neuron.vth_mantissa == after.neuron.vth_mantissa
        assert np.array_equal(before.neuron.voltage_decay, after.neuron.voltage_decay)
    assert all(loss.scale == 1 and loss.largest_weight_error == 0 for loss in found.losses)


def test_whole_numbers_that_do_not_fit_are_rounded() -> None:
    network = as_real(Network(layers=(dense([[100, -98, 6]]),)))
    assert quantized(network, 8).losses[0].largest_weight_error == 0
    assert quantized(network, 3).losses[0].largest_weight_error > 0


def test_the_input_stays_untouched_and_names_and_shapes_are_kept() -> None:
    layer, values = real_dense([[1.5, -2.25]], name="first")
    network = real_network((layer, values), FlattenLayer(name="flat", shape=(1, 1, 1)))
    before = values.weight.copy()
    found = quantized(network, 4)
    assert np.array_equal(values.weight, before)
    assert network.nearest.layers[0] is layer
    assert [each.name for each in found.network.layers] == ["first", "flat"]
    assert found.network.layers[1] is network.nearest.layers[1]


@pytest.mark.parametrize("sign", [1, -1])
def test_weights_of_one_sign_have_twice_the_levels(sign: int) -> None:
    weight = sign * np.linspace(0.3, 30.1, 200)[None, :]
    found = first_layer(quantized(real_network(real_dense(weight)), 4, Method.LARGEST))
    assert len(np.unique(found.weight)) == 16
    mixed = first_layer(
        quantized(
            real_network(real_dense(np.concatenate([weight, -weight], axis=1))), 4, Method.LARGEST
        )
    )
    assert len(np.unique(mixed.weight)) == 15  # -7 to 7: largest clips nothing


def test_one_bit_of_mixed_signs_is_excitation_or_nothing() -> None:
    network = real_network(real_dense([[40.0, -40.0, 3.0, 38.0]]))
    found = quantized(network, 1)
    assert np.unique(first_layer(found).weight).tolist() == [0, 128]
    assert first_layer(found).weight[0].tolist() == [128, 0, 0, 128]
    (warning,) = found.network.warnings
    assert warning == (
        "layer0: 1 bit holds no sign and a weight, so its 1 negative weights became 0. Use 2 bits "
        "or more where inhibition matters."
    )
    assert found.losses[0].clipped == 1


def test_the_threshold_is_exact_where_the_scale_is_free() -> None:
    found = quantized(real_network(real_dense([[21.3, -17.9]], vth=63.21)), 5)
    assert found.losses[0].threshold_error_percent == pytest.approx(0, abs=1e-12)
    assert first_layer(found).neuron.vth_mantissa == pytest.approx(63.21 * found.losses[0].scale)


@pytest.mark.parametrize("weight", [200.3, 2.3, 0.01])
def test_thresholds_beyond_the_register_scale_the_weights_down(weight: float) -> None:
    layer = real_dense([[weight, -weight / 2]], vth=1.2e5)
    found = quantized(real_network(layer), 4, Method.LARGEST)
    assert 65000 < first_layer(found).neuron.vth_mantissa <= 131071
    assert found.losses[0].threshold_error_percent < 1e-9


def test_halving_the_weights_for_a_threshold_keeps_their_levels() -> None:
    weight = [[21.3, -17.9, 4.1]]
    low, high = (
        first_layer(quantized(real_network(real_dense(weight, vth=vth)), 4, Method.LARGEST))
        for vth in (2000.0, 16000.0)
    )
    assert high.neuron.vth_mantissa <= 131071 < 8 * low.neuron.vth_mantissa
    assert (low.weight // (low.weight // high.weight)).tolist() == high.weight.tolist()


def test_biases_beyond_the_register_scale_the_layer_down() -> None:
    layer = real_dense([[0.5, -0.4]], vth=70.3, bias=[60.5])
    found = quantized(real_network(layer), 8, Method.LARGEST)
    assert 3900 < first_layer(found).bias[0] <= 4095


def test_each_layer_gets_its_own_bits() -> None:
    rng = np.random.default_rng(1)
    network = real_network(
        real_dense(rng.normal(0, 9, (6, 20)), name="a"),
        real_dense(rng.normal(0, 9, (3, 6)), name="b"),
    )
    compiled = compile_network(quantized(network, {"a": 3, "b": 6}).network, LOIHI2)
    assert [layer.weights.bits for layer in synaptic_layers(compiled.network)] == [3, 6]


@pytest.mark.parametrize("profile", ["loihi1", "loihi2"])
def test_bits_that_the_chip_lacks_are_refused_with_those_it_has(profile: str) -> None:
    network = real_network(real_dense([[1.5]], name="a"), real_dense([[2.5]], name="b"))
    plan = plan_uniformly(network, {"a": 7, "b": 4})
    quantize = Quantize(profile=SHIPPED[profile], plan=plan)
    assert sentence(UnsupportedNetworkError, quantize.run, network) == (
        f"a: weights of 7 bits were asked for; {profile} has weights of 1, 2, 3, 4, 5, 6, 8 bits. "
        "Ask for 8. [weight_width]"
    )


def test_a_chip_with_seven_bits_takes_them() -> None:
    network = real_network(real_dense(np.random.default_rng(0).normal(0, 20, (9, 40))))
    plan = plan_uniformly(network, 7)
    found = Quantize(profile=SHIPPED["ideal"], plan=plan).run(network)
    registers = weight_registers(first_layer(found).weight, SHIPPED["ideal"])
    assert registers is not None
    assert registers.bits == 7


def test_a_plan_must_name_every_layer_and_no_other() -> None:
    network = real_network(real_dense([[1.5]], name="first"))
    assert sentence(OptionError, quantized, network, {"first": 4, "frist": 4}) == (
        "no layer with weights is called 'frist'; did you mean 'first'? Valid: 'first'."
    )
    empty = Quantize(profile=LOIHI2, plan=QuantizationPlan(layers={}))
    assert sentence(OptionError, empty.run, network) == (
        "no bits are given for first; name every layer with weights, or give one number for all."
    )


def test_a_stated_scale_is_taken() -> None:
    network = real_network(real_dense([[10.2, -8.1]], vth=40.0))
    plan = QuantizationPlan(
        layers={"layer0": LayerPlan(bits=4, method=Method.CALIBRATED, scale=2.5, halvings=2)}
    )
    found = Quantize(profile=LOIHI2, plan=plan).run(network)
    assert first_layer(found).weight.tolist() == [[24, -24]]
    assert first_layer(found).neuron.vth_mantissa == 100
    assert found.losses[0].step == 8


def test_delays_are_rounded_down_as_slayer_does() -> None:
    found = quantized(real_network(real_dense([[1.5], [2.5]], delay=[2.9, 0.1])))
    assert first_layer(found).delay.tolist() == [2, 0]
    assert found.losses[0].largest_delay_error == pytest.approx(0.9)


def test_decays_are_rounded_to_the_nearest_and_kept_within_4096() -> None:
    network = real_network(real_dense([[1.5]], du=4097.2, dv=0.2))
    found = quantized(network)
    assert int(first_layer(found).neuron.current_decay) == 4096
    assert found.network.warnings == (
        "layer0: current decay 4097.2 is no part of 4096 and became 4096.",
        "layer0: voltage decay 0.2 (of 4096) rounds to 0, so that state never decays.",
    )


def test_a_threshold_that_vanishes_is_said() -> None:
    found = quantized(real_network(real_dense([[5000.0, -4000.0]], vth=0.001)))
    assert first_layer(found).neuron.vth_mantissa == 0
    (warning,) = found.network.warnings
    assert warning == (
        "layer0: its threshold 0.001 is so small against its weights that it rounds to 0. Give the "
        "layer more bits."
    )


def test_neurons_that_send_numbers_keep_their_scale() -> None:
    layer = real_dense([[30.3, -20.2, 3.9]])
    graded = with_neuron(layer, dataclasses.replace(cuba(), graded_spike=True), vth=80.4)
    found = quantized(real_network(graded), 5)
    assert found.losses[0].scale == 1
    assert first_layer(found).neuron.vth_mantissa == 80
    assert first_layer(found).weight.tolist() == [[30, -20, 4]]
    assert found.losses[0].step == 2


def test_weights_beyond_the_range_of_a_fixed_scale_are_clipped_and_counted() -> None:
    graded = with_neuron(
        real_dense([[300.0, -400.0, 30.2]]), dataclasses.replace(cuba(), graded_spike=True)
    )
    found = quantized(real_network(graded), 8, Method.LARGEST)
    assert first_layer(found).weight.tolist() == [[254, -256, 30]]
    assert found.losses[0].clipped == 2


def test_sigma_delta_thresholds_keep_their_fraction() -> None:
    layer = with_neuron(
        real_dense([[30.3]]), SigmaDeltaNeuron(vth_mantissa=6), vth=6.3125, decays={}
    )
    found = first_layer(quantized(real_network(layer), 8))
    assert (found.neuron.vth_mantissa, found.neuron.vth_fraction) == (6, 1280)


def test_a_readout_keeps_its_threshold_and_states_its_scale() -> None:
    found = quantized(real_network(real_dense([[30.3, -10.1]], vth=262143.0, dv=4096.0)), 6)
    assert first_layer(found).neuron.vth_mantissa == 262143
    assert found.losses[0].scale > 1
    assert found.losses[0].threshold_error_percent == 0


@pytest.mark.parametrize(
    "kind", [k for k in NeuronKind if k not in (NeuronKind.SDNN, NeuronKind.LOIHI)]
)
def test_every_kind_of_neuron_scales_all_its_thresholds(kind: NeuronKind) -> None:
    neuron: Any = dataclasses.replace(neuron_of(kind), graded_spike=False)
    network = as_real(Network(layers=(layer_of(LayerKind.DENSE, neuron),)))
    values = network.values["layer0"]
    halves = {
        "weight": values.weight + 0.25,
        "weight_imag": None if values.weight_imag is None else values.weight_imag + 0.25,
    }
    network = RealNetwork(
        nearest=network.nearest, values={"layer0": dataclasses.replace(values, **halves)}
    )
    found = quantized(network, 4)
    loss, after = found.losses[0], first_layer(found).neuron
    assert loss.scale > 1
    assert after.vth_mantissa == round(80 * loss.scale)
    if hasattr(neuron, "vth_step"):
        assert after.vth_step == round(7 * loss.scale)


@pytest.mark.parametrize(
    "kind",
    [
        LayerKind.RECURRENT,
        LayerKind.CONV,
        LayerKind.CONV_TRANSPOSE,
        LayerKind.POOL,
        LayerKind.UNPOOL,
    ],
)
def test_every_kind_of_layer_is_quantized(kind: LayerKind) -> None:
    network = as_real(Network(layers=(layer_of(kind, cuba()),)))
    values = network.values["layer0"]
    moved = dataclasses.replace(values, weight=values.weight + 0.3)
    found = quantized(RealNetwork(nearest=network.nearest, values={"layer0": moved}), 5)
    layer, loss = first_layer(found), found.losses[0]
    error = np.abs(layer.weight / loss.scale - moved.weight).max()
    assert error == loss.largest_weight_error > 0 or kind is LayerKind.RECURRENT
    assert error <= loss.largest_weight_error


def test_the_same_network_gives_the_same_numbers_and_the_same_plan() -> None:
    weight = np.random.default_rng(5).normal(0, 12, (8, 50))
    twice = [quantized(real_network(real_dense(weight)), 3) for _ in range(2)]
    assert first_layer(twice[0]).weight.tobytes() == first_layer(twice[1]).weight.tobytes()
    assert twice[0].plan.to_json() == twice[1].plan.to_json()
    assert twice[0].losses == twice[1].losses


def test_convolutions_compile_in_the_asked_bits() -> None:
    weight = np.random.default_rng(2).normal(0, 9, (4, 2, 3, 3))
    found = quantized(real_network(real_conv(weight, (4, 6, 6))), 5)
    assert synaptic_layers(compile_network(found.network, LOIHI2).network)[0].weights.bits == 5
