"""The figures of a run as rows for tables, and as a short Markdown report."""

from __future__ import annotations

from collections.abc import Sequence

from .energy_text import energy_lines
from .markdown import markdown_table
from .run_overview import overview_rows
from .run_summary import RunSummary

LAYER_COLUMNS = (
    "layer",
    "kind",
    "neurons",
    "spikes",
    "activity",
    "synops",
    "bits",
    "exp",
    "cores",
)


def layer_rows(summary: RunSummary) -> list[tuple[str, ...]]:
    """Return one row a layer, in the order of `LAYER_COLUMNS`; counts are of the whole run."""
    rows: list[tuple[str, ...]] = []
    for chip, activity in zip(summary.compiled.layers, summary.activity.layers, strict=True):
        rows.append(
            (
                activity.name,
                chip.kind,
                f"{activity.neurons}",
                f"{activity.spikes}",
                f"{100 * activity.activity:.2f} %",
                f"{activity.synaptic_operations}",
                _or_dash(chip.weight_bits),
                _or_dash(chip.weight_exponent),
                f"{chip.cores}",
            )
        )
    return rows


def markdown_report(summary: RunSummary) -> str:
    """Return a short report, to be read in a terminal or rendered."""
    size = f"{summary.samples} samples of {summary.steps} steps in {summary.wall_s:.1f} s"
    resources = f"{summary.compiled.cores} cores, {summary.compiled.synapse_words} synapse words"
    lines = [
        f"# Run on {summary.backend}, compiled for {summary.profile}",
        "",
        f"{size}; {summary.created}, lavadeploy {summary.versions['lavadeploy']}.",
        "",
    ]
    if summary.accuracy is not None:
        lines += [f"Accuracy: **{100 * summary.accuracy:.2f} %**", ""]
    lines += [
        *markdown_table(LAYER_COLUMNS, layer_rows(summary)),
        "",
        f"{resources}; {summary.activity.input_spikes} input spikes.",
        "",
        *_as_list(energy_lines(summary.energy, summary.profile)),
        "",
    ]
    if summary.notes:
        lines += ["## Notes", "", *(f"- {name}: {v}" for name, v in summary.notes.items()), ""]
    if summary.compiled.warnings:
        lines += ["## Warnings", "", *(f"- {w}" for w in summary.compiled.warnings), ""]
    hashes = ", ".join(f"{name} `{value[:12]}`" for name, value in summary.hashes.items() if value)
    lines += [f"Hashes (SHA-256, first 12 digits): {hashes}.", ""]
    return "\n".join(lines)


def markdown_comparison(runs: Sequence[tuple[str, RunSummary]]) -> str:
    """Return the figures of several runs side by side, short enough for a pull request.

    Parameters
    ----------
    runs : sequence of (str, RunSummary)
        The runs with their names.
    """
    lines = [*markdown_table(*overview_rows(runs)), ""]
    for name, summary in runs:
        lines += [f"- {name}: {warning}" for warning in summary.compiled.warnings]
    return "\n".join([*lines, "", "Energies and times are estimates, with their intervals."])


def _or_dash(number: int | None) -> str:
    return "-" if number is None else f"{number}"


def _as_list(lines: list[str]) -> list[str]:
    """Return sentences as items; indented ones go on with the one before."""
    return [line if line.startswith(" ") else f"- {line}" for line in lines]
