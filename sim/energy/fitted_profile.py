"""A profile with fitted coefficients in the place of published ones."""

from __future__ import annotations

from typing import Any

from ...hw_profiles import EnergyPerEvent, Evidence, HardwareProfile, Power, TimePerEvent
from .design import HOP
from .fit_results import CalibrationFit, Fit, FittedCoefficient

_STATIC = {"neurocores": "neurocores of one chip", "board": "board share of one chip"}


def fitted_profile(
    fit: CalibrationFit, profile: HardwareProfile, name: str | None = None
) -> HardwareProfile:
    """Return a profile with what was fitted.

    Parameters
    ----------
    fit : CalibrationFit
        Of this profile. Coefficients that the runs do not determine keep the profile's values, as
        all times do where they were not fitted.
    profile : HardwareProfile
        What the fit began with.
    name : str, optional
        Of the new profile; the same as before if not given.

    Returns
    -------
    HardwareProfile
        Its fitted numbers are measured, with the runs as their source. Static power is that of the
        runs where these were measured on the neurocores or on a board.
    """
    source = _source(fit.energy, "runs", fit.profile)
    energy: dict[str, Any] = {}
    for found in fit.energy.coefficients:
        if found.identified:
            names = ("hop_east_west", "hop_north_south") if found.name == HOP else (found.name,)
            energy |= dict.fromkeys(names, EnergyPerEvent(unit="pJ", **_numbers(found, source)))
    if "neuron_update" in energy:
        energy["active_neuron"] = None  # the fit cannot tell it apart: it is in the update
    time: dict[str, Any] = {}
    description = f"{profile.description} Calibrated: energies {source}; "
    if fit.time is None:
        description += "times are that profile's."
    else:
        source = _source(fit.time, "runs without the host's time", fit.profile)
        description += f"times {source}."
        time = {
            found.name: TimePerEvent(unit="ns", **_numbers(found, source))
            for found in fit.time.coefficients
            if found.identified
        }
    assert profile.energy is not None
    assert profile.time is not None
    changed: dict[str, Any] = {
        "energy": profile.energy.model_copy(update=energy),
        "time": profile.time.model_copy(update=time),
        "description": description,
    }
    if name is not None:
        changed["name"] = name
    changed |= _standing(fit, profile)
    # through the schema once more, as if it had been read
    return HardwareProfile.model_validate(
        profile.model_copy(update=changed).model_dump(mode="json"), strict=False
    )


def _source(fit: Fit, kind: str, profile: str) -> str:
    return f"fitted to {fit.runs} {kind} on {', '.join(fit.boards)}, from profile '{profile}'"


def _standing(fit: CalibrationFit, profile: HardwareProfile) -> dict[str, Any]:
    if fit.static.boundary not in _STATIC:
        return {}
    power = Power[Any](
        nominal=fit.static.nominal,
        low=fit.static.low,
        high=fit.static.high,
        unit="mW",
        boundary=_STATIC[fit.static.boundary],
        evidence=Evidence.MEASURED,
        source=f"measured in runs on {', '.join(fit.boards)}, by chip",
    )
    if fit.static.boundary == "neurocores":
        return {"static_power": power}
    shares = profile.power
    return {} if shares is None else {"power": shares.model_copy(update={"board": power})}


def _numbers(found: FittedCoefficient, source: str) -> dict[str, Any]:
    if found.merged_with:
        source += f"; told apart from {', '.join(found.merged_with)} by the profile's ratio only"
    return {
        "nominal": found.nominal,
        "low": found.low,
        "high": found.high,
        "evidence": Evidence.MEASURED,
        "source": source,
    }
