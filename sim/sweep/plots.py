"""Accuracy against energy, time and cores, drawn by Bokeh."""
# Bokeh's figures take their glyphs' properties as keywords that no type says.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from bokeh.models import (
    ColumnDataSource,
    DataRange1d,
    FixedTicker,
    HoverTool,
    PrintfTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from ..energy import Estimate
from ..energy_text import quantity, three_digits
from ..pages import NEUTRAL, color_of, neutral_figure
from .cost_axis import CostAxis
from .outcome import PointResult
from .pareto import objectives_of, pareto_front
from .report import SweepReport

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star", "plus")
HEIGHT, LEAST_WIDTH, POINT_SIZE = 440, 640, 10
RING, RING_SIZE, RING_WIDTH = "front", 20, 2.5
FRONT_LINE = "best accuracy for the cost"
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


def accuracy_plot(report: SweepReport, axis: CostAxis) -> figure:
    """Return the points with their intervals, and the best accuracy that each cost buys.

    Colors are chips, markers widths, and a thin line joins the points that differ in steps only;
    a click on the legend hides a series. Points of the report's front, which is that of all four
    objectives, have a ring; the dashed line is the front of this plot's two.
    """
    shown = [result for result in report.results if result.point.name in axis.costs]
    plot = _empty_plot(axis)
    _draw_front(plot, report, shown, axis)
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


def _empty_plot(axis: CostAxis) -> figure:
    plot = neutral_figure(
        height=HEIGHT,
        min_width=LEAST_WIDTH,
        x_axis_type="log",
        y_axis_type="log",
        x_range=Range1d(start=axis.start, end=axis.end),
        y_range=DataRange1d(flipped=True),  # what is wrong grows downward
        x_axis_label=axis.title,
        y_axis_label="accuracy (errors on a logarithmic scale)",
    )
    ticks = FixedTicker(ticks=list(TICKS))
    plot.yaxis.ticker = ticks
    plot.ygrid.ticker = ticks
    plot.yaxis.major_label_overrides = {tick: f"{100 - 100 * tick:.6g} %" for tick in TICKS}
    plot.xaxis.ticker = FixedTicker(ticks=list(axis.ticks))
    plot.xaxis.formatter = PrintfTickFormatter(format="%g")
    return plot


def _draw_front(
    plot: figure, report: SweepReport, shown: list[PointResult], axis: CostAxis
) -> None:
    front = pareto_front([_two_objectives(report, result, axis) for result in shown])
    best = sorted(
        (axis.costs[result.point.name].nominal, _wrong(result))
        for result, is_best in zip(shown, front, strict=True)
        if is_best
    )
    plot.step(
        x=[cost for cost, _ in best],
        y=[wrong for _, wrong in best],
        mode="after",
        line_color=NEUTRAL,
        line_width=2,
        line_dash="dashed",
        legend_label=FRONT_LINE,
    )


def _two_objectives(report: SweepReport, result: PointResult, axis: CostAxis) -> dict[str, float]:
    """Return the two of the report's objectives that a plot shows, as the report compares them."""
    objectives = objectives_of(result, report.boundary)
    return {name: objectives[name] for name in ("accuracy", axis.objective)}


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
    in_front = [result for result in series if report.is_in_front(result.point)]
    if in_front:  # below bars and points; hidden with them
        plot.scatter(
            x="x", y="wrong", source=ColumnDataSource(_columns(report, in_front, axis)),
            marker="circle", size=RING_SIZE, fill_color=None, line_color=NEUTRAL,
            line_width=RING_WIDTH, legend_label=name, name=RING,
        )  # fmt: skip
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
    costs = [axis.costs[result.point.name] for result in series]
    return {
        "x": [cost.nominal for cost in costs],
        "low": [cost.low for cost in costs],
        "high": [cost.high for cost in costs],
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


def _said(estimate: Estimate | None) -> str:
    return "not known" if estimate is None else quantity(estimate)
