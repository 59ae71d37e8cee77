"""Every number of every profile that comes with lavadeploy has unit, source and evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pydantic import BaseModel

from lavadeploy.hw_profiles import (
    Count,
    EnergyPerEvent,
    Evidence,
    HardwareProfile,
    NeuronKinds,
    Power,
    SignModes,
    TimePerEvent,
    Widths,
    load_profile,
    profile_names,
    profile_sha256,
)
from lavadeploy.hw_profiles.loader import FOLDER
from lavadeploy.netx import NeuronKind

NUMBERS = (Count, EnergyPerEvent, NeuronKinds, Power, SignModes, TimePerEvent, Widths)
NAMES = ("ideal", "loihi1", "loihi2")


def numbers(model: BaseModel, where: str = "") -> Iterator[tuple[str, Any]]:
    for key in type(model).model_fields:
        value = getattr(model, key)
        if isinstance(value, NUMBERS):
            yield f"{where}{key}", value
        elif isinstance(value, BaseModel):
            yield from numbers(value, f"{where}{key}.")


def stored_numbers(tree: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Find in the YAML, without the schema, whatever holds a number."""
    for key, value in tree.items():
        if isinstance(value, dict):
            branch = cast(dict[str, Any], value)
            if any(isinstance(v, int | float | list) for v in branch.values()):
                yield f"{where}{key}", branch
            else:
                yield from stored_numbers(branch, f"{where}{key}.")
        else:
            assert isinstance(value, str | None), f"{where}{key}: a number without unit"


def test_the_shipped_profiles_are_these() -> None:
    assert profile_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_loads_under_its_own_name(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert (
        profile
        == load_profile(FOLDER / f"{name}.yaml")
        == load_profile(str(FOLDER / f"{name}.yaml"))
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_unit_source_and_evidence(name: str) -> None:
    profile = load_profile(name)
    stored = dict(stored_numbers(yaml.safe_load((FOLDER / f"{name}.yaml").read_text())))
    loaded = dict(numbers(profile))
    assert set(stored) == set(loaded)
    assert len(loaded) >= 10
    for where, number in loaded.items():
        assert set(stored[where]) == set(number.model_dump()), where
        assert number.unit.strip(), where
        assert len(number.source.strip()) > 10, where
        assert number.evidence in Evidence, where


def value(name: str, section: str, key: str) -> Any:
    number = getattr(getattr(load_profile(name), section), key)
    return None if number is None else number.value


@pytest.mark.parametrize(
    ("key", "loihi1", "loihi2"),
    [
        ("chips", 32, 8),
        ("cores_per_chip", 128, 120),
        ("neurons_per_core", 1024, 4095),
        ("synapse_words_per_core", 16384, 16000),
        ("input_axons_per_core", 4096, 16000),
        ("output_axons_per_core", 4096, None),
        ("axon_map_per_core", None, 16000),
        ("axon_memory_per_core", None, 16000),
        ("total_per_core", None, 20000),
        ("neuron_groups_per_core", 32, 8),
        ("synapse_formats_per_core", 8, None),
    ],
)
def test_limits_are_those_of_the_sources(key: str, loihi1: int | None, loihi2: int | None) -> None:
    assert value("loihi1", "limits", key) == loihi1
    assert value("loihi2", "limits", key) == loihi2
    assert value("ideal", "limits", key) is None


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_a_chip_is_a_grid_of_eight_by_four_tiles_of_four_cores(name: str) -> None:
    keys = ("columns", "rows", "cores_per_tile")
    assert [value(name, "mesh", key) for key in keys] == [8, 4, 4]


def test_the_ideal_profile_has_no_mesh() -> None:
    assert load_profile("ideal").mesh is None


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_has_source_and_evidence(name: str) -> None:
    profile = load_profile(name)
    for formula in (profile.synapse_memory, profile.axons, profile.partition):
        assert len(formula.source) > 10
        assert formula.evidence in Evidence


@pytest.mark.parametrize(("cores", "found"), [(129, "129"), (None, "no limit of")])
def test_a_chip_has_no_more_cores_than_its_mesh_has_places(cores: int | None, found: str) -> None:
    content = yaml.safe_load((FOLDER / "loihi2.yaml").read_text())
    if cores is None:
        content["limits"]["cores_per_chip"] = None
    else:
        content["limits"]["cores_per_chip"]["value"] = cores
    with pytest.raises(ValueError, match=f"{found} cores_per_chip, but the mesh has 128 places"):
        HardwareProfile.model_validate(content)


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_weights_of_seven_bits_are_not_legal_on_a_chip(name: str) -> None:
    assert value(name, "formats", "weight_bits") == (1, 2, 3, 4, 5, 6, 8)
    assert (value(name, "formats", "weight_min"), value(name, "formats", "weight_max")) == (
        -256,
        254,
    )


def test_the_ideal_profile_holds_odd_weights_of_both_signs() -> None:
    assert value("ideal", "formats", "weight_bits") == tuple(range(1, 10))
    assert (value("ideal", "formats", "weight_min"), value("ideal", "formats", "weight_max")) == (
        -256,
        255,
    )


def test_registers_are_the_same_everywhere() -> None:
    for name in NAMES:
        assert value(name, "formats", "bias_mantissa_max") == 4095
        assert value(name, "formats", "threshold_mantissa_max") == 131071
        assert value(name, "formats", "decay_max") == 4096
        assert value(name, "formats", "delay_max") == 62
        assert value(name, "formats", "bias_exponent_max") == 7
        assert value(name, "formats", "refractory_max") == 63
        assert value(name, "formats", "sign_modes") == ("mixed", "excitatory", "inhibitory")


def test_only_programs_of_neurons_have_more_than_cuba() -> None:
    assert value("loihi1", "formats", "neuron_kinds") == (NeuronKind.CUBA, NeuronKind.LOIHI)
    assert value("loihi1", "formats", "current_exponent_max") == 0
    for name in ("ideal", "loihi2"):
        assert value(name, "formats", "neuron_kinds") == tuple(NeuronKind)
        assert value(name, "formats", "current_exponent_max") == 3


def test_only_loihi1_has_binary_spikes() -> None:
    assert value("loihi1", "formats", "payload_max") == 1
    assert value("loihi2", "formats", "payload_max") == (1 << 24) - 1


def test_the_ideal_profile_has_no_energy_and_no_time() -> None:
    profile = load_profile("ideal")
    found = (profile.energy, profile.static_power, profile.power, profile.time)
    assert found == (None, None, None, None)


def test_energies_of_loihi2_are_inferred() -> None:
    energy = load_profile("loihi2").energy
    assert energy is not None
    assert {number.evidence for _, number in numbers(energy)} == {Evidence.INFERRED}


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_energies_that_nobody_published_are_not_there(name: str) -> None:
    energy = load_profile(name).energy
    assert energy is not None
    assert (energy.step, energy.core_step) == (None, None)


def test_profiles_of_the_time_before_these_coefficients_are_read(tmp_path: Path) -> None:
    content = yaml.safe_load((FOLDER / "loihi2.yaml").read_text())
    del content["power"], content["time"]["link_message"], content["time"]["message_in"]
    for key in set(content["energy"]) - {"synaptic_operation", "neuron_update", "spike"}:
        del content["energy"][key]
    profile = HardwareProfile.model_validate(content)
    assert profile.power is None
    assert profile.energy is not None
    assert profile.energy.message_out is None


def test_evidence_is_ranked_strongest_first() -> None:
    assert [e.rank for e in Evidence] == [0, 1, 2, 3, 4]
    assert min(Evidence, key=lambda e: e.rank) is Evidence.MEASURED
    assert max(Evidence, key=lambda e: e.rank) is Evidence.INFERRED


def reversed_keys(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {key: reversed_keys(v) for key, v in reversed(cast(dict[str, Any], tree).items())}


@pytest.mark.parametrize("name", NAMES)
def test_the_hash_does_not_depend_on_the_order_of_keys(name: str, tmp_path: Path) -> None:
    tree = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    path = tmp_path / "reversed.yaml"
    path.write_text(yaml.safe_dump(reversed_keys(tree), sort_keys=False))
    assert path.read_text().index("time:") < path.read_text().index("limits:")
    assert load_profile(path) == load_profile(name)
    assert profile_sha256(load_profile(path)) == profile_sha256(load_profile(name))


def test_the_hash_depends_on_every_number(tmp_path: Path) -> None:
    text = (FOLDER / "loihi2.yaml").read_text()
    other = tmp_path / "other.yaml"
    other.write_text(text.replace("{value: 4095, unit: neurons", "{value: 4096, unit: neurons"))
    hashes = {profile_sha256(load_profile(p)) for p in (other, "loihi1", "loihi2", "ideal")}
    assert len(hashes) == 4
    assert all(len(digest) == 64 for digest in hashes)


def test_profiles_cannot_be_changed() -> None:
    profile = load_profile("loihi2")
    with pytest.raises(ValueError, match="Instance is frozen"):
        profile.name = "mine"
