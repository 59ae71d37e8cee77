"""Operations of a run, from what was counted of it."""

from __future__ import annotations

import numpy as np
from builders import compiled, conv, dense, even_weights, random_spikes
from profiles import limited

from lavadeploy.compile import compile_network, core_traffic
from lavadeploy.netx import Network
from lavadeploy.sim import (
    SpikeInput,
    count_activity,
    estimate_energy,
    open_backend,
    operations_of,
    summarize_run,
)
from lavadeploy.sim.energy.connections import connections


def test_connections_are_what_an_artificial_network_multiplies() -> None:
    rng = np.random.default_rng(0)
    network = compiled(
        conv(even_weights(rng, 3, 2, 3, 3), (3, 6, 6), padding=(1, 1)),
        dense(even_weights(rng, 5, 108), name="layer1"),
    ).network
    # 3 x 3 places of the kernel, fewer at the borders: 16 inner, 16 border, 4 corner pixels
    met = 3 * 2 * (16 * 9 + 16 * 6 + 4 * 4)
    assert [connections(layer) for layer in network.layers] == [met, 5 * 108]


def test_messages_are_those_between_cores() -> None:
    rng = np.random.default_rng(1)
    layers = (dense(even_weights(rng, 6, 4)), dense(even_weights(rng, 4, 6), name="layer1"))
    placed = compile_network(Network(layers=layers), limited("loihi2", neurons_per_core=2))
    inputs = SpikeInput(spikes=random_spikes(rng, 3, 4, 8))
    result = open_backend("reference").run(placed, inputs)
    activity = count_activity(placed, inputs, result.spikes)
    fired = {
        name: result.spikes.spike_counts(k).sum(axis=0)
        for k, name in enumerate(result.spikes.layer_names)
    }
    traffic = core_traffic(placed.network, placed.placement, placed.profile, fired)
    found = operations_of(activity, placed.network, traffic)
    first, last = found.layers
    assert first.messages == 2 * activity.layers[0].spikes  # two cores of layer1 hear each
    assert (last.messages, last.hops) == (0, 0)
    arriving = [core.messages_in for core in found.cores if core.layer == "layer1"]
    assert arriving == [activity.layers[0].spikes] * 2
    assert found.has_messages
    summary = summarize_run(placed, inputs, result)
    assert summary.energy == estimate_energy(found, placed.profile)


def test_counts_alone_leave_the_mesh_out() -> None:
    network = compiled(dense([[10]]))
    inputs = SpikeInput(spikes=np.ones((1, 1, 2), dtype=np.uint8))
    result = open_backend("reference").run(network, inputs)
    found = operations_of(count_activity(network, inputs, result.spikes))
    assert not found.has_messages
    assert found.layers[0].connections is None
