"""Profiles that are not what the schema says are refused, every wrong key by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from expect import sentence

from lavadeploy.hw_profiles import load_profile
from lavadeploy.hw_profiles.loader import FOLDER
from lavadeploy.netx import ProfileError


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write loihi2's profile with a change."""
    tree = yaml.safe_load((FOLDER / "loihi2.yaml").read_text())
    change(tree)
    path.write_text(yaml.safe_dump(tree))
    return path


def put(*keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(tree: dict[str, Any]) -> None:
        for key in keys[:-1]:
            tree = tree[key]
        tree[keys[-1]] = value

    return change


def drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def change(tree: dict[str, Any]) -> None:
        for key in keys[:-1]:
            tree = tree[key]
        del tree[keys[-1]]

    return change


def test_an_unchanged_copy_loads(tmp_path: Path) -> None:
    for ending in ("yaml", "yml"):
        assert load_profile(changed(tmp_path / f"own.{ending}", dict)) == load_profile("loihi2")


def test_unknown_names_are_answered_with_the_nearest() -> None:
    assert sentence(ProfileError, load_profile, "lohi2") == (
        "unknown profile 'lohi2'; did you mean 'loihi2'? Valid: 'ideal', 'loihi1', 'loihi2', "
        "or the path of a YAML file."
    )
    assert sentence(ProfileError, load_profile, "x") == (
        "unknown profile 'x'; Valid: 'ideal', 'loihi1', 'loihi2', or the path of a YAML file."
    )


@pytest.mark.parametrize("name", ["", "../hw_profiles/loihi2", "loihi2.json", "schema"])
def test_names_are_no_paths(name: str) -> None:
    found = sentence(ProfileError, load_profile, name)
    assert found.startswith(f"unknown profile '{name}'; ")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing.yaml"
    assert sentence(ProfileError, load_profile, path) == (
        f"'{path}': cannot be read: No such file or directory."
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "folder.yaml"
    path.mkdir()
    assert (
        sentence(ProfileError, load_profile, path) == f"'{path}': cannot be read: Is a directory."
    )


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert sentence(ProfileError, load_profile, path) == (
        f"'{path}': is not a text file, so it can not be a profile."
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: [1, 2", r".*expected ',' or '\]'.*line 1, column 12.*"),
        ("name: a\n\tb: c\n", ".*line 2, column 1.*"),
        ("name: \x00\n", ".*special characters are not allowed.*"),
        ("a: 1\n---\nb: 2\n", "expected a single document in the stream.*"),
    ],
)
def test_what_is_not_yaml_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    found = sentence(ProfileError, load_profile, path)
    assert re.fullmatch(rf"'{path}': is not valid YAML: {reason}\.", found)


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['touch {}']", "!!python/name:os.system", "!own x"]
)
def test_tags_run_nothing_and_are_refused(tag: str, tmp_path: Path) -> None:
    path, trace = tmp_path / "evil.yaml", tmp_path / "trace"
    path.write_text(f"name: {tag.format(trace)}\n")
    found = sentence(ProfileError, load_profile, path)
    assert re.fullmatch(
        rf"'{path}': is not valid YAML: could not determine a constructor for the tag .+\.", found
    )
    assert not trace.exists()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("name: 2021-99-99\n", id="a date that is none"),
        pytest.param('name: !!int ""\n', id="an empty integer"),
        pytest.param('name: !!float "x"\n', id="a float that is none"),
        pytest.param("[" * 5000, id="5000 open brackets"),
    ],
)
def test_yaml_that_its_library_stumbles_over_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    found = sentence(ProfileError, load_profile, path)
    assert re.fullmatch(rf"'{path}': is not valid YAML: .+\.", found)


@pytest.mark.parametrize("text", ["", "null", "- 1\n- 2\n", "just words", "3"])
def test_yaml_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "flat.yaml"
    path.write_text(text)
    assert sentence(ProfileError, load_profile, path) == (
        f"'{path}', the file: input should be a valid dictionary or instance of HardwareProfile."
    )


CORES = ("limits", "cores_per_chip")
SPIKE = ("energy", "spike")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put("colour", value="red"), "colour: is not a key of a profile."),
        (put(*CORES, "note", value="x"), "limits.cores_per_chip.note: is not a key of a profile."),
        (put("limits", "tiles", value=None), "limits.tiles: is not a key of a profile."),
        (drop("name"), "name: is missing."),
        (drop("energy"), "energy: is missing."),
        (drop(*CORES), "limits.cores_per_chip: is missing."),
        (drop(*CORES, "unit"), "limits.cores_per_chip.unit: is missing."),
        (drop(*CORES, "source"), "limits.cores_per_chip.source: is missing."),
        (drop(*CORES, "evidence"), "limits.cores_per_chip.evidence: is missing."),
        (drop(*SPIKE, "high"), "energy.spike.high: is missing."),
        (put(*SPIKE, "unit", value="nJ"), "energy.spike.unit: input should be 'pJ'."),
        (
            put("time", "spike", "unit", value="s"),
            "time.spike.unit: input should be 'ns'.",
        ),
        (
            put("formats", "weight_bits", "unit", value="bytes"),
            "formats.weight_bits.unit: input should be 'bits'.",
        ),
        (
            put("static_power", "boundary", value="the lab"),
            (
                "static_power.boundary: input should be 'neurocores of one chip', 'one chip' or "
                "'board share of one chip'."
            ),
        ),
        # a share of power is of what its key says
        (
            put("power", "board", "boundary", value="one neurocore"),
            "power.board.boundary: input should be 'board share of one chip'.",
        ),
        (
            put("synapse_memory", "model", value="guess"),
            "synapse_memory.model: input should be 'nengo-loihi', 'lava-loihi2' or 'unlimited'.",
        ),
        (
            put(*CORES, "evidence", value="hearsay"),
            (
                "limits.cores_per_chip.evidence: input should be 'measured', 'defined', "
                "'pre-silicon', 'toolchain' or 'inferred'."
            ),
        ),
        (
            put(*CORES, "source", value=""),
            "limits.cores_per_chip.source: string should have at least 1 character.",
        ),
        (
            put(*CORES, "value", value=12.5),
            "limits.cores_per_chip.value: input should be a valid integer.",
        ),
        (
            put(*CORES, "value", value="120"),
            "limits.cores_per_chip.value: input should be a valid integer.",
        ),
        (
            put(*CORES, "value", value=True),
            "limits.cores_per_chip.value: input should be a valid integer.",
        ),
        (
            put("formats", "weight_bits", "value", value=[]),
            "formats.weight_bits.value: tuple should have at least 1 item after validation, not 0.",
        ),
        (
            put("name", value="Loihi 2"),
            "name: string should match pattern '^[a-z][a-z0-9_]*$'.",
        ),
        (
            put(*SPIKE, "low", value=-1),
            "energy.spike.low: input should be greater than or equal to 0.",
        ),
        (
            put(*SPIKE, "high", value=float("inf")),
            "energy.spike.high: input should be a finite number.",
        ),
        (
            put(*SPIKE, "low", value=69.4),
            "energy.spike: value error, low 69.4, nominal 69.3, high 138.6 are not in order.",
        ),
        (
            put(*SPIKE, "high", value=69.2),
            "energy.spike: value error, low 0, nominal 69.3, high 69.2 are not in order.",
        ),
        # the dimension is that of the key, not only of some count
        (
            put(*CORES, "unit", value="steps"),
            "limits.cores_per_chip.unit: input should be 'cores'.",
        ),
        (
            put("formats", "delay_max", "unit", value="cores"),
            "formats.delay_max.unit: input should be 'steps'.",
        ),
        (
            put(*CORES, "value", value=-3),
            "limits.cores_per_chip.value: input should be greater than or equal to 1.",
        ),
        (
            put("formats", "weight_bits", "value", value=[0, 8]),
            "formats.weight_bits.value.0: input should be greater than or equal to 1.",
        ),
    ],
)
def test_what_breaks_the_schema_is_refused(
    change: Callable[[dict[str, Any]], object], expected: str, tmp_path: Path
) -> None:
    path = changed(tmp_path / "own.yaml", change)
    assert sentence(ProfileError, load_profile, path) == f"'{path}', {expected}"


def test_intervals_may_be_a_point(tmp_path: Path) -> None:
    path = changed(tmp_path / "own.yaml", put(*SPIKE, "low", value=69.3))
    energy = load_profile(path).energy
    assert energy is not None
    assert energy.spike.low == energy.spike.nominal == 69.3


def test_an_event_may_cost_nothing(tmp_path: Path) -> None:
    def change(tree: dict[str, Any]) -> None:
        tree["energy"]["spike"] |= {"low": 0, "nominal": 0, "high": 0}

    energy = load_profile(changed(tmp_path / "own.yaml", change)).energy
    assert energy is not None
    assert energy.spike.high == 0


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    def change(tree: dict[str, Any]) -> None:
        del tree["name"], tree["limits"]["chips"]["unit"]
        tree["formats"]["colour"] = 1

    path = changed(tmp_path / "own.yaml", change)
    assert sorted(sentence(ProfileError, load_profile, path).splitlines()) == [
        f"'{path}', formats.colour: is not a key of a profile.",
        f"'{path}', limits.chips.unit: is missing.",
        f"'{path}', name: is missing.",
    ]


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text((FOLDER / "loihi2.yaml").read_text() + "time: null\n")
    found = sentence(ProfileError, load_profile, path)
    assert re.fullmatch(rf"'{path}': is not valid YAML: .*time.*\.", found)
