"""How the predictions of a run lie about its labels."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
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
    pairs = count_pairs(np.array(labels), np.array(run.summary.predictions))
    right = int(pairs.count[pairs.label == pairs.predicted].sum())
    by = "voltages" if run.summary.answers_in == "voltages" else "spikes"
    last = run.summary.activity.layers[-1].name
    right_of_all = f"{right} of {len(labels)} samples right, {100 * accuracy:.2f} %"
    sentences = [f"{right_of_all}, by the {by} of {last}."]
    plots: list[Plot] = []
    if pairs.classes <= MOST_CLASSES:
        plots.append(Plot(figure=_matrix(pairs), title="Confusion: samples by label"))
    else:
        sentences.append(f"{pairs.classes} classes: too many to draw, see the table.")
    return Panel(run=run.name, sentences=sentences, plots=plots, tables=(_worst_confusions(pairs),))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Labels and predictions that occur together, shape (pairs,), sorted; `count` of each."""

    label: Int64Array
    predicted: Int64Array
    count: Int64Array

    @property
    def classes(self) -> int:
        """One more than the largest number."""
        return int(max(self.label.max(), self.predicted.max())) + 1

    @property
    def of_label(self) -> Int64Array:
        """Samples of the pair's label, shape (pairs,)."""
        return np.bincount(self.label, self.count)[self.label].astype(np.int64)


def count_pairs(labels: Int64Array, predictions: Int64Array) -> Pairs:
    """Count how often samples of each label were predicted as what."""
    pairs, count = np.unique(np.stack([labels, predictions]), axis=1, return_counts=True)
    return Pairs(label=pairs[0], predicted=pairs[1], count=count.astype(np.int64))


def _matrix(pairs: Pairs) -> Any:
    share = pairs.count / pairs.of_label
    # what is wrong is rare: its shade is that of its root
    wrong_fill, wrong_ink = shades(Oranges256, np.sqrt(share))
    right_fill, right_ink = shades(Blues256, 0.5 * share)
    right = pairs.label == pairs.predicted
    source = ColumnDataSource(
        {
            "label": pairs.label,
            "predicted": pairs.predicted,
            "count": pairs.count,
            "percent": (100 * share).astype(np.float32),
            "fill": np.where(right, right_fill, wrong_fill).tolist(),
            "ink": np.where(right, right_ink, wrong_ink).tolist(),
        }
    )
    classes = pairs.classes
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


def _worst_confusions(pairs: Pairs) -> Table:
    wrong = np.flatnonzero(pairs.label != pairs.predicted)
    worst = wrong[np.argsort(-pairs.count[wrong], kind="stable")[:MOST_CONFUSIONS]]
    share = pairs.count / pairs.of_label
    return Table(
        title="Most frequent confusions",
        columns=("label", "predicted as", "samples", "of the label"),
        rows=[
            (
                str(pairs.label[i]),
                str(pairs.predicted[i]),
                str(pairs.count[i]),
                f"{100 * share[i]:.1f} %",
            )
            for i in worst
        ],
    )
