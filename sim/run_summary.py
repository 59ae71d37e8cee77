"""All figures of a run, as they go into ``run.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Literal

from ..compile import (
    CompiledNetwork,
    CompileReport,
    artifact_bytes,
    core_traffic,
    report_compilation,
)
from ..hw_profiles import profile_sha256
from ..netx import ProfileError
from .activity import ActivityCounts, count_activity
from .energy import EnergyEstimate, estimate_energy, operations_of
from .environment import installed_versions
from .run_result import RunResult
from .spike_input import SpikeInput
from .spike_log import SpikeLog, fraction_equal

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Figures of a run.

    Attributes
    ----------
    schema : int
        Version of this list of fields.
    created : str
        UTC, ISO 8601.
    backend, profile : str
        What ran it, and for which chip it was compiled.
    samples, steps : int
        How many samples, and steps of each.
    timeline : str
        Which clock the steps follow: see `Timeline`.
    wall_s : float
        Duration of the run in seconds, start-up included.
    answers_in : str
        'spikes', or 'voltages' where the last layer never fires.
    accuracy : float or None
        Part of the samples classified as labelled, 0 to 1; None without labels.
    predictions : tuple of int
        The neuron of the last layer that fired most, lowest number first, for each sample.
    labels : tuple of int or None
        As given with the input.
    hashes : mapping of str to str
        SHA-256 of artifact, input, profile and source network.
    versions : mapping of str to str
        Of everything that can influence a result.
    compiled : CompileReport
        Registers and cores.
    activity : ActivityCounts
        What happened.
    energy : EnergyEstimate or None
        None where the profile has no coefficients.
    notes : mapping of str to anything
        What the caller adds: seeds, training figures, a comparison.
    """

    schema: int
    created: str
    backend: str
    profile: str
    samples: int
    steps: int
    timeline: str
    wall_s: float
    answers_in: Literal["spikes", "voltages"]
    accuracy: float | None
    predictions: tuple[int, ...]
    labels: tuple[int, ...] | None
    hashes: Mapping[str, str]
    versions: Mapping[str, str]
    compiled: CompileReport
    activity: ActivityCounts
    energy: EnergyEstimate | None
    notes: Mapping[str, Any]


def summarize_run(
    compiled: CompiledNetwork,
    inputs: SpikeInput,
    result: RunResult,
    notes: Mapping[str, Any] | None = None,
) -> RunSummary:
    """Gather every figure of a run.

    Parameters
    ----------
    compiled : CompiledNetwork
        What ran.
    inputs : SpikeInput
        The samples.
    result : RunResult
        What came out.
    notes : mapping, optional
        What else shall stand in ``run.json``; must be representable in JSON.
    """
    counts = count_activity(compiled, inputs, result.spikes)
    predictions = result.predictions()
    labels = inputs.labels
    return RunSummary(
        schema=SCHEMA,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        backend=result.backend,
        profile=compiled.profile.name,
        samples=inputs.n_samples,
        steps=result.spikes.n_steps,
        timeline=result.timeline.value,
        wall_s=round(result.wall_s, 3),
        answers_in="spikes" if result.readout is None else "voltages",
        accuracy=None if labels is None else fraction_equal(predictions, labels),
        predictions=tuple(int(p) for p in predictions),
        labels=None if labels is None else tuple(int(label) for label in labels),
        hashes={
            "artifact": hashlib.sha256(artifact_bytes(compiled)).hexdigest(),
            "input": inputs.sha256(),
            "profile": profile_sha256(compiled.profile),
            "network": compiled.source_sha256,
        },
        versions=installed_versions(),
        compiled=_without_links(report_compilation(compiled)),
        activity=counts,
        energy=_energy(counts, compiled, result.spikes),
        notes=dict(notes or {}),
    )


def _energy(
    counts: ActivityCounts, compiled: CompiledNetwork, spikes: SpikeLog
) -> EnergyEstimate | None:
    fired = {
        name: spikes.spike_counts(index).sum(axis=0)
        for index, name in enumerate(spikes.layer_names)
    }
    try:
        if compiled.profile.energy is None:
            return None
        traffic = core_traffic(compiled.network, compiled.placement, compiled.profile, fired)
        operations = operations_of(counts, compiled.network, traffic)
        return estimate_energy(operations, compiled.profile)
    except ProfileError:  # a profile without coefficients: counts, but no joules
        return None


def _without_links(report: CompileReport) -> CompileReport:
    """Leave out the messages of every pair of cores: tens of thousands of rows on large boards.

    They follow from the artifact that a run folder holds (`core_traffic`).
    """
    return replace(report, placement=replace(report.placement, links=()))
