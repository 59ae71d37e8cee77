"""A new user who follows the README only gets what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


def section(title: str) -> str:
    """Return the text below a heading, up to the next."""
    text = README.read_text(encoding="utf-8")
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def without_numbers(line: str) -> str:
    """Keep words only: figures depend on the machine that trained."""
    return re.sub(r"[\d.,…-]+|True|False", "#", line).replace(" ", "")


def run(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), command
    return done.stdout


@pytest.mark.lava
def test_the_commands_and_the_api_example_print_what_the_readme_shows(tmp_path: Path) -> None:
    shown: dict[str, list[str]] = {}
    command = ""
    for line in section("By hand").splitlines():
        if line.startswith("    $ "):
            command = line[6:]
            shown[command] = []
        elif line.startswith("    ") and command:
            shown[command].append(line.strip())
    assert len(shown) == 6
    for command, expected in shown.items():
        printed = [line.strip() for line in run(command, tmp_path).splitlines() if line.strip()]
        if expected:  # one run is shown without its output, the same as the one before
            assert [without_numbers(p) for p in printed] == [without_numbers(e) for e in expected]
    code, output = re.findall(r"```(?:python)?\n(.*?)```", section("By the API"), flags=re.DOTALL)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    printed = run("python example.py", tmp_path).splitlines()
    assert [without_numbers(p) for p in printed] == [
        without_numbers(e) for e in output.strip().splitlines()
    ]


def test_every_file_that_the_readme_names_is_there() -> None:
    root = README.parent
    named = re.findall(r"`([a-z_]+/[a-z_0-9]+\.(?:py|yaml))`", README.read_text(encoding="utf-8"))
    assert len(named) >= 3
    assert [name for name in named if not (root / name).exists()] == []
