"""Calibration: fewer changed spikes than without data, exact counts, the same bytes twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import random_spikes
from expect import sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import SHIPPED
from real_networks import as_real, real_conv, real_dense, real_network
from strategies import UNHURRIED

from lavadeploy.compile import (
    Method,
    Quantize,
    QuantizedNetwork,
    compile_network,
    plan_uniformly,
    synaptic_layers,
)
from lavadeploy.compile.weight_grids import WeightGrid, sign_mode_of, widest_grid
from lavadeploy.netx import FlattenLayer, Network, RealNetwork, UnsupportedNetworkError
from lavadeploy.sim import (
    Objective,
    SpikeInput,
    calibrate,
    layer_changes,
    run_network,
    with_changes,
)
from lavadeploy.sim.compensated_rounding import compensation_for
from lavadeploy.sim.real_run import run_real_network
from lavadeploy.sim.time_first import time_first, timed_layers

LOIHI2 = SHIPPED["loihi2"]
PLAIN = (Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES)


def small_network(seed: int, *, bias: bool = False) -> tuple[RealNetwork, SpikeInput]:
    rng = np.random.default_rng(seed)
    network = real_network(
        real_dense(
            rng.standard_t(4, (12, 20)) * 8,
            name="layer0",
            bias=rng.normal(0, 3, 12) if bias else None,
        ),
        real_dense(rng.normal(2, 14, (5, 12)), name="layer1", vth=50.3),
    )
    return network, SpikeInput(spikes=random_spikes(rng, 12, 20, 16))


def first_layer(quantized: QuantizedNetwork) -> Any:
    return quantized.network.layers[0]


def conv_network(seed: int) -> tuple[RealNetwork, SpikeInput]:
    rng = np.random.default_rng(seed)
    network = real_network(
        real_conv(rng.normal(2, 12, (4, 1, 3, 3)), (4, 4, 4), name="layer0", groups=2),
        FlattenLayer(name="layer1", shape=(64, 1, 1)),
        real_dense(rng.normal(0, 9, (3, 64)), name="layer2"),
    )
    return network, SpikeInput(spikes=random_spikes(rng, 6, 2, 6, 6, 12))


@pytest.mark.parametrize("bits", [8, 4, 2, 1])
@pytest.mark.parametrize("make", [small_network, conv_network])
def test_calibration_changes_no_more_output_spikes_than_any_method_without(
    bits: int, make: Any
) -> None:
    network, inputs = make(bits)
    calibrated = calibrate(network, LOIHI2, inputs, bits, objective=Objective.SPIKES)
    changed = calibrated.losses[-1].spikes_changed
    assert changed is not None
    for method in PLAIN:
        plain = Quantize(profile=LOIHI2, plan=plan_uniformly(network, bits, method)).run(network)
        other = with_changes(network, plain, inputs).losses[-1].spikes_changed
        assert other is not None
        assert changed <= other
    quantize = Quantize(profile=LOIHI2, plan=calibrated.plan)
    quantize.ensures(network, calibrated)


def test_calibration_helps_where_bits_are_few() -> None:
    network, inputs = small_network(3)
    plain = Quantize(profile=LOIHI2, plan=plan_uniformly(network, 3)).run(network)
    before = with_changes(network, plain, inputs).losses[-1].spikes_changed
    found = calibrate(network, LOIHI2, inputs, 3, objective=Objective.SPIKES)
    after = found.losses[-1].spikes_changed
    assert before is not None
    assert after is not None
    assert after < before


@pytest.mark.parametrize("objective", list(Objective))
def test_calibration_gives_the_same_bytes_twice(objective: Objective) -> None:
    network, inputs = small_network(4, bias=True)
    first, second = (calibrate(network, LOIHI2, inputs, 4, objective=objective) for _ in range(2))
    assert first.plan.to_json() == second.plan.to_json()
    assert first.losses == second.losses
    layers: Any = zip(first.network.layers, second.network.layers, strict=True)
    for a, b in layers:
        assert a.weight.tobytes() == b.weight.tobytes()


def test_the_membrane_objective_brings_voltages_nearer_than_any_method_without() -> None:
    network, inputs = small_network(5)
    found = calibrate(network, LOIHI2, inputs, 4, objective=Objective.MEMBRANE)
    nearest = layer_changes(network, found, inputs)["layer1"].membrane
    for method in PLAIN:
        plain = Quantize(profile=LOIHI2, plan=plan_uniformly(network, 4, method)).run(network)
        assert nearest <= layer_changes(network, plain, inputs)["layer1"].membrane


@pytest.mark.parametrize("make", [small_network, conv_network])
def test_changed_spikes_are_those_of_two_full_runs(make: Any) -> None:
    network, inputs = make(6)
    found = calibrate(network, LOIHI2, inputs, 4)
    real = list(run_real_network(network, inputs.spikes))
    whole = run_network(found.network, inputs.spikes)
    names = [layer.name for layer in network.nearest.layers]
    for loss in found.losses:
        index = names.index(loss.layer)
        wanted = np.moveaxis(real[index].output, 0, -1)
        assert loss.spikes == np.count_nonzero(wanted)
        assert loss.spikes_changed == np.count_nonzero(wanted != whole[index].output)


def test_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    network, inputs = small_network(7)
    at_once = calibrate(network, LOIHI2, inputs, 4)
    monkeypatch.setattr("lavadeploy.sim.spike_changes.VOLTAGES_AT_ONCE", 20 * 17 * 5)
    in_batches = calibrate(network, LOIHI2, inputs, 4)
    assert at_once.losses[-1].spikes_changed == in_batches.losses[-1].spikes_changed
    assert first_layer(at_once).weight.tobytes() == (first_layer(in_batches).weight.tobytes())


def test_each_layer_gets_its_own_bits() -> None:
    network, inputs = small_network(8)
    found = calibrate(network, LOIHI2, inputs, {"layer0": 3, "layer1": 6})
    assert [loss.bits for loss in found.losses] == [3, 6]
    compiled = compile_network(found.network, LOIHI2).network
    assert all(
        layer.weights.bits <= bits
        for layer, bits in zip(synaptic_layers(compiled), (3, 6), strict=True)
    )


def test_layers_of_whole_numbers_that_fit_are_left_as_they_are() -> None:
    rng = np.random.default_rng(9)
    weight = rng.integers(-60, 60, (4, 10)) * 2
    layer, _ = real_dense(weight.astype(float), vth=80.0, du=1024.0, dv=128.0)
    inputs = SpikeInput(spikes=random_spikes(rng, 4, 10, 12))
    found = calibrate(as_real(Network(layers=(layer,))), LOIHI2, inputs, 8)
    assert np.array_equal(first_layer(found).weight, weight)
    assert found.losses[0].scale == 1


def test_bits_that_the_chip_lacks_are_refused_before_anything_is_run() -> None:
    network, inputs = small_network(0)
    message = sentence(UnsupportedNetworkError, calibrate, network, LOIHI2, inputs, 7)
    assert message.startswith("layer0: weights of 7 bits were asked for; loihi2 has weights of 1,")


def test_a_readout_is_calibrated_by_its_voltage() -> None:
    rng = np.random.default_rng(10)
    network = real_network(
        real_dense(rng.normal(0, 9, (3, 10)), vth=262143.0, dv=4096.0, du=4096.0)
    )
    inputs = SpikeInput(spikes=random_spikes(rng, 8, 10, 12))
    found = calibrate(network, LOIHI2, inputs, 4)
    change = layer_changes(network, found, inputs)["layer0"]
    plain = Quantize(profile=LOIHI2, plan=plan_uniformly(network, 4)).run(network)
    assert change.spikes == change.changed == change.overflows == 0
    assert change.membrane <= layer_changes(network, plain, inputs)["layer0"].membrane


def compensated(seed: int, bits: int) -> tuple[np.ndarray, np.ndarray, WeightGrid, np.ndarray]:
    """Compensated and plain grid points of a layer whose inputs fire in groups, and what it saw."""
    rng = np.random.default_rng(seed)
    layer, values = real_dense(rng.normal(0, 10, (6, 15)), du=4096.0, dv=4096.0)
    spikes = random_spikes(rng, 40, 15, 8)
    spikes[:, 8:] |= spikes[:, :7]
    timed, before = timed_layers(Network(layers=(layer,)), spikes, None)
    arriving = time_first(spikes, before)
    compensation = compensation_for(timed[0], values, [arriving])
    assert compensation is not None
    grid = widest_grid(sign_mode_of(values.weight, bits), bits, LOIHI2)
    levels = max(grid.high, -grid.low) / 40
    seen = arriving.reshape(-1, 15).astype(float)
    found = (
        compensation.round(values.weight, grid, levels),
        grid.round(values.weight, levels)[0],
    )
    errors = [
        float(np.square((w / levels / grid.step - values.weight) @ seen.T).sum()) for w in found
    ]
    return found[0], found[1], grid, np.array(errors)


@settings(suppress_health_check=UNHURRIED, deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4, 8]))
def test_compensated_weights_lie_on_the_grid(seed: int, bits: int) -> None:
    found, _, grid, _ = compensated(seed, bits)
    assert found.dtype == np.int32
    assert set(np.unique(found // grid.step)) <= set(range(grid.low, grid.high + 1))
    assert not (found % grid.step).any()


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_compensated_weights_err_less_on_the_data(bits: int) -> None:
    # the sum over layers, since a single layer's clipped weights can decide either way
    with_data, plain = np.sum([compensated(seed, bits)[3] for seed in range(10)], axis=0)
    assert with_data < 0.8 * plain


def test_without_correlations_compensation_is_plain_rounding() -> None:
    rng = np.random.default_rng(1)
    layer, values = real_dense(rng.normal(0, 10, (6, 5)), du=4096.0, dv=4096.0)
    # each input fires alone
    spikes = np.eye(5, dtype=np.uint8)[:, :, None]
    timed, before = timed_layers(Network(layers=(layer,)), spikes, None)
    compensation = compensation_for(timed[0], values, [time_first(spikes, before)])
    grid = WeightGrid(low=-8, high=7, step=32)
    assert compensation is not None
    assert np.array_equal(
        compensation.round(values.weight, grid, 0.3), grid.round(values.weight, 0.3)[0]
    )


def test_neurons_with_too_many_inputs_for_second_moments_are_rounded_plainly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, inputs = small_network(13)
    monkeypatch.setattr("lavadeploy.sim.compensated_rounding.MOST_INPUTS", 11)
    found = calibrate(network, LOIHI2, inputs, 4)
    again = Quantize(profile=LOIHI2, plan=found.plan).run(network)
    assert np.array_equal(first_layer(found).weight, first_layer(again).weight)


def test_a_calibrated_plan_states_scales_that_give_the_thresholds_again() -> None:
    network, inputs = small_network(11)
    found = calibrate(network, LOIHI2, inputs, 5)
    again = Quantize(profile=LOIHI2, plan=found.plan).run(network)
    layers: Any = zip(found.network.layers, again.network.layers, strict=True)
    for a, b in layers:
        assert a.neuron.vth_mantissa == b.neuron.vth_mantissa


def test_the_input_network_stays_untouched() -> None:
    network, inputs = small_network(12)
    before = {name: values.weight.copy() for name, values in network.values.items()}
    calibrate(network, LOIHI2, inputs, 2)
    for name, values in network.values.items():
        assert np.array_equal(values.weight, before[name])
