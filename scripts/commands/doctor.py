"""``lavadeploy doctor``: what is installed, what works, and the command that mends each lack."""

from __future__ import annotations

import typer

from lavadeploy.scripts.console import JsonFileOption, JsonOption, emit, say
from lavadeploy.scripts.entry import EXIT_DID_NOT_HOLD
from lavadeploy.sim import DEFAULT_BACKEND, diagnose


def doctor(as_json: JsonOption = False, output: JsonFileOption = None) -> None:
    """Show what works here, and what mends the rest.

    Looks at Python, packages, backends and hardware.

    Exit code 1 when Python or the default backend cannot be used.
    """
    findings = diagnose()

    def show() -> None:
        for finding in findings:
            say(f"{'ok     ' if finding.good else 'missing'}  {finding.subject}: {finding.detail}")
            if finding.remedy:
                say(f"         mend with: {finding.remedy}")

    emit(findings, as_json=as_json, output=output, show=show)
    needed = ("Python", f"backend {DEFAULT_BACKEND}")
    if any(not f.good for f in findings if f.subject in needed):
        raise typer.Exit(EXIT_DID_NOT_HOLD)
