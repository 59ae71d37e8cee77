"""``lavadeploy convert-log``: the spikes of a run as a file of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import load_artifact
from lavadeploy.netx import OptionError
from lavadeploy.netx.atomic_write import file_written_atomically
from lavadeploy.scripts.console import JsonOption, complain, emit, say
from lavadeploy.sim import (
    STEP_US,
    convert_spike_log,
    layers_without_values,
    load_figures,
    spike_log_path,
)


def convert_log(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    to: Annotated[str, typer.Option("--to", help="csv, nirdata, npz, slayer or tonic.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    layer: Annotated[
        str | None,
        typer.Option(help="Only these layers, names with commas; all that were logged else."),
    ] = None,
    step_us: Annotated[
        int, typer.Option(help="Microseconds of a step, where the file tells times.")
    ] = STEP_US,
    as_json: JsonOption = False,
) -> None:
    """Write the spikes of a run as CSV, NIRData (HDF5) or NumPy arrays.

    npz has an array (N, T, neurons) for each layer, slayer (N, neurons, T) or (N, C, H, W, T),
    tonic a structured array for each layer and sample. A slayer file of one layer is an --input of
    lavadeploy run.
    """
    if step_us < 1:
        raise OptionError(f"--step-us is {step_us}; at least 1 was expected.")
    load_figures(run)
    network = load_artifact(run / "compiled.ldc").network
    shapes = {each.name: each.shape_out for each in network.layers}
    layers = None if layer is None else tuple(name.strip() for name in layer.split(","))
    if layer in shapes:  # names may have commas
        layers = (layer,)
    with file_written_atomically(output) as temporary:
        names = convert_spike_log(
            spike_log_path(run), temporary, to, shapes, layers=layers, step_us=step_us
        )
    for name in layers_without_values(spike_log_path(run), to, names, shapes):
        complain(
            f"warning: {name}: its graded spikes lose their values, which events of images in "
            "tonic's form do not have. Take npz, slayer, csv or nirdata for them."
        )
    written = {"written": str(output), "to": to, "layers": names}
    emit(written, as_json=as_json, output=None, show=lambda: say(f"Written: {output}"))
