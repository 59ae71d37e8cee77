"""Energy and time by term and by layer, each with its interval."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bokeh.models import ColumnDataSource

from ..energy import EnergyEstimate, Estimate
from ..energy.dynamic import INFERENCES
from ..energy.model import STATIC
from ..energy_text import energy_lines, quantity, readable_unit, three_digits
from ..pages import COLORS, color_of, neutral_figure, style_legend
from .panels import Panel, Plot, Table
from .reported_run import ReportedRun

DYNAMIC = "dynamic energy"
ROW_HEIGHT, FRAME_HEIGHT = 30, 70  # pixels


def energy_panels(runs: Sequence[ReportedRun]) -> list[Panel]:
    """Show the energy and time of each run with all that goes into them, at the same scale."""
    known = [run.summary.energy for run in runs if run.summary.energy is not None]
    energies = axis_decades([row for energy in known for row in _energies(energy)])
    times = axis_decades([row for energy in known for row in _times(energy)])
    return [_energy_panel(run, energies, times) for run in runs]


def _energy_panel(run: ReportedRun, energies: Sequence[float], times: Sequence[float]) -> Panel:
    energy, profile = run.summary.energy, run.summary.profile
    sentences = _paragraphs(energy_lines(energy, profile))
    if energy is None:
        return Panel(run=run.name, sentences=sentences)
    return Panel(
        run=run.name,
        bullets=sentences,
        plots=(
            Plot(figure=interval_plot(_energies(energy), energies), title="Energy of an inference"),
            Plot(figure=_by_layer(energy), title="Dynamic energy by layer, nominal"),
            Plot(figure=interval_plot(_times(energy), times), title="Time of an inference"),
        ),
        tables=(_term_table(energy), _layer_table(energy), _time_table(energy)),
    )


def axis_decades(rows: Sequence[tuple[str, Estimate]]) -> list[float]:
    """Return the powers of ten between which all numbers lie that are neither 0 nor infinite."""
    ends = [x for _, e in rows for x in (e.nominal, e.low, e.high) if 0 < x < math.inf]
    first = math.floor(math.log10(min(ends, default=1.0)))
    last = max(math.ceil(math.log10(max(ends, default=1.0))), first + 1)
    return [10.0**power for power in range(first, last + 1)]


def interval_plot(rows: Sequence[tuple[str, Estimate]], decades: Sequence[float]) -> Any:
    """Return a plot of numbers with their intervals on a logarithmic axis, a row each.

    An end that is 0 lies at the left border.
    """
    least, most = decades[0], decades[-1]
    names = [name for name, _ in rows]
    source = ColumnDataSource(
        {
            "name": names,
            "low": [min(max(e.low, least), most) for _, e in rows],
            "high": [min(max(e.high, least), most) for _, e in rows],
            "text": [quantity(e) for _, e in rows],
            "evidence": [e.evidence for _, e in rows],
        }
    )
    plot = neutral_figure(
        height=ROW_HEIGHT * len(rows) + FRAME_HEIGHT,
        tooltips=[("", "@name"), ("", "@text"), ("weakest evidence", "@evidence")],
        x_axis_type="log",
        x_range=(least, most),
        y_range=list(reversed(names)),
        x_axis_label="nominal (point) and interval",
    )
    plot.xaxis.ticker = plot.xgrid.ticker = list(decades)
    plot.xaxis.major_label_overrides = {x: _with_unit(x, rows[0][1].unit) for x in decades}
    plot.hbar(
        "name", left="low", right="high", height=0.34, source=source, color=COLORS[0], alpha=0.4
    )
    known = [(name, e.nominal) for name, e in rows if e.nominal > 0]
    points = ColumnDataSource({"name": [n for n, _ in known], "nominal": [x for _, x in known]})
    plot.scatter("nominal", "name", source=points, size=9, color=COLORS[0])
    plot.ygrid.grid_line_color = None
    return plot


def _energies(energy: EnergyEstimate) -> list[tuple[str, Estimate]]:
    rows = list(energy.terms.items())
    rows.append((DYNAMIC, energy.dynamic_energy))
    rows += [(f"with {name}", total) for name, total in energy.totals.items()]
    return rows


def _times(energy: EnergyEstimate) -> list[tuple[str, Estimate]]:
    rows = [
        ("slowest core, work added up", energy.time_sum),
        ("slowest core, work overlapping", energy.time_max_affine),
    ]
    if energy.longest_step is not None:
        rows.append(("longest step", energy.longest_step))
    return rows


def _with_unit(number: float, unit: str) -> str:
    readable, factor = readable_unit(number, unit)
    return f"{three_digits(number * factor)} {readable}"


def _by_layer(energy: EnergyEstimate) -> Any:
    names = [layer.name for layer in energy.layers]
    terms = [name for name in energy.terms if name not in (STATIC, INFERENCES)]
    unit, factor = readable_unit(max(layer.energy.nominal for layer in energy.layers), "nJ")
    plot = neutral_figure(
        height=max(len(names), 3) * ROW_HEIGHT + FRAME_HEIGHT,
        tooltips=[("layer", "@layer"), ("$name", f"@$name{{0,0.000}} {unit}")],
        y_range=list(reversed(names)),
        x_axis_label=f"{unit} an inference",
    )
    columns: dict[str, list[Any]] = {"layer": names}
    for term in terms:
        columns[term] = [
            factor * layer.terms[term].nominal if term in layer.terms else 0.0
            for layer in energy.layers
        ]
    colors = [color_of(index) for index, _ in enumerate(terms)]
    source = ColumnDataSource(columns)
    plot.hbar_stack(terms, y="layer", height=0.6, source=source, color=colors, legend_label=terms)
    plot.x_range.start = 0
    plot.ygrid.grid_line_color = None
    style_legend(plot)
    return plot


def _term_table(energy: EnergyEstimate) -> Table:
    powers = {**energy.powers, DYNAMIC: energy.dynamic_power}
    rows = [
        (
            name,
            quantity(estimate),
            quantity(powers[name]) if name in powers else "",
            estimate.evidence,
        )
        for name, estimate in _energies(energy)
    ]
    product = energy.energy_delay_product
    rows.append(("energy-delay product", quantity(product), "", product.evidence))
    return Table(
        title="Energy by term, one inference after the other: nominal (low to high)",
        columns=("term", "an inference", "a second", "weakest evidence"),
        rows=rows,
    )


def _layer_table(energy: EnergyEstimate) -> Table:
    whole = energy.dynamic_energy.nominal
    return Table(
        title="Dynamic energy by layer: nominal (low to high)",
        columns=("layer", "an inference", "a second", "of all"),
        rows=[
            (
                layer.name,
                quantity(layer.energy),
                quantity(layer.power),
                f"{100 * layer.energy.nominal / whole if whole else 0:.1f} %",
            )
            for layer in energy.layers
        ],
    )


def _time_table(energy: EnergyEstimate) -> Table:
    rows = [(name, *_cells(estimate)) for name, estimate in _times(energy)]
    pace = energy.inferences_per_second
    low, high = three_digits(pace.low), three_digits(pace.high)
    rows.append(
        ("inferences a second", f"{three_digits(pace.nominal)} ({low} to {high})", pace.evidence)
    )
    rows.append(("dynamic power at that pace", *_cells(energy.dynamic_power)))
    rows.append(("power at that pace", *_cells(energy.total_power)))
    return Table(
        title="Time of an inference, and energy a second",
        columns=("", "nominal (low to high)", "weakest evidence"),
        rows=rows,
    )


def _cells(estimate: Estimate) -> tuple[str, str]:
    return quantity(estimate), estimate.evidence


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Join the lines of each sentence: those that go on are indented."""
    joined: list[str] = []
    for line in lines:
        if line.startswith(" ") and joined:
            joined[-1] = f"{joined[-1]} {line.strip()}"
        else:
            joined.append(line)
    return joined
