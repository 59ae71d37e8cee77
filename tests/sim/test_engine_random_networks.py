"""The engine equals the reference on random networks of every kind of neuron and layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, dense, even_weights
from engine_cases import assert_engine_equals_reference, neurons
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lowering_strategies import fitting_networks
from strategies import UNHURRIED

from lavadeploy.compile import ChipInput, CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    InputLayer,
    Layer,
    Network,
    RecurrentLayer,
    UnsupportedNetworkError,
    is_complex,
)
from lavadeploy.sim import SpikeInput, Timeline

QUICK = settings(deadline=None, derandomize=True, database=None, suppress_health_check=UNHURRIED)
SLOW = settings(deadline=None, database=None, suppress_health_check=UNHURRIED)


@st.composite
def networks_of_any_neuron(draw: st.DrawFn) -> tuple[CompiledNetwork, SpikeInput]:
    """One to three layers of every form, behind spikes or neurons at the input."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 3)), 3, 4)
    takes_numbers = draw(st.booleans())
    neuron = draw(neurons(shape[0])) if takes_numbers else None
    scale = draw(st.sampled_from([64, 1, -3000])) if takes_numbers else None
    layers: list[Layer] = [InputLayer(name="layer0", shape=shape, weight=scale, neuron=neuron)]
    size: tuple[int, ...] = shape
    for index in range(draw(st.integers(1, 3))):
        layer = draw(_layers(rng, f"layer{index + 1}", size))
        layers.append(layer)
        size = layer.shape
    most = draw(st.sampled_from([2, 4, 1 << 20]))
    low = -most if takes_numbers else 0
    spikes = rng.integers(low, most, (draw(st.integers(1, 3)), *shape, draw(st.integers(1, 10))))
    if not takes_numbers:  # sums of the first layer must keep to 32 bits
        spikes = np.minimum(spikes, 1 << 18)
    return compiled(*layers, profile="ideal"), SpikeInput(spikes=spikes)


@st.composite
def _layers(draw: st.DrawFn, rng: np.random.Generator, name: str, size: tuple[int, ...]) -> Layer:
    kind = draw(st.sampled_from(["dense", "recurrent", "conv"] if len(size) == 3 else ["dense"]))
    channels, inputs = draw(st.integers(1, 5)), int(np.prod(size))
    weights = (channels, size[0], 2, 2) if kind == "conv" else (channels, inputs)
    neuron = draw(neurons(channels, is_real=kind == "recurrent"))
    most = draw(st.sampled_from([6, 254]))
    fields: dict[str, Any] = {"neuron": neuron, "delay_shift": draw(st.booleans())}
    if is_complex(neuron) and draw(st.booleans()):
        fields["weight_imag"] = even_weights(rng, *weights, most=most)
    for part in ("bias", "bias_imag") if is_complex(neuron) else ("bias",):
        if draw(st.booleans()):
            fields[part] = rng.integers(-4095, 4096, channels, dtype=np.int32)
    if draw(st.booleans()):
        fields["delay"] = rng.integers(0, 4, channels, dtype=np.int32)
    weight = even_weights(rng, *weights, most=most)
    if kind == "conv":
        return conv(weight, (channels, size[1] - 1, size[2] - 1), name=name, **fields)
    if kind == "dense":
        return dense(weight, name=name, **fields)
    back = even_weights(rng, channels, channels, most=30)
    return RecurrentLayer(name=name, shape=(channels,), weight=weight, weight_rec=back, **fields)


@settings(QUICK, max_examples=60)
@given(networks_of_any_neuron(), st.sampled_from(Timeline))
def test_random_networks_of_any_neuron(
    case: tuple[CompiledNetwork, SpikeInput], timeline: Timeline
) -> None:
    assert_engine_equals_reference(*case, timeline=timeline)


def check_fitting(network: Network, seed: int, steps: int, timeline: Timeline) -> None:
    try:
        lowered = compile_network(network, load_profile("ideal"), allow_approximate=True)
    except UnsupportedNetworkError:
        assume(False)
        raise
    rng = np.random.default_rng(seed)
    takes_numbers = isinstance(lowered.network.layers[0], ChipInput)
    low, high = (-256, 255) if takes_numbers else (0, 3)
    shape = (3, *lowered.network.input_shape, steps)
    inputs = SpikeInput(spikes=rng.integers(low, high, shape))
    assert_engine_equals_reference(lowered, inputs, timeline)


# all that layers become: several sources, means, leads of biases, neurons at the input
@settings(QUICK, max_examples=60)
@given(fitting_networks(), st.integers(0, 999), st.integers(1, 6), st.sampled_from(Timeline))
def test_random_networks_of_every_layer_and_neuron(
    network: Network, seed: int, steps: int, timeline: Timeline
) -> None:
    check_fitting(network, seed, steps, timeline)


@pytest.mark.slow
@settings(SLOW, max_examples=2000)
@given(networks_of_any_neuron(), st.sampled_from(Timeline))
def test_many_random_networks_of_any_neuron(
    case: tuple[CompiledNetwork, SpikeInput], timeline: Timeline
) -> None:
    assert_engine_equals_reference(*case, timeline=timeline)


@pytest.mark.slow
@settings(SLOW, max_examples=2000)
@given(fitting_networks(), st.integers(0, 999), st.integers(1, 12), st.sampled_from(Timeline))
def test_many_random_networks_of_every_layer_and_neuron(
    network: Network, seed: int, steps: int, timeline: Timeline
) -> None:
    check_fitting(network, seed, steps, timeline)
