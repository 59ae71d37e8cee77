"""What is said of a difference besides its cause, and where none is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import compiled, cuba, dense, even_weights
from faulty_runs import Fault, faulty_run, outputs_of, result_of, with_layer
from planted_causes import (
    SAMPLES,
    dense_network,
    explained,
    planted,
    reference,
    spikes_for,
)

from lavadeploy.compile import ChipDense, CompiledNetwork
from lavadeploy.netx import RunFolderError
from lavadeploy.sim import (
    CauseName,
    RunOptions,
    RunResult,
    Timeline,
    compare_runs,
    explain_difference,
    open_backend,
)

PREDICTED = np.zeros(SAMPLES, dtype=np.int64)


def test_other_registers() -> None:
    network = dense_network()
    other = with_other_weight(network)
    inputs = spikes_for(network)
    right, faulty = reference(network, inputs), reference(other, inputs)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, None, right, faulty, found, compiled_b=other)
    assert cause.name is CauseName.OTHER_REGISTERS
    assert "Run B ran other registers of layer1: weights[3, 4] is" in cause.explanation
    assert cause.explained == cause.differing > 0


def with_other_weight(network: CompiledNetwork) -> CompiledNetwork:
    """Return a network with another weight of layer1."""
    layer = network.network.layers[1]
    assert isinstance(layer, ChipDense)
    changed = layer.weights.mantissa.copy()
    changed[3, 4] = -changed[3, 4] - 8
    return with_layer(network, 1, weights=dataclasses.replace(layer.weights, mantissa=changed))


def only_output(run: RunResult) -> RunResult:
    return dataclasses.replace(run, spikes=run.spikes.of_layers(["layer1"]), predicted=PREDICTED)


def test_other_registers_that_explain_little_are_not_blamed() -> None:
    network = dense_network()
    other = with_other_weight(network)
    inputs = spikes_for(network)
    clipping = Fault(layer=1, weight=lambda w: np.clip(w, -15, 15))
    right, faulty = reference(network, inputs), faulty_run(other, inputs, clipping)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, inputs, right, faulty, found, compiled_b=other)
    assert (cause.name, cause.side) == (CauseName.CLIPPED_WEIGHT, "b")
    assert cause.explained == cause.differing > 0


def test_other_registers_are_named_where_nothing_can_be_run_again() -> None:
    network = dense_network()
    other = with_other_weight(network)
    inputs = spikes_for(network)
    a = only_output(reference(network, inputs))
    b = only_output(faulty_run(other, inputs, Fault(layer=1, weight=lambda w: 2 * w)))
    found = compare_runs(a, b)
    cause = explain_difference(network, inputs, a, b, found, compiled_b=other)
    assert cause.name is CauseName.OTHER_REGISTERS
    assert (cause.explained, cause.differing) == (0, 0)


def test_networks_that_take_inputs_of_other_sizes_are_told_apart() -> None:
    rng = np.random.default_rng(16)
    small, large = (
        compiled(dense(even_weights(rng, 12, size, most=60), name="layer0")) for size in (24, 30)
    )
    fed, fed_b = spikes_for(small), spikes_for(large)
    a, b = reference(small, fed), reference(large, fed_b)
    cause = explain_difference(
        small, fed, a, b, compare_runs(a, b), compiled_b=large, inputs_b=fed_b
    )
    assert cause.name is CauseName.OTHER_REGISTERS
    assert (cause.explained, cause.differing) == (0, 0)


def test_what_no_cause_explains_is_shown_with_the_numbers_around_it() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    rng = np.random.default_rng(12)
    right = reference(network, inputs)
    outputs = outputs_of(right.spikes)
    outputs[1] ^= (rng.random(outputs[1].shape) < 0.05).astype(np.int64)
    faulty = result_of(network, outputs)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, inputs, right, faulty, found)
    assert cause.name is CauseName.NOT_EXPLAINED
    assert cause.explanation.startswith("Run B is not what the registers define, and none of ")
    first = found.first
    assert first is not None
    here = next(row for row in cause.evidence if row.step == first.step)
    assert (here.output, here.output_a, here.output_b) == (
        first.value_a,
        first.value_a,
        first.value_b,
    )
    assert here.threshold == 60 * 64
    assert here.before_reset is not None
    assert (here.before_reset > here.threshold) == bool(here.output)


def test_a_layer_fed_by_unknown_input_cannot_be_explained() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    faulty = faulty_run(network, inputs, Fault(weight=lambda w: -w))
    right = reference(network, inputs)
    cause = explain_difference(network, None, right, faulty, compare_runs(right, faulty))
    assert cause.name is CauseName.NOT_EXPLAINED
    assert cause.remedy == "Give --input."


def test_equal_runs_have_no_cause() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    run = reference(network, inputs)
    with pytest.raises(ValueError, match="there is nothing to explain"):
        explain_difference(network, inputs, run, run, compare_runs(run, run))


def test_layers_behind_the_faulty_one_are_not_blamed() -> None:
    cause = planted(dense_network(), Fault(layer=0, weight=lambda w: np.clip(w, -15, 15)))
    assert cause.own_faults == ("layer0",)


def test_the_run_that_is_wrong_is_named_whichever_comes_first() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    right = reference(network, inputs)
    faulty = faulty_run(network, inputs, Fault(weight=lambda w: np.clip(w, -15, 15)))
    cause = explain_difference(
        network, inputs, faulty, right, compare_runs(faulty, right), names=("runs/x", "runs/y")
    )
    assert cause.side == "a"
    assert cause.explanation.startswith("runs/x clips weights to ")


def test_runs_of_other_timelines_are_refused() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    on_chip = open_backend("reference").run(network, inputs, RunOptions(timeline=Timeline.CHIP))
    with pytest.raises(RunFolderError) as raised:
        compare_runs(reference(network, inputs), on_chip)
    assert str(raised.value) == (
        "the runs cannot be compared: timelines slayer and chip. "
        "Run the same network on the same input with both."
    )


def test_a_network_that_answers_in_voltages_is_explained_by_these() -> None:
    rng = np.random.default_rng(15)
    network = compiled(
        dense(even_weights(rng, 12, 24, most=60), name="layer0"),
        dense(even_weights(rng, 4, 12), name="layer1", neuron=cuba(vth=(1 << 18) - 1)),
    )
    inputs = spikes_for(network)
    layer = network.network.layers[1]
    assert isinstance(layer, ChipDense)
    clipped = np.clip(layer.weights.effective(), -128, 127).astype(np.int16)
    weights = dataclasses.replace(layer.weights, mantissa=clipped, exponent=0)
    cause = explained(network, inputs, reference(with_layer(network, 1, weights=weights), inputs))
    assert (cause.name, cause.layer) == (CauseName.CLIPPED_WEIGHT, "layer1")
    assert cause.quantity == "states"
