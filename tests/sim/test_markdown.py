"""Names and sentences in Markdown are text, not markup."""

from __future__ import annotations

import pytest

from lavadeploy.sim.markdown import escaped, markdown_table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("*", r"\*"),
        ("`x` <b> [y](z)", r"\`x\` \<b\> \[y\](z)"),
        ("net_1.net", "net_1.net"),
        ("_net_", r"\_net\_"),
        (r"a\|b", r"a\\\|b"),
        ("two\nlines", "two lines"),
        ("98.5 % (3 to 4)", "98.5 % (3 to 4)"),
    ],
)
def test_what_would_be_markup_is_escaped(text: str, written: str) -> None:
    assert escaped(text) == written


def test_a_cell_cannot_end_its_row() -> None:
    assert markdown_table(("a", "b|c"), [("x\ny", "|")]) == [
        r"| a | b\|c |",
        "|---|---|",
        r"| x y | \| |",
    ]
