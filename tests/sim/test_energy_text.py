"""What people read of an estimate."""

from __future__ import annotations

import math

import pytest
from energy_counts import counts_of, layer_of

from lavadeploy.hw_profiles import load_profile
from lavadeploy.sim import Boundary, EnergyOptions, Estimate, energy_lines, estimate_energy
from lavadeploy.sim.energy_text import quantity, three_digits


def estimate(nominal: float, unit: str) -> Estimate:
    return Estimate(
        nominal=nominal, low=nominal / 10, high=nominal * 10, unit=unit, evidence="inferred"
    )


@pytest.mark.parametrize(
    ("nominal", "unit", "text"),
    [
        (2.0, "nJ", "2 nJ (0.2 to 20)"),
        (2500.0, "nJ", "2.5 µJ (0.25 to 25)"),
        (2.5e9, "nJ", "2.5 J (0.25 to 25)"),
        (12000.0, "us", "12 ms (1.2 to 120)"),
        (1500.0, "mW", "1.5 W (0.15 to 15)"),
        (4e6, "nJ s", "4 mJ s (0.4 to 40)"),
    ],
)
def test_units_follow_the_size(nominal: float, unit: str, text: str) -> None:
    assert quantity(estimate(nominal, unit)) == text


def test_numbers_without_bound_are_any() -> None:
    assert three_digits(math.inf) == "any"


@pytest.mark.parametrize("size", [1.0, 1e4, 1e9])
@pytest.mark.parametrize("boundary", [Boundary.NEUROCORES, Boundary.BOARD])
def test_every_line_fits_80_columns(size: float, boundary: Boundary) -> None:
    layer = layer_of(
        connections=round(size),
        spikes=0.123456 * size,
        synaptic_operations=12.3456 * size,
        neuron_updates=1.23456 * size,
        messages=size,
        hops=size,
        crossings=size,
    )
    found = estimate_energy(
        counts_of(layer, chips=8), load_profile("loihi2"), EnergyOptions(boundary=boundary)
    )
    lines = energy_lines(found, "loihi2")
    assert max(map(len, lines)) <= 80
    text = " ".join(line.strip() for line in lines)
    assert "board share of 8 chips" in text or "With a board's share of the chips" in text
    assert "Estimated, not measured; the weakest coefficient is inferred." in text
    assert "Not included: barriers of the steps (energy not known)" in text
    assert "An 8-bit ANN of these layers (45 nm)" in text


def test_a_number_stays_beside_its_percent_sign() -> None:
    profile = load_profile("loihi2")
    assert profile.energy is not None
    step = profile.energy.synaptic_operation.model_copy(update={"nominal": 5e5, "high": 1e6})
    dear = profile.model_copy(
        update={
            "energy": profile.energy.model_copy(
                update={"step": step, "inference": step.model_copy(update={"nominal": 3e6})}
            )
        }
    )
    layer = layer_of(
        spikes=9, synaptic_operations=50, neuron_updates=1e3, messages=9, hops=0, crossings=0
    )
    lines = energy_lines(estimate_energy(counts_of(layer), dear), "loihi2")
    shares = next(k for k, line in enumerate(lines) if line.startswith("Of that "))
    assert lines[shares + 1].startswith("  ")  # they take two lines
    assert not lines[shares + 1].startswith("  %")
    assert max(map(len, lines)) <= 80


def test_updates_that_cost_more_than_the_artificial_network_are_said() -> None:
    layer = layer_of(
        connections=10, spikes=1, synaptic_operations=10, neuron_updates=1e6, messages=0
    )
    lines = energy_lines(estimate_energy(counts_of(layer), load_profile("loihi2")), "loihi2")
    assert "  costs less even if nothing fires." in lines
