"""The parts of a report that are words and numbers only."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ...compile import loss_tables
from ..report import LAYER_COLUMNS, layer_rows
from ..run_overview import overview_rows
from .panels import Panel, Table
from .reported_run import ReportedRun

SAME_SPIKES = (
    "The artifact is in the run folder. With the same input it has the same spikes again, on every "
    "backend; lavadeploy compare tells. Paths are as they were given when it was made."
)
NO_INPUT = "The run does not say where its input was: put it for INPUT; its hash is below."


def overview_table(runs: Sequence[ReportedRun]) -> Table:
    """Return the figures that matter, a column for each run."""
    columns, rows = overview_rows([(run.name, run.summary) for run in runs])
    return Table(columns=columns, rows=rows)


def layer_panel(run: ReportedRun) -> Panel:
    """Return a row for each layer, and what became of layers that chips do not have."""
    tables = [Table(columns=LAYER_COLUMNS, rows=layer_rows(run.summary))]
    lowerings = run.summary.compiled.lowerings
    if lowerings:
        tables.append(
            Table(
                title="Lowered, since the chip has no such layers",
                columns=("layer", "was", "is now", "exactly"),
                rows=[
                    (row.layer, row.before, row.after, "yes" if row.exact else "no, rounded")
                    for row in lowerings
                ],
            )
        )
    sentence = "Spikes and synaptic operations (synops) are of the whole run, exactly counted."
    return Panel(run=run.name, sentences=(sentence,), tables=tables)


def loss_panel(run: ReportedRun) -> Panel:
    """Return what quantization lost."""
    losses = run.summary.compiled.losses
    rounded = [row.layer for row in run.summary.compiled.lowerings if not row.exact]
    sentences: list[str] = []
    if rounded:
        sentences.append(f"Rounded when they were lowered: {', '.join(rounded)}; see the layers.")
    if not losses and not rounded:
        sentences.append("The file held whole numbers, taken as they are: nothing was lost.")
    tables = [Table(columns=columns, rows=rows) for columns, rows in loss_tables(losses)]
    return Panel(run=run.name, sentences=sentences, tables=tables)


def warning_panel(run: ReportedRun) -> Panel:
    """Return the compiler's warnings, resources that are nearly used up, and states at risk."""
    compiled = run.summary.compiled
    nearly = [f"Nearly full: {line}" for line in compiled.near_limits]
    proved = sum(state.verdict == "proved" for state in compiled.states)
    sentence = f"{proved} of {len(compiled.states)} states are proved to stay in their registers."
    warnings = (*compiled.warnings, *nearly)
    return Panel(run=run.name, sentences=(sentence,), bullets=warnings or ("No warnings.",))


def repeat_panel(run: ReportedRun) -> Panel:
    """Return all that it takes to do the run again and to see that it was the same."""
    summary = run.summary
    passes = [
        (step.name, ", ".join(f"{name} {value}" for name, value in step.options.items()))
        for step in summary.compiled.passes
    ]
    return Panel(
        run=run.name,
        sentences=(SAME_SPIKES,) if "input" in summary.notes else (SAME_SPIKES, NO_INPUT),
        listings=(repeat_commands(run),),
        tables=(
            Table(
                title="SHA-256",
                columns=("of", "is"),
                rows=[(name, value) for name, value in summary.hashes.items() if value],
            ),
            Table(title="Versions", columns=("of", "is"), rows=list(summary.versions.items())),
            Table(title="Passes of the compiler", columns=("pass", "options"), rows=passes),
            Table(
                title="Notes",
                columns=("what", "is"),
                rows=[(name, str(value)) for name, value in summary.notes.items()],
            ),
        ),
    )


def repeat_commands(run: ReportedRun) -> str:
    """Return the command lines that do a run again and compare the two."""
    summary = run.summary
    folder = run.folder if run.folder.name else run.folder.resolve()  # '.' has no name
    again = f"{folder}-again"
    words = [
        *("lavadeploy", "run", str(folder / "compiled.ldc")),
        *("--input", str(summary.notes.get("input", "INPUT"))),
        *("--samples", str(summary.samples)),
        *("--backend", summary.backend, "--timeline", summary.timeline),
    ]
    for option in ("labels", "log"):
        if option in summary.notes:
            words += [f"--{option}", str(summary.notes[option])]
    for state in summary.notes.get("record", ()):
        words += ["--record", str(state)]
    compare = ["lavadeploy", "compare", str(folder), again]
    return f"{shlex.join([*words, '-o', again])}\n{shlex.join(compare)}"
