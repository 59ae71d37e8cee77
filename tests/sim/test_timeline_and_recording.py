"""The chip's timeline, which states are recorded, and runs in portions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from builders import assert_runs_are_identical, compiled, cuba, dense, even_weights, random_spikes
from hypothesis import assume, given, settings
from lowering_strategies import fitting_networks
from numpy.typing import NDArray
from strategies import UNHURRIED

from lavadeploy.compile import ChipDense, CompiledNetwork, compile_network
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import CubaNeuron, Network, OptionError, RunFolderError
from lavadeploy.sim import (
    RunOptions,
    SpikeInput,
    Timeline,
    compare_runs,
    join_portions,
    open_backend,
    recorded_states,
    reference,
    state_names,
)

EVERYTHING = RunOptions(record=("all",))


def deep_network(rng: np.random.Generator, *, biased: bool, delayed: bool) -> CompiledNetwork:
    sizes = (7, 6, 5, 4)
    layers = [
        dense(
            even_weights(rng, after, before, most=60),
            name=f"layer{index}",
            neuron=cuba(vth=20, du=2048),
            bias=rng.integers(-30, 60, after).astype(np.int32) if biased else None,
            delay=rng.integers(0, 4, after).astype(np.int32) if delayed else None,
        )
        for index, (before, after) in enumerate(itertools.pairwise(sizes))
    ]
    return compiled(*layers)


def stepped_as_a_chip(
    network: CompiledNetwork, spikes: NDArray[np.uint8]
) -> list[NDArray[np.int64]]:
    """Step all layers of one sample by one clock; spikes of each layer, (neurons, steps).

    Each layer takes what left the one before a step earlier.
    """
    layers = network.network.layers
    steps = spikes.shape[-1] + len(layers)
    silence = np.zeros((spikes.shape[0], len(layers)), dtype=np.int64)
    left = [np.concatenate([spikes.astype(np.int64), silence], axis=1)]
    left += [np.zeros((layer.shape_out[0], steps + 4), dtype=np.int64) for layer in layers]
    states = [[(0, 0)] * layer.shape_out[0] for layer in layers]
    for step in range(steps):
        for index, layer in enumerate(layers):
            assert isinstance(layer, ChipDense)
            arrived = left[index][:, step - 1] if step else 0 * left[index][:, 0]
            for number, state in enumerate(states[index]):
                fires, states[index][number] = neuron_step(layer, number, state, arrived)
                late = 0 if layer.delay is None else int(layer.delay[number])
                left[index + 1][number, step + late] |= fires
    return [each[:, :steps] for each in left[1:]]


def neuron_step(
    layer: ChipDense, number: int, state: tuple[int, int], arrived: NDArray[np.int64]
) -> tuple[bool, tuple[int, int]]:
    neuron = layer.neuron
    assert isinstance(neuron, CubaNeuron)
    weights = layer.weights.effective()[number].astype(np.int64)
    bias = 0 if layer.bias is None else int(layer.bias[number])
    current = int(state[0] * (4096 - int(neuron.current_decay)) / 4096) + 64 * int(
        weights @ arrived
    )
    voltage = int(state[1] * (4096 - int(neuron.voltage_decay)) / 4096) + current + 64 * bias
    fires = voltage > 64 * neuron.vth_mantissa
    return fires, (current, 0 if fires else voltage)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("delayed", [False, True])
def test_the_chips_timeline_is_that_of_layers_that_step_together(
    biased: bool, delayed: bool
) -> None:
    rng = np.random.default_rng(8)
    network = deep_network(rng, biased=biased, delayed=delayed)
    spikes = random_spikes(rng, 3, 7, 12, rate=0.5)
    run = open_backend("reference").run(
        network, SpikeInput(spikes=spikes), RunOptions(timeline=Timeline.CHIP)
    )
    assert run.spikes.n_steps == 12 + 3
    for sample in range(3):
        for index, expected in enumerate(stepped_as_a_chip(network, spikes[sample])):
            assert expected.any()
            assert np.array_equal(run.spikes.dense(index)[sample], expected)


def test_without_biases_the_chips_timeline_is_slayers_a_step_later_for_each_layer() -> None:
    rng = np.random.default_rng(4)
    network = deep_network(rng, biased=False, delayed=False)
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 7, 9, rate=0.5))
    backend = open_backend("reference")
    chip = backend.run(network, inputs, RunOptions(timeline=Timeline.CHIP))
    ours = backend.run(network, inputs)
    for index in range(3):
        window = slice(index + 1, index + 1 + 9)
        assert np.array_equal(chip.spikes.dense(index)[:, :, window], ours.spikes.dense(index))


def test_runs_of_different_timelines_are_not_compared() -> None:
    network = compiled(dense([[10]]))
    inputs = SpikeInput(spikes=np.ones((1, 1, 3), dtype=np.uint8))
    backend = open_backend("reference")
    with pytest.raises(RunFolderError, match=r"timelines chip and slayer\. Run the same"):
        compare_runs(
            backend.run(network, inputs, RunOptions(timeline=Timeline.CHIP)),
            backend.run(network, inputs),
        )


@settings(max_examples=40, deadline=None, suppress_health_check=UNHURRIED)
@given(network=fitting_networks())
def test_names_of_states_are_those_of_the_models(network: Network) -> None:
    _, problems = Legalize().examine(network)
    assume(not problems)
    ready = compile_network(network, load_profile("loihi2"), allow_approximate=True)
    shape = ready.network.input_shape
    inputs = SpikeInput(spikes=np.ones((1, *shape, 2), dtype=np.uint8))
    states = open_backend("reference").run(ready, inputs, EVERYTHING).states
    assert [tuple(trace.values) for trace in states] == [
        state_names(layer) for layer in ready.network.layers
    ]


@pytest.mark.parametrize("backend", ["reference", "engine", "lava"])
def test_only_what_is_asked_for_is_recorded(backend: str) -> None:
    rng = np.random.default_rng(5)
    network = deep_network(rng, biased=True, delayed=False)
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 7, 6, rate=0.5))
    everything = open_backend("reference").run(network, inputs, EVERYTHING).states
    some = (
        open_backend(backend).run(network, inputs, RunOptions(record=("layer1.v", "layer2"))).states
    )
    assert [tuple(trace.values) for trace in some] == [(), ("voltage",), ("current", "voltage")]
    assert np.array_equal(some[1].voltage, everything[1].voltage)
    assert np.array_equal(some[2].current, everything[2].current)
    assert everything[1].voltage.any()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("layer7", "cannot record 'layer7': no such layer; did you mean 'layer2'?"),
        ("layr1.v", "cannot record 'layr1.v': no such layer; did you mean 'layer1'?"),
        (
            "layer1.voltag",
            "layer1: cannot record 'voltag' of CUBA neurons; did you mean 'voltage'?",
        ),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_the_nearest_name(
    choice: str, message: str
) -> None:
    network = deep_network(np.random.default_rng(6), biased=False, delayed=False)
    with pytest.raises(OptionError) as raised:
        recorded_states(network.network, [choice])
    assert str(raised.value).startswith(message)


def test_portions_put_together_are_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    network = deep_network(rng, biased=True, delayed=True)
    inputs = SpikeInput(spikes=random_spikes(rng, 7, 7, 6, rate=0.5))
    backend = open_backend("reference")
    whole = backend.run(network, inputs, EVERYTHING)
    monkeypatch.setattr(reference, "SAMPLES_AT_ONCE", 3)
    parts = list(backend.portions(network, inputs, EVERYTHING))
    assert [part.spikes.n_samples for part in parts] == [3, 3, 1]
    assert [int(part.spikes.sample.min()) for part in parts] == [0, 0, 0]
    assert_runs_are_identical(join_portions(parts), whole)
