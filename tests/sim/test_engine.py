"""The engine equals the reference: every spike, value, state and readout, in every cut."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import (
    assert_runs_are_identical,
    compiled,
    conv,
    cuba,
    dense,
    even_weights,
    random_spikes,
    recorded,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lowering_strategies import fitting_networks
from strategies import UNHURRIED, Case, conv_cases, dense_cases

from lavadeploy.compile import ChipInput, CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    ConcatLayer,
    CubaNeuron,
    InputLayer,
    Layer,
    Network,
    RecurrentLayer,
    SynapticLayer,
    UnsupportedNetworkError,
)
from lavadeploy.netx.kernel_sizes import kernel_output_size
from lavadeploy.sim import RunOptions, RunResult, SpikeInput, open_backend
from lavadeploy.sim.engine.block import BUFFER_BYTES, block_size
from lavadeploy.sim.engine.plan import plan_network
from lavadeploy.sim.engine_backend import EngineBackend

QUICK = settings(deadline=None, derandomize=True, database=None, suppress_health_check=UNHURRIED)
SLOW = settings(deadline=None, database=None, suppress_health_check=UNHURRIED)
# the whole at once; every step by itself; several samples at once, cut unevenly
CUTS = (2048, 1, 5)


def assert_all_is_identical(a: RunResult, b: RunResult) -> None:
    assert_runs_are_identical(a, b)
    assert (a.readout is None) == (b.readout is None)
    if a.readout is not None and b.readout is not None:
        assert np.array_equal(a.readout, b.readout)


def check(network: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    expected = recorded("reference", network, inputs)
    for rows in CUTS:
        options = RunOptions(record=("all",), threads=2)
        found = EngineBackend(rows_at_once=rows).run(network, inputs, options)
        assert_all_is_identical(found, expected)
    return expected


def check_case(case: Case) -> None:
    profile = load_profile("ideal")
    check(compile_network(case.network, profile, input_shape=case.input_shape), case.inputs)


@settings(QUICK, max_examples=60)
@given(dense_cases())
def test_random_dense_networks(case: Case) -> None:
    check_case(case)


@settings(QUICK, max_examples=60)
@given(conv_cases())
def test_random_conv_networks(case: Case) -> None:
    check_case(case)


def with_cuba_neurons(layer: Layer) -> Layer:
    """Give a layer a CUBA neuron in place of any other."""
    neuron = getattr(layer, "neuron", None)
    if neuron is None or isinstance(neuron, CubaNeuron):
        return layer
    real: dict[str, Any] = {"neuron": cuba(20, 1000, 300)}
    if isinstance(layer, SynapticLayer):
        real |= {"weight_imag": None, "bias_imag": None}
    return dataclasses.replace(layer, **real)


def check_fitting(network: Network, seed: int, steps: int) -> None:
    network = Network(layers=tuple(with_cuba_neurons(layer) for layer in network.layers))
    try:
        lowered = compile_network(network, load_profile("ideal"))
    except UnsupportedNetworkError:
        assume(False)
        raise
    rng = np.random.default_rng(seed)
    takes_numbers = isinstance(lowered.network.layers[0], ChipInput)
    low, high = (-256, 255) if takes_numbers else (0, 3)
    shape = (3, *lowered.network.input_shape, steps)
    check(lowered, SpikeInput(spikes=rng.integers(low, high, shape)))


# all that layers become: recurrent, graded, refractory and divided neurons, several sources,
# leads of biases, neurons at the input
@settings(QUICK, max_examples=60)
@given(fitting_networks(), st.integers(0, 999), st.integers(1, 6))
def test_random_networks_of_every_layer(network: Network, seed: int, steps: int) -> None:
    check_fitting(network, seed, steps)


@pytest.mark.slow
@settings(SLOW, max_examples=2000)
@given(dense_cases() | conv_cases())
def test_many_random_networks(case: Case) -> None:
    check_case(case)


@pytest.mark.slow
@settings(SLOW, max_examples=2000)
@given(fitting_networks(), st.integers(0, 999), st.integers(1, 12))
def test_many_random_networks_of_every_layer(network: Network, seed: int, steps: int) -> None:
    check_fitting(network, seed, steps)


@pytest.mark.parametrize("decay", [0, 1, 4095, 4096])
def test_current_wraps_and_voltage_clips_alike(decay: int) -> None:
    rng = np.random.default_rng(0)
    weight = np.where(rng.random((6, 600)) < 0.5, 254, -256)
    weight[0], weight[1] = 254, -256
    network = compiled(dense(weight, neuron=cuba(vth=131071, du=decay, dv=0)))
    inputs = SpikeInput(spikes=random_spikes(rng, 4, 600, 12, rate=0.9))
    expected = check(network, inputs)
    assert int(np.abs(expected.states[0].voltage).max()) == (1 << 23) - 1
    assert int(np.abs(expected.states[0].current).max()) > 1 << 22


def test_current_of_exactly_two_to_the_23_stays_and_its_negative_turns() -> None:
    network = compiled(dense(np.vstack([np.full(1024, 128), np.full(1024, -128)])))
    spikes = np.zeros((1, 1024, 2), dtype=np.uint8)
    spikes[:, :, 0] = 1
    expected = check(network, SpikeInput(spikes=spikes))
    assert expected.states[0].current[0, :, 0].tolist() == [1 << 23, 1 << 23]


def test_currents_beyond_24_bits_that_one_wrap_does_not_bring_back() -> None:
    # counts of 2**20 and more with weights of 254: sums near 32 bits, and states as large
    rng = np.random.default_rng(1)
    network = compiled(dense([[254], [-256], [7], [-1]], neuron=cuba(100, 3, 5)), profile="ideal")
    counts = rng.integers(0, 1 << 23, (2, 1, 40))
    expected = check(network, SpikeInput(spikes=counts))
    assert int(np.abs(expected.states[0].current.astype(np.int64)).max()) > 1 << 29


def test_sums_of_kernels_wrap_at_24_bits() -> None:
    rng = np.random.default_rng(2)
    network = compiled(conv(even_weights(rng, 5, 2, 3, 3), (5, 2, 3)), profile="ideal")
    counts = rng.integers(0, 1 << 18, (2, 2, 4, 5, 6))
    check(network, SpikeInput(spikes=counts))


def test_voltage_equal_to_the_threshold_does_not_fire() -> None:
    network = compiled(dense([[80], [82]], neuron=cuba(vth=80, du=4096, dv=4096)))
    expected = check(network, SpikeInput(spikes=np.ones((1, 1, 1), dtype=np.uint8)))
    assert expected.spikes.neuron.tolist() == [1]


@pytest.mark.parametrize("channels", [1, 7, 8, 20, 24, 36, 64])
def test_kernels_of_every_number_of_channels(channels: int) -> None:
    # vectors of 16 and 8 channels, and rests
    rng = np.random.default_rng(channels)
    weight = even_weights(rng, channels, 3, 3, 3)
    layer = conv(weight, (channels, 4, 5), neuron=cuba(300), stride=(2, 2), padding=(1, 1))
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 3, 7, 9, 6))
    assert len(check(compiled(layer, input_shape=(3, 7, 9)), inputs).spikes) > 10


@pytest.mark.parametrize("rate", [0.05, 0.9])
@pytest.mark.parametrize(
    "geometry",
    [
        {"stride": (2, 1), "padding": (0, 2)},
        {"stride": (1, 2), "padding": (1, 0), "dilation": (2, 1)},
        {"stride": (1, 1), "padding": (2, 1), "dilation": (1, 2)},
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_few_channels_and_sets_of_them(
    channels: int, geometry: dict[str, Any], rate: float
) -> None:
    # by the pixels that fire where they are few, by sets of channels where they are many
    rng = np.random.default_rng(channels)
    layer = conv(even_weights(rng, 20, channels, 3, 2), (20, 1, 1), neuron=cuba(90), **geometry)
    layer = dataclasses.replace(layer, shape=(20, *kernel_output_size(layer, 9, 8)))
    inputs = SpikeInput(spikes=random_spikes(rng, 3, channels, 9, 8, 5, rate=rate))
    network = compiled(layer, input_shape=(channels, 9, 8))
    assert len(check(network, inputs).spikes) > 20
    counts = SpikeInput(spikes=inputs.spikes * rng.integers(1, 4, inputs.spikes.shape))
    check(network, counts)


@pytest.mark.parametrize("channels", [8, 9, 13])
def test_more_channels_than_a_set_of_them_has_bits(channels: int) -> None:
    rng = np.random.default_rng(channels)
    layer = conv(even_weights(rng, 1, channels, 1, 1), (1, 9, 8), neuron=cuba(50))
    inputs = SpikeInput(spikes=random_spikes(rng, 3, channels, 9, 8, 5, rate=0.9))
    assert len(check(compiled(layer, input_shape=(channels, 9, 8)), inputs).spikes) > 20


def test_odd_weights_beyond_a_byte() -> None:
    rng = np.random.default_rng(3)
    weight, kernel = even_weights(rng, 30, 40), even_weights(rng, 8, 2, 3, 3)
    weight[0, 0], kernel[0, 0, 0, 0] = -255, 255
    flat = SpikeInput(spikes=random_spikes(rng, 3, 40, 8))
    check(compiled(dense(weight), profile="ideal"), flat)
    image = SpikeInput(spikes=random_spikes(rng, 3, 2, 5, 5, 8))
    check(compiled(conv(kernel, (8, 3, 3)), profile="ideal"), image)


def test_wide_layers_cross_tiles() -> None:
    # more neurons than parameters that repeat, by channel and alike
    rng = np.random.default_rng(5)
    decays = rng.integers(0, 4096, 3)
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 1, 30, 30, 4))
    for neuron in (cuba(90), cuba(90, decays, decays[::-1])):
        layer = conv(even_weights(rng, 3, 1, 3, 3), (3, 28, 28), neuron=neuron)
        assert len(check(compiled(layer), inputs).spikes) > 1000


def test_delays_beyond_the_sample_and_across_chunks() -> None:
    rng = np.random.default_rng(6)
    delay = np.array([0, 1, 2, 5, 8, 9, 10, 40], dtype=np.int32)
    network = compiled(
        dense(even_weights(rng, 8, 10), delay=delay), dense(even_weights(rng, 4, 8), name="b")
    )
    check(network, SpikeInput(spikes=random_spikes(rng, 3, 10, 10, rate=0.6)))


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("refractory", [1, 3])
def test_recurrent_layers(graded: bool, refractory: int) -> None:
    rng = np.random.default_rng(7)
    neuron = dataclasses.replace(cuba(60), graded_spike=graded, refractory_delay=refractory)
    layer = RecurrentLayer(
        name="layer0",
        shape=(9,),
        weight=even_weights(rng, 9, 12),
        weight_rec=even_weights(rng, 9, 9, most=30),
        neuron=neuron,
        delay=np.arange(9, dtype=np.int32) % 3,
    )
    inputs = SpikeInput(spikes=random_spikes(rng, 3, 12, 15))
    assert len(check(compiled(layer, profile="ideal"), inputs).spikes) > 20


def test_spikes_and_payloads_side_by_side() -> None:
    rng = np.random.default_rng(8)
    graded = dataclasses.replace(cuba(60), graded_spike=True)
    layers = (
        InputLayer(name="layer0", shape=(2, 3, 3)),
        conv(even_weights(rng, 3, 2, 1, 1), (3, 3, 3), name="layer1", neuron=graded),
        conv(even_weights(rng, 2, 3, 1, 1), (2, 3, 3), name="layer2"),
        ConcatLayer(name="layer3", shape=(7, 3, 3), sources=(0, 1, 2)),
        conv(even_weights(rng, 4, 7, 2, 2), (4, 2, 2), name="layer4"),
    )
    network = compiled(*layers, profile="ideal")
    inputs = SpikeInput(spikes=rng.integers(0, 3, (3, 2, 3, 3, 9)))
    assert np.unique(check(network, inputs).spikes.value).size > 3


def test_a_readout_is_the_voltage_of_the_last_layer() -> None:
    rng = np.random.default_rng(9)
    last = dense(even_weights(rng, 4, 8), name="layer1", neuron=cuba(131071, 4096, 0))
    network = compiled(dense(even_weights(rng, 8, 12)), last)
    inputs = SpikeInput(spikes=random_spikes(rng, 5, 12, 9))
    expected = open_backend("reference").run(network, inputs)
    found = open_backend("engine").run(network, inputs)
    assert expected.readout is not None
    assert found.readout is not None
    assert np.array_equal(found.readout, expected.readout)
    assert np.array_equal(found.predictions(), expected.predictions())
    assert found.states == ()


def test_arrays_in_any_order_and_of_any_length() -> None:
    # lengths that no eight bytes divide, one sample, and samples slowest in memory
    rng = np.random.default_rng(10)
    network = compiled(dense(even_weights(rng, 6, 7)))
    for samples, steps in ((1, 1), (1, 3), (9, 3), (17, 5)):
        spikes = random_spikes(rng, steps, 7, samples, rate=0.4)
        check(network, SpikeInput(spikes=spikes.transpose(2, 1, 0)))


def test_silence_is_silent() -> None:
    network = compiled(dense(np.full((3, 4), 2)))
    assert len(check(network, SpikeInput(spikes=np.zeros((2, 4, 5), dtype=np.uint8))).spikes) == 0


def test_threads_do_not_change_a_byte() -> None:
    rng = np.random.default_rng(11)
    network = compiled(
        dense(even_weights(rng, 20, 30)), dense(even_weights(rng, 10, 20), name="layer1")
    )
    inputs = SpikeInput(spikes=random_spikes(rng, 50, 30, 9))
    runs = [
        open_backend("engine").run(network, inputs, RunOptions(threads=threads, record=("all",)))
        for threads in (1, 1, 2, 5)
    ]
    for run in runs[1:]:
        assert_all_is_identical(run, runs[0])


@pytest.mark.parametrize("threads", [1, 8])
def test_memory_does_not_grow_with_samples_or_steps(threads: int) -> None:
    # the first layers of PilotNet; 25 steps of 10 samples, and a thousand times as much
    rng = np.random.default_rng(12)
    layer = conv(even_weights(rng, 24, 3, 3, 3), (24, 32, 99), stride=(2, 2))
    network = compiled(layer, input_shape=(3, 66, 200))
    for samples, steps in ((10, 25), (10_000, 100), (10, 25_000)):
        size = block_size(plan_network(network, steps), samples, threads, counted=True)
        rows = size.samples * size.steps
        inputs, neurons = 3 * 66 * 200, 24 * 32 * 99
        assert size.samples == 1 or size.steps == steps
        assert threads * rows * 4 * (2 * inputs + neurons) <= BUFFER_BYTES


def test_progress_goes_to_the_end_and_never_back() -> None:
    network = compiled(dense([[80]]))
    seen: list[int] = []
    inputs = SpikeInput(spikes=np.ones((23, 1, 3), dtype=np.uint8))
    EngineBackend(rows_at_once=12).run(network, inputs, RunOptions(on_progress=seen.append))
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] == 23


def test_an_error_on_the_way_ends_the_run() -> None:
    network = compiled(dense([[80]]))

    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    inputs = SpikeInput(spikes=np.ones((100, 1, 3), dtype=np.uint8))
    with pytest.raises(KeyboardInterrupt):
        EngineBackend(rows_at_once=3).run(network, inputs, RunOptions(threads=2, on_progress=stop))
