"""Warnings come where SLAYER and Lava can part, at the very limit, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bound_cases import runs_of
from builders import compiled, conv, cuba, dense
from hypothesis import given, settings
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import (
    ChipNetwork,
    StateBounds,
    Verdict,
    compile_network,
    state_bounds,
)
from lavadeploy.compile.overflow import overflow_sentence, parity_warnings
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import Network, NeuronKind, ResonatorNeuron, UnsupportedNetworkError

IDEAL = load_profile("ideal")


def network(*layers: Any) -> ChipNetwork:
    return compiled(*layers, profile="ideal").network


def warned(*layers: Any) -> list[str]:
    return list(parity_warnings(network(*layers)))


def causes(*layers: Any) -> list[str]:
    """The warnings, up to their bounds; one for each state."""
    chip = network(*layers)
    unproved = [b for b in state_bounds(chip) if b.verdict is not Verdict.PROVED]
    thresholds = [w for w in parity_warnings(chip) if ": threshold" in w]
    return thresholds + [overflow_sentence(b).split(" (bounds")[0] for b in unproved]


def test_states_without_a_known_overflow_are_one_warning() -> None:
    bounds = tuple(
        StateBounds(
            layer="layer0",
            state=state,
            low=-(2**25),
            high=2**25,
            bits=24,
            headroom_bits=-2.0,
            neuron=0,
        )
        for state in ("sum", "current", "voltage")
    )
    assert parity_warnings(network(dense([[2]])), bounds) == (
        says(
            "layer0: its sum of a kernel (head-room -2.00 bits), current (head-room -2.00 bits)",
            "and voltage (head-room -2.00 bits) are not proved to fit their registers; no input",
            "that takes them beyond was found, but there Lava wraps or clips and SLAYER does not.",
        ),
    )


def weights_that_add_up_to(total: int) -> Any:
    """One neuron's weights, each at most 254 or at least -256, with this sum."""
    sign, left = (1, total) if total > 0 else (-1, -total)
    full, rest = divmod(left, 254)
    return [[sign * 254] * full + [sign * rest]]


def says(*parts: str) -> str:
    return " ".join(parts)


def voltage_of(layer: Any) -> StateBounds:
    return next(b for b in state_bounds(network(layer)) if b.state == "voltage")


def threshold(vth: int) -> str:
    return (
        f"layer0: threshold {vth} is 4096 or more; there SLAYER fires when the voltage equals the "
        "threshold, Lava only above it."
    )


CURRENT = "layer0: its current can leave 24 bits"
VOLTAGE = "layer0: its voltage can leave 24 bits"
CURRENT_UNPROVED = "layer0: its current is not proved to fit 24 bits"
VOLTAGE_UNPROVED = "layer0: its voltage is not proved to fit 24 bits"


def test_a_usual_network_has_no_warning() -> None:
    assert warned(dense([[254, -256]]), dense([[2]], name="layer1")) == []


def test_thresholds_are_strict_in_slayer_below_4096_only() -> None:
    assert warned(dense([[2]], neuron=cuba(4095))) == []
    assert warned(dense([[2]], neuron=cuba(4096))) == [threshold(4096)]


def test_readouts_have_no_threshold_to_be_strict_about() -> None:
    assert warned(dense([[2]], neuron=cuba(131070))) == [threshold(131070)]
    assert warned(dense([[2]], neuron=cuba(131071))) == []


def test_a_current_that_overflows_is_told_with_the_input_that_does_it() -> None:
    # the voltage of the second sentence is what a wrapped current, of any sign, could make of it
    layer = dense([[-256] * 1025 + [4]], neuron=cuba(du=2048, dv=4096))
    assert warned(layer)[0] == says(
        "layer0: its current can leave 24 bits (bounds -33587199 to 511, head-room -2.00",
        "bits); there Lava wraps and SLAYER does not. This input does it, to neuron 0: a spike",
        "of each of 1025 inputs (0-1024) in 1 step.",
    )


def test_a_voltage_that_overflows_is_told_with_the_input_that_does_it() -> None:
    layer = dense([[2], [-2]], neuron=cuba(du=4096, dv=0))
    assert warned(layer) == [
        says(
            "layer0: its voltage can leave 24 bits (bounds -inf to 5248, no head-room);",
            "there Lava clips and SLAYER does not. This input does it, to neuron 1: a spike of",
            "input 0 in 65536 steps.",
        )
    ]


def test_a_bound_that_no_known_input_reaches_is_told_as_such() -> None:
    # the voltage rises in steps of 254 * 64 and would have to meet the threshold exactly
    layer = dense([[254]], neuron=cuba(130818, du=4096, dv=0))
    assert warned(layer)[1] == says(
        "layer0: its voltage is not proved to fit 24 bits (bounds 0 to 8388608, head-room",
        "0.00 bits); no input that takes it beyond 8388607 was found, but there Lava clips and",
        "SLAYER does not.",
    )


def test_a_voltage_can_be_led_to_overshoot_its_threshold() -> None:
    # 16 steps end at 8323072, just above the threshold; half a step more before ends well above
    layer = dense([[254] * 32], neuron=cuba(130000, du=4096, dv=0))
    found = voltage_of(layer)
    assert found.witness is not None
    assert [(phase.inputs.size, phase.steps) for phase in found.witness.phases] == [
        (16, 1),
        (32, 16),
    ]
    run = runs_of(network(layer), found.witness.values())[0]
    assert run.overflows == 1
    assert run.output.sum() == 1


def test_a_resonator_is_driven_along_its_state() -> None:
    neuron = ResonatorNeuron(
        kind=NeuronKind.RF,
        vth_mantissa=10,
        sin_decay=np.array(4094, dtype=np.int32),
        cos_decay=np.array(0, dtype=np.int32),
    )
    weight = np.array([[254, -256, 0, 2]], dtype=np.int32)
    layer = dense(weight, neuron=neuron, weight_imag=weight[:, ::-1].copy())
    found = next(b for b in state_bounds(network(layer)) if b.state == "real")
    assert found.witness is not None
    assert str(found.witness).startswith(
        "to neuron 0: a spike of each of 2 inputs (0, 3) in 1 step, then "
    )
    assert f"then others in further steps, {found.witness.steps} altogether" in str(found.witness)
    run = runs_of(network(layer), found.witness.values())[0]
    assert run.overflows > 0
    assert int(np.abs(run.states["real"][0, 0, -1])) == (1 << 23) - 1
    assert runs_of(network(layer), found.witness.values()[:, :, :-1])[0].overflows == 0


def test_a_current_that_never_decays_is_unbounded() -> None:
    assert causes(dense([[2]], neuron=cuba(du=0)))[0] == CURRENT
    assert causes(dense([[-2]], neuron=cuba(du=0)))[0] == CURRENT
    assert causes(dense([[2]], neuron=cuba(du=1))) == []


def test_one_neuron_without_decay_is_enough() -> None:
    layer = dense([[2], [2]], neuron=cuba(du=np.array([4096, 0])))
    assert causes(layer)[0] == CURRENT
    assert "to neuron 1: a spike of input 0 in 65537 steps." in warned(layer)[0]


def test_weights_of_zero_need_no_decay() -> None:
    assert warned(dense([[0]], neuron=cuba(du=0, dv=0))) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_the_current_at_its_limit(sign: int) -> None:
    neuron = cuba(0, du=4096, dv=4096)
    assert warned(dense(weights_that_add_up_to(sign * 131071), neuron=neuron)) == []
    # 2**23 itself is beyond 24 bits, yet Lava keeps it; it wraps -2**23 to it
    found = causes(dense(weights_that_add_up_to(sign * 131072), neuron=neuron))
    assert found[0] == (CURRENT_UNPROVED if sign > 0 else CURRENT)
    assert causes(dense(weights_that_add_up_to(sign * 131073), neuron=neuron))[0] == CURRENT


@pytest.mark.parametrize(
    ("bias", "low", "verdict"),
    [
        (0, 1 - (1 << 23), Verdict.PROVED),
        (-1, -127 - (1 << 23), Verdict.REACHABLE),
    ],
)
def test_a_voltage_at_the_very_limit(bias: int, low: int, verdict: Verdict) -> None:
    # half of the voltage decays: it goes to twice the current, less 1
    layer = dense(
        weights_that_add_up_to(-(1 << 16)),
        neuron=cuba(du=4096, dv=2048),
        bias=np.array([bias], dtype=np.int32),
    )
    found = voltage_of(layer)
    assert (found.low, found.verdict) == (low, verdict)
    spikes = np.ones((1, 259, 40), dtype=np.int64)
    run = runs_of(network(layer), spikes)[0]
    assert int(run.states["voltage"].min()) == 1 - (1 << 23)
    assert (run.overflows == 0) is (verdict is Verdict.PROVED)


def test_slow_decay_adds_up() -> None:
    # 4096 * (64 * 254 - 1) // 7 + 1 = 9511498 is beyond 2**23, with 8 it is 8322561
    assert warned(dense([[254]], neuron=cuba(0, du=8))) == []
    assert causes(dense([[254]], neuron=cuba(0, du=7)))[0] == CURRENT


def test_the_voltage_at_its_upper_limit() -> None:
    # threshold plus one step's current: 64 * (vth + w) against 2**23
    def layer(vth: int, weight: int) -> Any:
        return dense([[weight]], neuron=cuba(vth, du=4096, dv=0))

    assert warned(layer(131072 - 255, 254)) == [threshold(130817)]
    assert causes(layer(131072 - 254, 254)) == [threshold(130818), VOLTAGE_UNPROVED]


@pytest.mark.parametrize(("bias", "warns"), [(4095, True), (4093, False)])
def test_the_bias_raises_the_upper_limit(bias: int, warns: bool) -> None:
    layer = dense(
        [[2]],
        neuron=cuba(131072 - 4096, du=4096, dv=0),
        bias=np.array([bias], dtype=np.int32),
    )
    found = causes(layer)
    assert found[0] == threshold(126976)
    assert bool(found[1:]) is warns


def test_the_voltage_at_its_lower_limit() -> None:
    # 4096 * (64 * 256 - 1) // 8 + 1 is 8388097, with 7 it is 9586395
    assert warned(dense([[-256]], neuron=cuba(du=4096, dv=8))) == []
    assert causes(dense([[-256]], neuron=cuba(du=4096, dv=7))) == [VOLTAGE]


def test_a_voltage_that_never_decays_sinks_without_end() -> None:
    assert warned(dense([[2]], neuron=cuba(dv=0))) == []
    assert causes(dense([[-2]], neuron=cuba(dv=0))) == [VOLTAGE]


def test_a_negative_bias_sinks_too() -> None:
    bias = np.array([-1], dtype=np.int32)
    assert causes(dense([[2]], neuron=cuba(dv=0), bias=bias)) == [VOLTAGE]
    assert (
        "to neuron 0: nothing in 131072 steps."
        in warned(dense([[2]], neuron=cuba(dv=0), bias=bias))[0]
    )
    assert warned(dense([[2]], neuron=cuba(dv=1), bias=bias)) == []


def test_every_layer_is_judged_by_its_own_name() -> None:
    layers = (dense([[2]]), dense([[2]], name="layer1", neuron=cuba(4096)))
    assert warned(*layers) == [threshold(4096).replace("layer0", "layer1")]


@pytest.mark.parametrize(("total", "halvings"), [(131072, 1), (262143, 1), (262144, 2)])
def test_the_strict_compiler_says_how_far_to_scale_down(total: int, halvings: int) -> None:
    layer = dense(weights_that_add_up_to(total), neuron=cuba(0, du=4096, dv=4096))
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(Network(layers=(layer,)), IDEAL, strict=True)
    inputs = -(-total // 254)
    goes = says(
        f", and this input goes there, to neuron 0: a spike of each of {inputs} inputs",
        f"(0-{inputs - 1}) in 1 step",
    )
    # 2**23 itself is not proved to fit, but Lava keeps it
    assert str(caught.value) == says(
        f"layer0: the bounds of its current are 0 to {total * 64}{goes * (total > 131072)};",
        "registers of 24 bits hold -8388607 to 8388607. Scale weights, bias and threshold down",
        f"together by 2**{halvings}. [states_fit_registers]",
    )


def test_the_strict_compiler_asks_for_decays_where_no_scale_would_do() -> None:
    layer = dense([[2], [-2]], neuron=cuba(du=4096, dv=0))
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(Network(layers=(layer,)), IDEAL, strict=True)
    assert str(caught.value) == says(
        "layer0: the bounds of its voltage are -inf to 5248, and this input goes there, to neuron",
        "1: a spike of input 0 in 65536 steps; registers of 24 bits hold -8388607 to 8388607. Let",
        "currents and voltages decay: without, long input takes them anywhere.",
        "[states_fit_registers]",
    )


def test_the_strict_compiler_takes_what_is_proved() -> None:
    layer = dense([[254, -256]], neuron=cuba(4096))
    found = compile_network(Network(layers=(layer,)), IDEAL, strict=True)
    assert found.warnings == (threshold(4096),)


def test_conv_sums_are_told_by_their_own_name() -> None:
    graded = cuba(10, du=16, dv=4096)
    graded = type(graded)(
        vth_mantissa=10,
        current_decay=graded.current_decay,
        voltage_decay=graded.voltage_decay,
        graded_spike=True,
    )
    layers = (
        conv([[[[254]]]], (1, 1, 1), neuron=graded),
        conv([[[[254]]]], (1, 1, 1), name="layer1", neuron=cuba(du=4096)),
    )
    found = [b for b in state_bounds(network(*layers)) if b.state == "sum"][1]
    assert overflow_sentence(found) == says(
        "layer1: its sum of a kernel is not proved to fit 24 bits (bounds 0 to 1056965374,",
        "head-room -6.98 bits); no input that takes it beyond 8388607 was found, but there",
        "Lava wraps and SLAYER does not.",
    )


def check_that_silence_means_no_overflow(case: Case) -> None:
    chip = compile_network(case.network, IDEAL, input_shape=case.input_shape).network
    spikes = (case.inputs.spikes > 0).astype(np.int64)
    spikes = spikes.reshape(spikes.shape[0], -1, spikes.shape[-1]).repeat(8, axis=-1)
    warnings = parity_warnings(chip)
    for layer, run in zip(chip.layers, runs_of(chip, spikes), strict=True):
        if not any(w.startswith(f"{layer.name}: its") for w in warnings):
            assert run.overflows == 0


QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=40)


@QUICK
@given(case=dense_cases())
def test_dense_layers_without_warning_do_not_overflow(case: Case) -> None:
    check_that_silence_means_no_overflow(case)


@QUICK
@given(case=conv_cases())
def test_convolutions_without_warning_do_not_overflow(case: Case) -> None:
    check_that_silence_means_no_overflow(case)
