"""What a plot shows is what the report says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from bokeh.models import FixedTicker, Scatter, Step
from sweep_cases import STEPS, InlineWorkers, small_plan

from lavadeploy.sim.energy import Estimate
from lavadeploy.sim.sweep import PointResult, SweepPoint, SweepReport, report_sweep, run_sweep
from lavadeploy.sim.sweep.cost_axis import CostAxis, cost_axes
from lavadeploy.sim.sweep.plots import RING, accuracy_plot


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SweepReport:
    folder = tmp_path_factory.mktemp("x")
    plan = small_plan(folder, profiles=("loihi1", "loihi2", "ideal"), steps=(4, 8, STEPS))
    return report_sweep(plan, run_sweep(plan, folder / "x", InlineWorkers(plan)))


def made(small: SweepReport, points: dict[str, tuple[float, float, float, int]]) -> SweepReport:
    """Return a report of other points: accuracy, energy, time and cores by name of the chip."""
    results = tuple(
        dataclasses.replace(
            small.results[0],
            point=SweepPoint(profile=name, bits=8, steps=4),
            samples=1000,
            accuracy=accuracy,
            energies={"neurocores": exactly(energy, "nJ")},
            latency=exactly(time, "us"),
            cores=cores,
        )
        for name, (accuracy, energy, time, cores) in points.items()
    )
    return dataclasses.replace(small, results=results, failures=(), front=())


def exactly(number: float, unit: str) -> Estimate:
    return Estimate(nominal=number, low=number, high=number, unit=unit, evidence="inferred")


def axis_of(report: SweepReport, name: str) -> CostAxis:
    (axis,) = (axis for axis in cost_axes(report) if axis.name == name)
    return axis


def plot_of(report: SweepReport, axis: CostAxis) -> Any:  # whose parts no type tells
    return accuracy_plot(report, axis)


def columns(report: SweepReport, axis: CostAxis, glyph: type, name: str | None) -> list[Any]:
    return [
        each.data_source.data
        for each in plot_of(report, axis).renderers
        if isinstance(each.glyph, glyph) and each.name == name
    ]


def names(found: list[Any]) -> set[str]:
    return {name for data in found for name in data["name"]}


def test_rings_are_around_the_points_of_the_reports_front(small: SweepReport) -> None:
    assert 0 < len(small.front) < len(small.results)
    for axis in cost_axes(small):
        shown = names(columns(small, axis, Scatter, None))
        assert shown == set(axis.costs)
        assert names(columns(small, axis, Scatter, RING)) == shown & set(small.front)


def test_a_ring_is_hidden_with_its_point(small: SweepReport) -> None:
    plot = plot_of(small, axis_of(small, "cores"))
    item_of = {renderer.id: item for item in plot.legend[0].items for renderer in item.renderers}
    rings = [each for each in plot.renderers if each.name == RING]
    assert rings
    for ring in rings:
        others = [each for each in item_of[ring.id].renderers if each.name != RING]
        drawn = {name for each in others for name in each.data_source.data["name"]}
        assert set(ring.data_source.data["name"]) <= drawn


def test_the_line_is_the_front_of_two_objectives_as_they_are_rounded(small: SweepReport) -> None:
    report = made(
        small,
        {
            "a": (0.80, 10.001, 5.0, 9),
            "b": (0.90, 10.002, 5.0, 9),  # to three digits it costs what a does
            "c": (0.95, 20.0, 3.0, 9),
            "d": (0.94, 30.0, 9.0, 1),  # in front by its cores, and in no plot of energy
        },
    )
    (line,) = columns(report, axis_of(report, "energy"), Step, None)
    assert list(line["x"]) == [10.002, 20.0]
    assert [round(wrong, 9) for wrong in line["y"]] == [0.1, 0.05]
    (line,) = columns(report, axis_of(report, "cores"), Step, None)
    assert list(line["x"]) == [1, 9]


def test_every_point_with_an_accuracy_has_its_place_on_the_axis_of_cores(
    small: SweepReport,
) -> None:
    axis = axis_of(small, "cores")
    assert {name: cost.nominal for name, cost in axis.costs.items()} == {
        result.point.name: result.cores for result in small.results
    }
    ticker = plot_of(small, axis).xaxis[0].ticker
    assert isinstance(ticker, FixedTicker)
    assert set[float](ticker.ticks) == {result.cores for result in small.results}


def test_labels_of_cores_are_no_more_than_can_be_read(small: SweepReport) -> None:
    report = made(small, {f"c{cores}": (0.5, 1.0, 1.0, cores) for cores in range(20, 120)})
    ticks = axis_of(report, "cores").ticks
    assert ticks[0] == 20
    assert 10 <= len(ticks) <= 17


def with_latency(report: SweepReport, index: int, **ends: float) -> tuple[SweepReport, PointResult]:
    results = list(report.results)
    latency = results[index].latency
    assert latency is not None
    results[index] = dataclasses.replace(
        results[index], latency=dataclasses.replace(latency, **ends)
    )
    return dataclasses.replace(report, results=tuple(results)), results[index]


def test_intervals_without_a_bound_end_with_the_axis(small: SweepReport) -> None:
    report, result = with_latency(small, 0, low=0.0, high=math.inf)
    axis = axis_of(report, "time")
    cost = axis.costs[result.point.name]
    assert (cost.low, cost.high) == (axis.start, axis.end)
    others = [each for name, each in axis.costs.items() if name != result.point.name]
    assert all(0 < axis.start < each.low <= each.high < axis.end < math.inf for each in others)
    plot = plot_of(report, axis)
    assert (plot.x_range.start, plot.x_range.end) == (axis.start, axis.end)


@pytest.mark.parametrize("nominal", [0.0, math.inf])
def test_a_best_guess_that_has_no_logarithm_is_not_drawn(
    small: SweepReport, nominal: float
) -> None:
    report, result = with_latency(small, 0, nominal=nominal)
    assert result.point.name not in axis_of(report, "time").costs
    assert result.point.name in axis_of(report, "energy").costs
