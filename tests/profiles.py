"""Chips with other limits and formats, for tests."""

from __future__ import annotations

from lavadeploy.hw_profiles import HardwareProfile, load_profile

SHIPPED = {name: load_profile(name) for name in ("ideal", "loihi1", "loihi2")}


def limited(name: str, **limits: int | None) -> HardwareProfile:
    """Return a shipped profile with some limits changed; None lifts a limit."""
    profile = SHIPPED[name]
    known = {
        key: limit
        for other in SHIPPED.values()
        for key in type(other.limits).model_fields
        if (limit := getattr(other.limits, key)) is not None
    }
    changed = {
        key: None if value is None else known[key].model_copy(update={"value": value})
        for key, value in limits.items()
    }
    return profile.model_copy(update={"limits": profile.limits.model_copy(update=changed)})


def formatted(name: str, **values: int | tuple[object, ...]) -> HardwareProfile:
    """Return a shipped profile with the values of some formats changed."""
    profile = SHIPPED[name]
    changed = {
        key: getattr(profile.formats, key).model_copy(update={"value": value})
        for key, value in values.items()
    }
    return profile.model_copy(update={"formats": profile.formats.model_copy(update=changed)})
