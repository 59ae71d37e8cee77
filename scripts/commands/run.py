"""``lavadeploy run``: run an artifact on input spikes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from lavadeploy.compile import CompiledNetwork, load_artifact
from lavadeploy.netx import BackendUnavailableError, OptionError
from lavadeploy.scripts.console import JsonOption, complain, emit, print_table, progress, say
from lavadeploy.sim import (
    DEFAULT_BACKEND,
    LAYER_COLUMNS,
    LOG_ALL,
    Backend,
    Destination,
    RunOptions,
    RunSummary,
    RunWriter,
    SpikeInput,
    Timeline,
    check_input_fits,
    check_run_folder,
    energy_lines,
    layer_rows,
    load_spike_input,
    open_backend,
    recorded_states,
    run_into,
)


def run(
    artifact: Annotated[Path, typer.Argument(help="What lavadeploy compile wrote.")],
    input_file: Annotated[
        Path,
        typer.Option(
            "--input",
            help="An .npz with integer 'spikes' (N,C,T) or (N,C,H,W,T), and 'labels' (N,); "
            "or an .npy with the spikes alone.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder, say runs/x.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="An .npy with the labels, where they are not with the spikes."),
    ] = None,
    backend: Annotated[
        str, typer.Option(help="lava, engine, reference or loihi.")
    ] = DEFAULT_BACKEND,
    samples: Annotated[int | None, typer.Option(help="Run only the first samples.")] = None,
    record: Annotated[
        list[str] | None,
        typer.Option(
            help="Keep states of every neuron and step: layer2.v, layer2 or all; may be repeated."
        ),
    ] = None,
    timeline: Annotated[
        Timeline,
        typer.Option(
            help="slayer: layer latencies taken out, biases act as trained; chip: as on a chip."
        ),
    ] = Timeline.SLAYER,
    threads: Annotated[
        int | None,
        typer.Option(help="Of backend engine; one a core if not given."),
    ] = None,
    log: Annotated[
        str,
        typer.Option(
            help="Layers whose spikes are written: all, output, none, or names with commas. "
            "All are counted."
        ),
    ] = LOG_ALL,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run of that folder that was interrupted."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run an artifact on input spikes."""
    chosen = open_backend(backend)
    reason = chosen.unavailable()
    if reason is not None:
        raise BackendUnavailableError(reason)
    if samples is not None and samples < 1:
        raise OptionError(f"--samples is {samples}; at least 1 was expected.")
    if threads is not None and backend != "engine":
        raise OptionError(f"--threads is of backend 'engine'; backend '{backend}' has no threads.")
    if resume and output is None:
        raise OptionError("--resume needs the run folder: --output.")
    options = RunOptions(record=tuple(record or ()), timeline=timeline, threads=threads)
    if output is not None:
        check_run_folder(output)
    compiled = load_artifact(artifact)
    inputs = load_spike_input(input_file, labels).first(samples)
    check_input_fits(inputs, compiled)
    recorded_states(compiled.network, options.record)
    to = Destination(folder=output, log=log, resume=resume)
    notes: dict[str, Any] = {"artifact": str(artifact), "input": str(input_file)}
    if labels is not None:
        notes["labels"] = str(labels)
    if log != LOG_ALL:
        notes["log"] = log
    if record:
        notes["record"] = record
    summary = _run(chosen, compiled, inputs, options, to, notes)

    def show() -> None:
        show_summary(summary)
        if output is not None:
            say(f"Written: {output}")

    emit(summary, as_json=as_json, output=None, show=show)


def _run(
    backend: Backend,
    compiled: CompiledNetwork,
    inputs: SpikeInput,
    options: RunOptions,
    to: Destination,
    notes: dict[str, Any],
) -> RunSummary:
    """Run and write; what is finished when it ends before its time can be gone on with."""
    writer = RunWriter(compiled, inputs, backend.name, options, to)
    try:
        with writer:
            if writer.done:
                complain(f"going on after {writer.done} of {inputs.n_samples} samples")
            with progress(inputs.n_samples, f"running on {backend.name}") as on_progress:
                on_progress(writer.done)
                options = dataclasses.replace(options, on_progress=on_progress)
                run_into(backend, compiled, inputs, options, writer)
            return writer.finish(notes)
    except BaseException:  # an interruption or a lack of memory, too
        if writer.kept:
            complain(
                f"{writer.kept} of {inputs.n_samples} samples are finished and kept; "
                "the same command with --resume goes on after them."
            )
        raise


def show_summary(summary: RunSummary) -> None:
    """Print accuracy, the layer table, and energy and time."""
    say(
        f"{summary.samples} samples of {summary.steps} steps on {summary.backend} "
        f"in {summary.wall_s:.1f} s."
    )
    if summary.accuracy is not None:
        by = f", by the voltages of {summary.activity.layers[-1].name}"
        how = by if summary.answers_in == "voltages" else ""
        say(f"Accuracy {100 * summary.accuracy:.2f} %{how}.")
    print_table(LAYER_COLUMNS, layer_rows(summary))
    for line in energy_lines(summary.energy, summary.profile):
        say(line)
