"""Operations of every step and core, against spikes sent one by one through the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights, random_spikes
from profiles import limited

from lavadeploy.compile import ChipConv, ChipInput, ChipLayer, CompiledNetwork, compile_network
from lavadeploy.netx import Network, NeuronKind, RecurrentLayer, ResonatorNeuron
from lavadeploy.sim import (
    ActivityCounter,
    ActivityCounts,
    SpikeInput,
    SpikeLog,
    count_activity,
    open_backend,
)

RNG = np.random.default_rng(0)
CONV = (
    conv(even_weights(RNG, 6, 2, 3, 3), (6, 5, 6), padding=(1, 2), stride=(2, 2), groups=1),
    conv(
        even_weights(RNG, 4, 3, 2, 3) * (RNG.random((4, 3, 2, 3)) < 0.6),
        (4, 3, 4),
        name="layer1",
        groups=2,
        dilation=(2, 1),
    ),
    dense(even_weights(RNG, 5, 48) * (RNG.random((5, 48)) < 0.5), name="layer2"),
)
RECURRENT = (
    RecurrentLayer(
        name="layer0",
        shape=(7,),
        weight=even_weights(RNG, 7, 6),
        weight_rec=even_weights(RNG, 7, 7) * (RNG.random((7, 7)) < 0.5),
        neuron=cuba(),
    ),
    dense(even_weights(RNG, 3, 7), name="layer1"),
)


def placed(name: str) -> tuple[CompiledNetwork, SpikeInput]:
    """A network on several cores, and input; some of it graded."""
    rng = np.random.default_rng(1)
    profile = limited("loihi2", neurons_per_core=20)
    if name == "conv":
        network = compile_network(Network(layers=CONV), profile, input_shape=(2, 10, 9))
        return network, SpikeInput(spikes=random_spikes(rng, 5, 2, 10, 9, 7))
    small = limited("loihi2", neurons_per_core=3)
    network = compile_network(Network(layers=RECURRENT), small)
    return network, SpikeInput(spikes=random_spikes(rng, 5, 6, 7) * 3)


def weights_met(layer: ChipLayer, arriving: int, *, nonzero: bool) -> np.ndarray[Any, Any]:
    """How many weights one spike of an input brings to each neuron, from the definition."""
    assert not isinstance(layer, ChipInput)
    kernel = layer.weights.mantissa
    ones = (kernel != 0) if nonzero else np.ones_like(kernel)
    if not isinstance(layer, ChipConv):
        return ones[:, arriving].astype(np.int64)
    found = np.zeros(layer.shape_out, dtype=np.int64)
    channel, row, column = np.unravel_index(arriving, layer.shape_in)
    in_group, out_group = ones.shape[1], layer.shape_out[0] // layer.groups
    for place in np.ndindex(*layer.shape_out):
        if place[0] // out_group != channel // in_group:
            continue
        for y, x in np.ndindex(*ones.shape[2:]):
            at = (
                place[1] * layer.stride[0] + y * layer.dilation[0] - layer.padding[0],
                place[2] * layer.stride[1] + x * layer.dilation[1] - layer.padding[1],
            )
            if at == (row, column):
                found[place] += ones[place[0], channel % in_group, y, x]
    return found.reshape(-1)


def expected_operations(
    network: CompiledNetwork, inputs: SpikeInput, log: SpikeLog, *, nonzero: bool
) -> list[np.ndarray[Any, Any]]:
    """For each layer, weights met, (neurons, T)."""
    found: list[np.ndarray[Any, Any]] = []
    flat = inputs.spikes.reshape(inputs.n_samples, -1, inputs.n_steps)
    for index, layer in enumerate(network.network.layers):
        assert layer.sources == (index - 1,)
        sent = (flat if index == 0 else log.dense(index - 1)) != 0
        events = sent.sum(axis=0)
        reach = [weights_met(layer, k, nonzero=nonzero) for k in range(len(events))]
        met = np.array(reach).T @ events
        recurrent = getattr(layer, "weights_rec", None)
        if recurrent is not None:
            ones = (recurrent.mantissa != 0) if nonzero else np.ones_like(recurrent.mantissa)
            met = met + ones.astype(np.int64) @ (log.dense(index) != 0).sum(axis=0)
        found.append(met)
    return found


@pytest.mark.parametrize("name", ["conv", "recurrent"])
def test_operations_of_every_core_and_step_are_those_of_spikes_one_by_one(name: str) -> None:
    network, inputs = placed(name)
    log = open_backend("reference").run(network, inputs).spikes
    counts = count_activity(network, inputs, log)
    assert len(counts.cores) > 3
    assert counts.by_step is not None
    by_step = counts.by_step
    met = expected_operations(network, inputs, log, nonzero=False)
    effective = expected_operations(network, inputs, log, nonzero=True)
    for index, layer in enumerate(counts.layers):
        fired = (log.dense(index) != 0).sum(axis=0)
        assert layer.spikes > 0
        assert np.array_equal(by_step.layer_spikes[index], fired.sum(axis=0))
        assert np.array_equal(by_step.layer_operations[index], met[index].sum(axis=0))
        assert layer.effective_operations == effective[index].sum()
        assert layer.synaptic_operations == met[index].sum()
        for core in network.placement.cores_of(layer.name):
            assert np.array_equal(
                by_step.core_operations[core.index], met[index][core.neurons].sum(axis=0)
            )
            assert np.array_equal(by_step.core_spikes[core.index], fired[core.neurons].sum(axis=0))
    entering = (inputs.spikes != 0).reshape(5, -1, 7).sum(axis=(0, 1))
    assert np.array_equal(by_step.input_spikes, entering)
    assert [layer.takes_graded for layer in counts.layers] == [name == "recurrent"] + [False] * (
        len(counts.layers) - 1
    )


@pytest.mark.parametrize("name", ["conv", "recurrent"])
def test_dense_operations_are_those_of_spikes_everywhere(name: str) -> None:
    network, inputs = placed(name)
    log = open_backend("reference").run(network, inputs).spikes
    full = SpikeInput(spikes=np.ones(inputs.spikes.shape, dtype=np.uint8))
    n, t = inputs.n_samples, inputs.n_steps
    for index, layer in enumerate(count_activity(network, inputs, log).layers):
        everywhere = [np.indices((n, t, size)).reshape(3, -1) for size in log.layer_sizes]
        columns = np.concatenate(
            [np.vstack([e, np.full(e.shape[1], k)]) for k, e in enumerate(everywhere)], axis=1
        ).astype(np.int32)
        sample, step, neuron, number = columns
        busy = SpikeLog(
            sample=sample,
            step=step,
            layer=number,
            neuron=neuron,
            value=np.ones_like(sample),
            layer_names=log.layer_names,
            layer_sizes=log.layer_sizes,
            n_samples=n,
            n_steps=t,
        )
        counted = count_activity(network, full, busy).layers[index]
        assert counted.synaptic_operations == counted.dense_operations == layer.dense_operations
        assert counted.spikes_per_synapse == t
        assert layer.synapses * n * t == layer.dense_operations


@pytest.mark.parametrize("name", ["conv", "recurrent"])
def test_messages_are_a_spike_for_each_core_that_hears_it(name: str) -> None:
    network, inputs = placed(name)
    log = open_backend("reference").run(network, inputs).spikes
    counts = count_activity(network, inputs, log)
    layers, cores = network.network.layers, network.placement.cores
    sent, received = np.zeros((2, len(cores)), dtype=np.int64)
    into = np.zeros(len(cores), dtype=np.int64)
    hops = np.zeros(len(cores), dtype=np.int64)
    entering = (inputs.spikes != 0).reshape(5, -1, 7).sum(axis=(0, 2))
    fired = [(log.dense(k) != 0).sum(axis=(0, 2)) for k in range(len(layers))]
    for target in cores:
        index = [layer.name for layer in layers].index(target.layer)
        layer = layers[index]
        size = int(np.prod(layer.shape_in))
        reach = [weights_met(layer, k, nonzero=False)[target.neurons].any() for k in range(size)]
        heard = [(index - 1, np.array(reach))]
        if getattr(layer, "weights_rec", None) is not None:
            heard.append((index, np.ones(len(fired[index]), dtype=bool)))
        for source, neurons in heard:
            if source < 0:
                into[target.index] += entering[neurons].sum()
                continue
            for core in network.placement.cores_of(layers[source].name):
                spikes = fired[source][core.neurons][neurons[core.neurons]].sum()
                sent[core.index] += spikes
                received[target.index] += spikes
                # XY routing: as many routers as columns and rows lie between the tiles
                a, b = core.site, target.site
                assert a.chip == b.chip
                hops[core.index] += spikes * (abs(a.column - b.column) + abs(a.row - b.row))
    assert [core.messages_out for core in counts.cores] == sent.tolist()
    assert [core.messages_in for core in counts.cores] == received.tolist()
    assert [core.input_messages for core in counts.cores] == into.tolist()
    assert bool(hops.any()) == (name == "conv")  # the other one fits on a tile
    assert [core.hops for core in counts.cores] == hops.tolist()
    assert [core.crossings for core in counts.cores] == [0] * len(cores)
    for layer in counts.layers:
        mine = [core for core in counts.cores if core.layer == layer.name]
        for field in ("hops", "crossings"):
            assert getattr(layer, field) == sum(getattr(core, field) for core in mine)
        assert layer.messages == sum(core.messages_out for core in mine)
        assert layer.neuron_updates == sum(core.neuron_updates for core in mine)


def test_ways_from_chip_to_chip_are_counted_by_the_core_that_sends() -> None:
    profile = limited("loihi2", neurons_per_core=3, cores_per_chip=2)
    network = compile_network(Network(layers=RECURRENT), profile)
    inputs = SpikeInput(spikes=random_spikes(np.random.default_rng(1), 5, 6, 7))
    log = open_backend("reference").run(network, inputs).spikes
    counts = count_activity(network, inputs, log)
    cores = network.placement.cores
    chips = [core.site.chip for core in cores]
    assert (counts.chips, chips) == (2, [0, 0, 1, 1])
    fired = [(log.dense(k) != 0).sum(axis=(0, 2)) for k in range(2)]
    crossings = [
        # the recurrent layer is heard by all of its cores, and by the one of the next layer
        sum(fired[0][core.neurons].sum() for chip in chips if chip != core.site.chip)
        if core.layer == "layer0"
        else 0
        for core in cores
    ]
    assert sum(crossings) > 0
    assert [core.crossings for core in counts.cores] == crossings
    assert counts.layers[0].crossings == sum(crossings)


def whole(network: CompiledNetwork, inputs: SpikeInput) -> ActivityCounts:
    return count_activity(network, inputs, open_backend("reference").run(network, inputs).spikes)


@pytest.mark.parametrize("name", ["conv", "recurrent"])
@pytest.mark.parametrize("at_once", [1, 1 << 22])
def test_portions_add_up_and_can_be_gone_on_with(
    name: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, inputs = placed(name)
    expected = whole(network, inputs)
    monkeypatch.setattr("lavadeploy.sim.activity_counter.EVENTS_AT_ONCE", 97 * at_once)
    counter = ActivityCounter(network, inputs.n_steps)
    for start, end in ((0, 1), (1, 4), (4, 5)):
        part = inputs.part(start, end)
        counter.add(part, open_backend("reference").run(network, part).spikes)
        state = counter.state()
        counter = ActivityCounter(network, inputs.n_steps)
        counter.restore(state)
    found = counter.counts()
    assert found == expected
    assert found.by_step is not None
    assert expected.by_step is not None
    for field in ("input_spikes", "layer_operations", "core_spikes", "core_operations"):
        assert np.array_equal(getattr(found.by_step, field), getattr(expected.by_step, field))


def test_a_complex_neuron_has_two_weights_for_a_spike() -> None:
    neuron = ResonatorNeuron(
        kind=NeuronKind.RF,
        vth_mantissa=80,
        sin_decay=np.array(1000, dtype=np.int32),
        cos_decay=np.array(3800, dtype=np.int32),
    )
    imag = np.array([[2, 0], [0, 0], [4, 6]], dtype=np.int32)
    network = compiled(dense([[2, 4], [0, 6], [8, 2]], neuron=neuron, weight_imag=imag))
    inputs = SpikeInput(spikes=np.ones((1, 2, 3), dtype=np.uint8))
    (layer,) = whole(network, inputs).layers
    assert layer.synapses == 12
    assert (layer.synaptic_operations, layer.effective_operations) == (36, 3 * (5 + 3))


def test_stored_zeros_are_delivered_but_not_effective() -> None:
    inputs = SpikeInput(spikes=np.ones((1, 2, 3), dtype=np.uint8))
    (layer,) = whole(compiled(dense([[2, 0], [4, 6]])), inputs).layers
    assert (layer.synaptic_operations, layer.effective_operations) == (12, 9)
