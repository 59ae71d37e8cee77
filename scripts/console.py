"""What the commands print: tables and sentences, JSON, progress."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lavadeploy.netx import OptionError, Shape
from lavadeploy.netx.atomic_write import write_bytes_atomically
from lavadeploy.sim.json_text import to_json

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
JsonFileOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the same as JSON to this file.")
]
InputShapeOption = Annotated[
    str | None,
    typer.Option(help="C,H,W of the input, where the file does not tell it."),
]

NARROW = 100  # columns of a terminal below which tables are set tightly
LONG_WORD = 20  # columns of a cell above which it is broken, if need be
UNLIMITED = 1 << 14  # columns of a pipe or a file, where a line stays a line

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


def say(text: str = "") -> None:
    """Print a line for people on stdout."""
    _print(_out, text)


def complain(text: str) -> None:
    """Print a line on stderr."""
    _print(_err, text)


def _print(console: Console, text: str) -> None:
    """Print lines; on a terminal they wrap between words, indented like their first."""
    if console.is_terminal:
        indent = " " * (len(text) - len(text.lstrip(" ")))
        lines = [
            textwrap.fill(line, console.width, subsequent_indent=indent, break_on_hyphens=False)
            for line in text.split("\n")
        ]
        text = "\n".join(lines)
    console.print(text, markup=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; numbers are aligned right, the first column left.

    Where a terminal is too narrow, cells of several words wrap between words, and words longer than
    `LONG_WORD` break; rich would cut off what may not wrap.
    """
    is_narrow = _out.is_terminal and _out.width < NARROW
    padding = (0, 0) if is_narrow else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding)
    for index, column in enumerate(columns):
        # a cell without text is as good as a number
        is_number = index > 0 and all(_is_number(row[index] or "0") for row in rows)
        # only words may wrap, and whatever stands last
        may_wrap = index == len(columns) - 1 or any(
            " " in row[index].strip() or cell_len(row[index]) > LONG_WORD for row in rows
        )
        table.add_column(
            Text(column),
            justify="right" if is_number else "left",
            no_wrap=not may_wrap,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # not markup: "[1, 2]" is an index
    console = _out if _out.is_terminal else Console(highlight=False, width=UNLIMITED)
    console.print(table)


def emit(data: Any, *, as_json: bool, output: Path | None, show: Callable[[], None]) -> None:
    """Print data as JSON or by `show`, and write it to a file if one is named."""
    if output is not None:
        # names in a file need not be UTF-8; stdout replaces what cannot be encoded, too
        write_bytes_atomically(output, (to_json(data) + "\n").encode("utf-8", errors="replace"))
    if as_json:
        print(to_json(data))
    else:
        show()


@contextmanager
def progress(total: int, what: str) -> Generator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; yields a function that takes the number done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def parse_shape(text: str | None) -> Shape | None:
    """Return ``'1,28,28'`` as a tuple."""
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) not in (1, 3) or not all(p.strip().isdecimal() and int(p) > 0 for p in parts):
        raise OptionError(f"input shape '{text}'; N or C,H,W was expected, for example 1,28,28.")
    return tuple(int(p) for p in parts)


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as ``1×28×28``."""
    return "×".join(str(n) for n in shape)


def _is_number(text: str) -> bool:
    """Tell whether a cell belongs right: a number, a range of numbers, or a dash for none."""
    return text == "-" or text.translate(str.maketrans("", "", ".%- ")).isdecimal()
