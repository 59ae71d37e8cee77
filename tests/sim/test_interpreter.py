"""The interpreter where SLAYER has nothing to compare with, against figures by hand."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from builders import cuba, dense
from expect import sentence

from lavadeploy.netx import (
    AlifNeuron,
    AverageLayer,
    ConcatLayer,
    DenseLayer,
    Layer,
    Network,
    NetxFormatError,
    RecurrentLayer,
    SigmaDeltaNeuron,
    SpikeInputError,
    UnsupportedNetworkError,
)
from lavadeploy.sim import LayerRun, run_network

FORGETFUL = cuba(vth=20, du=4096, dv=4096)  # fires on an input of more than 20, of that step alone
GRADED = dataclasses.replace(FORGETFUL, graded_spike=True)


def run(*layers: Layer, inputs: Any) -> tuple[LayerRun, ...]:
    return run_network(Network(layers=layers), np.array(inputs))


def test_a_refractory_period_keeps_the_voltage_at_rest_while_the_current_goes_on() -> None:
    neuron = dataclasses.replace(cuba(vth=20, du=0, dv=0), refractory_delay=3)
    found = run(dense([[22]], neuron=neuron), inputs=[[[1, 0, 0, 0, 0, 0]]])[0]
    assert found.output[0, 0].tolist() == [1, 0, 0, 1, 0, 0]
    assert found.states["current"][0, 0].tolist() == [1408] * 6
    assert found.states["voltage"][0, 0].tolist() == [0] * 6


def test_a_refractory_delay_of_one_is_none() -> None:
    found = run(dense([[22]], neuron=cuba(vth=20, du=0, dv=0)), inputs=[[[1, 0, 0]]])[0]
    assert found.output[0, 0].tolist() == [1, 1, 1]


def test_refractory_delays_of_adaptive_neurons_have_no_model() -> None:
    zero = np.array(0)
    neuron = AlifNeuron(
        vth_mantissa=1,
        vth_step=1,
        current_decay=zero,
        voltage_decay=zero,
        threshold_decay=zero,
        refractory_decay=zero,
        refractory_delay=2,
    )
    layer = DenseLayer(name="layer0", shape=(1,), weight=np.array([[2]]), neuron=neuron)
    assert sentence(UnsupportedNetworkError, run, layer, inputs=[[[1]]]) == (
        "layer0: refractory delay 2 of ALIF neurons has no model: SLAYER's have only their "
        "refractory term. Use 1."
    )


def test_outputs_are_joined_along_the_channels() -> None:
    first = dense([[30, 0], [0, 30]], neuron=FORGETFUL)
    second = dense([[30, 30]], name="layer1", neuron=FORGETFUL)
    joined = ConcatLayer(name="layer2", shape=(3,), sources=(1, 0))
    last = dense([[30, -60, 0]], name="layer3", neuron=FORGETFUL)
    runs = run(first, second, joined, last, inputs=[[[1, 0, 1], [0, 1, 1]]])
    assert runs[2].output[0].tolist() == [[1, 1, 1], [1, 0, 1], [0, 1, 1]]
    assert runs[3].output[0, 0].tolist() == [0, 1, 0]


def test_joined_outputs_get_a_unit_that_all_have() -> None:
    mean = AverageLayer(name="layer1", shape=(1, 1, 1))
    joined = ConcatLayer(name="layer2", shape=(4,), sources=(1, 0))
    found = run(dense([[30], [30], [2]], neuron=GRADED), mean, joined, inputs=[[[1]]])[-1]
    values = [v * found.unit for v in found.output[0, :, 0].tolist()]
    volts = Fraction(30 * 64, 4096)
    assert values == [volts * 2 / 3, volts, volts, 0]


def test_joined_layers_must_be_earlier_and_of_one_size() -> None:
    joined = ConcatLayer(name="layer1", shape=(2,), sources=(0, 1))
    assert sentence(NetxFormatError, run, dense([[2]]), joined, inputs=[[[1]]]) == (
        "layer1: joins layers (0, 1), which are not all earlier."
    )


def test_means_reach_neurons_as_fractions() -> None:
    # two of three fire: 2/3 of a weight of 31 is 20.67, more than 20; of 30 it is 20
    first = dense([[30], [30], [0]], neuron=FORGETFUL)
    mean = AverageLayer(name="layer1", shape=(1, 1, 1))
    last = dense([[31], [30]], name="layer2", neuron=FORGETFUL)
    found = run(first, mean, last, inputs=[[[1]]])[-1]
    assert found.output[0, :, 0].tolist() == [1, 0]
    assert found.states["voltage"][0, :, 0].tolist() == [0, 20 * 64]


def test_means_and_graded_spikes_that_come_back_are_summed_exactly() -> None:
    first = dense([[30], [30], [0]], neuron=FORGETFUL)
    mean = AverageLayer(name="layer1", shape=(1, 1, 1))
    loop = RecurrentLayer(
        name="layer2",
        shape=(1,),
        weight=np.array([[30]]),
        weight_rec=np.array([[64]]),
        neuron=dataclasses.replace(GRADED, vth_mantissa=10),
    )
    found = run(first, mean, loop, inputs=[[[1, 1, 0]]])[-1]
    # 2/3 of 30 is 20 weight units, 1280 state units, and what comes back is the last output
    assert found.unit == Fraction(1, 4096)
    assert found.output[0, 0].tolist() == [1280, 2560, 2560]


def test_a_bias_of_a_late_layers_successor_acts_before_the_input() -> None:
    first = dense([[2]], neuron=cuba(vth=1000), delay_shift=True)
    second = dense(
        [[2]],
        name="layer1",
        neuron=cuba(vth=25, du=4096, dv=0),
        bias=np.array([10], dtype=np.int32),
    )
    assert run(first, second, inputs=[[[0] * 5]])[1].output[0, 0].tolist() == [0, 1, 0, 0, 1]
    punctual = dataclasses.replace(first, delay_shift=False)
    assert run(punctual, second, inputs=[[[0] * 5]])[1].output[0, 0].tolist() == [0, 0, 1, 0, 0]


def test_other_activations_have_no_model() -> None:
    neuron = SigmaDeltaNeuron(vth_mantissa=1, activation="tanh")
    layer = DenseLayer(name="layer0", shape=(1,), weight=np.array([[2]]), neuron=neuron)
    assert sentence(UnsupportedNetworkError, run, layer, inputs=[[[1]]]) == (
        "layer0: activation 'tanh' has no model in Lava; only 'relu' can be run. Train with "
        "torch.nn.functional.relu."
    )


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (np.zeros((1, 2, 3), np.float32), "inputs are float32; whole numbers were expected."),
        (np.zeros((1, 3, 3), np.int64), "inputs have shape (1, 3, 3); the network takes (N, 2, T)"),
        (np.zeros((1, 2), np.int64), "inputs have shape (1, 2); the network takes (N, 2, T)"),
        (np.zeros((1, 2, 0), np.int64), "inputs have shape (1, 2, 0); the network takes (N, 2, T)"),
    ],
)
def test_inputs_of_another_kind_are_refused(inputs: Any, found: str) -> None:
    refused = sentence(SpikeInputError, run_network, Network(layers=(dense([[2, 4]]),)), inputs)
    assert refused.startswith(found)
