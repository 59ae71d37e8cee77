"""The reference interpreter against arithmetic done by hand and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from builders import compiled, conv, convolve, cuba, dense, even_weights, random_spikes, recorded
from hypothesis import given, settings
from strategies import UNHURRIED, Case, conv_cases

from lavadeploy.compile import ChipConv, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import SpikeInputError
from lavadeploy.sim import SpikeInput, open_backend


def test_states_follow_the_equations_step_by_step() -> None:
    # du 1024 keeps 3/4 of the current, dv 2048 keeps 1/2 of the voltage; weight 10, threshold 20
    network = compiled(dense([[10]], neuron=cuba(vth=20, du=1024, dv=2048)))
    spikes = np.array([[[1, 1, 0, 0]]], dtype=np.uint8)
    run = recorded("reference", network, SpikeInput(spikes=spikes))
    # u: 640, 480 + 640 = 1120, 840, 630;  v: 640, 320 + 1120 = 1440 > 1280 fires, 840, 420 + 630
    assert run.states[0].current[0, 0].tolist() == [640, 1120, 840, 630]
    assert run.states[0].voltage[0, 0].tolist() == [640, 0, 840, 1050]
    assert run.spikes.step.tolist() == [1]


def test_negative_states_decay_toward_zero_too() -> None:
    network = compiled(dense([[-2]], neuron=cuba(vth=20, du=1, dv=4096)))
    spikes = np.array([[[1, 0, 0]]], dtype=np.uint8)
    run = recorded("reference", network, SpikeInput(spikes=spikes))
    # 128 * 4095 / 4096 = 127.97; floor would keep -128
    assert run.states[0].current[0, 0].tolist() == [-128, -127, -126]


def test_bias_reaches_the_voltage_and_not_the_current() -> None:
    bias = np.array([5], dtype=np.int32)
    network = compiled(dense([[2]], neuron=cuba(vth=9, du=4096, dv=0), bias=bias))
    run = recorded("reference", network, SpikeInput(spikes=np.zeros((1, 1, 4), dtype=np.uint8)))
    assert run.states[0].current[0, 0].tolist() == [0, 0, 0, 0]
    assert run.states[0].voltage[0, 0].tolist() == [320, 0, 320, 0]


def test_spike_counts_multiply_weights() -> None:
    network = compiled(dense([[10]], neuron=cuba(vth=1000, du=4096, dv=4096)))
    run = recorded("reference", network, SpikeInput(spikes=np.array([[[3, 1]]])))
    assert run.states[0].current[0, 0].tolist() == [1920, 640]


def test_delayed_spikes_leave_late_and_are_lost_beyond_the_sample() -> None:
    delay = np.array([0, 1, 3], dtype=np.int32)
    neuron = cuba(vth=1, du=4096, dv=4096)
    network = compiled(dense([[10], [10], [10]], neuron=neuron, delay=delay))
    spikes = np.array([[[1, 0, 1, 0]], [[0, 1, 0, 0]]], dtype=np.uint8)
    run = open_backend("reference").run(network, SpikeInput(spikes=spikes))
    events = list(
        zip(
            run.spikes.sample.tolist(),
            run.spikes.neuron.tolist(),
            run.spikes.step.tolist(),
            strict=True,
        )
    )
    assert sorted(events) == [
        (0, 0, 0),
        (0, 0, 2),
        (0, 1, 1),
        (0, 1, 3),
        (0, 2, 3),
        (1, 0, 1),
        (1, 1, 2),
    ]


def test_all_layers_answer_in_the_step_of_the_input() -> None:
    neuron = cuba(vth=1, du=4096, dv=4096)
    layers = [dense([[10]], name=f"layer{k}", neuron=neuron) for k in range(3)]
    run = open_backend("reference").run(
        compiled(*layers), SpikeInput(spikes=np.array([[[0, 1, 0]]], dtype=np.uint8))
    )
    assert run.spikes.step.tolist() == [1, 1, 1]
    assert run.spikes.layer.tolist() == [0, 1, 2]


@settings(max_examples=100, deadline=None, suppress_health_check=UNHURRIED)
@given(conv_cases())
def test_convolution_equals_a_loop_over_every_weight(case: Case) -> None:
    network = compile_network(case.network, load_profile("ideal"), input_shape=case.input_shape)
    layer = network.network.layers[0]
    assert isinstance(layer, ChipConv)
    weight = layer.weights.effective().astype(np.int64)
    image = case.inputs.spikes[0, ..., 0].astype(np.int64)
    expected = np.zeros(layer.shape_out, dtype=np.int64)
    out_group = layer.shape_out[0] // layer.groups
    in_group = weight.shape[1]
    for out, row, column in np.ndindex(*layer.shape_out):
        for c, i, j in np.ndindex(*weight.shape[1:]):
            y = row * layer.stride[0] - layer.padding[0] + i * layer.dilation[0]
            x = column * layer.stride[1] - layer.padding[1] + j * layer.dilation[1]
            if 0 <= y < image.shape[1] and 0 <= x < image.shape[2]:
                channel = (out // out_group) * in_group + c
                expected[out, row, column] += weight[out, c, i, j] * image[channel, y, x]
    found = convolve(layer, image.reshape(1, -1), weight)
    assert np.array_equal(found.reshape(layer.shape_out), expected)


def test_a_flattened_image_is_taken_channel_slowest() -> None:
    # one spike in channel 1, row 0, column 2 of (2, 2, 3) is input 1 * 6 + 0 * 3 + 2 = 8
    eye = np.zeros((2, 2, 1, 1), dtype=np.int32)
    eye[0, 0] = eye[1, 1] = 10
    always = cuba(vth=1, du=4096, dv=4096)
    picked = np.zeros((1, 12), dtype=np.int32)
    picked[0, 8] = 10
    network = compiled(
        conv(eye, (2, 2, 3), neuron=always), dense(picked, name="layer1", neuron=always)
    )
    spikes = np.zeros((1, 2, 2, 3, 1), dtype=np.uint8)
    spikes[0, 1, 0, 2, 0] = 1
    run = open_backend("reference").run(network, SpikeInput(spikes=spikes))
    assert run.spikes.neuron.tolist() == [8, 0]


def test_batches_do_not_change_results() -> None:
    rng = np.random.default_rng(0)
    network = compiled(dense(even_weights(rng, 6, 9)))
    spikes = random_spikes(rng, 130, 9, 5)  # more than two batches
    together = open_backend("reference").run(network, SpikeInput(spikes=spikes))
    for sample in (0, 63, 64, 129):
        alone = open_backend("reference").run(
            network, SpikeInput(spikes=spikes[sample : sample + 1])
        )
        mine = together.spikes.sample == sample
        assert np.array_equal(together.spikes.neuron[mine], alone.spikes.neuron)


@pytest.mark.parametrize("backend", ["reference", "lava"])
def test_input_of_another_shape_is_refused(backend: str) -> None:
    network = compiled(dense([[10, 20, 30]]))
    with pytest.raises(SpikeInputError) as raised:
        open_backend(backend).run(network, SpikeInput(spikes=np.zeros((2, 4, 5), dtype=np.uint8)))
    assert str(raised.value) == (
        "spikes has shape (2, 4, 5); the network takes (N, 3, T): samples, neurons, steps."
    )
