"""The energy model against its formula, term by term, at every corner."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeGuard

import numpy as np
import pytest
from energy_counts import counts_of, layer_of, profile_with

from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import OptionError, ProfileError
from lavadeploy.sim import (
    Boundary,
    EnergyOptions,
    Estimate,
    OperationCounts,
    StaticRule,
    estimate_energy,
)

CORNERS = ("nominal", "low", "high")
LOIHI1, LOIHI2 = load_profile("loihi1"), load_profile("loihi2")


def coefficient(section: Any, name: str, corner: str) -> float:
    return float(getattr(getattr(section, name), corner))


@pytest.mark.parametrize("corner", CORNERS)
def test_dynamic_energy_is_the_sum_of_every_operation(corner: str) -> None:
    layer = layer_of(
        spikes=40,
        synaptic_operations=900,
        neuron_updates=600,
        messages=70,
        hops=30,
        crossings=5,
    )
    found = estimate_energy(counts_of(layer, inferences=3, steps=10), LOIHI1)

    def e(name: str) -> float:
        return coefficient(LOIHI1.energy, name, corner)

    hop = {
        "nominal": (e("hop_east_west") + e("hop_north_south")) / 2,
        "low": min(e("hop_east_west"), e("hop_north_south")),
        "high": max(e("hop_east_west"), e("hop_north_south")),
    }[corner]
    expected = {
        "synaptic operations": e("synaptic_operation") * 900,
        "neuron updates": (e("neuron_update") + e("active_neuron")) * 600,
        "spikes": e("spike") * 40,
        "messages": (e("message_out") + e("message_in")) * 70,
        "mesh": e("tile") * 70 + hop * 30 + e("chip_crossing") * 5,
        "inferences": e("inference") * 3,
    }
    # relative 1e-12: a handful of float64 operations, each exact to 1e-16
    for name, picojoules in expected.items():
        term = getattr(found.terms[name], corner)
        assert term == pytest.approx(picojoules / 3 / 1000, rel=1e-12), name
    whole = sum(expected.values()) / 3 / 1000
    assert getattr(found.dynamic_energy, corner) == pytest.approx(whole, rel=1e-12)


def test_layers_add_up_to_the_terms() -> None:
    counts = counts_of(layer_of("a", spikes=5), layer_of("b", spikes=9, messages=20, hops=3))
    found = estimate_energy(counts, LOIHI2)
    assert [layer.name for layer in found.layers] == ["a", "b"]
    for name in ("synaptic operations", "neuron updates", "spikes", "messages"):
        parts = sum(layer.terms[name].nominal for layer in found.layers)
        assert found.terms[name].nominal == pytest.approx(parts, rel=1e-12)
    in_layers = sum(layer.energy.nominal for layer in found.layers)
    assert found.dynamic_energy.nominal == pytest.approx(in_layers, rel=1e-12)


def test_active_neurons_are_counted_where_they_are_known() -> None:
    unknown = estimate_energy(counts_of(layer_of(neuron_updates=100)), LOIHI1)
    resting = estimate_energy(counts_of(layer_of(neuron_updates=100, active_updates=0)), LOIHI1)
    assert unknown.terms["neuron updates"].nominal == pytest.approx(7.28, rel=1e-12)
    assert unknown.terms["neuron updates"].low == resting.terms["neuron updates"].low
    assert resting.terms["neuron updates"].nominal == pytest.approx(5.2, rel=1e-12)


def test_a_spike_is_one_message_where_messages_were_not_counted() -> None:
    found = estimate_energy(counts_of(layer_of(spikes=10, messages=None)), LOIHI1)
    assert found.terms["messages"].nominal == pytest.approx(1.11, rel=1e-12)
    assert "mesh" not in found.terms
    assert found.excluded[0] == "spike messages on the mesh"
    counted = estimate_energy(counts_of(layer_of(messages=10, hops=0, crossings=0)), LOIHI1)
    assert "spike messages on the mesh" not in counted.excluded


def test_fixed_costs_follow_steps_cores_and_inferences() -> None:
    profile = profile_with("loihi1", "energy", step=(100, 50, 200), core_step=(10, 0, 20))
    found = estimate_energy(counts_of(layer_of(), inferences=2, steps=8, cores=3), profile)
    assert found.terms["steps"].nominal == pytest.approx(8 * (100 + 3 * 10) / 1000, rel=1e-12)
    assert found.terms["steps"].high == pytest.approx(8 * (200 + 3 * 20) / 1000, rel=1e-12)
    assert not any("barriers" in text for text in found.excluded)


def test_what_nobody_published_is_named_as_left_out() -> None:
    found = estimate_energy(counts_of(layer_of()), LOIHI2)
    assert found.excluded == (
        "spike messages on the mesh",
        "barriers of the steps (energy not known)",
        "what a core in use costs a step (energy not known)",
        "embedded processors",
        "board",
        "input and output",
        "host",
    )


CODE = "code of embedded processors (power not known)"


@pytest.mark.parametrize("boundary", [Boundary.CHIP, Boundary.BOARD])
def test_wider_boundaries_name_the_processors_code_where_its_power_is_not_known(
    boundary: Boundary,
) -> None:
    profile = profile_with("loihi1", "power", board=(900, 800, 1000))
    assert profile.power is not None
    options = EnergyOptions(boundary=boundary)
    assert CODE not in estimate_energy(counts_of(layer_of()), profile, options).excluded
    power = profile.power.model_copy(update={"processor_code": None})
    unknown = profile.model_copy(update={"power": power})
    assert CODE in estimate_energy(counts_of(layer_of()), unknown, options).excluded
    # within neurocores the processors are left out whole
    assert CODE not in estimate_energy(counts_of(layer_of()), unknown).excluded


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("boundary", list(Boundary))
def test_static_energy_is_power_within_the_boundary_times_time(
    corner: str, boundary: Boundary
) -> None:
    profile = profile_with("loihi1", "power", board=(900, 800, 1000))
    options = EnergyOptions(boundary=boundary, processor_duty=0.5)
    found = estimate_energy(counts_of(layer_of(), chips=2), profile, options)
    assert profile.power is not None
    static = coefficient(profile, "static_power", corner)
    clock, code = (
        coefficient(profile.power, n, corner) for n in ("processor_clock", "processor_code")
    )
    board = coefficient(profile.power, "board", corner)
    milliwatts = {
        Boundary.NEUROCORES: 2 * static,
        Boundary.CHIP: 2 * (static + clock + 0.5 * code),
        Boundary.BOARD: 2 * (board + 0.5 * code),
    }[boundary]
    time = getattr(found.time, corner)
    total = getattr(found.dynamic_energy, corner) + milliwatts * time
    assert getattr(found.total_energy, corner) == pytest.approx(total, rel=1e-12)
    assert getattr(found.totals[boundary.value], corner) == pytest.approx(total, rel=1e-12)
    assert set(found.totals) == {"neurocores", "chip", "board"}


@pytest.mark.parametrize(
    ("rule", "milliwatts", "text"),
    [
        (StaticRule.CHIPS, 104.4, "neurocores of 1 chip"),
        (StaticRule.USED_CORES, 3 * 0.5, "the 3 neurocores in use"),
        (StaticRule.POWERED_CORES, 128 * 0.07, "128 powered neurocores"),
    ],
)
def test_static_power_follows_the_rule_and_says_which(
    rule: StaticRule, milliwatts: float, text: str
) -> None:
    counts = counts_of(layer_of(), cores=3)
    found = estimate_energy(counts, LOIHI1, EnergyOptions(static_rule=rule))
    static = found.terms["static power"].nominal
    assert static == pytest.approx(milliwatts * found.time.nominal, rel=1e-12)
    assert found.static_boundary == text


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        (EnergyOptions(boundary=Boundary.CHIP), "power of embedded processors"),
        (
            EnergyOptions(static_rule=StaticRule.USED_CORES),
            "static power by the rule 'used_cores'",
        ),
        (
            EnergyOptions(boundary=Boundary.CHIP, static_rule=StaticRule.POWERED_CORES),
            "static power by the rule 'powered_cores'",
        ),
    ],
)
def test_a_rule_that_the_profile_has_no_power_for_is_refused(
    options: EnergyOptions, lacking: str
) -> None:
    with pytest.raises(ProfileError) as raised:
        estimate_energy(counts_of(layer_of()), LOIHI2, options)
    assert str(raised.value) == (
        f"profile 'loihi2' has no {lacking}. Ask for another boundary or rule, or add the "
        "coefficient to a profile of your own."
    )


def test_energy_a_second_and_delay_product_follow_from_energy_and_time() -> None:
    found = estimate_energy(counts_of(layer_of(spikes=50)), LOIHI2)
    energy, time = found.dynamic_energy, found.time
    assert found.dynamic_power.nominal == pytest.approx(energy.nominal / time.nominal)
    assert found.dynamic_power.high == pytest.approx(energy.high / time.low)
    assert found.inferences_per_second.low == pytest.approx(1e6 / time.high)
    product = found.total_energy.high * time.high * 1e-6
    assert found.energy_delay_product.high == pytest.approx(product)


def test_powers_of_terms_and_layers_add_up_to_those_of_the_whole() -> None:
    counts = counts_of(layer_of("a", spikes=50), layer_of("b", spikes=9, messages=20, hops=3))
    found = estimate_energy(counts, LOIHI2)
    assert list(found.powers) == list(found.terms)
    dynamic = {n: p for n, p in found.powers.items() if n != "static power"}
    assert found.powers["static power"].nominal == 230
    for corner in ("nominal", "low", "high"):
        parts = sum(getattr(power, corner) for power in dynamic.values())
        assert getattr(found.dynamic_power, corner) == pytest.approx(parts, rel=1e-12)
        whole = parts + getattr(found.powers["static power"], corner)
        assert getattr(found.total_power, corner) == pytest.approx(whole, rel=1e-12)
    for layer in found.layers:
        assert layer.power.unit == "mW"
        assert layer.power.nominal == pytest.approx(layer.energy.nominal / found.time.nominal)
        assert layer.power.low == pytest.approx(layer.energy.low / found.time.high)
    # without what an inference costs whatever its layers do
    in_layers = sum(layer.power.nominal for layer in found.layers)
    assert in_layers == pytest.approx(found.dynamic_power.nominal, rel=1e-12)


def test_basis_names_the_weakest_evidence_and_whose_it_is() -> None:
    options = EnergyOptions()
    inferred = profile_with("loihi1", "energy", evidence="inferred", spike=(1, 1, 1))
    measured = profile_with("loihi1", "time", evidence="measured", step_overhead=(1, 1, 1))
    found = estimate_energy(counts_of(layer_of(spikes=1)), inferred, options)
    assert (found.basis, found.weakest) == ("inferred", ("spikes", "static power"))
    best = estimate_energy(counts_of(layer_of(spikes=1)), measured, options)
    assert best.basis == "toolchain"
    assert "inferences" not in best.weakest


def test_what_never_happened_does_not_weaken_the_basis() -> None:
    profile = profile_with("loihi1", "energy", evidence="inferred", spike=(1, 1, 1))
    silent = counts_of(layer_of(neuron_updates=1, messages=0, hops=0, crossings=0))
    assert estimate_energy(silent, profile).dynamic_energy.evidence == "toolchain"


@pytest.mark.parametrize("duty", [-0.1, 1.5])
def test_a_duty_is_a_part(duty: float) -> None:
    with pytest.raises(OptionError, match=r"0 to 1 was expected\."):
        EnergyOptions(processor_duty=duty)


def is_estimate(value: object) -> TypeGuard[Estimate]:
    return isinstance(value, Estimate)


def test_intervals_contain_their_nominal() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        spikes, operations = (float(rng.integers(0, 1000)) for _ in range(2))
        counts: OperationCounts = counts_of(
            layer_of(spikes=spikes, synaptic_operations=operations, connections=99)
        )
        for profile in (LOIHI1, LOIHI2):
            estimate = estimate_energy(counts, profile)
            found = [getattr(estimate, field.name) for field in dataclasses.fields(estimate)]
            mappings = (*estimate.terms.values(), *estimate.powers.values())
            for each in (*filter(is_estimate, found), *mappings):
                assert each.low <= each.nominal <= each.high, each
