"""Pages of HTML that need nothing but themselves, and figures that can be read on all of them."""

from .figures import COLORS as COLORS
from .figures import NEUTRAL as NEUTRAL
from .figures import color_of as color_of
from .figures import dash_of as dash_of
from .figures import neutral_figure as neutral_figure
from .figures import shades as shades
from .figures import style_legend as style_legend
from .render import render_page as render_page
