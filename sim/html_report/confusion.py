"""How the predictions of a run lie about its labels."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource
from bokeh.palettes import Blues256, Oranges256

from ...hw_profiles.arithmetic import Int64Array
from ..pages import neutral_figure, shades
from .panels import Panel, Plot, Table
from .reported_run import ReportedRun

MOST_CLASSES = 60  # in the plot
MOST_WITH_NUMBERS = 20
MOST_CONFUSIONS = 10


def confusion_panel(run: ReportedRun) -> Panel | None:
    """Show accuracy and confusion of a run; None where its samples have no labels."""
    labels, accuracy = run.summary.labels, run.summary.accuracy
    if labels is None or accuracy is None:
        return None
    counts = confusion_counts(np.array(labels), np.array(run.summary.predictions))
    right = int(np.trace(counts))
    by = "voltages" if run.summary.answers_in == "voltages" else "spikes"
    last = run.summary.activity.layers[-1].name
    right_of_all = f"{right} of {len(labels)} samples right, {100 * accuracy:.2f} %"
    sentences = [f"{right_of_all}, by the {by} of {last}."]
    plots: list[Plot] = []
    if counts.shape[0] <= MOST_CLASSES:
        plots.append(Plot(figure=_matrix(counts), title="Confusion: samples by label"))
    else:
        sentences.append(f"{counts.shape[0]} classes: too many to draw, see the table.")
    return Panel(
        run=run.name, sentences=sentences, plots=plots, tables=(_worst_confusions(counts),)
    )


def confusion_counts(labels: Int64Array, predictions: Int64Array) -> Int64Array:
    """Return how many samples of each label (rows) were predicted as what (columns)."""
    classes = int(max(labels.max(initial=0), predictions.max(initial=0))) + 1
    flat = np.bincount(labels * classes + predictions, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def _matrix(counts: Int64Array) -> Any:
    classes = counts.shape[0]
    label, predicted = np.divmod(np.arange(classes * classes), classes)
    flat = counts.reshape(-1)
    of_label = np.maximum(counts.sum(axis=1), 1)[label]
    share = flat / of_label
    shown = np.flatnonzero(flat)
    right = (label == predicted)[shown]
    # what is wrong is rare: its shade is that of its root
    wrong_fill, wrong_ink = shades(Oranges256, np.sqrt(share[shown]))
    right_fill, right_ink = shades(Blues256, 0.5 * share[shown])
    source = ColumnDataSource(
        {
            "label": label[shown],
            "predicted": predicted[shown],
            "count": flat[shown],
            "percent": (100 * share[shown]).astype(np.float32),
            "fill": np.where(right, right_fill, wrong_fill).tolist(),
            "ink": np.where(right, right_ink, wrong_ink).tolist(),
        }
    )
    plot = neutral_figure(
        height=440,
        width=480,
        max_width=480,
        sizing_mode="scale_width",
        tooltips=[
            ("label", "@label"),
            ("predicted", "@predicted"),
            ("samples", "@count (@percent{0.0} % of the label)"),
        ],
        x_axis_label="predicted",
        y_axis_label="label",
        x_range=(-0.5, classes - 0.5),
        y_range=(classes - 0.5, -0.5),
    )
    plot.rect(
        "predicted",
        "label",
        width=0.94,
        height=0.94,
        source=source,
        fill_color="fill",
        line_color=None,
    )
    if classes <= MOST_WITH_NUMBERS:
        plot.text(
            "predicted",
            "label",
            text="count",
            source=source,
            text_align="center",
            text_baseline="middle",
            text_font_size="11px",
            text_color="ink",
        )
        plot.xaxis.ticker = plot.yaxis.ticker = list(range(classes))
    plot.grid.visible = False
    return plot


def _worst_confusions(counts: Int64Array) -> Table:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = [divmod(int(place), counts.shape[0]) for place in order]
    return Table(
        title="Most frequent confusions",
        columns=("label", "predicted as", "samples", "of the label"),
        rows=[
            (
                str(label),
                str(predicted),
                str(wrong[label, predicted]),
                f"{100 * wrong[label, predicted] / counts[label].sum():.1f} %",
            )
            for label, predicted in places
            if wrong[label, predicted]
        ],
    )
