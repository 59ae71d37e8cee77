"""Bits per layer: sensitivities are counts of real runs, budgets hold for what comes out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import random_spikes
from expect import sentence
from profiles import SHIPPED
from real_networks import real_dense, real_network

from lavadeploy.compile import Quantize, compile_network, plan_uniformly, report_compilation
from lavadeploy.netx import NEVER_FIRES, OptionError, RealNetwork
from lavadeploy.sim import (
    SpikeInput,
    accuracy_loss,
    choose_bits,
    measure_sensitivity,
    open_backend,
    predictions,
    real_output,
    run_network,
)

LOIHI2 = SHIPPED["loihi2"]


@pytest.fixture(scope="module")
def network() -> RealNetwork:
    """Two layers; the first has more weights, and an outlier that makes few bits costly."""
    rng = np.random.default_rng(0)
    first = rng.normal(1, 12, (24, 40))
    first[0, 0] = 150
    return real_network(
        real_dense(first, name="layer0"),
        real_dense(rng.normal(1, 14, (4, 24)), name="layer1", vth=50.3),
    )


@pytest.fixture(scope="module")
def inputs(network: RealNetwork) -> SpikeInput:
    """Samples with labels that the real network gets right."""
    spikes = random_spikes(np.random.default_rng(1), 30, 40, 12, rate=0.2)
    answers = predictions(real_output(network, SpikeInput(spikes=spikes)))
    return SpikeInput(spikes=spikes, labels=answers)


def test_sensitivity_counts_the_output_of_runs_in_which_one_layer_has_fewer_bits(
    network: RealNetwork, inputs: SpikeInput
) -> None:
    found = measure_sensitivity(network, LOIHI2, inputs)
    assert [(s.layer, s.bits) for s in found] == [
        (layer, bits) for layer in ("layer0", "layer1") for bits in (8, 6, 5, 4, 3, 2, 1)
    ]

    def output(bits: dict[str, int]) -> np.ndarray:
        quantize = Quantize(profile=LOIHI2, plan=plan_uniformly(network, bits))
        return run_network(quantize.run(network).network, inputs.spikes)[-1].output

    full = output({"layer0": 8, "layer1": 8})
    for one in found:
        after = output({"layer0": 8, "layer1": 8} | {one.layer: one.bits})
        assert one.output_spikes_changed == np.count_nonzero(after != full)
        assert one.predictions_changed == np.count_nonzero(predictions(after) != predictions(full))
    at_8 = [s.output_spikes_changed for s in found if s.bits == 8]
    at_2 = [s.output_spikes_changed for s in found if s.bits == 2]
    assert at_8 == [0, 0]
    assert min(at_2) > 0


def test_a_memory_budget_holds_for_what_is_compiled(
    network: RealNetwork, inputs: SpikeInput
) -> None:
    full = choose_bits(network, LOIHI2, inputs, memory_budget_words=10**6)
    assert full.bits == {"layer0": 8, "layer1": 8}
    budget = int(full.synapse_words * 0.8)
    found = choose_bits(network, LOIHI2, inputs, memory_budget_words=budget)
    compiled = compile_network(found.quantized.network, LOIHI2)
    assert report_compilation(compiled).synapse_words == found.synapse_words <= budget
    assert min(found.bits.values()) < 8
    assert [loss.bits for loss in found.quantized.losses] == list(found.bits.values())


def test_an_accuracy_budget_holds_for_what_comes_out(
    network: RealNetwork, inputs: SpikeInput
) -> None:
    found = choose_bits(network, LOIHI2, inputs, accuracy_budget=10.0)
    assert sum(found.bits.values()) < 16
    assert found.accuracy_loss_percent <= 10
    # half of the samples calibrate and half judge: the choice rests on all
    assert found.quantized.calibration_sha256 == inputs.sha256()
    # counted on the samples that were not calibrated on
    judged = inputs.spikes[1::2]
    answers = predictions(run_network(found.quantized.network, judged)[-1].output)
    assert inputs.labels is not None
    lost = 100 * (1 - float((answers == inputs.labels[1::2]).mean()))
    assert found.accuracy_loss_percent == pytest.approx(lost)


def test_without_labels_changed_predictions_count(network: RealNetwork, inputs: SpikeInput) -> None:
    unlabelled = dataclasses.replace(inputs, labels=None)
    quantized = Quantize(profile=LOIHI2, plan=plan_uniformly(network, 2)).run(network)
    # the labels are the answers of the real network, so both are the same here
    lost = accuracy_loss(network, quantized, inputs)
    assert lost > 0
    assert accuracy_loss(network, quantized, unlabelled) == pytest.approx(lost)


def lose_much(*_: object) -> float:
    return 7.25


def test_budgets_that_cannot_be_met_are_refused(
    network: RealNetwork, inputs: SpikeInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = sentence(OptionError, choose_bits, network, LOIHI2, inputs, memory_budget_words=1)
    assert message.startswith(
        "a memory budget of 1 synapse words cannot be met: with 1 bit in every layer the network "
        "takes "
    )
    message = sentence(OptionError, choose_bits, network, LOIHI2, inputs, accuracy_budget=-1.0)
    assert message == "an accuracy budget of -1; 0 or more was expected."
    monkeypatch.setattr("lavadeploy.sim.bit_allocation.accuracy_loss", lose_much)
    message = sentence(OptionError, choose_bits, network, LOIHI2, inputs, accuracy_budget=0.5)
    assert message == (
        "an accuracy budget of 0.5 percentage points cannot be met: with 8 bits in every layer "
        "7.25 are lost. Allow as many, or train with quantized weights."
    )


def test_one_budget_is_given_and_a_chip_that_counts_words(
    network: RealNetwork, inputs: SpikeInput
) -> None:
    one = "give an accuracy budget or a memory budget, one of the two."
    assert sentence(OptionError, choose_bits, network, LOIHI2, inputs) == one
    both = {"accuracy_budget": 1.0, "memory_budget_words": 5}
    assert sentence(OptionError, choose_bits, network, LOIHI2, inputs, **both) == one
    ideal = SHIPPED["ideal"]
    assert sentence(OptionError, choose_bits, network, ideal, inputs, accuracy_budget=1.0) == (
        "ideal has no synapse memory to save; choose bits for a chip that has."
    )


def test_ties_between_output_neurons_go_to_the_first() -> None:
    output = np.array([[[1, 0], [0, 1], [0, 0]], [[0, 0], [0, 1], [0, 1]]])
    assert predictions(output).tolist() == [0, 1]


def test_networks_that_answer_in_voltages_are_judged_by_them() -> None:
    # their last neurons never fire, so counts of spikes are equal whatever the bits
    rng = np.random.default_rng(0)
    silent = real_network(
        real_dense(rng.normal(1, 12, (24, 40)), name="layer0"),
        real_dense(rng.normal(1, 14, (4, 24)), name="layer1", vth=NEVER_FIRES),
    )
    spikes = random_spikes(rng, 30, 40, 12, rate=0.2)
    answers = predictions(real_output(silent, SpikeInput(spikes=spikes)))
    assert len(set(answers.tolist())) > 1
    inputs = SpikeInput(spikes=spikes, labels=answers)
    few, many = (
        Quantize(profile=LOIHI2, plan=plan_uniformly(silent, bits)).run(silent) for bits in (1, 8)
    )
    for quantized in (few, many):
        compiled = compile_network(quantized, LOIHI2)
        wanted = open_backend("reference").run(compiled, inputs).predictions()
        lost = 100 * float((wanted != answers).mean())
        assert accuracy_loss(silent, quantized, inputs) == pytest.approx(lost)  # of floats
    assert accuracy_loss(silent, few, inputs) > 10
    found = measure_sensitivity(silent, LOIHI2, inputs)
    assert [s.output_spikes_changed for s in found if s.bits == 8] == [0, 0]
    assert all(s.output_spikes_changed for s in found if s.bits == 2)
    assert any(s.predictions_changed for s in found if s.bits == 1)
    chosen = choose_bits(silent, LOIHI2, inputs, accuracy_budget=5)
    assert chosen.accuracy_loss_percent <= 5
    assert set(chosen.bits.values()) != {1}
