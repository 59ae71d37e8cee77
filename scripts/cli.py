"""The command ``lavadeploy``: deploys spiking networks trained with SLAYER to Loihi-class chips."""

from __future__ import annotations

import typer

from lavadeploy.scripts.commands import (
    calibrate,
    compare,
    compile,
    convert_log,
    diff,
    doctor,
    estimate,
    inspect,
    profiles,
    report,
    run,
    sweep,
)
from lavadeploy.scripts.entry import run_program

app = typer.Typer(
    help="Deploy spiking networks trained with lava-dl SLAYER to Loihi-class chips. "
    "Exit codes: 0 good, 1 a comparison or check did not hold, 2 bad input or usage.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("doctor")(doctor.doctor)
app.command("profiles")(profiles.profiles)
app.command("inspect")(inspect.inspect)
app.command("compile")(compile.compile_)
app.command("diff")(diff.diff)
app.command("estimate")(estimate.estimate)
app.command("run")(run.run)
app.command("sweep")(sweep.sweep)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("convert-log")(convert_log.convert_log)
app.command("calibrate")(calibrate.calibrate)


def main() -> None:
    """Run the command line."""
    run_program(app)


if __name__ == "__main__":
    main()
