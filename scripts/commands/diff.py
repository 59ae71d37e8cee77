"""``lavadeploy diff``: what changed between two compiled artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import diff_artifacts, load_artifact
from lavadeploy.scripts.console import JsonFileOption, JsonOption, emit, say
from lavadeploy.scripts.entry import EXIT_DID_NOT_HOLD
from lavadeploy.scripts.network_tables import show_changes


def diff(
    artifact: Annotated[Path, typer.Argument(help="A compiled artifact.")],
    other: Annotated[Path, typer.Argument(help="Another one: what changed from one to this?")],
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """Show what changed between two compiled artifacts.

    Profile, passes with their options, registers, neurons and placement; not when they were
    compiled. Exit code 1 when they differ.
    """
    compiled, other_compiled = load_artifact(artifact), load_artifact(other)
    changes = diff_artifacts(compiled, other_compiled)
    data = {
        "file": str(artifact),
        "other": str(other),
        "created": compiled.created,
        "other_created": other_compiled.created,
        "equal": not changes,
        "changes": changes,
    }

    def show() -> None:
        if not changes:
            say(f"No difference in {len(compiled.network.layers)} layers.")
            return
        show_changes(changes)
        count = "1 difference" if len(changes) == 1 else f"{len(changes)} differences"
        arrays = " Of an array, the first values that differ."
        has_arrays = any(change.elements is not None for change in changes)
        say(f"{count} from {artifact} to {other}.{arrays if has_arrays else ''}")

    emit(data, as_json=as_json, output=output, show=show)
    if changes:
        raise typer.Exit(EXIT_DID_NOT_HOLD)
