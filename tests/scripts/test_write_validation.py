"""VALIDATION.md is what the energy model predicts of published measurements."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavadeploy.scripts import write_validation
from lavadeploy.scripts.validation_text import COMMAND, validation_text

COMMITTED = Path(__file__).parents[2] / "VALIDATION.md"


def test_the_committed_file_is_not_stale() -> None:
    current = COMMITTED.read_text(encoding="utf-8") == validation_text()
    assert current, f"VALIDATION.md is stale; run: {COMMAND}"


def test_misses_are_shown_as_such() -> None:
    text = validation_text()
    assert "| **too low** |" in text
    assert "| **too high** |" in text
    assert "| possible |" in text


def test_the_script_writes_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "VALIDATION.md"
    write_validation.main(target)
    assert target.read_text(encoding="utf-8") == validation_text()
    assert capsys.readouterr().out.startswith("Written: ")
