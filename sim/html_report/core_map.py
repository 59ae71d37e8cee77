"""Chips as grids of tiles, with the cores in use drawn where they lie."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource
from numpy.typing import NDArray

from ...compile import Site
from ...hw_profiles import Mesh
from ..pages import COLORS, NEUTRAL, neutral_figure, shades

CHIP_GAP = 0.6  # tiles
MARGIN = 0.2
FULL_WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 560, 200, 800  # pixels
TOOLTIPS = [
    ("core", "@core on chip @chip"),
    ("layer", "@layer, @neurons neurons"),
    ("fullest", "@fullest"),
    ("messages an inference", "@messages"),
    ("synaptic operations an inference", "@operations"),
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Links:
    """The heaviest ways between cores.

    Attributes
    ----------
    source, target : int32 array, shape (n,)
        Numbers of the cores.
    messages : float64 array, shape (n,)
        Sent from one to the other, the most first.
    ways : int
        How many pairs of cores send anything.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    messages: NDArray[np.float64]
    ways: int


def core_map(
    mesh: Mesh,
    sites: Sequence[Site],
    columns: Mapping[str, Sequence[Any]],
    share: NDArray[np.float64],
    *,
    palette: Sequence[str],
    numbers: Sequence[str] | None = None,
    links: Links | None = None,
) -> Any:
    """Return a map of the chips in use.

    Parameters
    ----------
    mesh : Mesh
        How tiles and chips lie.
    sites : sequence of Site
        Of each core.
    columns : mapping of str to sequence
        What `TOOLTIPS` shows of each core.
    share : float64 array, shape (cores,)
        Strength of its colour, 0 to 1.
    palette : sequence of str
        256 colours from dark to light.
    numbers : sequence of str, optional
        Written on the cores.
    links : Links, optional
        Drawn between them.
    """
    chips = max(site.chip for site in sites) + 1
    width = min(chips, mesh.chip_columns.value) * (mesh.columns.value + CHIP_GAP) - CHIP_GAP
    height = -(-chips // mesh.chip_columns.value) * (mesh.rows.value + CHIP_GAP) - CHIP_GAP
    plot = neutral_figure(
        height=round(min(max(FULL_WIDTH * height / width, LEAST_HEIGHT), MOST_HEIGHT)),
        tooltips=TOOLTIPS,
        x_range=(-MARGIN, width + MARGIN),
        y_range=(height + MARGIN, -MARGIN),
    )
    _draw_tiles(plot, mesh, chips)
    places = np.array([_place(site, mesh) for site in sites], dtype=np.float32)
    fill, ink = shades(palette, share)
    source = ColumnDataSource({**columns, "x": places[:, 0], "y": places[:, 1], "fill": fill})
    size = 0.86 / _side(mesh)
    look = {"fill_color": "fill", "line_color": None}
    cells = plot.rect("x", "y", width=size, height=size, source=source, **look)
    plot.hover.renderers = [cells]
    if numbers is not None:
        _write(plot, places, numbers, ink)
    if links is not None and links.messages.size:
        _draw(plot, places, links)
    plot.axis.visible = plot.grid.visible = False
    return plot


def _place(site: Site, mesh: Mesh) -> tuple[float, float]:
    """Return the centre of a core, in tiles from the corner of the board."""
    chip_row, chip_column = divmod(site.chip, mesh.chip_columns.value)
    side = _side(mesh)
    row, column = divmod(site.core, side)
    x = chip_column * (mesh.columns.value + CHIP_GAP) + site.column + (column + 0.5) / side
    y = chip_row * (mesh.rows.value + CHIP_GAP) + site.row + (row + 0.5) / side
    return x, y


def _side(mesh: Mesh) -> int:
    return math.ceil(math.sqrt(mesh.cores_per_tile.value))


def _draw_tiles(plot: Any, mesh: Mesh, chips: int) -> None:
    chip_row, chip_column = np.divmod(np.arange(chips), mesh.chip_columns.value)
    column, row = np.meshgrid(np.arange(mesh.columns.value), np.arange(mesh.rows.value))
    left = chip_column * (mesh.columns.value + CHIP_GAP)
    top = chip_row * (mesh.rows.value + CHIP_GAP)
    x = np.add.outer(left, column.reshape(-1) + 0.5).reshape(-1)
    y = np.add.outer(top, row.reshape(-1) + 0.5).reshape(-1)
    plot.rect(x, y, width=1, height=1, fill_color=None, line_color=NEUTRAL, line_alpha=0.3)


def _write(
    plot: Any, places: NDArray[np.float32], numbers: Sequence[str], ink: Sequence[str]
) -> None:
    plot.text(
        places[:, 0],
        places[:, 1],
        text=list(numbers),
        text_align="center",
        text_baseline="middle",
        text_font_size="10px",
        text_color=list(ink),
    )


def _draw(plot: Any, places: NDArray[np.float32], links: Links) -> None:
    start, end = places[links.source], places[links.target]
    plot.segment(
        start[:, 0],
        start[:, 1],
        end[:, 0],
        end[:, 1],
        line_color=COLORS[0],
        line_width=1.5,
        line_alpha=0.1 + 0.7 * links.messages / links.messages.max(),
    )
