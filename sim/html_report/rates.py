"""Activity over the steps, and how it is spread over the neurons."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource

from ...hw_profiles.arithmetic import Int64Array
from ..activity import StepActivity
from ..pages import color_of, dash_of, neutral_figure, style_legend
from ..run_summary import RunSummary
from .panels import Panel, Plot, Table
from .reported_run import ReportedRun

HEIGHT = 280
MOST_POINTS = 400  # of a curve


def rates_panel(run: ReportedRun) -> Panel:
    """Show how sparse a run was: over the steps, and over the neurons of each layer."""
    plots: list[Plot] = []
    summary = run.summary
    if summary.activity.by_step is not None:
        title = "Activity over time: neurons that fire in a step, mean of all samples"
        plots.append(Plot(figure=_over_time(summary, summary.activity.by_step), title=title))
    if run.neuron_spikes:
        title = "Firing rates: neurons of each layer, the most active first"
        plots.append(Plot(figure=_over_neurons(run), title=title))
    return Panel(
        run=run.name, plots=plots, tables=(_sparsity_table(run), _neurobench_table(summary))
    )


def _over_time(summary: RunSummary, steps: StepActivity) -> Any:
    plot = neutral_figure(
        height=HEIGHT,
        tooltips=[("layer", "$name"), ("step", "@step"), ("active", "@active{0.00} %")],
        x_axis_label="step",
        y_axis_label="active neurons in %",
    )
    chosen = _evenly(steps.layer_spikes.shape[1])
    for index, layer in enumerate(summary.activity.layers):
        active = 100 * steps.layer_spikes[index] / (layer.neurons * summary.samples)
        source = ColumnDataSource({"step": chosen, "active": active[chosen].astype(np.float32)})
        look = {"color": color_of(index), "name": layer.name, "legend_label": layer.name}
        dash = dash_of(index)
        plot.line("step", "active", source=source, line_width=2, line_dash=dash, **look)
        plot.scatter("step", "active", source=source, size=4, **look)
    plot.y_range.start = 0
    style_legend(plot)
    return plot


def _over_neurons(run: ReportedRun) -> Any:
    plot = neutral_figure(
        height=HEIGHT,
        tooltips=[("layer", "$name"), ("of neurons", "@share{0.0} %"), ("rate", "@rate{0.000}")],
        x_axis_label="neurons in %",
        y_axis_label="spikes a step",
    )
    for index, layer in enumerate(run.summary.activity.layers):
        if layer.name not in run.neuron_spikes:
            continue
        rates = np.sort(_rates(run, run.neuron_spikes[layer.name]))[::-1]
        chosen = _evenly(rates.size)
        source = ColumnDataSource(
            {
                "share": (100 * (chosen + 1) / rates.size).astype(np.float32),
                "rate": rates[chosen].astype(np.float32),
            }
        )
        look = {"color": color_of(index), "name": layer.name, "legend_label": layer.name}
        dash = dash_of(index)
        plot.line("share", "rate", source=source, line_width=2, line_dash=dash, **look)
    style_legend(plot)
    return plot


def _sparsity_table(run: ReportedRun) -> Table:
    rows: list[tuple[str, ...]] = []
    for layer in run.summary.activity.layers:
        spikes = run.neuron_spikes.get(layer.name)
        silent, always = "not logged", "not logged"
        if spikes is not None:
            rates = _rates(run, spikes)
            silent = f"{100 * np.mean(rates == 0):.1f} %"
            always = f"{100 * np.mean(rates >= 1):.1f} %"
        sparsity = f"{100 * (1 - layer.activity):.2f} %"
        rows.append((layer.name, f"{layer.neurons}", sparsity, silent, always))
    columns = ("layer", "neurons", "activation sparsity", "never fire", "fire in every step")
    return Table(columns=columns, rows=rows)


def _neurobench_table(summary: RunSummary) -> Table:
    flat = dict(summary.neurobench)
    flat |= flat.pop("SynapticOperations", {})
    rows = [
        (name, f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}")
        for name, value in flat.items()
        if value is not None
    ]
    return Table(title="By NeuroBench's definitions", columns=("metric", "is"), rows=rows)


def _rates(run: ReportedRun, spikes: Int64Array) -> Any:
    return spikes / (run.summary.samples * run.summary.steps)


def _evenly(size: int) -> Int64Array:
    """Return at most `MOST_POINTS` positions from first to last."""
    return np.unique(np.linspace(0, size - 1, min(size, MOST_POINTS)).round().astype(np.int64))
