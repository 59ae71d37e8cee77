"""Published measurements, and where the model's predictions stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavadeploy.compile import compile_network, neuron_count
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import read_netx
from lavadeploy.sim import Estimate
from lavadeploy.sim.energy.published_cases import published_cases
from lavadeploy.sim.energy.validation import Comparison
from lavadeploy.sim.fan_out import fan_out


def found(title: str, quantity: str) -> Comparison:
    (case,) = [case for case in published_cases() if case.title.startswith(title)]
    (comparison,) = [c for c in case.comparisons if c.quantity.startswith(quantity)]
    return comparison


@pytest.mark.parametrize("steps", [51, 91, 171, 331, 651])
def test_energy_of_loihi1s_cores_is_within_15_percent_at_every_length(steps: int) -> None:
    comparison = found("MNIST", f"dynamic energy of the cores, {steps} steps")
    assert comparison.verdict == "inside"
    assert comparison.independent
    assert comparison.factor == pytest.approx(1, abs=0.15)


def test_times_that_the_host_sets_are_missed() -> None:
    times = [c for case in published_cases() for c in case.comparisons if "time" in c.quantity]
    missed = [c for c in times if c.verdict != "inside"]
    assert found("Keyword", "time") in missed
    assert found("MNIST", "time of a step, 51 ") in missed
    assert {c.verdict for c in missed} == {"too low"}
    assert all(c.remark for c in missed)


def test_what_coefficients_were_concluded_from_proves_nothing() -> None:
    assert not found("PilotNet with LIF", "dynamic energy").independent
    assert not found("Acoustic", "dynamic energy").independent


def test_connections_of_the_noise_suppressor_are_its_published_parameters() -> None:
    comparison = found("Noise", "connections")
    assert comparison.predicted.nominal == 525.312
    assert comparison.verdict == "inside"


def test_every_case_names_its_source_and_its_assumptions() -> None:
    for case in published_cases():
        assert len(case.source) > 10
        assert len(case.counts) > 20
        assert case.comparisons


@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        ((1.0, 1.9), "too high"),
        ((1.0, 2.0), "inside"),
        ((4.0, 9.0), "inside"),
        ((4.1, 5.0), "too low"),
    ],
)
def test_the_ends_of_an_interval_belong_to_it(published: tuple[float, float], verdict: str) -> None:
    predicted = Estimate(nominal=3.0, low=2.0, high=4.0, unit="nJ", evidence="inferred")
    comparison = Comparison(
        quantity="x", unit="nJ", published=published, predicted=predicted, independent=True
    )
    assert comparison.verdict == verdict


@pytest.mark.shared_data
def test_pilotnet_has_the_neurons_that_the_case_takes(shared_data: Path) -> None:
    network = read_netx(shared_data / "netx" / "pilotnet_lif" / "network.net")
    compiled = compile_network(network, load_profile("loihi2"))
    layers = compiled.network.layers
    assert sum(neuron_count(layer) for layer in layers) == 158_509
    # the sigma-delta network of the other case has the same layers but for the input's neurons
    assert sum(neuron_count(layer) for layer in layers[1:]) == 118_909
    assert sum(fan_out(compiled, layer).synapses for layer in layers) == 14_144_550
