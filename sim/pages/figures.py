"""Bokeh figures that can be read on white, on black and on paper."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import HoverTool
from bokeh.plotting import figure
from numpy.typing import NDArray

# After Okabe & Ito's colours for people who do not see all of them (jfly.uni-koeln.de/color), with
# those changed that do not stand out from white and from black.
COLORS = ("#0090d6", "#e69f00", "#00a67a", "#d55e00", "#cc79a7", "#56b4e9", "#8c7bd1", "#a09a2c")
NEUTRAL = "#808080"  # 3.9 : 1 on white and 5.3 : 1 on black
FAINT = 0.25
MOST_LIGHT = 230  # of 256 colours of a palette: next to white
EQUAL_CONTRAST = 0.179  # luminance on which white and black stand out equally, 4.6 : 1
LEGEND_COLUMNS = 70  # characters
LEGEND_ROW, MOST_LEGEND_ROWS = 24, 12  # pixels; rows
TOOLS = "pan,box_zoom,wheel_zoom,reset,save"


def color_of(index: int) -> str:
    """Return the colour of the layer, term or run of a number."""
    return COLORS[index % len(COLORS)]


def neutral_figure(
    *, height: int, tooltips: Any = None, sizing_mode: Any = "stretch_width", **options: Any
) -> Any:
    """Return an empty figure, `height` pixels high and as wide as the page allows."""
    plot = figure(
        height=height,
        sizing_mode=sizing_mode,
        tools=TOOLS,
        active_drag="box_zoom",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        **options,
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    if tooltips is not None:
        plot.add_tools(HoverTool(tooltips=tooltips))
    for axis in plot.axis:
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_color = axis.major_label_text_color = NEUTRAL
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = NEUTRAL
    for grid in plot.grid:
        grid.grid_line_color, grid.grid_line_alpha = NEUTRAL, FAINT
    return plot


def dash_of(index: int) -> str:
    """Return the dashes of a line, which tell apart what has the same colour."""
    return ("solid", "dashed", "dotted", "dotdash")[index // len(COLORS) % 4]


def shades(palette: Sequence[str], share: NDArray[np.float64]) -> tuple[list[str], list[str]]:
    """Return colours for shares of 0 to 1, and the colour of text that can be read on each.

    They are opaque, and so the same on white and on black. `palette` goes from dark to light.
    """
    fill = [palette[int(step)] for step in np.round((1 - share) * MOST_LIGHT)]
    ink = ["#000000" if luminance(color) > EQUAL_CONTRAST else "#ffffff" for color in fill]
    return fill, ink


def luminance(color: str) -> float:
    """Return the relative luminance of '#rrggbb', 0 to 1, by WCAG 2.1."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def style_legend(plot: Any) -> None:
    """Put the legend above the plot, which grows by it; a click on a name hides what has it.

    Beyond `MOST_LEGEND_ROWS` there is none: hovering names what is there.
    """
    for legend in plot.legend:
        longest = max((len(item.label.value) for item in legend.items), default=0)
        legend.ncols = max(1, LEGEND_COLUMNS // (longest + 4))
        rows = -(-len(legend.items) // legend.ncols)
        if rows > MOST_LEGEND_ROWS:
            legend.visible = False
            continue
        plot.height += LEGEND_ROW * rows
        legend.background_fill_color = legend.border_line_color = None
        legend.label_text_color = NEUTRAL
        legend.click_policy = "hide"
        legend.orientation = "horizontal"
        plot.add_layout(legend, "above")
