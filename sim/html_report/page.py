"""The page: sections of all runs in one file of HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...netx import OutputError
from ...netx.atomic_write import write_bytes_atomically
from ..pages import render_page
from .confusion import confusion_panel
from .core_panel import core_panel
from .energy_plots import axis_decades, energy_panels, interval_plot
from .panels import Panel, Plot, Section
from .raster import raster_panel
from .rates import rates_panel
from .reported_run import ReportedRun
from .tables import layer_panel, loss_panel, overview_table, repeat_panel, warning_panel

TEMPLATE = Path(__file__).with_name("page.html.jinja")
MOST_BYTES = 6_000_000


def write_html_report(runs: Sequence[ReportedRun], path: str | Path) -> None:
    """Write a report of one run, or of several side by side.

    Parameters
    ----------
    runs : sequence of ReportedRun
        What `read_reported_runs` returned.
    path : str or Path
        The file; an earlier one is replaced.

    Raises
    ------
    OutputError
        When it cannot be written, or would be larger than 6 MB.
    """
    page = html_report(runs).encode("utf-8", errors="replace")
    if len(page) > MOST_BYTES:
        remedy = "Name fewer runs." if len(runs) > 1 else "Read it with a smaller `most_events`."
        raise OutputError(
            f"'{path}': the report takes {len(page) / 1e6:.1f} MB; the most that every browser "
            f"opens well is {MOST_BYTES / 1e6:.0f} MB. {remedy}"
        )
    write_bytes_atomically(Path(path), page)


def html_report(runs: Sequence[ReportedRun]) -> str:
    """Return a page that needs nothing but itself; see `write_html_report`."""
    sections = _sections(runs)
    figures = [
        plot.figure for section in sections for panel in section.panels for plot in panel.plots
    ]
    title = " and ".join(run.name for run in runs)
    return render_page(TEMPLATE, figures, title=title, sections=sections)


def _sections(runs: Sequence[ReportedRun]) -> list[Section]:
    def each(panel_of: Callable[[ReportedRun], Panel | None]) -> list[Panel]:
        return [panel for run in runs if (panel := panel_of(run)) is not None]

    sections = [
        Section(anchor="overview", title="What was run", panels=[_overview(runs)]),
        Section(anchor="accuracy", title="Accuracy", panels=each(confusion_panel)),
        Section(anchor="layers", title="Layers", panels=each(layer_panel)),
        Section(anchor="spikes", title="Spikes", panels=each(raster_panel)),
        Section(anchor="sparsity", title="Activity and sparsity", panels=each(rates_panel)),
        Section(anchor="energy", title="Energy and time, estimated", panels=energy_panels(runs)),
        Section(anchor="cores", title="Cores and traffic", panels=each(core_panel)),
        Section(anchor="loss", title="What quantization lost", panels=each(loss_panel)),
        Section(anchor="warnings", title="Warnings", panels=each(warning_panel)),
        Section(anchor="repeat", title="To repeat it", panels=each(repeat_panel)),
    ]
    return [section for section in sections if section.panels]


def _overview(runs: Sequence[ReportedRun]) -> Panel:
    plots: list[Any] = []
    energies = [(run.name, run.summary.energy) for run in runs]
    known = [(name, energy) for name, energy in energies if energy is not None]
    if len(known) > 1:
        energy_of = [(name, energy.total_energy) for name, energy in known]
        time_of = [(name, energy.time) for name, energy in known]
        plots = [
            Plot(figure=interval_plot(rows, axis_decades(rows)), title=title)
            for rows, title in (
                (energy_of, "Energy of an inference"),
                (time_of, "Time of an inference"),
            )
        ]
    return Panel(plots=plots, tables=(overview_table(runs),))
