"""One file of HTML from a template, with Bokeh and its figures in it."""
# bokeh's type information is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bokeh.embed import components
from bokeh.resources import Resources
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...netx.version import __version__

BASE = Path(__file__).parent


def render_page(template: Path, figures: Sequence[Any], **context: Any) -> str:
    """Fill a template that extends ``base.html.jinja``.

    Parameters
    ----------
    template : Path
        The file. ``{{ place(figure) }}`` puts a figure into it.
    figures : sequence of Bokeh figures
        All that it places.
    **context
        What else it names.

    Returns
    -------
    str
        The page. Its content security policy lets it ask for nothing.
    """
    script, places = components(list(figures)) if figures else ("", ())
    place_of = {id(figure): place for figure, place in zip(figures, places, strict=True)}

    def place(figure: object) -> Markup:
        return Markup(place_of[id(figure)])

    library = Resources(mode="inline", components=["bokeh"]).js_raw if figures else ()
    environment = Environment(
        loader=FileSystemLoader([template.parent, BASE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template.name).render(
        version=__version__,
        library=Markup("\n".join(library)),
        script=Markup(script),
        place=place,
        **context,
    )
