"""``lavadeploy report``: a page about one run, or about several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.netx import OptionError
from lavadeploy.netx.atomic_write import write_bytes_atomically
from lavadeploy.scripts.console import JsonOption, emit, progress, say
from lavadeploy.sim import load_summary, markdown_comparison, markdown_report, run_names


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file; of one run: report.html in its folder."),
    ] = None,
    sample: Annotated[int, typer.Option(help="Whose spikes are drawn.")] = 0,
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="A short form for pull requests, on stdout without -o."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show runs on one page of HTML, which opens in any browser and needs no network."""
    text = _markdown(runs) if markdown else None
    if text is None:
        output = output or _default_output(runs)
        _write_page(runs, output, sample)
    elif output is not None:
        write_bytes_atomically(output, (text + "\n").encode("utf-8", errors="replace"))
    data = {"runs": [str(run) for run in runs], "written": output and str(output), "markdown": text}

    def show() -> None:
        if output is not None:
            say(f"Written: {output}")
        else:
            print(text)

    emit(data, as_json=as_json, output=None, show=show)


def _default_output(runs: list[Path]) -> Path:
    if len(runs) > 1:
        raise OptionError("a report of several runs needs a file: -o report.html.")
    return runs[0] / "report.html"


def _write_page(runs: list[Path], output: Path, sample: int) -> None:
    # Bokeh takes half a second, which no other command shall wait for
    from lavadeploy.sim.html_report import read_reported_runs, write_html_report

    with progress(len(runs), "reading") as on_read:
        reported = read_reported_runs(runs, sample, on_read=on_read)
    write_html_report(reported, output)


def _markdown(runs: list[Path]) -> str:
    summaries = [(name, load_summary(run)) for name, run in zip(run_names(runs), runs, strict=True)]
    if len(summaries) == 1:
        return markdown_report(summaries[0][1]).rstrip("\n")
    return markdown_comparison(summaries)
