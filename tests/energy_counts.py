"""Counts and profiles for tests of the energy model, in few words."""

from __future__ import annotations

from typing import Any

from lavadeploy.hw_profiles import (
    EnergyPerEvent,
    Evidence,
    HardwareProfile,
    Power,
    TimePerEvent,
    load_profile,
)
from lavadeploy.sim import CoreOperations, LayerOperations, OperationCounts, StepLoads

UNITS = {"energy": "pJ", "time": "ns", "power": "mW"}
KINDS: dict[str, Any] = {"energy": EnergyPerEvent, "time": TimePerEvent, "power": Power[Any]}


def layer_of(name: str = "layer0", **fields: Any) -> LayerOperations:
    known: dict[str, Any] = {
        "neurons": 10,
        "spikes": 0,
        "synaptic_operations": 0,
        "neuron_updates": 0,
    }
    return LayerOperations(name=name, **(known | fields))


def counts_of(
    *layers: LayerOperations,
    inferences: int = 1,
    steps: int = 4,
    cores: int | tuple[CoreOperations, ...] = 1,
    chips: int = 1,
    loads: StepLoads | None = None,
) -> OperationCounts:
    """Counts of some layers; cores that are not given do nothing but hold 10 neurons."""
    if isinstance(cores, int):
        cores = tuple(core_of(index) for index in range(cores))
    return OperationCounts(
        inferences=inferences, steps=steps, layers=layers, cores=cores, chips=chips, loads=loads
    )


def core_of(index: int, **fields: Any) -> CoreOperations:
    known: dict[str, Any] = {
        "layer": "layer0",
        "neurons": 10,
        "spikes": 0,
        "synaptic_operations": 0,
    }
    return CoreOperations(core=index, **(known | fields))


def profile_with(
    name: str, section: str, *, evidence: str = "measured", **values: tuple[float, float, float]
) -> HardwareProfile:
    """A shipped profile with some coefficients changed to (nominal, low, high)."""
    profile = load_profile(name)
    group = getattr(profile, section)
    changed = {
        key: KINDS[section].model_construct(
            nominal=nominal,
            low=low,
            high=high,
            unit=UNITS[section],
            source="a test",
            evidence=Evidence(evidence),
            boundary="one neurocore",
        )
        for key, (nominal, low, high) in values.items()
    }
    return profile.model_copy(update={section: group.model_copy(update=changed)})
