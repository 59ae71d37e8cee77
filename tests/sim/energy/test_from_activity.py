"""Operations of a run, from what was counted of it."""

from __future__ import annotations

import numpy as np
import pytest
from builders import compiled, conv, dense, even_weights, random_spikes
from profiles import limited

from lavadeploy.compile import compile_network, core_traffic
from lavadeploy.netx import Network
from lavadeploy.sim import (
    SpikeInput,
    count_activity,
    estimate_energy,
    expected_operations,
    open_backend,
    operations_of,
    summarize_run,
)
from lavadeploy.sim.fan_out import fan_out


def test_connections_are_what_an_artificial_network_multiplies() -> None:
    rng = np.random.default_rng(0)
    network = compiled(
        conv(even_weights(rng, 3, 2, 3, 3), (3, 6, 6), padding=(1, 1)),
        dense(even_weights(rng, 5, 108), name="layer1"),
    )
    # 3 x 3 places of the kernel, fewer at the borders: 16 inner, 16 border, 4 corner pixels
    met = 3 * 2 * (16 * 9 + 16 * 6 + 4 * 4)
    assert [fan_out(network, layer).synapses for layer in network.network.layers] == [met, 5 * 108]


def test_expected_messages_are_those_of_a_run_in_which_everything_fires() -> None:
    rng = np.random.default_rng(1)
    layers = (dense(even_weights(rng, 6, 4)), dense(even_weights(rng, 4, 6), name="layer1"))
    placed = compile_network(Network(layers=layers), limited("loihi2", neurons_per_core=2))
    found = expected_operations(placed, 1.0, 3)
    traffic = core_traffic(placed.network, placed.placement, placed.profile)
    first, last = found.layers
    assert first.messages == 3 * 2 * 6  # steps, cores of layer1, neurons
    assert first.hops == 3 * traffic.total_hops > 0
    assert (last.messages, last.hops) == (0, 0)
    assert [core.messages_in for core in found.cores] == [0, 0, 0, 18, 18]


def test_messages_are_those_between_cores() -> None:
    rng = np.random.default_rng(1)
    layers = (dense(even_weights(rng, 6, 4)), dense(even_weights(rng, 4, 6), name="layer1"))
    placed = compile_network(Network(layers=layers), limited("loihi2", neurons_per_core=2))
    inputs = SpikeInput(spikes=random_spikes(rng, 3, 4, 8))
    result = open_backend("reference").run(placed, inputs)
    activity = count_activity(placed, inputs, result.spikes)
    found = operations_of(activity)
    first, last = found.layers
    assert first.messages == 2 * activity.layers[0].spikes  # two cores of layer1 hear each
    assert (last.messages, last.hops) == (0, 0)
    arriving = [core.messages_in for core in found.cores if core.layer == "layer1"]
    assert arriving == [activity.layers[0].spikes] * 2
    assert found.loads is not None
    assert found.loads.synaptic_operations.shape == (8, len(found.cores))
    in_all = 3 * found.loads.synaptic_operations.sum(axis=0)
    assert in_all == pytest.approx([core.synaptic_operations for core in found.cores])
    assert found.has_messages
    summary = summarize_run(placed, inputs, result)
    assert summary.energy == estimate_energy(found, placed.profile)
