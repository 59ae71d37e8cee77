"""Causes in time and at the borders of samples are planted and have to be named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import compiled, dense, even_weights
from faulty_runs import Fault, outputs_of, result_of, with_layer
from planted_causes import (
    SAMPLES,
    STEPS,
    conv_network,
    dense_network,
    explained,
    planted,
    reference,
    spikes_for,
)

from lavadeploy.compile import ChipDense
from lavadeploy.netx import ConcatLayer
from lavadeploy.sim import (
    CauseName,
    RunOptions,
    Timeline,
    open_backend,
)


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("limit", [0, 3])
def test_clipped_delays(kind: str, limit: int) -> None:
    delay = np.arange(12 if kind == "dense" else 4, dtype=np.int32) % 6
    delay[-1] = 5
    network = dense_network(delay=delay) if kind == "dense" else conv_network(delay=delay)
    layer = 1 if kind == "dense" else 0
    cause = planted(network, Fault(layer=layer, delay=lambda d: np.minimum(d, limit)))
    assert cause.name is CauseName.CLIPPED_DELAY
    how = "ignores axonal delays: " if limit == 0 else "clips axonal delays to 3 steps: "
    assert how in cause.explanation
    assert "the longest 5" in cause.explanation


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("shift", [1, 3, -2])
def test_latency_off_by_k(kind: str, shift: int) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    inputs = spikes_for(network)
    right = reference(network, inputs)
    outputs = outputs_of(right.spikes)
    moved = np.roll(outputs[1], shift, axis=2)
    moved[:, :, slice(0, shift) if shift > 0 else slice(shift, None)] = 0
    cause = explained(network, inputs, result_of(network, [outputs[0], moved]))
    assert cause.name is CauseName.LATENCY
    assert cause.layer == "layer1"
    assert cause.explanation.endswith(f"in run B (k = {shift}).")


@pytest.mark.parametrize("start", [1, 3, STEPS])
def test_a_bias_that_begins_late(start: int) -> None:
    rng = np.random.default_rng(10)
    bias = even_weights(rng, 20, most=30)
    network = compiled(dense(even_weights(rng, 20, 30, most=40), bias=bias))
    cause = planted(network, Fault(bias_from=start))
    assert cause.name is CauseName.BIAS_START
    assert ("never act" if start == STEPS else "late in run B") in cause.explanation


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_a_missing_reset(kind: str) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    cause = planted(network, Fault(layer=1, is_reset=False))
    assert cause.name is CauseName.MISSING_RESET
    assert cause.layer == "layer1"


def test_spikes_in_flight_in_delays() -> None:
    delay = np.arange(12, dtype=np.int32) % 5
    network = dense_network(delay=delay)
    inputs = spikes_for(network)
    right = reference(network, inputs)
    free = outputs_of(reference(dense_network(), inputs).spikes)
    late = np.zeros_like(free[1])
    for neuron, wait in enumerate(delay):
        long = np.concatenate(list(free[1][:, neuron]))
        late[:, neuron] = np.concatenate([np.zeros(wait, np.int64), long])[: long.size].reshape(
            SAMPLES, STEPS
        )
    cause = explained(network, inputs, result_of(network, [free[0], late]), right=right)
    assert cause.name is CauseName.SPIKES_IN_FLIGHT


def test_the_last_input_in_flight() -> None:
    def arriving(values: Any) -> Any:
        late = values.copy()
        for sample in range(1, SAMPLES):
            late[sample, :, 0] += values[sample - 1, :, -1]
        return late

    cause = planted(dense_network(), Fault(layer=1, arriving=arriving))
    assert cause.name is CauseName.SPIKES_IN_FLIGHT


def test_missing_silent_steps() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    outputs = [output.copy() for output in outputs_of(reference(network, inputs).spikes)]
    outputs[0][:, :, -1:] = 0
    outputs[1][:, :, -2:] = 0  # as a forward pass without them, two layers with delay_shift
    cause = explained(network, inputs, result_of(network, outputs))
    assert cause.name is CauseName.MISSING_SILENT_STEPS
    assert cause.explanation == "Run B has nothing in the last 2 steps of each sample."


def test_causes_are_told_in_the_timeline_of_the_chip_too() -> None:
    rng = np.random.default_rng(13)
    bias = even_weights(rng, 12, most=20)
    network = dense_network(bias=bias)
    inputs = spikes_for(network)
    options = RunOptions(timeline=Timeline.CHIP)
    right = open_backend("reference").run(network, inputs, options)
    layer = network.network.layers[1]
    assert isinstance(layer, ChipDense)
    clipped = dataclasses.replace(
        layer.weights, mantissa=np.clip(layer.weights.effective(), -32, 31).astype(np.int16)
    )
    other = with_layer(network, 1, weights=dataclasses.replace(clipped, exponent=0))
    faulty = open_backend("reference").run(other, inputs, options)
    cause = explained(network, inputs, faulty, right=right)
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert cause.own_faults == ("layer1",)


def test_joined_layers_are_explained() -> None:
    rng = np.random.default_rng(14)
    joined = compiled(
        dense(even_weights(rng, 10, 24, most=60), name="layer0"),
        dense(even_weights(rng, 8, 10, most=60), name="layer1"),
        ConcatLayer(name="layer2", shape=(18,), sources=(0, 1)),
        dense(even_weights(rng, 6, 18, most=60), name="layer3"),
    )
    inputs = spikes_for(joined)
    outputs = outputs_of(reference(joined, inputs).spikes)
    outputs[-1] = np.roll(outputs[-1], 1, axis=2)
    outputs[-1][:, :, 0] = 0
    cause = explained(joined, inputs, result_of(joined, outputs))
    assert (cause.name, cause.layer) == (CauseName.LATENCY, "layer3")
