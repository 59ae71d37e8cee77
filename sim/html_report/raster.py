"""Spikes of one sample as points: steps from left to right, layers above each other."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource

from ..pages import color_of, neutral_figure
from .panels import Panel, Plot
from .raster_events import RasterLayer
from .reported_run import ReportedRun

GAP = 0.1  # of a band, between layers
HEIGHT_OF_LAYER, LEAST_HEIGHT, MOST_HEIGHT = 110, 220, 900  # pixels
TOOLTIPS = [("layer", "$name"), ("neuron", "@neuron"), ("step", "@step"), ("value", "@value")]


def raster_panel(run: ReportedRun) -> Panel:
    """Show the spikes of a run's chosen sample."""
    labels, predicted = run.summary.labels, run.summary.predictions[run.sample]
    classified = "" if labels is None else f", labelled {labels[run.sample]}, predicted {predicted}"
    sentences = [f"Sample {run.sample}{classified}."]
    logged = {layer.name for layer in run.raster}
    missing = [layer.name for layer in run.summary.activity.layers if layer.name not in logged]
    if missing:
        sentences.append(f"Not in the log: {', '.join(missing)}.")
    if not run.raster:
        return Panel(run=run.name, sentences=sentences)
    return Panel(
        run=run.name,
        sentences=[*sentences, *_left_out(run.raster, run.summary.steps)],
        plots=(
            Plot(
                figure=_raster(run.raster, run.summary.steps),
                title="Spikes by step, layers above each other",
            ),
        ),
    )


def _left_out(layers: Sequence[RasterLayer], steps: int) -> list[str]:
    """Say what there was no room for."""
    thinned = [f"every {_ordinal(x.stride)} of {x.name}" for x in layers if x.stride > 1]
    cut = [f"of {x.name} steps 0 to {x.steps - 1}" for x in layers if x.steps < steps]
    sentences: list[str] = []
    if thinned:
        sentences.append(f"Not all neurons are shown: {', '.join(thinned)}.")
    if cut:
        sentences.append(f"Not all steps are shown: {', '.join(cut)}.")
    return sentences


def _raster(layers: Sequence[RasterLayer], steps: int) -> Any:
    plot = neutral_figure(
        height=min(max(HEIGHT_OF_LAYER * len(layers), LEAST_HEIGHT), MOST_HEIGHT),
        tooltips=TOOLTIPS,
        x_axis_label="step",
        x_range=(-0.5, steps - 0.5),
        y_range=(len(layers) - 0.5, -0.5),  # the first layer at the top
    )
    for band, shown in enumerate(layers):
        height_of_neuron = (1 - GAP) / shown.neurons
        y = band + height_of_neuron * (shown.neuron + 0.5 - shown.neurons / 2)
        source = ColumnDataSource(
            {
                "step": shown.step,
                "neuron": shown.neuron,
                "value": shown.value,
                "y": y.astype(np.float32),
            }
        )
        look = {"fill_color": color_of(shown.layer), "line_color": None, "name": shown.name}
        plot.scatter("step", "y", source=source, marker="square", size=3, **look)
    plot.yaxis.ticker = list(range(len(layers)))
    plot.yaxis.major_label_overrides = {band: shown.name for band, shown in enumerate(layers)}
    plot.ygrid.grid_line_color = None
    return plot


def _ordinal(number: int) -> str:
    tens, ones = divmod(number, 10)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(ones, "th") if tens % 10 != 1 else "th"
    return f"{number}{ending}"
