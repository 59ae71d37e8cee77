"""``lavadeploy compare``: whether two runs are equal, and where they part first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lavadeploy.netx import RunFolderError
from lavadeploy.scripts.console import JsonFileOption, JsonOption, emit, say
from lavadeploy.scripts.entry import EXIT_DID_NOT_HOLD
from lavadeploy.sim import Comparison, compare_runs, load_run


def compare(
    run_a: Annotated[Path, typer.Argument(help="A run folder.")],
    run_b: Annotated[Path, typer.Argument(help="Another run of the same network and input.")],
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """Compare two runs; name the first difference.

    Exit code 1 when they differ.
    """
    figures_a, result_a = load_run(run_a)
    figures_b, result_b = load_run(run_b)
    _check_same_input(figures_a, figures_b)
    found = compare_runs(result_a, result_b)
    emit(
        found,
        as_json=as_json,
        output=output,
        show=lambda: show_comparison(found, str(run_a), str(run_b)),
    )
    if not found.equal:
        raise typer.Exit(EXIT_DID_NOT_HOLD)


def show_comparison(found: Comparison, name_a: str, name_b: str) -> None:
    """Print whether runs are equal, what differs in each layer, and the first difference."""
    if found.not_logged:
        say(f"Not in the logs, so not compared: spikes of {', '.join(found.not_logged)}.")
    also = ["states"] * found.states_compared + ["readouts"] * found.readouts_compared
    if found.equal:
        say(
            f"Equal: all {found.total_spikes} spikes{''.join(f' and all {what}' for what in also)}."
        )
        return
    say(f"Different ({' and '.join(['spikes', *also])} compared).")
    for layer, count in found.differing_spikes.items():
        say(f"  {layer}: {count} spikes differ")
    say(f"Predictions equal on {100 * found.predictions_equal:.2f} % of the samples.")
    first = found.first
    if first is not None:
        say(
            f"First difference: sample {first.sample}, step {first.step}, {first.layer}, "
            f"neuron {first.neuron}: {first.quantity} {first.value_a} in {name_a}, "
            f"{first.value_b} in {name_b}."
        )


def _check_same_input(a: dict[str, Any], b: dict[str, Any]) -> None:
    if a["hashes"]["input"] != b["hashes"]["input"]:
        raise RunFolderError(
            "the runs cannot be compared: they had different input (hashes "
            f"{a['hashes']['input'][:12]} and {b['hashes']['input'][:12]}). "
            "Run both with the same --input and --samples."
        )
