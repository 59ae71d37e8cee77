"""``lavadeploy calibrate``: coefficients of a board from its measured runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.hw_profiles import load_profile, profile_name, save_profile
from lavadeploy.netx import OptionError
from lavadeploy.scripts.console import JsonOption, emit, print_table, say
from lavadeploy.sim import (
    CalibrationFit,
    Fit,
    FitOptions,
    StepModel,
    fit_profile,
    fitted_profile,
    read_measurement,
)
from lavadeploy.sim.energy.fit import FEWEST
from lavadeploy.sim.energy_text import three_digits

COLUMNS = ("coefficient", "profile", "fitted", "95 % interval", "unit", "says")


def calibrate(
    runs: Annotated[
        list[Path], typer.Argument(help="Records of measured runs, or run.json files with one.")
    ],
    profile: Annotated[str, typer.Option(help="Where to start from.")] = "loihi2",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The fitted profile, say my_board.yaml.")
    ] = None,
    regularization: Annotated[
        float, typer.Option(help="Weight of the profile's values; 0 forgets them.")
    ] = 1.0,
    relative_error: Annotated[float, typer.Option(help="Of each measured energy and time.")] = 0.05,
    step_model: Annotated[StepModel, typer.Option(help="Form of the step time.")] = StepModel.SUM,
    draws: Annotated[int, typer.Option(help="Of the bootstrap behind the intervals.")] = 200,
    seed: Annotated[int, typer.Option(help="Of its random numbers.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Fit a profile's energies and times to measured runs.

    The record is described in sim/energy/measurement.py.
    """
    if output is not None and output.suffix not in (".yaml", ".yml"):
        raise OptionError(f"'{output}': a profile's file ends in .yaml.")
    start = load_profile(profile)
    options = FitOptions(
        strength=regularization,
        relative_error=relative_error,
        draws=draws,
        seed=seed,
        step_model=step_model,
    )
    fit = fit_profile([read_measurement(path) for path in runs], start, options)
    if output is not None:
        save_profile(fitted_profile(fit, start, profile_name(output)), output)

    def show() -> None:
        _show(fit, regularization)
        say("Nothing written." if output is None else f"Written: {output}")

    emit(fit, as_json=as_json, output=None, show=show)


def _show(fit: CalibrationFit, regularization: float) -> None:
    say(f"{fit.runs} runs on {', '.join(fit.boards)}; start: profile '{fit.profile}'.")
    print_table(COLUMNS, [*_rows(fit.energy, "pJ"), *_rows(fit.time, "ns")])
    static = fit.static
    low, high = three_digits(static.low), three_digits(static.high)
    say(
        f"Static power of a chip ({static.boundary}) {three_digits(static.nominal)} mW "
        f"({low} to {high})."
    )
    for what, found in (("Energy", fit.energy), ("Time", fit.time)):
        if found is None:
            say(
                f"{what}: fewer than {FEWEST} runs are without the host's time "
                "(time.host_excluded), so the profile's times are kept."
            )
            continue
        say(
            f"{what}: condition number {three_digits(found.condition)}, "
            f"{three_digits(found.condition_merged)} after merging; error "
            f"{100 * found.error:.1f} % on the {found.runs} runs fitted."
        )
        for network, error in found.left_out.items():
            say(f"  {100 * error:.1f} % on {network}, fitted without it")
    if not fit.energy.left_out:
        say("All runs are of one network, so nothing says how good predictions of others are.")
    _show_beyond(fit, regularization)
    for rail in fit.rails:
        say(f"Rail {rail} was fitted by itself, too; its coefficients are in --json.")
    for run, reason in fit.dropped.items():
        say(f"Not fitted to energy: {run}, {reason}.")


def _show_beyond(fit: CalibrationFit, regularization: float) -> None:
    """Say which coefficients the profile's values hold back."""
    fits = (("energy", fit.energy), ("time", fit.time))
    found = [
        f"{what} of {c.name.replace('_', ' ')}"
        for what, part in fits
        for c in (() if part is None else part.coefficients)
        if c.beyond and c.identified
    ]
    if found and regularization > 0:
        say(
            f"Farther from the profile than it is uncertain: {', '.join(found)}. The profile "
            "holds these back, and intervals may be too narrow; fit with --regularization 0."
        )


def _rows(fit: Fit | None, unit: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for found in () if fit is None else fit.coefficients:
        says = "fitted" if found.identified else "not identified, profile's value kept"
        if found.merged_with:
            says += f"; one with {', '.join(found.merged_with)}"
        rows.append(
            (
                found.name.replace("_", " "),
                "-" if found.before is None else three_digits(found.before),
                three_digits(found.nominal),
                f"{three_digits(found.low)} to {three_digits(found.high)}",
                unit,
                says,
            )
        )
    return rows
