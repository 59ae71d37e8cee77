"""Write VALIDATION.md anew, after a coefficient, the energy model or a case has changed.

python -m lavadeploy.scripts.write_validation
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.netx.atomic_write import write_bytes_atomically
from lavadeploy.scripts.console import say
from lavadeploy.scripts.entry import run_script
from lavadeploy.scripts.validation_text import validation_text


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file.")] = Path(
        "VALIDATION.md"
    ),
) -> None:
    """Write what the energy model predicts of published measurements."""
    write_bytes_atomically(output, validation_text().encode("utf-8"))
    say(f"Written: {output}")


if __name__ == "__main__":
    run_script(main)
