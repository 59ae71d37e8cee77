"""``lavadeploy compare``: whether two runs are equal, where they part first, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.netx import OptionError
from lavadeploy.scripts.comparison_text import comparison_data, show_comparison
from lavadeploy.scripts.console import JsonFileOption, JsonOption, emit
from lavadeploy.scripts.entry import EXIT_DID_NOT_HOLD
from lavadeploy.scripts.run_pairs import (
    RunPair,
    pair_of_backends,
    pair_of_folders,
    pair_with_slayer,
)
from lavadeploy.sim import Cause, CauseName, Comparison, compare_runs, explain_difference


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Two run folders; or an artifact, with --backends or --against."),
    ],
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input", help="The .npz to run, or what two runs were fed, where it was moved."
        ),
    ] = None,
    backends: Annotated[
        str | None, typer.Option(help="Run the artifact on two backends: lava,engine.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Run it and a SLAYER model, of this state (a .pt of model.state_dict())."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="What builds that model: file.py:function; it is run."),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Run only the first samples.")] = None,
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """Compare two runs; name the first difference, its cause and what to do.

    Exit code 1 when they differ.
    """
    pair = _pair(runs, input_file, backends, against, model, samples)
    found = compare_runs(pair.a, pair.b)
    cause = _cause(pair, found)
    emit(
        comparison_data(found, cause),
        as_json=as_json,
        output=output,
        show=lambda: show_comparison(found, cause, pair.names),
    )
    if not found.equal:
        raise typer.Exit(EXIT_DID_NOT_HOLD)


def _pair(
    runs: list[Path],
    input_file: Path | None,
    backends: str | None,
    against: Path | None,
    model: str | None,
    samples: int | None,
) -> RunPair:
    if backends is None and against is None:
        if len(runs) != 2:
            raise OptionError(
                f"{len(runs)} run folders given; 2 were expected, or an artifact with --backends "
                "lava,engine or --against model.pt."
            )
        if samples is not None or model is not None:
            raise OptionError("--samples and --model are for artifacts that are to be run.")
        return pair_of_folders(runs[0], runs[1], input_file)
    if len(runs) != 1:
        raise OptionError(f"{len(runs)} files given; with --backends or --against, one artifact.")
    if input_file is None:
        raise OptionError("--backends and --against run the artifact: give --input.")
    names = () if backends is None else tuple(name.strip() for name in backends.split(","))
    if against is not None:
        if len(names) > 1:
            raise OptionError(f"--backends '{backends}': one was expected beside --against.")
        backend = names[0] if names else None
        return pair_with_slayer(runs[0], against, model, backend, input_file, samples)
    if len(names) != 2:
        raise OptionError(f"--backends '{backends}': two were expected, say lava,engine.")
    return pair_of_backends(runs[0], (names[0], names[1]), input_file, samples)


def _cause(pair: RunPair, found: Comparison) -> Cause | None:
    """Return why the runs part; None where they do not, or where nothing tells what they ran."""
    first = found.first
    if first is None:
        return None
    ours, theirs = pair.input_hashes
    if ours != theirs and (pair.inputs is None or pair.inputs_b is None):
        return Cause(
            name=CauseName.INPUT_ENCODING,
            layer=first.layer,
            side=None,
            explanation=f"The runs were fed different input (hashes {ours[:12]}, {theirs[:12]}).",
            remedy="Run both with the same --input, or keep both files to see how they differ.",
        )
    if pair.compiled is None:
        return None
    return explain_difference(
        pair.compiled,
        pair.inputs,
        pair.a,
        pair.b,
        found,
        compiled_b=pair.compiled_b,
        inputs_b=pair.inputs_b,
        names=pair.names,
    )
