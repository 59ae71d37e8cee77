"""``lavadeploy sweep``: one network at several chips, widths and steps."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.netx import OptionError
from lavadeploy.scripts.console import (
    InputShapeOption,
    JsonOption,
    complain,
    emit,
    parse_shape,
    print_table,
    progress,
    say,
)
from lavadeploy.scripts.entry import EXIT_DID_NOT_HOLD
from lavadeploy.scripts.quantization_options import (
    CalibrationOption,
    MethodOption,
    ObjectiveOption,
    PercentileOption,
    chosen_method,
)
from lavadeploy.sim import Boundary
from lavadeploy.sim.sweep import (
    AS_STORED,
    ClusterWorkers,
    LocalWorkers,
    Outcome,
    PointSettings,
    SweepPlan,
    SweepReport,
    Workers,
    check_sweep_folder,
    plan_sweep,
    point_rows,
    report_sweep,
    run_sweep,
    write_report,
)
from lavadeploy.sim.sweep.points import Bits
from lavadeploy.sim.sweep.table import table_notes


def sweep(
    network: Annotated[Path, typer.Argument(help="A NetX file.")],
    input_file: Annotated[
        Path,
        typer.Option("--input", help="Samples as for lavadeploy run; with labels for accuracy."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder, say sweeps/x.")],
    bits: Annotated[
        str | None,
        typer.Option(
            help="Widths of weights with commas: 4,6,8; 'file' for whole numbers as stored."
        ),
    ] = None,
    steps: Annotated[
        str | None, typer.Option(help="Steps of a sample with commas: 8,16,32; all if left out.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Chips with commas: loihi1,loihi2.")] = "loihi2",
    labels: Annotated[
        Path | None,
        typer.Option(help="An .npy with the labels, where they are not with the spikes."),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Run only the first samples.")] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes of this machine; one a core if not given.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler: tcp://host:8786.")
    ] = None,
    method: MethodOption = None,
    percentile: PercentileOption = None,
    calibration: CalibrationOption = None,
    objective: ObjectiveOption = None,
    input_shape: InputShapeOption = None,
    allow_approximate: Annotated[
        bool, typer.Option("--allow-approximate", help="Lower layers with rounding if need be.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse states not proved to stay in their registers.")
    ] = False,
    boundary: Annotated[
        Boundary, typer.Option(help="What energies cover; all are kept in the folder.")
    ] = Boundary.NEUROCORES,
    as_json: JsonOption = False,
) -> None:
    """Compile and run a network at every combination of chips, widths and steps.

    Points run beside each other on backend engine. The same command goes on with what a sweep
    has left out; failed points do not end it, and make the exit code 1.
    """
    if jobs is not None and scheduler is not None:
        raise OptionError("--jobs is for processes of this machine; --scheduler has its workers.")
    check_sweep_folder(output)
    plan = plan_sweep(
        network,
        input_file,
        bits=parse_widths(bits),
        steps=parse_numbers("--steps", steps),
        profiles=parse_words(profile),
        settings=PointSettings(
            method=method,
            percentile=percentile,
            objective=objective,
            input_shape=parse_shape(input_shape),
            allow_approximate=allow_approximate,
            strict=strict,
        ),
        labels=labels,
        samples=samples,
        calibration=calibration,
    )
    chosen_method(method, percentile, plan.calibration, objective)
    workers = LocalWorkers(plan, jobs) if scheduler is None else ClusterWorkers(plan, scheduler)
    report = report_sweep(plan, _run(plan, output, workers), folder=output, boundary=boundary)
    write_report(report, output)

    def show() -> None:
        show_sweep(report)
        say(f"Written: {output}")

    emit(report, as_json=as_json, output=None, show=show)
    if report.failures:
        raise typer.Exit(EXIT_DID_NOT_HOLD)


def _run(plan: SweepPlan, folder: Path, workers: Workers) -> tuple[Outcome, ...]:
    """Run what is missing; say what was there, and what is kept when it ends before its time."""
    total = len(plan.points)
    done: list[int] = []
    try:
        with _counted(total, done) as on_progress, workers:
            return run_sweep(plan, folder, workers, on_progress)
    except BaseException:  # an interruption or a full disk, too
        if done:
            complain(
                f"{done[-1]} of {total} points are finished and kept; the same command goes on "
                "after them."
            )
        raise


@contextmanager
def _counted(total: int, done: list[int]) -> Generator[Callable[[int], None]]:
    """Show a bar, and keep what it was told; the first number is what was there before."""
    with progress(total, "running points") as on_progress:

        def count(number: int) -> None:
            if not done and number:
                complain(f"{number} of {total} points are finished already")
            done.append(number)
            on_progress(number)

        yield count


def show_sweep(report: SweepReport) -> None:
    """Print the table, what its figures are, and what failed."""
    if report.results:
        print_table(*point_rows(report))
        for line in table_notes(report):
            say(line)
    failed: dict[str, list[str]] = {}
    for failure in report.failures:
        failed.setdefault(failure.sentence, []).append(failure.point.name)
    for sentence, names in failed.items():
        say(f"Failed: {', '.join(names)}")
        for line in sentence.splitlines():
            say(f"  {line}")
    total = len(report.outcomes)
    if report.failures:
        say(f"{len(report.failures)} of {total} points failed; the same command tries them again.")


def parse_words(text: str) -> tuple[str, ...]:
    """Return ``'loihi1, loihi2'`` as words."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def parse_numbers(option: str, text: str | None) -> tuple[int, ...]:
    """Return ``'8,16,32'`` as numbers; none for None.

    Raises
    ------
    OptionError
        When one is no whole number above 0.
    """
    words = () if text is None else tuple(word.strip() for word in text.split(","))
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise OptionError(f"{option} '{text}'; whole numbers with commas were expected: 8,16,32.")
    return tuple(int(word) for word in words)


def parse_widths(text: str | None) -> tuple[Bits, ...]:
    """Return ``'file,8,4'`` as widths; none for None.

    Raises
    ------
    OptionError
        When one is neither 'file' nor a whole number above 0.
    """
    words = () if text is None else tuple(word.strip() for word in text.split(","))
    if not all(word == AS_STORED or (word.isdecimal() and int(word) > 0) for word in words):
        raise OptionError(
            f"--bits '{text}'; widths with commas were expected: 4,6,8, or '{AS_STORED}' for whole "
            "numbers as the file has them."
        )
    return tuple(AS_STORED if word == AS_STORED else int(word) for word in words)
