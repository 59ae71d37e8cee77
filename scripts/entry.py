"""How every program of lavadeploy starts and ends: errors as sentences, exit codes."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from lavadeploy.netx import LavaDeployError
from lavadeploy.scripts.console import complain

EXIT_DID_NOT_HOLD, EXIT_BAD_INPUT = 1, 2
EXIT_INTERRUPTED, EXIT_TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


def run_program(program: Callable[[], Any]) -> None:
    """Run a command line program.

    What the user did wrong becomes one sentence on stderr and exit code 2; Ctrl-C and a request to
    terminate end it in order, with the codes that shells use.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without µ or × still gets the text
    handlers = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, _terminate),
        signal.SIGINT: signal.signal(signal.SIGINT, _interrupt),
    }
    try:
        program()
    except LavaDeployError as error:
        complain(f"error: {error}")
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        if error.filename is None:
            raise
        complain(f"error: '{error.filename}': {error.strerror}.")
        sys.exit(EXIT_BAD_INPUT)
    except SystemExit as done:
        # typer turns Ctrl-C into this code, without a word
        if done.code == EXIT_INTERRUPTED:
            complain("interrupted; nothing half-written was left behind.")
        raise
    finally:
        for number, handler in handlers.items():
            # once a signal came it stays ignored until the program has ended
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)


def run_script(main: Callable[..., None]) -> None:
    """Run a script whose parameters are the function's."""
    run_program(lambda: typer.run(main))


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    # a second Ctrl-C must not cut the clean-up short
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _terminate(_signal: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(EXIT_TERMINATED)
