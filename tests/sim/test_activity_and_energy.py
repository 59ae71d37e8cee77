"""Counts against brute force, and the energy model against its formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, convolve, dense, even_weights, random_spikes
from hypothesis import given, settings
from profiles import limited
from strategies import UNHURRIED, Case, conv_cases

from lavadeploy.compile import ChipConv, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import Network, ProfileError
from lavadeploy.sim import SpikeInput, count_activity, estimate_energy, open_backend


def test_a_dense_layer_meets_every_weight_of_a_spiking_input() -> None:
    rng = np.random.default_rng(0)
    network = compiled(
        dense(even_weights(rng, 7, 5), name="layer0"),
        dense(even_weights(rng, 3, 7), name="layer1"),
    )
    inputs = SpikeInput(spikes=random_spikes(rng, 4, 5, 6))
    run = open_backend("reference").run(network, inputs)
    counts = count_activity(network, inputs, run.spikes)
    hidden = int(np.count_nonzero(run.spikes.layer == 0))
    assert counts.input_spikes == int(inputs.spikes.sum())
    assert [layer.synaptic_operations for layer in counts.layers] == [
        7 * counts.input_spikes,
        3 * hidden,
    ]
    assert [layer.neuron_updates for layer in counts.layers] == [7 * 24, 3 * 24]
    assert counts.layers[0].activity == hidden / (7 * 24)


@settings(max_examples=60, deadline=None, suppress_health_check=UNHURRIED)
@given(conv_cases())
def test_a_convolution_meets_only_weights_inside_the_image(case: Case) -> None:
    network = compile_network(case.network, load_profile("ideal"), input_shape=case.input_shape)
    layer = network.network.layers[0]
    assert isinstance(layer, ChipConv)
    run = open_backend("reference").run(network, case.inputs)
    counts = count_activity(network, case.inputs, run.spikes)
    # send one spike after the other through a kernel of ones and count what arrives
    ones = np.ones(layer.weights.mantissa.shape, dtype=np.int64)
    events = np.argwhere(case.inputs.spikes.reshape(case.inputs.n_samples, -1, case.inputs.n_steps))
    fan_out = convolve(layer, np.eye(int(np.prod(layer.shape_in)), dtype=np.int64), ones).sum(
        axis=1
    )
    assert counts.layers[0].synaptic_operations == sum(int(fan_out[e[1]]) for e in events)


@settings(max_examples=60, deadline=None, suppress_health_check=UNHURRIED)
@given(conv_cases())
def test_cores_add_up_to_layers(case: Case) -> None:
    network = compile_network(case.network, load_profile("loihi2"), input_shape=case.input_shape)
    run = open_backend("reference").run(network, case.inputs)
    counts = count_activity(network, case.inputs, run.spikes)
    for layer in counts.layers:
        cores = [core for core in counts.cores if core.layer == layer.name]
        for field in ("neurons", "spikes", "synaptic_operations"):
            assert sum(getattr(core, field) for core in cores) == getattr(layer, field)


def test_a_layer_on_several_cores_is_counted_by_core() -> None:
    rng = np.random.default_rng(1)
    network = compiled(conv(even_weights(rng, 8, 2, 3, 3), (8, 30, 30), padding=(1, 1)))
    cores = network.placement.cores_of("layer0")
    assert len(cores) == 2  # 7200 neurons, 4095 a core
    spikes = np.zeros((1, 2, 30, 30, 4), dtype=np.uint8)
    spikes[0, :, :, 0, :] = 1  # the left border only
    inputs = SpikeInput(spikes=spikes)
    counts = count_activity(network, inputs, open_backend("reference").run(network, inputs).spikes)
    left, right = counts.cores
    # 2 input channels, 30 rows, 4 steps; columns 0 and 1 see them, with 3 rows but 2 at corners
    assert left.synaptic_operations == 8 * 2 * 4 * 2 * (28 * 3 + 2 * 2)
    assert right.synaptic_operations == 0


def test_graded_input_counts_events_and_not_payloads() -> None:
    network = compiled(dense([[10], [10]]))
    inputs = SpikeInput(spikes=np.array([[[3, 0, 1]]]))
    counts = count_activity(network, inputs, open_backend("reference").run(network, inputs).spikes)
    assert counts.input_spikes == 2
    assert counts.layers[0].synaptic_operations == 4


def test_the_weakest_evidence_names_the_estimate() -> None:
    network = compiled(dense([[10]]), profile="loihi1")
    inputs = SpikeInput(spikes=np.ones((1, 1, 2), dtype=np.uint8))
    counts = count_activity(network, inputs, open_backend("reference").run(network, inputs).spikes)
    estimate = estimate_energy(counts, network.profile)
    assert estimate.terms["synaptic operations"].evidence == "toolchain"
    # the step overhead is inferred, and static energy is power times time
    assert estimate.total_energy.evidence == "inferred"


def test_a_profile_without_coefficients_refuses_joules() -> None:
    network = compiled(dense([[10]]), profile="ideal")
    inputs = SpikeInput(spikes=np.ones((1, 1, 2), dtype=np.uint8))
    counts = count_activity(network, inputs, open_backend("reference").run(network, inputs).spikes)
    with pytest.raises(ProfileError) as raised:
        estimate_energy(counts, network.profile)
    assert str(raised.value) == (
        "profile 'ideal' has no energy, time or power coefficients, so there are counts but no "
        "joules. Compile for a profile that has them."
    )


def test_every_chip_in_use_draws_static_power() -> None:
    inputs = SpikeInput(spikes=np.ones((1, 2, 4), dtype=np.uint8))
    layers = (dense([[2, 2]] * 4), dense([[2, 2, 2, 2]] * 2, name="layer1"))
    network = Network(layers=layers)
    found: list[Any] = []
    for chips, per_chip in ((1, 120), (3, 2)):
        profile = limited("loihi2", neurons_per_core=1, cores_per_chip=per_chip)
        compiled = compile_network(network, profile)
        result = open_backend("reference").run(compiled, inputs)
        counts = count_activity(compiled, inputs, result.spikes)
        assert counts.chips == chips
        found.append(estimate_energy(counts, compiled.profile))
    one, three = found
    power = {e.static_boundary: e.terms["static power"].nominal / e.time.nominal for e in found}
    assert set(power) == {one.static_boundary, "neurocores of 3 chips"}
    assert power[three.static_boundary] == pytest.approx(3 * power[one.static_boundary])
