"""SUPPORTED.md is what the rules, profiles and backends say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lavadeploy.compile.rules import RULES
from lavadeploy.compile.rules_of_lowering import REFUSALS
from lavadeploy.hw_profiles import load_profile, profile_names
from lavadeploy.netx import LayerKind, NeuronKind
from lavadeploy.scripts import write_supported
from lavadeploy.scripts.supported_text import COMMAND, supported_text

COMMITTED = Path(__file__).parents[2] / "SUPPORTED.md"


def rows() -> dict[str, list[str]]:
    """The cells of each table's row by its first, without the header."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in supported_text().splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_committed_file_is_not_stale() -> None:
    current = COMMITTED.read_text(encoding="utf-8") == supported_text()
    assert current, f"SUPPORTED.md is stale; run: {COMMAND}"


def test_every_rule_is_listed_with_its_sentence_and_what_profiles_allow() -> None:
    profiles = [load_profile(name) for name in profile_names()]
    for rule in RULES:
        assert rows()[rule.name] == [
            rule.sentence,
            *(rule.limit(profile) or "no limit" for profile in profiles),
        ]
    for refusal in REFUSALS:
        assert refusal.__name__ in rows()


def test_every_kind_of_layer_and_neuron_is_listed() -> None:
    assert {kind.value for kind in LayerKind} | {kind.value for kind in NeuronKind} <= set(rows())


def test_backends_are_those_that_run_the_layer() -> None:
    assert rows()["dense"][-1] == "reference, engine, lava, loihi"
    assert rows()["CUBA"][-1] == "reference, engine, lava, loihi"
    assert rows()["CUBA"][1:4] == ["yes", "yes", "yes"]
    assert rows()["SDNN"][1:4] == ["yes", "no", "yes"]


def test_the_script_writes_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "SUPPORTED.md"
    write_supported.main(target)
    assert target.read_text(encoding="utf-8") == supported_text()
    assert capsys.readouterr().out.startswith("Written: ")


def test_no_row_is_broken() -> None:
    tables = re.split(r"\n\n", supported_text())
    for table in (part.splitlines() for part in tables if part.startswith("| ")):
        assert len({line.count("|") for line in table}) == 1
