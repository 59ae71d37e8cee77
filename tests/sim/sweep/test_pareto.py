"""The front is what brute force over all pairs finds, whatever is known of the points."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_cases import STEPS, data_of, small_plan

from lavadeploy.sim.energy import Estimate
from lavadeploy.sim.sweep import OBJECTIVES, PointResult, pareto_front, run_point
from lavadeploy.sim.sweep.pareto import objectives_of

# few values, so that ties and equal points are common
COSTS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.integers(-2, 2) for name in OBJECTIVES}),
    max_size=12,
)


def is_beaten(cost: Mapping[str, float], by: Mapping[str, float]) -> bool:
    if any(name not in by for name in cost):
        return False
    worse = [name for name in cost if by[name] > cost[name]]
    better = [name for name in cost if by[name] < cost[name]]
    return not worse and bool(better)


@given(COSTS)
def test_the_front_is_what_comparing_all_pairs_finds(costs: list[Mapping[str, float]]) -> None:
    expected = [not any(is_beaten(cost, other) for other in costs) for cost in costs]
    assert list(pareto_front(costs)) == expected


@given(COSTS.filter(bool))
def test_a_front_is_never_empty_and_beats_all_others(costs: list[Mapping[str, float]]) -> None:
    front = pareto_front(costs)
    best = [cost for cost, is_best in zip(costs, front, strict=True) if is_best]
    assert best
    for cost, is_best in zip(costs, front, strict=True):
        assert is_best != any(is_beaten(cost, other) for other in best)


def test_equal_points_stay_together() -> None:
    assert pareto_front([{"a": 1, "b": 1}, {"a": 1, "b": 1}]) == (True, True)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> PointResult:
    plan = small_plan(tmp_path_factory.mktemp("x"), steps=(STEPS,), profiles=("loihi2",))
    found = run_point(data_of(plan), plan.task(plan.points[0]))
    assert isinstance(found, PointResult)
    return found


def estimate(nominal: float) -> Estimate:
    return Estimate(nominal=nominal, low=0.1 * nominal, high=50.0, unit="nJ", evidence="inferred")


def test_accuracy_counts_up_and_all_else_down(result: PointResult) -> None:
    found = dataclasses.replace(
        result, accuracy=0.75, energies={"board": estimate(9.0)}, latency=estimate(2.0), cores=3
    )
    expected = {"accuracy": -0.75, "energy": 9.0, "latency": 2.0, "cores": 3.0}
    assert objectives_of(found, "board") == expected


def test_the_boundary_chooses_the_energy_and_what_is_not_known_does_not_count(
    result: PointResult,
) -> None:
    found = dataclasses.replace(
        result, accuracy=None, energies={"board": estimate(9.0)}, latency=None, cores=3
    )
    assert objectives_of(found, "neurocores") == {"cores": 3.0}


def test_a_fourth_digit_of_an_estimate_decides_nothing(result: PointResult) -> None:
    for nominal, counted in ((1234.4, 1230.0), (1235.1, 1240.0), (0.0012349, 0.00123)):
        found = dataclasses.replace(result, energies={"neurocores": estimate(nominal)})
        assert objectives_of(found, "neurocores")["energy"] == counted


def test_points_without_joules_beat_none_that_have_them() -> None:
    with_joules = {"accuracy": -0.5, "cores": 9.0, "energy": 1.0}
    without = {"accuracy": -0.9, "cores": 1.0}
    assert pareto_front([with_joules, without]) == (True, True)
    assert pareto_front([{**with_joules, "accuracy": -0.9, "cores": 0.0}, without]) == (True, False)
