"""Lost and doubled events and other input are planted and have to be named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, even_weights, recorded
from faulty_runs import Fault, faulty_run
from planted_causes import (
    SAMPLES,
    STEPS,
    Change,
    conv_network,
    dense_network,
    explained,
    planted,
    reference,
    spikes_for,
)

from lavadeploy.sim import (
    CauseName,
    SpikeInput,
    compare_runs,
    explain_difference,
)
from lavadeploy.sim.causes.inputs import describe_inputs

PREDICTED = np.zeros(SAMPLES, dtype=np.int64)


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize(
    ("factor", "name"), [(0, CauseName.LOST_EVENT), (2, CauseName.DOUBLED_EVENT)]
)
@pytest.mark.parametrize("layer", [0, 1])
def test_one_event_lost_or_doubled(kind: str, factor: int, name: CauseName, layer: int) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    inputs = spikes_for(network)
    planted_at: list[int] = []

    def arriving(values: Any) -> Any:
        changed = values.copy()
        neuron, step = (int(i) for i in np.argwhere(values[2])[30])
        changed[2, neuron, step] *= factor
        planted_at[:] = [neuron, step]
        return changed

    right = recorded("reference", network, inputs)
    faulty = faulty_run(network, inputs, Fault(layer=layer, arriving=arriving), states=True)
    cause = explained(network, inputs, faulty, right=right)
    assert cause.name is name
    neuron, step = planted_at
    source = "the input" if layer == 0 else "layer0"
    assert f"of neuron {neuron} of {source} in sample 2, step {step}" in cause.explanation


def test_some_lost_events_are_found_from_spikes_alone() -> None:
    network = dense_network()

    def arriving(values: Any) -> Any:
        changed = values.copy()
        for sample in (1, 3):
            neuron, step = np.argwhere(values[sample])[20]
            changed[sample, neuron, step] = 0
        return changed

    cause = planted(network, Fault(arriving=arriving))
    assert cause.name is CauseName.LOST_EVENT


INPUT_FAULTS: dict[str, Change] = {
    "with rows and columns swapped": lambda x: x.transpose(0, 1, 3, 2, 4),
    "with the channels in reverse (polarity)": lambda x: x[:, ::-1],
    "with the columns in reverse": lambda x: x[:, :, :, ::-1],
    "with counts clipped to 1": lambda x: (x > 0).astype(np.int64),
    "2 steps later": lambda x: np.concatenate([0 * x[..., :2], x[..., :-2]], axis=-1),
}


@pytest.mark.parametrize("how", INPUT_FAULTS)
def test_input_encoded_differently(how: str) -> None:
    rng = np.random.default_rng(11)
    network = compiled(conv(even_weights(rng, 4, 2, 3, 3, most=60), (4, 5, 5)))
    inputs = SpikeInput(spikes=rng.poisson(0.4, (SAMPLES, 2, 7, 7, STEPS)).astype(np.uint8))
    other = SpikeInput(spikes=INPUT_FAULTS[how](inputs.spikes))
    faulty = reference(network, other)
    cause = explained(network, inputs, faulty, right=reference(network, inputs))
    if how == "2 steps later":  # then the answers are, too
        assert (cause.name, cause.also) == (CauseName.LATENCY, (CauseName.INPUT_ENCODING,))
    else:
        assert cause.name is CauseName.INPUT_ENCODING
        assert cause.explanation == f"Run B is fed its input {how}."
    right = reference(network, inputs)
    found = compare_runs(right, faulty)
    told = explain_difference(network, inputs, right, faulty, found, inputs_b=other)
    assert told.name is CauseName.INPUT_ENCODING
    assert told.explanation == f"Run B is fed its input {how}."
    assert told.explained == told.differing > 0


def test_other_numbers_in_the_input_are_told() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    changed = inputs.spikes.astype(np.int64)
    changed[1, 4:9, 3] = 7
    other = SpikeInput(spikes=changed)
    right, faulty = reference(network, inputs), reference(network, other)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, inputs, right, faulty, found, inputs_b=other)
    assert cause.name is CauseName.INPUT_ENCODING
    assert cause.explanation == (
        "Run B is fed its input with other numbers: 5 of 2400 differ, first in sample 1, step 3, "
        f"neuron 4: {int(inputs.spikes[1, 4, 3])} and 7."
    )


def with_last_sample_changed(inputs: SpikeInput) -> SpikeInput:
    changed = inputs.spikes.copy()
    changed[-1, :9, 2] ^= 1
    return SpikeInput(spikes=changed)


@pytest.mark.parametrize("side", ["a", "b"])
def test_other_input_of_a_later_sample_is_not_blamed(side: str) -> None:
    network = dense_network()
    inputs = spikes_for(network)
    other = with_last_sample_changed(inputs)
    clipping = Fault(weight=lambda w: np.clip(w, -15, 15))
    if side == "b":
        a, b = reference(network, inputs), faulty_run(network, other, clipping)
    else:
        a, b = faulty_run(network, inputs, clipping), reference(network, other)
    cause = explain_difference(network, inputs, a, b, compare_runs(a, b), inputs_b=other)
    assert (cause.name, cause.side) == (CauseName.CLIPPED_WEIGHT, side)
    # in the changed sample, too: each run is judged by its own input
    assert cause.explained == cause.differing > 0


def test_other_input_is_named_where_nothing_can_be_run_again() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    other = with_last_sample_changed(inputs)
    a, b = (
        dataclasses.replace(run, spikes=run.spikes.of_layers(["layer1"]), predicted=PREDICTED)
        for run in (reference(network, inputs), reference(network, other))
    )
    cause = explain_difference(network, inputs, a, b, compare_runs(a, b), inputs_b=other)
    assert cause.name is CauseName.INPUT_ENCODING
    assert cause.explanation.startswith(
        "Run B is fed its input with other numbers: 9 of 2400 differ, first in sample 4, step 2, "
    )
    assert (cause.explained, cause.differing) == (0, 0)


def test_flat_input_is_compared_with_images() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    other = with_last_sample_changed(inputs)
    a, b = reference(network, inputs), reference(network, other)
    images = SpikeInput(spikes=other.spikes.reshape(SAMPLES, 1, 5, 6, STEPS))
    cause = explain_difference(network, inputs, a, b, compare_runs(a, b), inputs_b=images)
    assert cause.name is CauseName.INPUT_ENCODING
    assert "9 of 2400 differ, first in sample 4, step 2, neuron 0: " in cause.explanation


def test_equal_numbers_in_another_shape_are_not_blamed() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    images = SpikeInput(spikes=inputs.spikes.reshape(SAMPLES, 1, 5, 6, STEPS))
    a = reference(network, inputs)
    b = faulty_run(network, inputs, Fault(weight=lambda w: np.clip(w, -15, 15)))
    cause = explain_difference(network, inputs, a, b, compare_runs(a, b), inputs_b=images)
    assert (cause.name, cause.side) == (CauseName.CLIPPED_WEIGHT, "b")


def test_only_the_samples_that_are_judged_are_described() -> None:
    ours = np.zeros((2, 3, 4), dtype=np.uint8)
    theirs = ours.copy()
    theirs[1, 2, 3] = 5
    assert describe_inputs(ours, theirs, 300) == (
        "with other numbers: 1 of 24 differ, first in sample 301, step 3, neuron 2: 0 and 5"
    )
    assert describe_inputs(ours[:1], theirs[:1], 300) is None
    assert describe_inputs(ours, theirs[:, :2], 300) == "as (2, 4), not (3, 4)"
