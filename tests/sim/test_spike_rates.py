"""What the placement of cores goes by: how often each neuron fires."""

from __future__ import annotations

import numpy as np
from builders import dense, even_weights, random_spikes

from lavadeploy.compile import compile_network, core_traffic
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import AverageLayer, FlattenLayer, InputLayer, Network
from lavadeploy.sim import SpikeInput, measure_spike_rates, open_backend

RNG = np.random.default_rng(0)
NETWORK = Network(
    layers=(
        InputLayer(name="layer0", shape=(2, 2, 2)),
        FlattenLayer(name="layer1", shape=(8, 1, 1)),
        dense(even_weights(RNG, 12, 8, most=60), name="layer2"),
        dense(even_weights(RNG, 6, 12, most=60), name="layer3"),
        AverageLayer(name="layer4", shape=(3, 1, 1)),
    )
)
INPUTS = SpikeInput(spikes=random_spikes(RNG, 70, 2, 2, 2, 10, rate=0.4))
CHIP = load_profile("loihi2")


def test_rates_are_spikes_per_sample_of_the_first_samples() -> None:
    rates = measure_spike_rates(NETWORK, INPUTS)
    log = open_backend("reference").run(compile_network(NETWORK, CHIP), INPUTS.first(64)).spikes
    for index, name in enumerate(("layer2", "layer3")):
        assert np.array_equal(rates[name] * 64, log.spike_counts(index).sum(axis=0))


def test_a_network_is_placed_and_its_traffic_counted_by_them() -> None:
    rates = measure_spike_rates(NETWORK, INPUTS)
    compiled = compile_network(NETWORK, CHIP, spike_rates=rates)
    traffic = core_traffic(compiled.network, compiled.placement, CHIP, rates)
    fired = rates["layer2"].sum() + rates["layer3"].sum()
    assert traffic.total_messages == fired  # each layer sits on one core and is heard by one
