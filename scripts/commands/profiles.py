"""``lavadeploy profiles``: the chips, and one chip's numbers with unit and source."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer
from pydantic import BaseModel

from lavadeploy.hw_profiles import (
    Count,
    HardwareProfile,
    NeuronKinds,
    SignModes,
    Widths,
    load_profile,
    profile_names,
)
from lavadeploy.scripts.console import JsonFileOption, JsonOption, emit, print_table, say

LACKING = {"limits": "no limit"}  # what null means; elsewhere that nothing is published


def profiles(
    name: Annotated[
        str | None, typer.Argument(help="A profile, or the path of a YAML file.")
    ] = None,
    as_json: JsonOption = False,
    output: JsonFileOption = None,
) -> None:
    """List the chips, or show one chip's numbers.

    Limits, formats and coefficients, each with unit, evidence and source.
    """
    if name is None:
        found = {n: load_profile(n).description for n in profile_names()}
        emit(found, as_json=as_json, output=output, show=lambda: _show_all(found))
    else:
        profile = load_profile(name)
        emit(profile, as_json=as_json, output=output, show=lambda: _show_one(profile))


def _show_all(found: dict[str, str]) -> None:
    print_table(("profile", "what it is"), list(found.items()))


def _show_one(profile: HardwareProfile) -> None:
    say(f"{profile.name}: {profile.description}")
    for section in ("limits", "mesh", "formats", "energy", "time", "power"):
        group: BaseModel | None = getattr(profile, section)
        say()
        if group is None:
            say(f"{section}: none")
            continue
        say(f"{section}:")
        for key in type(group).model_fields:
            _show_number(key, getattr(group, key), LACKING.get(section, "not known"))
    say()
    if profile.static_power is None:
        say("  static power: none")
    else:
        _show_number("static power", profile.static_power, "none")
    for key in ("synapse_memory", "axons", "partition"):
        formula = getattr(profile, key)
        say(f"  {key.replace('_', ' ')}: formula {formula.model} [{formula.evidence.value}]")
        say(f"      {formula.source}")


def _show_number(key: str, number: Any, lacking: str) -> None:
    label = key.replace("_", " ")
    if number is None:
        say(f"  {label}: {lacking}")
        return
    match number:
        case Count():
            count = cast(Count[str], number)
            value = f"{count.value} {count.unit}"
        case Widths() | SignModes():
            value = f"{', '.join(map(str, number.value))} {number.unit}"
        case NeuronKinds():
            value = ", ".join(kind.value for kind in number.value)
        case _:
            value = f"{number.nominal:g} ({number.low:g} to {number.high:g}) {number.unit}"
    say(f"  {label}: {value} [{number.evidence.value}]")
    say(f"      {number.source}")
