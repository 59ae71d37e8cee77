"""Accuracy against energy and against time, drawn by Bokeh."""
# Bokeh's figures take their glyphs' properties as keywords that no type says.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bokeh.models import (
    ColumnDataSource,
    DataRange1d,
    FixedTicker,
    HoverTool,
    PrintfTickFormatter,
)
from bokeh.plotting import figure

from ..energy import Estimate
from ..energy_text import quantity, three_digits
from ..pages import NEUTRAL, color_of, neutral_figure
from .outcome import PointResult
from .pareto import pareto_front
from .report import SweepReport

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star", "plus")
HEIGHT, LEAST_WIDTH, POINT_SIZE = 440, 640, 10
# Bokeh labels decades only, and a sweep often spans one or two.
COST_TICKS = tuple(mantissa * 10.0**place for place in range(-3, 7) for mantissa in (1, 2, 5))
# Accuracies are drawn by the logarithm of what is wrong, so that 95 and 98 % lie as far apart as 50
# and 80 %. These are the ticks, in wrong answers; nobody shows more than a million samples.
TICKS = tuple(
    mantissa / 10**place for place in range(1, 7) for mantissa in (10, 7, 5, 4, 3, 2, 1.5)
)
HOVER = (
    ("point", "@name"),
    ("accuracy", "@accuracy"),
    ("energy", "@energy"),
    ("of that dynamic", "@dynamic"),
    ("time", "@time"),
    ("cores, chips", "@cores"),
    ("synaptic operations", "@synops"),
    ("spikes", "@spikes"),
    ("beaten by none", "@front"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAxis:
    """What accuracy is drawn against.

    Attributes
    ----------
    title : str
        With its unit.
    cost : callable
        Takes a result; the estimate, or None where it is not known.
    factor : float
        From the estimate's unit to the title's.
    """

    title: str
    cost: Callable[[PointResult], Estimate | None]
    factor: float


def accuracy_plot(report: SweepReport, axis: CostAxis) -> figure | None:
    """Return the points with their intervals, and the best accuracy that each cost buys.

    Colors are chips, markers widths, and a thin line joins the points that differ in steps only;
    a click on the legend hides a series. None where no point has both an accuracy and that cost.
    """
    shown = [r for r in report.results if r.accuracy is not None and axis.cost(r) is not None]
    if not shown:
        return None
    plot = _empty_plot(axis.title)
    _draw_front(plot, shown, axis)
    profiles = list(dict.fromkeys(r.point.profile for r in report.results))
    widths = list(dict.fromkeys(r.point.bits for r in report.results))
    for profile in profiles:
        for width in widths:
            series = [r for r in shown if (r.point.profile, r.point.bits) == (profile, width)]
            if not series:
                continue
            color = color_of(profiles.index(profile))
            marker = MARKERS[widths.index(width) % len(MARKERS)]
            bits = width if isinstance(width, str) else f"{width} bits"
            _draw_series(plot, report, series, axis, color, marker, f"{profile}, {bits}")
    plot.legend.click_policy = "hide"
    plot.legend.background_fill_alpha = 0.0
    plot.legend.border_line_color = None
    plot.legend.label_text_color = NEUTRAL
    plot.legend.label_text_font_size = "12px"
    plot.add_layout(plot.legend[0], "right")
    return plot


def _empty_plot(title: str) -> figure:
    plot = neutral_figure(
        height=HEIGHT,
        min_width=LEAST_WIDTH,
        x_axis_type="log",
        y_axis_type="log",
        y_range=DataRange1d(flipped=True),  # what is wrong grows downward
        x_axis_label=title,
        y_axis_label="accuracy (errors on a logarithmic scale)",
    )
    ticks = FixedTicker(ticks=list(TICKS))
    plot.yaxis.ticker = ticks
    plot.ygrid.ticker = ticks
    plot.yaxis.major_label_overrides = {tick: f"{100 - 100 * tick:.6g} %" for tick in TICKS}
    plot.xaxis.ticker = FixedTicker(ticks=list(COST_TICKS))
    plot.xaxis.formatter = PrintfTickFormatter(format="%g")
    return plot


def _draw_front(plot: figure, shown: list[PointResult], axis: CostAxis) -> None:
    costs = [{"wrong": _wrong(result), "cost": _estimate(result, axis).nominal} for result in shown]
    front = pareto_front(costs)
    best = sorted(
        (cost["cost"] * axis.factor, cost["wrong"])
        for cost, is_best in zip(costs, front, strict=True)
        if is_best
    )
    plot.step(
        x=[cost for cost, _ in best],
        y=[wrong for _, wrong in best],
        mode="after",
        line_color=NEUTRAL,
        line_width=2,
        line_dash="dashed",
        legend_label="best accuracy for the cost",
    )


def _draw_series(
    plot: figure,
    report: SweepReport,
    series: list[PointResult],
    axis: CostAxis,
    color: str,
    marker: str,
    name: str,
) -> None:
    series = sorted(series, key=lambda result: result.point.steps)
    source = ColumnDataSource(_columns(report, series, axis))
    plot.segment(
        x0="low", x1="high", y0="wrong", y1="wrong", source=source,
        line_color=color, line_alpha=0.35, line_width=2, legend_label=name,
    )  # fmt: skip
    plot.line(x="x", y="wrong", source=source, line_color=color, line_alpha=0.6, legend_label=name)
    points = plot.scatter(
        x="x", y="wrong", source=source, marker=marker, size=POINT_SIZE,
        fill_color=color, line_color=color, legend_label=name,
    )  # fmt: skip
    plot.add_tools(HoverTool(renderers=[points], tooltips=list(HOVER), visible=False))


def _columns(
    report: SweepReport, series: list[PointResult], axis: CostAxis
) -> dict[str, list[float] | list[str]]:
    costs = [_estimate(result, axis) for result in series]
    return {
        "x": [cost.nominal * axis.factor for cost in costs],
        "low": [cost.low * axis.factor for cost in costs],
        "high": [cost.high * axis.factor for cost in costs],
        "wrong": [_wrong(result) for result in series],
        "accuracy": [f"{100 * (result.accuracy or 0.0):.2f} %" for result in series],
        "name": [result.point.name for result in series],
        "energy": [_said(report.energy_of(result)) for result in series],
        "dynamic": [_said(result.dynamic_energy) for result in series],
        "time": [_said(result.latency) for result in series],
        "cores": [f"{result.cores}, {result.chips}" for result in series],
        "synops": [three_digits(result.synaptic_operations) for result in series],
        "spikes": [three_digits(result.spikes) for result in series],
        "front": ["yes" if report.is_in_front(r.point) else "no" for r in series],
    }


def _wrong(result: PointResult) -> float:
    """Return the part of the answers that is wrong, or of half an answer where none is."""
    return max(1.0 - (result.accuracy or 0.0), 0.5 / result.samples)


def _estimate(result: PointResult, axis: CostAxis) -> Estimate:
    found = axis.cost(result)
    assert found is not None  # `accuracy_plot` leaves the others out
    return found


def _said(estimate: Estimate | None) -> str:
    return "not known" if estimate is None else quantity(estimate)
