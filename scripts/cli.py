"""The command ``lavadeploy``: deploys spiking networks trained with SLAYER to Loihi-class chips."""

from __future__ import annotations

import sys

import typer

from lavadeploy.netx import LavaDeployError
from lavadeploy.scripts.commands import compare, compile, doctor, inspect, profiles, run
from lavadeploy.scripts.console import complain

EXIT_GOOD, EXIT_DID_NOT_HOLD, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130

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
app.command("run")(run.run)
app.command("compare")(compare.compare)


def main() -> None:
    """Run the command line; errors of the user's become one sentence and exit code 2."""
    try:
        app()
    except LavaDeployError as error:
        complain(f"error: {error}")
        sys.exit(EXIT_BAD_INPUT)
    except SystemExit as done:
        # typer turns Ctrl-C into this code, without a word
        if done.code == EXIT_INTERRUPTED:
            complain("interrupted; nothing half-written was left behind.")
        raise


if __name__ == "__main__":
    main()
