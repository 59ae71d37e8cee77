"""What the commands print: tables and sentences, JSON, progress."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lavadeploy.netx import OptionError, Shape
from lavadeploy.netx.atomic_write import write_bytes_atomically

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
JsonFileOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the same as JSON to this file.")
]
InputShapeOption = Annotated[
    str | None,
    typer.Option(help="C,H,W of the input, where the file does not tell it."),
]

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


def say(text: str = "") -> None:
    """Print a line for people on stdout."""
    # In a pipe or a file a line stays a line; on a terminal words wrap at its width
    _out.print(text, markup=False, soft_wrap=not _out.is_terminal)


def complain(text: str) -> None:
    """Print a line on stderr."""
    _err.print(text, markup=False, soft_wrap=not _err.is_terminal)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table; numbers are aligned right, the first column left."""
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for index, column in enumerate(columns):
        is_number = index > 0 and all(_is_number(row[index]) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    _out.print(table)


def to_json(data: Any) -> str:
    """Return dataclasses, profiles and plain values as JSON."""
    return json.dumps(_plain(data), indent=1, ensure_ascii=False)


def emit(data: Any, *, as_json: bool, output: Path | None, show: Callable[[], None]) -> None:
    """Print data as JSON or by `show`, and write it to a file if one is named."""
    if output is not None:
        write_bytes_atomically(output, (to_json(data) + "\n").encode("utf-8"))
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
    return text.replace(".", "").replace("%", "").replace("-", "").strip().isdecimal()


def _plain(data: Any) -> Any:
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if is_dataclass(data) and not isinstance(data, type):
        return _plain(asdict(data))
    if isinstance(data, Enum):
        return data.value
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]  # pyright: ignore[reportUnknownVariableType]
    return data
