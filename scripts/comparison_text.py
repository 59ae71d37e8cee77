"""What ``lavadeploy compare`` says."""

from __future__ import annotations

import dataclasses
from typing import Any

from lavadeploy.scripts.console import print_table, say
from lavadeploy.sim import Cause, CauseName, Comparison, StepEvidence


def comparison_data(found: Comparison, cause: Cause | None) -> dict[str, Any]:
    """Return a comparison as JSON has it: its fields, and the cause."""
    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return {**fields, "cause": cause}


def show_comparison(found: Comparison, cause: Cause | None, names: tuple[str, str]) -> None:
    """Print whether runs are equal, what differs in each layer, where first, and why."""
    if found.not_logged:
        say(f"Not in the logs, so not compared: spikes of {', '.join(found.not_logged)}.")
    also = ["states"] * found.states_compared + ["readouts"] * found.readouts_compared
    if found.equal:
        say(
            f"Equal: all {found.total_spikes} spikes{''.join(f' and all {what}' for what in also)}."
        )
        return
    first = found.first
    if first is None:
        say(
            f"Different: predictions are equal on {100 * found.predictions_equal:.2f} % of the "
            "samples only, though all that was compared is equal. Run both with --log all to see "
            "where they part."
        )
        return
    say(f"Different ({' and '.join(['spikes', *also])} compared).")
    for layer, count in found.differing_spikes.items():
        if layer not in found.not_logged:
            say(f"  {layer}: {count} spikes differ")
    say(f"Predictions equal on {100 * found.predictions_equal:.2f} % of the samples.")
    say(
        f"First difference: sample {first.sample}, step {first.step}, {first.layer}, "
        f"neuron {first.neuron}: {first.quantity} {first.value_a} in {names[0]}, "
        f"{first.value_b} in {names[1]}."
    )
    if cause is not None:
        _show_cause(cause, names)


def _show_cause(cause: Cause, names: tuple[str, str]) -> None:
    say(f"Cause: {cause.name.value}")
    say(f"  {cause.explanation}")
    if cause.differing:
        first, behind = cause.samples
        say(
            f"  That explains {cause.explained} of {cause.differing} differing {cause.quantity} of "
            f"{cause.layer} in samples {first} to {behind - 1}."
        )
    if cause.also:
        say(f"  It could as well be: {', '.join(name.value for name in cause.also)}.")
    others = [name for name in cause.own_faults if name != cause.layer]
    if others:
        say(f"  Not only there: {', '.join(others)} part from what reached them, too.")
    elif cause.own_faults and cause.name is not CauseName.NOT_EXPLAINED:
        say("  All other layers do what follows from what reached them.")
    if cause.evidence:
        _show_evidence(cause.evidence, names)
    if cause.remedy:
        say(f"  Remedy: {cause.remedy}")


def _show_evidence(rows: tuple[StepEvidence, ...], names: tuple[str, str]) -> None:
    """Print what the neuron did by the definition, and what it sent in both runs."""
    states = tuple(rows[0].states)
    has_threshold = rows[0].threshold is not None
    columns = ("step", "input", *states, *(("reached", "threshold") if has_threshold else ()))
    table = [
        (
            str(row.step),
            str(row.arriving),
            *(str(row.states[name]) for name in states),
            *((_known(row.before_reset), _known(row.threshold)) if has_threshold else ()),
            str(row.output),
            str(row.output_a),
            str(row.output_b),
        )
        for row in rows
    ]
    print_table((*columns, "sent", "A", "B"), table)
    say(f"  By the definition, and what it sent in {names[0]} (A) and {names[1]} (B).")


def _known(value: int | None) -> str:
    return "-" if value is None else str(value)
