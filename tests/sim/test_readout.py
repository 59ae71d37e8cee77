"""Networks that answer in voltages, or take numbers in place of spikes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, cuba, dense, even_weights, random_spikes

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    NEVER_FIRES,
    AverageLayer,
    ConcatLayer,
    InputLayer,
    Network,
    RecurrentLayer,
    SigmaDeltaNeuron,
    UnsupportedNetworkError,
)
from lavadeploy.sim import (
    SpikeInput,
    compare_runs,
    count_activity,
    load_run,
    open_backend,
    run_network,
    save_run,
    summarize_run,
)

RNG = np.random.default_rng(0)
HIDDEN = dense(even_weights(RNG, 12, 8, most=60))
INPUTS = SpikeInput(spikes=random_spikes(RNG, 5, 8, 20, rate=0.4), labels=np.array([0, 1, 2, 0, 1]))


def affine() -> CompiledNetwork:
    """A readout with a bias behind a layer of neurons, as SLAYER's Affine blocks are exported."""
    readout = dense(
        even_weights(RNG, 3, 12, most=60),
        name="layer1",
        neuron=cuba((1 << 18) - 1, du=4096, dv=4096),
        bias=np.array([3, -5, 7]),
    )
    return compiled(HIDDEN, readout)


def average() -> CompiledNetwork:
    return compiled(HIDDEN, AverageLayer(name="layer1", shape=(3, 1, 1)))


@pytest.mark.parametrize("network", [affine(), average()], ids=["affine", "average"])
def test_the_voltage_of_the_last_layer_is_the_answer(network: CompiledNetwork) -> None:
    assert network.network.layers[-1].neuron.vth_mantissa == NEVER_FIRES
    result = open_backend("reference").run(network, INPUTS)
    assert result.readout is not None
    assert result.readout.shape == (5, 3, 20)
    assert result.readout.any()
    assert not result.spikes.spike_counts(1).any()
    assert np.array_equal(result.predictions(), result.readout.sum(axis=2).argmax(axis=1))


def test_means_predict_what_counts_of_spikes_predict() -> None:
    result = open_backend("reference").run(average(), INPUTS)
    counts = result.spikes.spike_counts(0).reshape(5, 3, 4).sum(axis=2)
    assert np.array_equal(result.predictions(), counts.argmax(axis=1))


@pytest.mark.lava
@pytest.mark.parametrize("network", [affine(), average()], ids=["affine", "average"])
def test_lava_reads_the_same_voltages(network: CompiledNetwork) -> None:
    on_lava = open_backend("lava").run(network, INPUTS)
    on_reference = open_backend("reference").run(network, INPUTS)
    assert on_lava.readout is not None
    assert on_reference.readout is not None
    assert np.array_equal(on_lava.readout, on_reference.readout)
    assert on_lava.states == ()
    found = compare_runs(on_lava, on_reference)
    assert (found.equal, found.readouts_compared, found.predictions_equal) == (True, True, 1)


def test_a_run_folder_keeps_the_readout(tmp_path: Path) -> None:
    network = affine()
    result = open_backend("reference").run(network, INPUTS)
    summary = summarize_run(network, INPUTS, result)
    assert summary.predictions == tuple(result.predictions())
    assert summary.answers_in == "voltages"
    save_run(tmp_path / "run", summary, result, network)
    _, loaded = load_run(tmp_path / "run")
    assert loaded.readout is not None
    assert result.readout is not None
    assert np.array_equal(loaded.readout, result.readout)


def test_readouts_that_differ_are_a_difference() -> None:
    network = affine()
    spikes = random_spikes(np.random.default_rng(2), 2, *network.network.input_shape, 6)
    run = open_backend("reference").run(network, SpikeInput(spikes=spikes))
    assert run.readout is not None
    other = run.readout.copy()
    other[1, 0, 4] += 1
    assert compare_runs(run, run).equal
    found = compare_runs(run, dataclasses.replace(run, readout=other))
    assert not found.equal
    assert found.first is not None
    assert (found.first.sample, found.first.step, found.first.neuron) == (1, 4, 0)
    assert (found.first.layer, found.first.quantity) == ("layer1", "voltage")
    assert found.first.value_b == found.first.value_a + 1


def analog(**neuron: Any) -> Network:
    first = InputLayer(
        name="layer0", shape=(8,), weight=48, bias=-2, neuron=cuba(40, **neuron), delay_shift=False
    )
    return Network(layers=(first, dense(even_weights(RNG, 4, 8), name="layer1")))


def test_neurons_at_the_input_take_numbers() -> None:
    network = analog(du=4096, dv=300)
    numbers = RNG.integers(-100, 101, (3, 8, 15))
    result = open_backend("reference").run(
        compile_network(network, load_profile("loihi2")), SpikeInput(spikes=numbers)
    )
    for index, run in enumerate(run_network(network, numbers)):
        assert run.output.any()
        assert np.array_equal(result.spikes.dense(index), run.output)


def test_messages_keep_their_values() -> None:
    first = InputLayer(
        name="layer0", shape=(8,), weight=64, neuron=SigmaDeltaNeuron(vth_mantissa=3)
    )
    last = dense(even_weights(RNG, 4, 8), name="layer1", neuron=SigmaDeltaNeuron(vth_mantissa=2))
    network = Network(layers=(first, last))
    numbers = RNG.integers(-100, 101, (3, 8, 15))
    result = open_backend("reference").run(
        compile_network(network, load_profile("loihi2")), SpikeInput(spikes=numbers)
    )
    assert np.abs(result.spikes.value).max() > 1
    for index, run in enumerate(run_network(network, numbers)):
        assert np.array_equal(result.spikes.dense(index), run.output)


def test_what_loihi_cannot_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = open_backend("loihi")

    def available(_: Any) -> None:
        return None

    monkeypatch.setattr(type(found), "unavailable", available)
    network = compile_network(analog(), load_profile("loihi2"))
    inputs = SpikeInput(spikes=np.ones((1, 8, 3), dtype=np.uint8))
    with pytest.raises(UnsupportedNetworkError) as caught:
        found.run(network, inputs)
    assert str(caught.value) == (
        "layer0: neurons at the input cannot run on backend 'loihi' yet; backend 'lava' can."
    )


def test_synaptic_operations_count_every_source_and_what_comes_back() -> None:
    rng = np.random.default_rng(1)
    first = dense(even_weights(rng, 6, 8, most=60))
    second = RecurrentLayer(
        name="layer1",
        shape=(4,),
        weight=even_weights(rng, 4, 6, most=60),
        weight_rec=even_weights(rng, 4, 4, most=20),
        neuron=cuba(),
    )
    joined = ConcatLayer(name="layer2", shape=(10,), sources=(1, 0))
    last = dense(even_weights(rng, 3, 10), name="layer3")
    network = compiled(first, second, joined, last)
    result = open_backend("reference").run(network, INPUTS)
    counts = count_activity(network, INPUTS, result.spikes)
    fired = [int(result.spikes.spike_counts(k).sum()) for k in range(3)]
    assert all(fired)
    assert [layer.synaptic_operations for layer in counts.layers] == [
        6 * int(INPUTS.spikes.sum()),
        4 * (fired[0] + fired[1]),
        3 * (fired[1] + fired[0]),
    ]
