"""Losses are what a second calculation from the numbers themselves says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netx_examples import layer_of, neuron_of
from profiles import SHIPPED
from real_networks import as_real, real_dense, real_network, real_networks
from strategies import UNHURRIED

from lavadeploy.compile import LayerLoss, Method, Quantize, plan_uniformly
from lavadeploy.compile.quantization_loss import half_life
from lavadeploy.netx import LayerKind, Network, NeuronKind, RealNetwork

LOIHI2 = SHIPPED["loihi2"]


def loss_of(network: RealNetwork, bits: int = 8) -> tuple[Any, LayerLoss]:
    plan = plan_uniformly(network, bits, Method.LARGEST)
    found = Quantize(profile=LOIHI2, plan=plan).run(network)
    return found.network.layers[0], found.losses[0]


@settings(suppress_health_check=UNHURRIED, deadline=None)
@given(real_networks(1), st.sampled_from([1, 3, 4, 8]))
def test_losses_are_the_differences_in_real_units(network: RealNetwork, bits: int) -> None:
    layer, loss = loss_of(network, bits)
    values = network.values["layer0"]
    pairs = list(zip(values.weight.flat, layer.weight.flat, strict=True))
    errors = [abs(int(after) / loss.scale - before) for before, after in pairs]
    assert loss.weights == len(errors)
    assert loss.largest_weight_error == pytest.approx(max(errors))
    assert loss.mean_weight_error == pytest.approx(sum(errors) / len(errors))
    largest = max(abs(before) for before, _ in pairs)
    if largest:
        assert loss.largest_weight_error_percent == pytest.approx(100 * max(errors) / largest)
    else:
        assert loss.largest_weight_error_percent == 0
    threshold = abs(layer.neuron.vth_mantissa / loss.scale - values.vth)
    assert loss.threshold_error_percent == pytest.approx(100 * threshold / values.vth)
    if values.bias is not None:
        after = [int(b) / loss.scale for b in layer.bias]
        biases = [abs(a - b) for a, b in zip(after, values.bias, strict=True)]
        assert loss.largest_bias_error == pytest.approx(max(biases))
    for name, decay in values.decays.items():
        wanted, found = float(decay), int(getattr(layer.neuron, name))
        if wanted:
            error = 100 * abs(found - wanted) / wanted
            assert loss.decays[name].error_percent == pytest.approx(error)


@pytest.mark.parametrize(
    ("real", "whole", "percent", "steps"),
    [
        (2048.0, 2048, 0.0, 1.0),
        (100.4, 100, 0.4 / 1.004, math.log(0.5) / math.log(1 - 100 / 4096)),
        (0.4, 0, 100.0, math.inf),
        (0.0, 0, 0.0, 0.0),
        (4095.8, 4096, 100 * 0.2 / 4095.8, 0.0),
    ],
)
def test_decay_errors_in_percent_and_in_steps_of_half_life(
    real: float, whole: int, percent: float, steps: float
) -> None:
    layer, loss = loss_of(real_network(real_dense([[1.5]], dv=real)))
    assert int(layer.neuron.voltage_decay) == whole
    found = loss.decays["voltage_decay"]
    assert found.error_percent == pytest.approx(percent)
    if real and math.isfinite(steps):
        steps = abs(steps - math.log(0.5) / math.log(1 - real / 4096))
    assert found.half_life_error == pytest.approx(steps)


def test_the_worst_channel_counts() -> None:
    _, loss = loss_of(real_network(real_dense([[1.5], [2.5]], du=[100.0, 50.4])))
    assert loss.decays["current_decay"].error_percent == pytest.approx(100 * 0.4 / 50.4)


def test_half_lives_at_their_ends() -> None:
    assert half_life(np.array([0.0, 2048.0, 3072.0, 4096.0])).tolist() == [math.inf, 1.0, 0.5, 0.0]


def test_the_half_life_of_a_resonator_is_that_of_its_length() -> None:
    neuron: Any = dataclasses.replace(neuron_of(NeuronKind.RF), graded_spike=False)
    neuron = dataclasses.replace(neuron, sin_decay=np.array(2287), cos_decay=np.array(3148))
    network = as_real(Network(layers=(layer_of(LayerKind.DENSE, neuron),)))
    decays = {"sin_decay": np.array(2287.4), "cos_decay": np.array(3148.0)}
    values = dataclasses.replace(network.values["layer0"], decays=decays)
    _, loss = loss_of(RealNetwork(nearest=network.nearest, values={"layer0": values}))
    before, after = (
        math.log(0.5) / math.log(math.hypot(sine, 3148) / 4096) for sine in (2287.4, 2287)
    )
    assert loss.decays["sin_decay"].half_life_error == pytest.approx(abs(before - after))
    assert loss.decays["cos_decay"] == dataclasses.replace(
        loss.decays["sin_decay"], error_percent=0.0
    )


def test_without_calibration_no_spikes_are_stated() -> None:
    _, loss = loss_of(real_network(real_dense([[1.5]])))
    assert (loss.spikes, loss.spikes_changed) == (None, None)
