"""Lava runs all that the reference runs: every output and state of every kind, exactly equal.

Every run has three samples that end with spikes in flight and states away from rest, so that
whatever is not reset shows. Each layer under test is followed by one that hears what it sends.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
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
)
from hypothesis import assume, given, settings
from lowering_strategies import fitting_networks
from numpy.typing import NDArray
from strategies import UNHURRIED

from lavadeploy.compile import ChipInput, CompiledNetwork, compile_network
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    ConcatLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    Neuron,
    NeuronKind,
    RecurrentLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    is_complex,
)
from lavadeploy.sim import RunOptions, SpikeInput, Timeline, open_backend

pytestmark = pytest.mark.lava

SAMPLES, STEPS = 3, 14


def ints(value: Any) -> NDArray[np.int32]:
    return np.array(value, dtype=np.int32)


ADAPTS: dict[str, Any] = {
    "vth_step": 30,
    "threshold_decay": ints(700),
    "refractory_decay": ints(1500),
}
TURNS: dict[str, Any] = {"sin_decay": ints(2287), "cos_decay": ints(3148)}
ALIF = AlifNeuron(vth_mantissa=40, current_decay=ints(1024), voltage_decay=ints(300), **ADAPTS)
RF = ResonatorNeuron(kind=NeuronKind.RF, vth_mantissa=30, **TURNS)
# more than a quarter of a turn in a step: the cosine is negative
RF_IZ = ResonatorNeuron(
    kind=NeuronKind.RF_IZ, vth_mantissa=40, sin_decay=ints(3000), cos_decay=ints(-2000)
)
ADRF = AdaptiveResonatorNeuron(kind=NeuronKind.ADRF, vth_mantissa=20, **TURNS, **ADAPTS)
SDNN = SigmaDeltaNeuron(vth_mantissa=9, vth_fraction=1000)
NEURONS: dict[str, Neuron] = {
    "cuba": cuba(vth=40),
    "cuba-refractory": replace(cuba(vth=20, du=3000), refractory_delay=4),
    "cuba-graded": replace(cuba(vth=40), graded_spike=True),
    "cuba-divided": replace(cuba(vth=20), current_exponent=2),
    "cuba-multiplied": replace(cuba(vth=80), current_exponent=-2),
    "alif": ALIF,
    "alif-graded-divided": replace(ALIF, graded_spike=True, current_exponent=1),
    "rf": RF,
    "rf-graded": replace(RF, graded_spike=True),
    "rf_iz": RF_IZ,
    "rf_iz-graded": replace(RF_IZ, graded_spike=True),
    "adrf": ADRF,
    "adrf-graded": replace(ADRF, graded_spike=True),
    "adrf_iz": replace(ADRF, kind=NeuronKind.ADRF_IZ),
    "adrf_iz-graded": replace(ADRF, kind=NeuronKind.ADRF_IZ, graded_spike=True),
    "sdnn": SDNN,
    "sdnn-sum": replace(SDNN, sigma_output=True),
}


def by_channel(neuron: Neuron, channels: int) -> Neuron:
    """The neuron with decays of its own in every channel, if it has decays."""
    names = ("current_decay", "voltage_decay", "threshold_decay", "sin_decay", "cos_decay")
    spread = 37 * np.arange(channels, dtype=np.int32)
    return replace(
        neuron, **{name: getattr(neuron, name) + spread for name in names if hasattr(neuron, name)}
    )


def check(
    network: CompiledNetwork, *, low: int = 0, high: int = 2, timeline: Timeline = Timeline.SLAYER
) -> None:
    """Lava's run is the reference's, in which every layer sends and not always."""
    rng = np.random.default_rng(11)
    shape = (SAMPLES, *network.network.input_shape, STEPS)
    inputs = SpikeInput(spikes=rng.integers(low, high, shape))
    options = RunOptions(record=("all",), timeline=timeline)
    expected = open_backend("reference").run(network, inputs, options)
    for index, size in enumerate(expected.spikes.layer_sizes):
        sent = int(np.count_nonzero(expected.spikes.layer == index))
        assert 0 < sent < SAMPLES * size * expected.spikes.n_steps, f"{index} shows nothing"
    assert_runs_are_identical(expected, open_backend("lava").run(network, inputs, options))


def synapses(
    rng: np.random.Generator, neuron: Neuron, shape: tuple[int, ...], most: int = 60
) -> dict[str, Any]:
    """Weights, biases and delays of a layer, imaginary ones too where they are heard."""
    fields: dict[str, Any] = {
        "weight": even_weights(rng, *shape, most=most),
        "bias": rng.integers(-6, 7, shape[0], dtype=np.int32),
        "delay": rng.integers(0, 4, shape[0], dtype=np.int32),
    }
    if is_complex(neuron):
        fields["weight_imag"] = even_weights(rng, *shape, most=most)
        fields["bias_imag"] = rng.integers(-6, 7, shape[0], dtype=np.int32)
    return fields


@pytest.mark.parametrize("name", NEURONS)
def test_dense_layers(name: str) -> None:
    rng = np.random.default_rng(1)
    neuron = by_channel(NEURONS[name], 8)
    listener = cuba(vth=300, du=3000) if name.startswith("sdnn") else cuba(vth=60)
    check(
        compiled(
            dense(neuron=neuron, **synapses(rng, neuron, (8, 9))),
            dense(even_weights(rng, 7, 8, most=30), name="layer1", neuron=listener),
        )
    )


@pytest.mark.parametrize("name", NEURONS)
def test_convolutions_and_what_is_flattened_behind_them(name: str) -> None:
    rng = np.random.default_rng(2)
    neuron = by_channel(NEURONS[name], 4)
    check(
        compiled(
            conv(
                shape=(4, 4, 3),
                neuron=neuron,
                stride=(1, 2),
                padding=(1, 0),
                groups=2,
                **synapses(rng, neuron, (4, 1, 3, 2)),
            ),
            FlattenLayer(name="layer1", shape=(48, 1, 1)),
            dense(even_weights(rng, 6, 48, most=20), name="layer2", neuron=cuba(vth=90)),
            input_shape=(2, 4, 6),
        )
    )


@pytest.mark.parametrize("name", [name for name in NEURONS if name != "sdnn-sum"])
def test_neurons_at_the_input(name: str) -> None:
    rng = np.random.default_rng(3)
    neuron = NEURONS[name]
    entry = InputLayer(name="layer0", shape=(2, 3, 4), weight=40, bias=5, neuron=neuron)
    kernel = even_weights(rng, 3, 2, 2, 2, most=40)
    check(
        compiled(entry, conv(kernel, (3, 2, 3), name="layer1", neuron=cuba(vth=50))),
        low=-120,
        high=121,
    )


@pytest.mark.parametrize("name", [n for n in NEURONS if not is_complex(NEURONS[n])])
def test_recurrent_layers_forget_the_sample_before(name: str) -> None:
    rng = np.random.default_rng(4)
    neuron = NEURONS[name]
    fields = synapses(rng, neuron, (6, 7))
    fields["weight_rec"] = even_weights(rng, 6, 6, most=24)
    check(
        compiled(
            RecurrentLayer(name="layer0", shape=(6,), neuron=neuron, **fields),
            dense(even_weights(rng, 5, 6, most=30), name="layer1", neuron=cuba(vth=200, du=3000)),
        )
    )


def branching(first: Neuron, second: Neuron) -> CompiledNetwork:
    """The last layer hears the input, a layer of one synapse and one of two."""
    rng = np.random.default_rng(5)
    layers: list[Layer] = [
        InputLayer(name="layer0", shape=(5,)),
        dense(name="layer1", neuron=first, **synapses(rng, first, (4, 5))),
        dense(name="layer2", neuron=second, **synapses(rng, second, (6, 4))),
        ConcatLayer(name="layer3", shape=(15,), sources=(0, 2, 1)),
        dense(name="layer4", neuron=cuba(vth=90), **synapses(rng, first, (5, 15), most=40)),
    ]
    return compiled(*layers)


@pytest.mark.parametrize("timeline", Timeline)
@pytest.mark.parametrize("names", [("cuba", "alif"), ("cuba-graded", "cuba"), ("alif", "sdnn")])
def test_sources_of_several_lags_and_units(names: tuple[str, str], timeline: Timeline) -> None:
    first, second = (NEURONS[name] for name in names)
    check(branching(first, second), timeline=timeline)


@pytest.mark.parametrize("timeline", Timeline)
def test_images_side_by_side(timeline: Timeline) -> None:
    rng = np.random.default_rng(6)
    kernels = [
        even_weights(rng, *shape, most=40) for shape in ((3, 2, 3, 3), (2, 3, 3, 3), (4, 7, 2, 2))
    ]
    check(
        compiled(
            InputLayer(name="layer0", shape=(2, 4, 5)),
            conv(kernels[0], (3, 4, 5), name="layer1", padding=(1, 1)),
            conv(kernels[1], (2, 4, 5), name="layer2", padding=(1, 1)),
            ConcatLayer(name="layer3", shape=(7, 4, 5), sources=(1, 0, 2)),
            conv(kernels[2], (4, 3, 4), name="layer4"),
        ),
        timeline=timeline,
    )


@pytest.mark.parametrize("timeline", Timeline)
def test_biases_that_act_before_the_input_and_feedback(timeline: Timeline) -> None:
    rng = np.random.default_rng(7)
    layers: list[Layer] = [
        dense(
            name=f"layer{index}",
            neuron=cuba(vth=30),
            weight=even_weights(rng, after, before, most=40),
            bias=rng.integers(0, 25, after, dtype=np.int32),
            delay=rng.integers(0, 4, after, dtype=np.int32),
        )
        for index, (before, after) in enumerate(itertools.pairwise((6, 5, 4)))
    ]
    layers.append(
        RecurrentLayer(
            name="layer2",
            shape=(4,),
            weight=even_weights(rng, 4, 4, most=30),
            weight_rec=even_weights(rng, 4, 4, most=30),
            bias=ints([0, 20, 0, 9]),
            neuron=NEURONS["cuba-refractory"],
        )
    )
    check(compiled(*layers), timeline=timeline)


def test_counts_at_the_input_are_multiplied() -> None:
    rng = np.random.default_rng(8)
    network = compiled(dense(even_weights(rng, 6, 5, most=30), neuron=cuba(vth=200)))
    check(network, high=9)


def test_sums_of_payloads_beyond_32_bits() -> None:
    # 300 voltages of up to 2**20 times 254, before they are brought to the unit of the states
    rng = np.random.default_rng(9)
    loud = replace(cuba(vth=10, du=0, dv=0), graded_spike=True)
    first = np.full((300, 4), 254)
    second = np.where(rng.random((3, 300)) < 0.5, 254, -256)
    network = compiled(
        dense(first, neuron=loud),
        dense(second, name="layer1", neuron=cuba(vth=131071, du=4096, dv=4096)),
        profile="ideal",
    )
    inputs = SpikeInput(spikes=random_spikes(rng, SAMPLES, 4, STEPS, rate=0.9))
    options = RunOptions(record=("all",))
    expected = open_backend("reference").run(network, inputs, options)
    payloads = expected.spikes.dense(0).astype(np.int64)
    assert int(np.abs(np.einsum("on,bnt->bot", second, payloads)).max()) > 1 << 31
    assert_runs_are_identical(expected, open_backend("lava").run(network, inputs, options))


def test_more_groups_than_eight_bits_count() -> None:
    rng = np.random.default_rng(10)
    kernel = even_weights(rng, 200, 1, 2, 2, most=120)
    check(
        compiled(
            conv(kernel, (200, 2, 2), groups=200, neuron=cuba(vth=60)),
            profile="ideal",
            input_shape=(200, 3, 3),
        )
    )


def check_random(network: Network) -> None:
    _, problems = Legalize().examine(network)
    assume(not problems)
    ready = compile_network(network, load_profile("ideal"), allow_approximate=True)
    shape = (SAMPLES, *ready.network.input_shape, 7)
    rng = np.random.default_rng(len(network.layers) + shape[1])
    at_input = isinstance(ready.network.layers[0], ChipInput)
    low, high = (-256, 255) if at_input else (0, int(rng.integers(2, 4)))
    inputs = SpikeInput(spikes=rng.integers(low, high, shape))
    for timeline in Timeline:
        options = RunOptions(record=("all",), timeline=timeline)
        assert_runs_are_identical(
            open_backend("reference").run(ready, inputs, options),
            open_backend("lava").run(ready, inputs, options),
        )


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=UNHURRIED,
    max_examples=15,
)
@given(network=fitting_networks())
def test_random_networks_of_every_kind(network: Network) -> None:
    check_random(network)


@pytest.mark.slow
@settings(deadline=None, database=None, suppress_health_check=UNHURRIED, max_examples=500)
@given(network=fitting_networks())
def test_many_random_networks_of_every_kind(network: Network) -> None:
    check_random(network)


def test_the_neurons_above_are_of_all_kinds() -> None:
    assert {neuron.kind for neuron in NEURONS.values()} == set(NeuronKind) - {NeuronKind.LOIHI}
