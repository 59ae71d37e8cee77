"""Messages are counted one for each spike and core that hears it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from placing import QUICK, chip, chip_conv, chip_dense, reached_by_brute_force
from profiles import SHIPPED, limited
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import ChipDense, ChipNetwork, Placement, core_traffic, neuron_count
from lavadeploy.compile.mesh import crossing_table, hop_table
from lavadeploy.compile.passes.place import Place
from lavadeploy.netx import size_of


def by_brute_force(
    network: ChipNetwork, placement: Placement, spikes: list[NDArray[np.int64]]
) -> Counter[tuple[int, int]]:
    """Send every spike to every core that hears it."""
    found: Counter[tuple[int, int]] = Counter()
    for layer in network.layers:
        for target in placement.cores_of(layer.name):
            reached = reached_by_brute_force(layer, target.neurons)
            first = 0
            heard: list[tuple[int, int]] = []
            for source in layer.sources:
                n = neuron_count(network.layers[source]) if source >= 0 else 0
                heard += [(source, k) for k in range(n) if reached[first + k]]
                first += n or size_of(network.input_shape)
            if isinstance(layer, ChipDense) and layer.weights_rec is not None:
                own = network.layers.index(layer)
                heard += [(own, k) for k in range(neuron_count(layer))]
            for source, neuron in heard:
                core = placement.core_of_neurons(network.layers[source].name)[neuron]
                found[int(core), target.index] += int(spikes[source][neuron])
    return found


def assert_counts_are_right(network: ChipNetwork, limit: int, seed: int) -> None:
    profile = limited("loihi2", neurons_per_core=limit)
    placement = Place(profile=profile).run(network)
    rng = np.random.default_rng(seed)
    spikes = [rng.integers(0, 9, neuron_count(layer)) for layer in network.layers]
    rates = {layer.name: counts for layer, counts in zip(network.layers, spikes, strict=True)}
    traffic = core_traffic(network, placement, profile, rates)
    rows = zip(traffic.source, traffic.target, strict=True)
    pairs = [(int(source), int(target)) for source, target in rows]
    assert len(set(pairs)) == len(pairs)
    found = dict(zip(pairs, traffic.messages.tolist(), strict=True))
    expected = by_brute_force(network, placement, spikes)
    assert found == {pair: float(count) for pair, count in expected.items()}  # whole numbers
    for (source, target), hops, crossings in zip(
        pairs, traffic.hops.tolist(), traffic.crossings.tolist(), strict=True
    ):
        ends = (placement.cores[source].site,), (placement.cores[target].site,)
        assert hops == hop_table(profile.mesh, *ends).item()
        assert crossings == crossing_table(profile.mesh, *ends).item()
    assert traffic.total_messages == sum(expected.values())
    assert traffic.total_hops == sum(
        m * h for m, h in zip(traffic.messages, traffic.hops, strict=True)
    )
    assert traffic.total_crossings == 0


@QUICK
@given(
    case=st.one_of(conv_cases(), dense_cases()), limit=st.integers(2, 12), seed=st.integers(0, 99)
)
def test_messages_are_those_of_a_count_spike_by_spike(case: Case, limit: int, seed: int) -> None:
    assert_counts_are_right(chip(case), limit, seed)


def test_several_sources_and_recurrent_layers_are_counted() -> None:
    image = (2, 4, 5)
    network = ChipNetwork(
        input_shape=image,
        layers=(
            chip_conv("a", image, (3, 4, 5), 4, (-1,), padding=(1, 1)),
            chip_conv("b", image, (4, 4, 5), 4, (-1,), padding=(1, 1)),
            chip_conv("ab", (7, 4, 5), (2, 2, 3), 4, (0, 1)),
            chip_conv("with_input", (6, 4, 5), (1, 2, 3), 4, (-1, 1)),
            chip_dense("all", 12 + 60 + 6 + 12, 9, 4, (2, 0, 3, 2), recurs=True),
        ),
    )
    for limit in (4, 7, 30):
        assert_counts_are_right(network, limit, limit)


def test_neurons_spike_once_each_unless_told() -> None:
    network = ChipNetwork(
        input_shape=(3,),
        layers=(chip_dense("a", 3, 10, 4, (-1,)), chip_dense("b", 10, 4, 4, (0,))),
    )
    profile = limited("loihi2", neurons_per_core=5)
    placement = Place(profile=profile).run(network)
    assert core_traffic(network, placement, profile).messages.tolist() == [5.0, 5.0]
    rates = {"a": np.array(0.25), "b": np.array(0.0)}
    assert core_traffic(network, placement, profile, rates).messages.tolist() == [1.25, 1.25]


def test_a_single_layer_sends_nothing() -> None:
    network = ChipNetwork(input_shape=(3,), layers=(chip_dense("a", 3, 10, 4, (-1,)),))
    placement = Place(profile=SHIPPED["loihi2"]).run(network)
    traffic = core_traffic(network, placement, SHIPPED["loihi2"])
    assert traffic.source.size == 0
    assert (traffic.total_messages, traffic.total_hops) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ({"b": np.array(1.0)}, "no spike rates of a, but of b"),
        ({"a": np.array(-1.0)}, "spike rates of a must be finite and not negative"),
        ({"a": np.full(10, np.nan)}, "spike rates of a must be finite and not negative"),
    ],
)
def test_rates_that_cannot_be_are_refused(
    rates: dict[str, NDArray[np.float64]], sentence: str
) -> None:
    network = ChipNetwork(input_shape=(3,), layers=(chip_dense("a", 3, 10, 4, (-1,)),))
    placement = Place(profile=SHIPPED["loihi2"]).run(network)
    with pytest.raises(ValueError, match=sentence):
        core_traffic(network, placement, SHIPPED["loihi2"], rates)
