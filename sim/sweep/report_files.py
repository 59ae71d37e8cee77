"""The files of a sweep: JSON, CSV, Markdown and the page."""

from __future__ import annotations

from pathlib import Path

from ...netx.atomic_write import write_bytes_atomically
from ..json_text import to_json
from .report import SweepReport
from .table import csv_text, markdown_text


def write_report(report: SweepReport, folder: str | Path) -> tuple[Path, ...]:
    """Write ``sweep.json``, ``sweep.csv``, ``sweep.md`` and ``sweep.html``; return their paths.

    Raises
    ------
    OutputError
        When one cannot be written.
    """
    from .page import page_text  # Bokeh takes a second to load; only this needs it

    texts = {
        "sweep.json": to_json(report) + "\n",
        "sweep.csv": csv_text(report),
        "sweep.md": markdown_text(report),
        "sweep.html": page_text(report),
    }
    paths: list[Path] = []
    for name, text in texts.items():
        paths.append(Path(folder) / name)
        write_bytes_atomically(paths[-1], text.encode("utf-8", errors="replace"))
    return tuple(paths)
