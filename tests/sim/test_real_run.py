"""Networks of real numbers in floating point, against sums by hand and against the reference."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import cuba, random_spikes
from expect import sentence
from hypothesis import given, settings
from netx_examples import layer_of, neuron_of
from real_networks import as_real, real_conv, real_dense, real_network, with_neuron
from strategies import UNHURRIED, conv_cases, dense_cases

from lavadeploy.netx import (
    AverageLayer,
    FlattenLayer,
    LayerKind,
    Network,
    NeuronKind,
    RealNetwork,
    RecurrentLayer,
    SpikeInputError,
    UnsupportedNetworkError,
)
from lavadeploy.sim import run_network, run_whole_network
from lavadeploy.sim.real_run import run_real_network
from lavadeploy.sim.time_first import TimeFirstRun


def run(network: RealNetwork, spikes: Any, shape: Any = None) -> tuple[TimeFirstRun, ...]:
    return tuple(run_real_network(network, np.asarray(spikes), shape))


def test_current_and_voltage_leak_and_the_voltage_is_reset() -> None:
    layer = real_dense([[10.5]], vth=20.0, du=2048.0, dv=1024.0)
    found = run(real_network(layer), [[[1, 1, 1, 0]]])[0]
    # u: 10.5, 15.75, 18.375, 9.1875; v: 10.5, 23.625 (fires), 18.375, 22.96875 (fires)
    assert found.output[:, 0, 0].tolist() == [False, True, False, True]
    assert found.voltage[:, 0, 0].tolist() == [10.5, 0.0, 18.375, 0.0]


def test_a_voltage_at_the_threshold_does_not_fire() -> None:
    layer = real_dense([[20.25]], vth=20.25, du=4096.0, dv=4096.0)
    assert not run(real_network(layer), [[[1, 2]]])[0].output[0].any()
    assert run(real_network(layer), [[[1, 2]]])[0].output[1].all()


def test_biases_act_every_step_and_before_input_reaches_later_layers() -> None:
    first = real_dense([[0.5]], vth=100.0, name="layer0")
    second = real_dense([[0.5]], vth=10.0, du=0.0, dv=0.0, bias=[6.25], name="layer1")
    found = run(real_network(first, second), [[[0, 0, 0]]])[1]
    # one step runs before the input's first: 6.25, then 12.5 fires in step 0
    assert found.output[:, 0, 0].tolist() == [True, False, True]


def test_delays_are_rounded_down() -> None:
    layer = real_dense([[30.5], [30.5]], vth=20.0, du=4096.0, dv=4096.0, delay=[1.9, 9.0])
    found = run(real_network(layer), [[[1, 0, 0]]])[0].output
    assert found[:, 0, :].tolist() == [[False, False], [True, False], [False, False]]


def test_a_refractory_period_keeps_the_voltage_at_rest() -> None:
    layer = with_neuron(
        real_dense([[22.5]], vth=20.0, du=0.0, dv=0.0),
        dataclasses.replace(cuba(20, 0, 0), refractory_delay=3),
    )
    found = run(real_network(layer), [[[1, 0, 0, 0, 0, 0]]])[0]
    assert found.output[:, 0, 0].tolist() == [True, False, False, True, False, False]


def test_recurrent_spikes_come_back_one_step_later() -> None:
    neuron = cuba(20, 4096, 4096)
    layer = RecurrentLayer(
        name="layer0",
        shape=(2,),
        weight=np.array([[30], [0]]),
        weight_rec=np.array([[0, 0], [25, 0]]),
        neuron=neuron,
    )
    network = as_real(Network(layers=(layer,)))
    found = run(network, [[[1, 0, 1, 0]]])[0].output
    assert found[:, 0, :].astype(int).tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]


def test_convolutions_weigh_what_the_reference_weighs() -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 9, (2, 3, 2, 3))
    layer = real_conv(weight, (2, 4, 5), vth=30.5, padding=(0, 1), du=4096.0, dv=4096.0)
    spikes = random_spikes(rng, 2, 3, 5, 5, 6)
    found = run(real_network(layer), spikes)[0].output
    padded = np.pad(spikes.astype(float), ((0, 0), (0, 0), (0, 0), (1, 1), (0, 0)))
    for t, n, o, y, x in np.ndindex(6, 2, 2, 4, 5):
        total = float((padded[n, :, y : y + 2, x : x + 3, t] * weight[o]).sum())
        assert found[t, n, (o * 4 + y) * 5 + x] == (total > 30.5)


@settings(suppress_health_check=UNHURRIED, deadline=None, max_examples=50)
@given(dense_cases())
def test_whole_numbers_without_decay_give_the_spikes_of_the_reference(case: Any) -> None:
    layers: Any = tuple(
        dataclasses.replace(
            layer,
            neuron=dataclasses.replace(
                layer.neuron, current_decay=np.array(4096), voltage_decay=np.array(0)
            ),
        )
        for layer in case.network.layers
    )
    network = Network(layers=layers)
    reference = run_network(network, case.inputs.spikes)
    if any(each.overflows for each in reference):
        return  # real numbers have no registers to leave
    for real, whole in zip(run(as_real(network), case.inputs.spikes), reference, strict=True):
        assert np.array_equal(np.moveaxis(real.output, 0, -1), whole.output)


@settings(suppress_health_check=UNHURRIED, deadline=None, max_examples=60)
@given(dense_cases() | conv_cases())
def test_the_fast_run_of_whole_numbers_equals_the_reference(case: Any) -> None:
    reference = run_network(case.network, case.inputs.spikes, case.input_shape)
    found, overflows = run_whole_network(
        case.network, case.inputs.spikes, case.input_shape, samples_at_once=2
    )
    assert np.array_equal(found, reference[-1].output)
    assert overflows == sum(each.overflows for each in reference)


@pytest.mark.parametrize("kind", [LayerKind.POOL, LayerKind.UNPOOL, LayerKind.CONV_TRANSPOSE])
def test_the_fast_run_of_other_kernels_equals_the_reference(kind: LayerKind) -> None:
    fields: Any = {"padding": (0, 0), "dilation": (1, 1), "stride": (2, 2), "bias": None}
    shape_in = {LayerKind.POOL: (2, 4, 6), LayerKind.UNPOOL: (2, 2, 3)}.get(kind, (4, 3, 3))
    shape = {LayerKind.POOL: (2, 2, 3), LayerKind.UNPOOL: (2, 4, 6)}.get(kind, (2, 6, 6))
    weight = {LayerKind.CONV_TRANSPOSE: (4, 1, 2, 2)}.get(kind, (1, 1, 2, 2))
    fields |= {"shape": shape, "weight": np.arange(-4, -4 + 16 * 3, 3)[: np.prod(weight)]}
    fields["weight"] = (30 + fields["weight"]).reshape(weight)
    layer: Any = dataclasses.replace(layer_of(kind, cuba(40)), delay=None, **fields)
    network = Network(layers=(layer,))
    spikes = random_spikes(np.random.default_rng(1), 3, *shape_in, 8)
    reference = run_network(network, spikes, shape_in)
    found, _ = run_whole_network(network, spikes, shape_in)
    assert reference[-1].output.any()
    assert np.array_equal(found, reference[-1].output)


def test_the_fast_run_passes_flatten_and_sums_averages() -> None:
    layer, _ = real_dense(np.full((4, 6), 30.0), vth=40.0, name="layer1")
    network = Network(
        layers=(
            FlattenLayer(name="layer0", shape=(6, 1, 1)),
            layer,
            AverageLayer(name="layer2", shape=(2, 1, 1)),
        )
    )
    spikes = random_spikes(np.random.default_rng(1), 3, 1, 2, 3, 8)
    reference = run_network(network, spikes)
    assert np.array_equal(run_whole_network(network, spikes)[0], reference[-1].output)


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        (layer_of(LayerKind.DENSE, neuron_of(NeuronKind.ALIF)), "ALIF neurons"),
        (layer_of(LayerKind.DENSE, neuron_of(NeuronKind.CUBA)), "graded spikes"),
        (layer_of(LayerKind.INPUT), "an input layer with neurons"),
    ],
)
def test_what_cannot_be_run_is_refused(layer: Any, found: str) -> None:
    inputs = np.zeros((1, 3 if layer.name and hasattr(layer, "delay") else 24, 2), dtype=int)
    message = sentence(UnsupportedNetworkError, run, as_real(Network(layers=(layer,))), inputs)
    assert message == (
        f"layer0: {found} cannot be calibrated; a chain of layers with CUBA neurons that send "
        "spikes can. Quantize with a method that needs no calibration data."
    )


def test_inputs_of_another_size_are_refused() -> None:
    network = real_network(real_dense([[1.5, 2.5]]))
    assert sentence(SpikeInputError, run, network, np.zeros((1, 3, 2), dtype=int)) == (
        "inputs have shape (1, 3, 2); the network takes (N, 2, T): samples, neurons, steps."
    )
