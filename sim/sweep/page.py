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
    chips = {
        f"profile {name}": _with_hash(
            "" if report.profiles[name] == name else report.profiles[name], sha
        )
        for name, sha in report.profile_sha256.items()
    }
    shown = {
        "network": _with_hash(report.network, report.network_sha256),
        "input": _with_hash(report.input, report.input_sha256),
        "labels": _with_hash(report.labels or "of the input", report.labels_sha256),
        "samples": report.samples,
        "calibration samples": _with_hash(report.calibration, report.calibration_sha256),
        "bits": ", ".join(map(str, report.bits)),
        "steps": ", ".join(map(str, report.steps)),
        **chips,
        "method": report.method or "none; weights as stored",
        "percentile": settings.percentile,
        "objective": settings.objective and settings.objective.value,
        "input shape": settings.input_shape,
        "allow approximate": "yes" if settings.allow_approximate else "no",
        "strict": "yes" if settings.strict else "no",
        "energy covers": report.boundary,
        **report.versions,
    }
    return [(name, str(value)) for name, value in shown.items() if value not in (None, "")]


def _with_hash(name: str, sha256: str) -> str:
    """Return a file and its hash; nothing for what the sweep does not have."""
    return ", ".join(part for part in (name, f"SHA-256 {sha256}") if part) if sha256 else ""
