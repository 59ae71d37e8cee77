"""The time of an inference: slowest cores, barriers and overhead."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from energy_counts import core_of, counts_of, layer_of

from lavadeploy.hw_profiles import load_profile
from lavadeploy.sim import CoreOperations, EnergyOptions, StepLoads, StepModel, estimate_energy

LOIHI1 = load_profile("loihi1")
TIME = LOIHI1.time
assert TIME is not None
CORNERS = ("nominal", "low", "high")


def t(name: str, corner: str) -> float:
    return float(getattr(getattr(TIME, name), corner))


def fixed(corner: str) -> float:
    return t("step_barrier", corner) + t("step_overhead", corner)


def two_cores() -> tuple[CoreOperations, ...]:
    """One core with many neurons, one with many operations; sums of 2 inferences of 5 steps."""
    return (
        core_of(0, neurons=900, synaptic_operations=1000, spikes=20, messages_in=30.0),
        core_of(1, neurons=10, synaptic_operations=60000, spikes=10, messages_in=400.0),
    )


@pytest.mark.parametrize("corner", CORNERS)
def test_the_sum_adds_what_a_core_does(corner: str) -> None:
    found = estimate_energy(counts_of(layer_of(), inferences=2, steps=5, cores=two_cores()), LOIHI1)
    cores = [
        t("synaptic_operation", corner) * core.synaptic_operations / 10
        + t("neuron_update", corner) * core.neurons
        + t("spike", corner) * core.spikes / 10
        + t("message_in", corner) * (core.messages_in or 0) / 10
        for core in two_cores()
    ]
    expected = 5 * (max(cores) + fixed(corner)) / 1000
    assert getattr(found.time_sum, corner) == pytest.approx(expected, rel=1e-12)
    assert found.time == found.time_sum
    assert found.busiest_core == 1


@pytest.mark.parametrize("corner", CORNERS)
def test_max_affine_takes_the_longest_part_of_any_core(corner: str) -> None:
    counts = counts_of(layer_of(), inferences=2, steps=5, cores=two_cores())
    options = EnergyOptions(step_model=StepModel.MAX_AFFINE)
    found = estimate_energy(counts, LOIHI1, options)
    parts = [t("neuron_update", corner) * 900, t("synaptic_operation", corner) * 6000]
    expected = 5 * (max(parts) + fixed(corner)) / 1000
    assert getattr(found.time_max_affine, corner) == pytest.approx(expected, rel=1e-12)
    assert found.time == found.time_max_affine
    assert found.time_max_affine.nominal < found.time_sum.nominal


def test_a_busy_link_can_set_the_pace_of_the_max_affine_form() -> None:
    core = core_of(0, neurons=1, messages_in=1e6)
    found = estimate_energy(counts_of(layer_of(), steps=1, cores=(core,)), LOIHI1)
    arriving = t("message_in", "nominal") * 1e6
    assert found.time_max_affine.nominal == pytest.approx((arriving + fixed("nominal")) / 1000)
    low = t("link_message", "low") * 1e6 + fixed("low")  # arrival may cost nothing, the link does
    assert found.time_max_affine.low == pytest.approx(low / 1000)


def test_steps_wait_each_for_their_own_slowest_core() -> None:
    # each core is busy in one of two steps: averages would hide half of the waiting
    busy = 10000.0
    operations = np.array([[busy, 0.0], [0.0, busy]])
    loads = StepLoads(synaptic_operations=operations, spikes=np.zeros((2, 2)))
    cores = tuple(core_of(k, neurons=0, synaptic_operations=busy) for k in range(2))
    alike = counts_of(layer_of(), steps=2, cores=cores)
    single = dataclasses.replace(alike, loads=loads)
    by_step, averaged = (estimate_energy(c, LOIHI1) for c in (single, alike))
    fixed_us = 2 * fixed("nominal") / 1000
    assert by_step.time.nominal - fixed_us == pytest.approx(2 * busy * 3.5 / 1000)
    assert averaged.time.nominal - fixed_us == pytest.approx(busy * 3.5 / 1000)
    assert averaged.longest_step is None
    assert by_step.longest_step is not None
    assert by_step.longest_step.nominal == pytest.approx((busy * 3.5 + fixed("nominal")) / 1000)


def test_loads_of_like_steps_give_the_time_of_averages() -> None:
    cores = two_cores()
    rows = [[core.synaptic_operations / 10 for core in cores]] * 5
    spikes = [[core.spikes / 10 for core in cores]] * 5
    messages = [[(core.messages_in or 0) / 10 for core in cores]] * 5
    loads = StepLoads(
        synaptic_operations=np.array(rows),
        spikes=np.array(spikes),
        messages_in=np.array(messages),
    )
    counts = counts_of(layer_of(), inferences=2, steps=5, cores=cores)
    with_loads = estimate_energy(dataclasses.replace(counts, loads=loads), LOIHI1)
    without = estimate_energy(counts, LOIHI1)
    assert with_loads.time.nominal == pytest.approx(without.time.nominal, rel=1e-12)
    total = dataclasses.replace(loads, messages_in=None)  # messages counted in all, not by step
    spread = estimate_energy(dataclasses.replace(counts, loads=total), LOIHI1)
    assert spread.time.nominal == pytest.approx(without.time.nominal, rel=1e-12)
    assert with_loads.time_max_affine.high == pytest.approx(without.time_max_affine.high, rel=1e-12)
