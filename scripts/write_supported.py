"""Write SUPPORTED.md anew, after a rule, a profile or a backend has changed.

python -m lavadeploy.scripts.write_supported
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.netx.atomic_write import write_bytes_atomically
from lavadeploy.scripts.console import say
from lavadeploy.scripts.entry import run_script
from lavadeploy.scripts.supported_text import supported_text


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file.")] = Path(
        "SUPPORTED.md"
    ),
) -> None:
    """Write what is supported, as the rules and profiles say it."""
    write_bytes_atomically(output, supported_text().encode("utf-8"))
    say(f"Written: {output}")


if __name__ == "__main__":
    run_script(main)
