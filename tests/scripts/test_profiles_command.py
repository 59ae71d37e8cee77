"""``lavadeploy profiles``: the chips, and one chip's numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from lavadeploy.hw_profiles import load_profile
from lavadeploy.hw_profiles import loader as profile_loader

Cli = Callable[..., CompletedProcess[str]]


def test_chips_are_listed_with_what_they_are(cli: Cli) -> None:
    found = cli("profiles")
    assert (found.returncode, found.stderr) == (0, "")
    rows = {line.split()[0]: line for line in found.stdout.splitlines() if line.strip()}
    assert set(rows) >= {"profile", "ideal", "loihi1", "loihi2"}
    assert "Intel Loihi 2 (2021)" in rows["loihi2"]


def test_chips_are_listed_as_json(cli: Cli) -> None:
    found = cli("profiles", "--json", "-o", "chips.json")
    assert (found.returncode, found.stderr) == (0, "")
    chips = json.loads(found.stdout)
    assert chips == {n: load_profile(n).description for n in ("ideal", "loihi1", "loihi2")}
    assert json.loads(Path("chips.json").read_text(encoding="utf-8")) == chips


def test_each_number_of_a_chip_has_unit_evidence_and_source(cli: Cli) -> None:
    found = cli("profiles", "loihi2")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert lines[0] == f"loihi2: {load_profile('loihi2').description}"
    cores = lines.index("  cores per chip: 120 cores [inferred]")
    assert lines[cores + 1].startswith("      commonly quoted; Hala Point has 140544 / 1152")
    assert "  synaptic operation: 20 (6.8 to 30) pJ [inferred]" in lines
    assert "  columns: 8 tiles [toolchain]" in lines
    assert "  partition: formula lava-loihi2 [inferred]" in lines
    assert "  static power: 230 (170 to 340) mW [measured]" in lines
    assert "  board: 1000 (700 to 1800) mW [measured]" in lines
    assert "  output axons per core: no limit" in lines
    assert "  step: not known" in lines
    numbers = [i for i, line in enumerate(lines) if line.startswith("  ") and line[2] != " "]
    assert len(numbers) > 25
    for index in numbers:
        if lines[index].endswith((": no limit", ": not known")):
            continue
        assert lines[index].endswith("]"), lines[index]
        assert lines[index + 1].startswith("      "), lines[index]
        assert lines[index + 1].strip(), lines[index]


def test_chip_as_json_holds_every_number_with_its_source(cli: Cli) -> None:
    found = cli("profiles", "loihi2", "--json", "-o", "chip.json")
    assert (found.returncode, found.stderr) == (0, "")
    chip = json.loads(found.stdout)
    assert chip["limits"]["neurons_per_core"] == {
        "value": 4095,
        "unit": "neurons",
        "evidence": "inferred",
        "source": "budget of the Lava compiler: percent columns and counts of lava-dl's "
        "YOLO-KP notebook",
    }
    assert json.loads(Path("chip.json").read_text(encoding="utf-8")) == chip


def test_chip_without_coefficients_says_so(cli: Cli) -> None:
    lines = cli("profiles", "ideal").stdout.splitlines()
    assert "  neurons per core: no limit" in lines
    assert "energy: none" in lines
    assert "mesh: none" in lines
    assert "time: none" in lines
    assert "power: none" in lines


def test_static_power_that_is_not_known_is_not_called_unlimited(cli: Cli) -> None:
    lines = cli("profiles", "ideal").stdout.splitlines()
    assert [line.strip() for line in lines if "static power" in line] == ["static power: none"]


def test_chip_of_ones_own_is_named_by_the_path_of_its_file(cli: Cli) -> None:
    text = (profile_loader.FOLDER / "loihi2.yaml").read_text(encoding="utf-8")
    Path("mine.yaml").write_text(text.replace("name: loihi2", "name: mine"), encoding="utf-8")
    found = cli("profiles", "mine.yaml")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("mine: Intel Loihi 2")


def test_unknown_chip_is_answered_with_the_nearest_name(cli: Cli) -> None:
    found = cli("profiles", "lohi2")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: unknown profile 'lohi2'; did you mean 'loihi2'? Valid: 'ideal', 'loihi1', "
        "'loihi2', or the path of a YAML file.\n"
    )


def test_every_wrong_key_of_a_chip_file_is_named(cli: Cli) -> None:
    source = profile_loader.FOLDER / "loihi2.yaml"
    shutil.copy(source, "mine.yaml")
    text = source.read_text(encoding="utf-8")
    text = text.replace("  chips: {value: 8, unit: chips,", "  chips: {value: 8,")
    Path("mine.yaml").write_text(text + "colour: blue\n", encoding="utf-8")
    found = cli("profiles", "mine.yaml")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'mine.yaml', limits.chips.unit: is missing.\n"
        "'mine.yaml', colour: is not a key of a profile.\n"
    )


def test_chip_file_that_is_not_there_is_named(cli: Cli) -> None:
    found = cli("profiles", "nope.yaml")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: 'nope.yaml': cannot be read: No such file or directory.\n"


def test_kinds_of_neurons_and_sign_modes_are_listed(cli: Cli) -> None:
    shown = cli("profiles", "loihi1").stdout
    assert "neuron kinds: CUBA, LOIHI [defined]" in shown
    assert "sign modes: mixed, excitatory, inhibitory modes [toolchain]" in shown
