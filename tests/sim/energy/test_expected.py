"""Expected operations are the mean of what runs count."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import conv, dense, even_weights
from profiles import limited

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.netx import ConcatLayer, Network, OptionError
from lavadeploy.sim import (
    ActivityCounts,
    SpikeInput,
    SpikeLog,
    count_activity,
    expected_operations,
    operations_of,
)


def network() -> CompiledNetwork:
    rng = np.random.default_rng(0)
    layers = (
        conv(even_weights(rng, 4, 2, 3, 3), (4, 8, 8), name="layer0", padding=(1, 1)),
        dense(even_weights(rng, 6, 256), name="layer1"),
    )
    profile = limited("loihi2", neurons_per_core=100)
    return compile_network(Network(layers=layers), profile, input_shape=(2, 8, 8))


def all_fire(compiled: CompiledNetwork, samples: int, steps: int) -> tuple[SpikeInput, SpikeLog]:
    """Every input and every neuron in every step, whatever the weights say."""
    sizes = [int(np.prod(layer.shape_out)) for layer in compiled.network.layers]
    rows = [
        (sample, step, layer, neuron)
        for sample, step in np.ndindex(samples, steps)
        for layer, size in enumerate(sizes)
        for neuron in range(size)
    ]
    events = np.array(rows, dtype=np.int32).T
    log = SpikeLog(
        sample=events[0],
        step=events[1],
        layer=events[2],
        neuron=events[3],
        value=np.ones(len(rows), dtype=np.int32),
        layer_names=tuple(layer.name for layer in compiled.network.layers),
        layer_sizes=tuple(sizes),
        n_samples=samples,
        n_steps=steps,
    )
    ones = np.ones((samples, *compiled.network.input_shape, steps), dtype=np.uint8)
    return SpikeInput(spikes=ones), log


def test_full_activity_is_what_a_run_counts_in_which_everything_fires() -> None:
    compiled = network()
    inputs, log = all_fire(compiled, 2, 3)
    activity: ActivityCounts = count_activity(compiled, inputs, log)
    run = operations_of(dataclasses.replace(activity, by_step=None))
    expected = expected_operations(compiled, 1.0, 3)
    assert len(expected.cores) > 2
    for a, b in zip((*expected.layers, *expected.cores), (*run.layers, *run.cores), strict=True):
        for name, value in dataclasses.asdict(a).items():
            other = getattr(b, name)
            if name in ("name", "layer", "core", "neurons", "connections"):
                assert value == other
            else:
                twice = None if value is None else 2 * value
                assert twice == other, name


def test_each_layer_may_have_its_own_rate() -> None:
    compiled = network()
    found = expected_operations(compiled, {"input": 0.5, "layer0": 0.0, "layer1": 0.25}, 4)
    whole = expected_operations(compiled, 1.0, 4)
    first, last = found.layers
    assert first.synaptic_operations == 0.5 * whole.layers[0].synaptic_operations
    assert (first.spikes, first.messages) == (0, 0)
    assert (last.synaptic_operations, last.spikes) == (0, 0.25 * 6 * 4)


def test_joined_sources_keep_their_own_rates() -> None:
    rng = np.random.default_rng(1)
    layers = (
        dense(even_weights(rng, 3, 5), name="layer0"),
        dense(even_weights(rng, 4, 3), name="layer1"),
        ConcatLayer(name="layer2", shape=(7,), sources=(0, 1)),
        dense(even_weights(rng, 2, 7), name="layer3"),
    )
    compiled = compile_network(Network(layers=layers), limited("loihi2"))
    rates = {"input": 1.0, "layer0": 0.5, "layer1": 0.25, "layer3": 0.0}
    found = expected_operations(compiled, rates, 1)
    assert found.layers[-1].synaptic_operations == 2 * (3 * 0.5 + 4 * 0.25)


@pytest.mark.parametrize(
    ("activity", "steps", "sentence"),
    [
        (1.5, 1, "activity 1.5 of 'input'; 0 to 1 spikes by neuron and step was expected."),
        (0.5, 0, "0 steps; at least 1 was expected."),
        (
            {"input": 0.1, "layer0": 0.1},
            1,
            "no activity of 'layer1'; give each layer one, or one for all.",
        ),
        (
            {"inputs": 0.1},
            1,
            (
                "activity of 'inputs': is not a layer; did you mean 'input'? Valid: 'input', "
                "'layer0', 'layer1'."
            ),
        ),
    ],
)
def test_rates_that_make_no_sense_are_refused(
    activity: float | dict[str, float], steps: int, sentence: str
) -> None:
    with pytest.raises(OptionError) as raised:
        expected_operations(network(), activity, steps)
    assert str(raised.value) == sentence
