"""No input takes a state beyond its bounds, and bounds are no wider than they have to be."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from bound_cases import alone, bound_cases, runs_of
from builders import compiled, conv, cuba, dense, even_weights
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import UNHURRIED, Case, conv_cases, dense_cases

from lavadeploy.compile import (
    ChipInput,
    ChipNetwork,
    StateBounds,
    Verdict,
    compile_network,
    state_bounds,
)
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    AlifNeuron,
    CubaNeuron,
    InputLayer,
    NeuronKind,
    RecurrentLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)

IDEAL = load_profile("ideal")
QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=UNHURRIED,
)


def network(*layers: Any, **options: Any) -> ChipNetwork:
    return compiled(*layers, profile="ideal", **options).network


def bounds(*layers: Any, **options: Any) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    found = state_bounds(network(*layers), **options)
    return {(bound.layer, bound.state): (bound.low, bound.high) for bound in found}


def only(state: str, *layers: Any, **options: Any) -> StateBounds:
    """The bounds of a state of the last layer."""
    return [b for b in state_bounds(network(*layers), **options) if b.state == state][-1]


def ints(value: int) -> NDArray[np.int32]:
    return np.array(value, dtype=np.int32)


def check(net: ChipNetwork, inputs: NDArray[np.int64], **options: Any) -> None:
    """Compare a run with the bounds; a layer with a state that is not proved may go anywhere."""
    found = state_bounds(net, **options)
    for layer, run in zip(net.layers, runs_of(net, inputs), strict=True):
        mine = [bound for bound in found if bound.layer == layer.name]
        if any(bound.verdict is not Verdict.PROVED for bound in mine):
            continue
        assert run.overflows == 0
        for bound in mine:
            if bound.state not in run.states or bound.state == "activation":
                continue  # what interpreters call so is rectified
            state = run.states[bound.state]
            assert bound.low is not None
            assert bound.high is not None
            assert bound.low <= int(state.min()) <= int(state.max()) <= bound.high
        if isinstance(layer.neuron, CubaNeuron) and layer.neuron.graded_spike:
            highest = next(bound.high for bound in mine if bound.state == "voltage")
            assert highest is not None
            assert int(run.output.max()) <= highest  # the voltage before its reset


def check_case(case: Case) -> None:
    net = compile_network(case.network, IDEAL, input_shape=case.input_shape).network
    spikes = case.inputs.spikes.astype(np.int64)
    spikes = spikes.reshape(spikes.shape[0], -1, spikes.shape[-1]).repeat(8, axis=-1)
    most = max(1, int(spikes.max()))
    check(net, spikes, input_max=most)
    check(net, spikes, input_max=most, steps=spikes.shape[-1])


@QUICK
@given(case=dense_cases())
def test_dense_layers_stay_inside(case: Case) -> None:
    check_case(case)


@settings(QUICK, max_examples=30)
@given(case=conv_cases())
def test_convolutions_stay_inside(case: Case) -> None:
    check_case(case)


@QUICK
@given(case=bound_cases())
def test_neurons_of_every_kind_stay_inside(case: tuple[ChipNetwork, NDArray[np.int64]]) -> None:
    check(*case)
    check(*case, steps=case[1].shape[-1])


@QUICK
@given(seed=st.integers(0, 1 << 32), steps=st.integers(1, 12))
def test_currents_and_readouts_reach_their_bounds(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    decays = rng.integers(0, 4097, (2, 3))
    weight = even_weights(rng, 3, 5, most=60)
    layer = dense(weight, neuron=cuba(131071, decays[0], decays[1]))
    found = bounds(layer, steps=steps)
    ends: dict[str, list[int]] = {"current": [], "voltage": []}
    for row in weight:
        for chosen in (row > 0, row < 0):
            spikes = np.repeat(chosen[None, :, None], steps, axis=2)
            run = runs_of(network(layer), spikes.astype(np.int64))[0]
            for state, seen in ends.items():
                seen += [int(run.states[state].min()), int(run.states[state].max())]
    for state, seen in ends.items():
        assert found["layer0", state] == (min(0, *seen), max(0, *seen))


def test_truncation_keeps_slow_states_lower_than_the_geometric_sum() -> None:
    # 64 * 2 * 4096 / 1 would be 524288
    assert bounds(dense([[2]], neuron=cuba(du=1)))["layer0", "current"] == (0, 520193)


def test_each_neuron_has_its_own_decay_and_weights() -> None:
    weight = [[254, 254], [2, 2], [-256, 2]]
    found = bounds(dense(weight, neuron=cuba(du=np.array([4096, 4, 4096]), dv=4096)))
    assert found["layer0", "current"] == (-256 * 64, 4 * 64 * 1024 - 1023)


def test_a_kernel_is_bounded_by_neurons_amid_the_image_or_by_what_there_is() -> None:
    weight = np.array([2, 4, -6, 8]).reshape(1, 1, 2, 2)
    layer = conv(weight, (1, 3, 3), neuron=cuba(du=4096))
    found = state_bounds(network(layer, input_shape=(1, 4, 4)))
    assert [(b.state, b.low, b.high) for b in found[:2]] == [
        ("sum", -6, 14),
        ("current", -6 * 64, 14 * 64),
    ]
    # an image of one pixel meets one element of the kernel at a time
    padded = conv(weight, (1, 2, 2), neuron=cuba(du=4096), padding=(1, 1))
    found = state_bounds(network(InputLayer(name="layer0", shape=(1, 1, 1)), padded))
    assert [(b.state, b.low, b.high) for b in found[:2]] == [
        ("sum", -6, 8),
        ("current", -6 * 64, 8 * 64),
    ]


def test_a_voltage_is_reset_above_its_threshold() -> None:
    # without decay: just below the threshold, and a step more; the current forgets at once
    layer = dense([[20]], neuron=cuba(100, du=4096, dv=0))
    assert bounds(layer)["layer0", "voltage"] == (0, 64 * 120)
    # a threshold that is out of reach changes nothing
    layer = dense([[20]], neuron=cuba(100, du=4096, dv=2048))
    assert bounds(layer)["layer0", "voltage"] == (0, 64 * 40 - 1)


def test_a_current_that_grew_had_the_voltage_fire_before() -> None:
    # the current can reach 40 * 64 * 8; in a step without a spike before, it was at most 10 * 64
    layer = dense([[40]], neuron=cuba(10, du=512, dv=0))
    current, voltage = (only(state, layer).high for state in ("current", "voltage"))
    assert current == 64 * 40 * 8 - 7
    assert voltage == current
    inhibited = dense([[40, -40]], neuron=cuba(10, du=512, dv=0))
    assert only("voltage", inhibited).high == 64 * 10 + 64 * 40 * 8 - 7


def test_neurons_that_cannot_fire_send_nothing() -> None:
    quiet = dense([[2], [254]], neuron=cuba(100, du=4096, dv=4096))
    after = dense([[254, 4]], name="layer1", neuron=cuba(du=4096))
    assert bounds(quiet, after)["layer1", "current"] == (0, 4 * 64)


def test_own_spikes_are_inputs_of_recurrent_layers() -> None:
    layer = RecurrentLayer(
        name="layer0",
        shape=(2,),
        weight=np.array([[2], [4]], dtype=np.int32),
        weight_rec=np.array([[6, -8], [0, 2]], dtype=np.int32),
        neuron=cuba(1, du=4096),
    )
    assert bounds(layer)["layer0", "current"] == (-8 * 64, 8 * 64)


def test_counts_weigh_more_than_spikes() -> None:
    layer = dense([[2, -4]], neuron=cuba(du=4096))
    assert bounds(layer, input_max=5)["layer0", "current"] == (-20 * 64, 10 * 64)


def test_graded_spikes_carry_at_most_the_voltage() -> None:
    graded = CubaNeuron(
        vth_mantissa=10, current_decay=ints(4096), voltage_decay=ints(4096), graded_spike=True
    )
    layers = dense([[20]], neuron=graded), dense([[64]], name="layer1", neuron=cuba(du=4096))
    found = bounds(*layers)
    assert found["layer0", "voltage"] == (0, 20 * 64)
    assert found["layer1", "current"] == (0, 20 * 64)  # a weight of 64 is 1


def test_payloads_that_wrap_in_a_kernel_are_told() -> None:
    graded = CubaNeuron(
        vth_mantissa=10, current_decay=ints(16), voltage_decay=ints(4096), graded_spike=True
    )
    before = conv([[[[254]]]], (1, 1, 1), neuron=graded)
    after = conv([[[[254]]]], (1, 1, 1), name="layer1", neuron=cuba(du=4096))
    found = only("sum", before, after)
    assert (found.bits, found.verdict, found.low) == (24, Verdict.NOT_PROVED, 0)
    assert found.high is not None
    assert found.high >= 1 << 23
    # and the current is bounded by what the wrapped sum can be, in 64 parts of 4096
    assert only("current", before, after).low == -(1 << 23) // 64


def test_adaptive_neurons_have_bounds_of_their_own() -> None:
    neuron = AlifNeuron(
        vth_mantissa=10,
        vth_step=5,
        current_decay=ints(4096),
        voltage_decay=ints(4096),
        threshold_decay=ints(0),
        refractory_decay=ints(0),
    )
    found = bounds(dense([[20]], neuron=neuron))
    assert found["layer0", "voltage"] == (0, 20 * 64)
    # it fires while threshold and refractory term are at or below the voltage: at most at 20 * 64
    assert found["layer0", "threshold"] == (0, 25 * 64)
    assert found["layer0", "refractory"] == (0, 2 * 20 * 64 + 10 * 64)


def test_resonators_are_bounded_by_the_geometric_sum_of_their_modulus() -> None:
    neuron = ResonatorNeuron(
        kind=NeuronKind.RF, vth_mantissa=10, sin_decay=ints(2048), cos_decay=ints(0)
    )
    layer = dense([[30]], neuron=neuron, weight_imag=ints(40).reshape(1, 1))
    limit = 2 * (50 * 64 + 3)
    assert bounds(layer)["layer0", "real"] == (-limit, limit)
    endless = dataclasses.replace(neuron, sin_decay=ints(4096))
    assert only("imag", dataclasses.replace(layer, neuron=endless)).high is None
    within = only("imag", dataclasses.replace(layer, neuron=endless), steps=7)
    assert within.high == 7 * (50 * 64 + 3)


def test_sigma_delta_neurons_are_bounded_by_the_sum_of_changes() -> None:
    encoder = InputLayer(name="layer0", shape=(1, 1, 1), neuron=SigmaDeltaNeuron(vth_mantissa=0))
    hidden = dense([[64]], name="layer1", neuron=SigmaDeltaNeuron(vth_mantissa=0))
    last = dense([[64]], name="layer2", neuron=SigmaDeltaNeuron(vth_mantissa=0, sigma_output=True))
    found = bounds(encoder, hidden, last)
    assert found["layer0", "change"] == (-510 * 4096, 510 * 4096)
    assert found["layer1", "sigma"] == (-256 * 4096, 254 * 4096)
    assert found["layer1", "change"] == (-254 * 4096, 254 * 4096)
    # messages behind weights are rounded down, by up to 63/64 each, for ever
    assert found["layer2", "sigma"] == (None, 254 * 4096)
    assert bounds(encoder, hidden, last, steps=10)["layer2", "sigma"][0] is not None
    assert {b.bits for b in state_bounds(network(encoder, hidden, last))} == {32}


def test_samples_of_known_length_prove_what_never_decays() -> None:
    layer = dense([[254]], neuron=cuba(du=0, dv=0))
    assert only("current", layer).verdict is Verdict.REACHABLE
    assert only("current", layer, steps=500).verdict is Verdict.PROVED
    assert only("current", layer, steps=500).high == 500 * 254 * 64


def test_biases_act_in_the_steps_before_the_input_arrives() -> None:
    first = dense([[2]], neuron=cuba(du=4096), delay_shift=True)
    second = dense([[0]], name="layer1", neuron=cuba(131071, dv=0), bias=ints(3).reshape(1))
    assert bounds(first, second, steps=10)["layer1", "voltage"] == (0, 11 * 3 * 64)


@pytest.mark.parametrize(("high", "headroom"), [(1 << 22, 1.0), (1 << 23, 0.0), (1 << 24, -1.0)])
def test_headroom_is_the_distance_to_the_register_in_bits(high: int, headroom: float) -> None:
    full, rest = divmod(high // 64, 254)
    layer = dense([[254] * full + [rest]], neuron=cuba(du=4096))
    assert only("current", layer).headroom_bits == headroom


def test_headroom_without_input_and_without_bound() -> None:
    assert only("current", dense([[0]])).headroom_bits == math.inf
    assert only("current", dense([[2]], neuron=cuba(du=0))).headroom_bits == -math.inf


@QUICK
@given(seed=st.integers(0, 1 << 32))
def test_slower_decays_and_higher_thresholds_never_narrow_the_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = even_weights(rng, 3, 4)
    decays = rng.integers(0, 4097, (2, 3))
    slower = np.maximum(decays - rng.integers(0, 300, (2, 3)), 0)
    vth = int(rng.integers(0, 3000))
    narrow = state_bounds(network(dense(weight, neuron=cuba(vth, decays[0], decays[1]))))
    wide = state_bounds(network(dense(weight, neuron=cuba(vth + 100, slower[0], slower[1]))))
    for before, after in zip(narrow, wide, strict=True):
        assert after.headroom_bits <= before.headroom_bits
        assert after.high is None or (before.high is not None and before.high <= after.high)
        assert after.low is None or (before.low is not None and after.low <= before.low)


@QUICK
@given(case=bound_cases())
def test_what_a_witness_says_happens(case: tuple[ChipNetwork, NDArray[np.int64]]) -> None:
    net, _ = case
    by_name = {layer.name: layer for layer in net.layers}
    for bound in state_bounds(net, steps=300):
        if bound.witness is not None:
            assert bound.witness.steps <= 301
            run = runs_of(alone(by_name[bound.layer]), bound.witness.values())[0]
            assert run.overflows > 0


def test_input_neurons_have_witnesses_too() -> None:
    layer = InputLayer(name="layer0", shape=(2,), weight=1000, neuron=cuba(10, du=np.array([9, 4])))
    net = network(layer)
    assert isinstance(net.layers[0], ChipInput)
    found = state_bounds(net)[0]
    assert found.witness is not None
    assert found.witness.neuron == 1
    assert runs_of(net, found.witness.values())[0].overflows > 0
