"""A sweep as one HTML file, which needs no network and no program of ours."""

from __future__ import annotations

from pathlib import Path

from ..pages import render_page
from .cost_axis import cost_axes
from .plots import accuracy_plot
from .report import SweepReport
from .table import point_rows, table_notes

TEMPLATE = Path(__file__).with_name("page.html.jinja")


def page_text(report: SweepReport) -> str:
    """Return the page: plots, table, what failed, and what repeats the sweep."""
    plots = {axis.name: accuracy_plot(report, axis) for axis in cost_axes(report)}
    columns, rows = point_rows(report)
    return render_page(
        TEMPLATE,
        list(plots.values()),
        report=report,
        plots=plots,
        columns=columns,
        rows=rows,
        notes=table_notes(report),
        settings=_settings(report),
    )


def _settings(report: SweepReport) -> list[tuple[str, str]]:
    settings = report.settings
    method = settings.method or ("calibrated" if report.calibration_sha256 else "least_squares")
    shown = {
        "network": f"{report.network}, SHA-256 {report.network_sha256}",
        "input": f"{report.input}, SHA-256 {report.input_sha256}",
        "samples": str(report.samples),
        "calibration samples": report.calibration_sha256 and f"SHA-256 {report.calibration_sha256}",
        "method": str(getattr(method, "value", method)),
        "percentile": settings.percentile,
        "objective": settings.objective and settings.objective.value,
        "input shape": settings.input_shape,
        "allow approximate": settings.allow_approximate,
        "strict": settings.strict,
        **{f"profile {name}": f"SHA-256 {sha}" for name, sha in report.profile_sha256.items()},
        **report.versions,
    }
    return [(name, str(value)) for name, value in shown.items() if value not in (None, "")]
