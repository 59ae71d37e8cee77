"""Spikes of one sample as points: steps from left to right, layers above each other."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource

from ..pages import NEUTRAL, color_of, neutral_figure
from ..spike_log import SpikeLog
from .panels import Panel, Plot
from .reported_run import ReportedRun

MOST_ROWS = 160  # neurons of a layer; more could not be told apart
GAP = 0.1  # of a band, between layers
HEIGHT_OF_LAYER, LEAST_HEIGHT, MOST_HEIGHT = 110, 220, 900  # pixels


def raster_panel(run: ReportedRun, most_events: int) -> Panel:
    """Show the spikes of a run's chosen sample.

    Parameters
    ----------
    run : ReportedRun
        The run.
    most_events : int
        Points in the plot; of layers with more of them fewer neurons are shown.
    """
    log = run.spikes
    layers = [i for i, name in enumerate(log.layer_names) if name not in log.not_logged]
    labels, predicted = run.summary.labels, run.summary.predictions[run.sample]
    classified = "" if labels is None else f", labelled {labels[run.sample]}, predicted {predicted}"
    sentences = [f"Sample {run.sample}{classified}."]
    if log.not_logged:
        sentences.append(f"Not in the log: {', '.join(log.not_logged)}.")
    if not layers:
        return Panel(run=run.name, sentences=sentences)
    plot, thinned = _raster(log, layers, most_events // len(layers))
    if thinned:
        sentences.append(f"Of large layers some neurons are shown: {', '.join(thinned)}.")
    return Panel(
        run=run.name,
        sentences=sentences,
        plots=(Plot(figure=plot, title="Spikes by step, layers above each other"),),
    )


def _raster(log: SpikeLog, layers: list[int], most_events: int) -> tuple[Any, list[str]]:
    height = min(max(HEIGHT_OF_LAYER * len(layers), LEAST_HEIGHT), MOST_HEIGHT)
    plot = neutral_figure(
        height=height,
        tooltips=[
            ("layer", "$name"),
            ("neuron", "@neuron"),
            ("step", "@step"),
            ("value", "@value"),
        ],
        x_axis_label="step",
        x_range=(-0.5, log.n_steps - 0.5),
        y_range=(len(layers) - 0.5, -0.5),  # the first layer at the top
    )
    thinned: list[str] = []
    for band, layer in enumerate(layers):
        chosen = log.layer == layer
        neuron, step, value = log.neuron[chosen], log.step[chosen], log.value[chosen]
        size = log.layer_sizes[layer]
        stride = _stride(size, neuron.size, most_events)
        if stride > 1:
            thinned.append(f"every {_ordinal(stride)} of {log.layer_names[layer]}")
        shown = np.flatnonzero(neuron % stride == 0)[: 4 * most_events]
        height_of_neuron = (1 - GAP) / size
        source = ColumnDataSource(
            {
                "step": step[shown],
                "neuron": neuron[shown],
                "value": value[shown],
                "y": (band + height_of_neuron * (neuron[shown] + 0.5 - size / 2)).astype(
                    np.float32
                ),
            }
        )
        plot.scatter(
            "step",
            "y",
            source=source,
            marker="square",
            size=3,
            line_color=None,
            fill_color=color_of(band),
            name=log.layer_names[layer],
        )
    plot.yaxis.ticker = list(range(len(layers)))
    plot.yaxis.major_label_overrides = {
        band: log.layer_names[layer] for band, layer in enumerate(layers)
    }
    plot.yaxis.major_tick_line_color = NEUTRAL
    plot.ygrid.grid_line_color = None
    return plot, thinned


def _stride(neurons: int, events: int, most_events: int) -> int:
    """Return k, so that every k-th neuron is shown."""
    by_rows = -(-neurons // MOST_ROWS)
    by_events = -(-events // max(most_events, 1))
    return max(1, by_rows, by_events)


def _ordinal(number: int) -> str:
    tens, ones = divmod(number, 10)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(ones, "th") if tens % 10 != 1 else "th"
    return f"{number}{ending}"
