"""What a section of a report holds for each run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"-?[0-9.]*|-?[0-9.]+e[+-]?[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under columns; the first column names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def is_numeric(self, column: int) -> bool:
        """Tell whether a column holds nothing but numbers, percentages and dashes for none."""
        cells = [row[column].removesuffix(" %") for row in self.rows]
        return column > 0 and all(_NUMBER.fullmatch(cell) for cell in cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A figure of Bokeh with what it shows, in words."""

    figure: Any
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One run's part of a section; shown in the order sentences, plots, tables, listings.

    Attributes
    ----------
    run : str
        Name of the run; empty where the panel is of all runs.
    sentences : sequence of str
        Paragraphs.
    bullets : sequence of str
        Items of a list.
    plots, tables : sequence
        See `Plot` and `Table`.
    listings : sequence of str
        Text to be copied as it stands.
    """

    run: str = ""
    sentences: Sequence[str] = ()
    bullets: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    listings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report; panels stand side by side."""

    anchor: str
    title: str
    panels: Sequence[Panel]
