"""Tables and plain text in Markdown, whatever names and sentences have in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What begins markup, or ends a table's cell. Inside of a word an underscore is one.
_SPECIAL = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)")


def escaped(text: str) -> str:
    r"""Return a line that renders as the text.

    Examples
    --------
    >>> print(escaped("*a|b*,\nnet_1 of _x_"))
    \*a\|b\*, net_1 of \_x\_
    """
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.splitlines()))


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, as GitHub's Markdown has them."""
    return [_row(columns), "|" + "---|" * len(columns), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(escaped, cells)) + " |"
