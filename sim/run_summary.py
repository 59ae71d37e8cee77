"""All figures of a run, as they go into ``run.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..compile import (
    CompiledNetwork,
    CompileReport,
    artifact_bytes,
    has_readout,
    report_compilation,
)
from ..hw_profiles import profile_sha256
from ..netx import ProfileError
from .activity import ActivityCounts
from .activity_counter import ActivityCounter
from .energy import EnergyEstimate, estimate_energy
from .environment import installed_versions
from .neurobench import neurobench_metrics
from .run_result import RunResult
from .spike_input import SpikeInput
from .spike_log import fraction_equal
from .timeline import Timeline

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
    logged : tuple of str
        Layers whose spikes are in the log; the counts are of all.
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
    neurobench : mapping of str to anything
        NeuroBench's metrics under its names; see `neurobench_metrics`.
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
    logged: tuple[str, ...]
    hashes: Mapping[str, str]
    versions: Mapping[str, str]
    compiled: CompileReport
    activity: ActivityCounts
    energy: EnergyEstimate | None
    neurobench: Mapping[str, Any]
    notes: Mapping[str, Any]


class RunTotals:
    """What `run.json` says of a run, gathered portion by portion.

    Parameters
    ----------
    compiled : CompiledNetwork
        What runs.
    n_steps : int
        Steps of the results; see `Timeline`.
    """

    def __init__(self, compiled: CompiledNetwork, n_steps: int) -> None:
        self._compiled = compiled
        self._n_steps = n_steps
        self._counter = ActivityCounter(compiled, n_steps)
        self._predictions = [np.zeros(0, dtype=np.int64)]
        self._wall_s = 0.0

    @property
    def samples(self) -> int:
        """How many samples have been added."""
        return sum(len(part) for part in self._predictions)

    def add(self, inputs: SpikeInput, portion: RunResult) -> None:
        """Add the next samples and what came of them, with the spikes of every layer."""
        self._counter.add(inputs, portion.spikes)
        self._predictions.append(portion.predictions())
        self._wall_s += portion.wall_s

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all as arrays, to go on from later."""
        return {
            "predictions": np.concatenate(self._predictions),
            "wall_s": np.array(self._wall_s),
            **self._counter.state(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned for the same run."""
        self._predictions = [state["predictions"]]
        self._wall_s = float(state["wall_s"])
        self._counter.restore(state)

    def summary(
        self,
        inputs: SpikeInput,
        *,
        backend: str,
        timeline: Timeline,
        not_logged: Collection[str] = (),
        notes: Mapping[str, Any] | None = None,
    ) -> RunSummary:
        """Return every figure of a run whose samples have all been added."""
        compiled = self._compiled
        counts = self._counter.counts()
        predictions, labels = np.concatenate(self._predictions), inputs.labels
        layers = [layer.name for layer in compiled.network.layers]
        accuracy = None if labels is None else fraction_equal(predictions, labels)
        return RunSummary(
            schema=SCHEMA,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            backend=backend,
            profile=compiled.profile.name,
            samples=inputs.n_samples,
            steps=self._n_steps,
            timeline=timeline.value,
            wall_s=round(self._wall_s, 3),
            answers_in="voltages" if has_readout(compiled.network) else "spikes",
            accuracy=accuracy,
            predictions=tuple(int(p) for p in predictions),
            labels=None if labels is None else tuple(int(label) for label in labels),
            logged=tuple(name for name in layers if name not in not_logged),
            hashes={
                "artifact": artifact_sha256(compiled),
                "input": inputs.sha256(),
                "profile": profile_sha256(compiled.profile),
                "network": compiled.source_sha256,
            },
            versions=installed_versions(),
            compiled=_without_links(report_compilation(compiled)),
            activity=counts,
            energy=_energy(counts, compiled),
            neurobench=neurobench_metrics(compiled, counts, accuracy),
            notes=dict(notes or {}),
        )


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
        What came out, the spikes of every layer.
    notes : mapping, optional
        What else shall stand in ``run.json``; must be representable in JSON.
    """
    totals = RunTotals(compiled, result.spikes.n_steps)
    totals.add(inputs, result)
    return totals.summary(inputs, backend=result.backend, timeline=result.timeline, notes=notes)


def artifact_sha256(compiled: CompiledNetwork) -> str:
    """Return the hash of an artifact's file."""
    return hashlib.sha256(artifact_bytes(compiled)).hexdigest()


def _energy(counts: ActivityCounts, compiled: CompiledNetwork) -> EnergyEstimate | None:
    try:
        return estimate_energy(counts, compiled.profile)
    except ProfileError:  # a profile without coefficients: counts, but no joules
        return None


def _without_links(report: CompileReport) -> CompileReport:
    """Leave out the messages of every pair of cores: tens of thousands of rows on large boards.

    They follow from the artifact that a run folder holds (`core_traffic`).
    """
    return replace(report, placement=replace(report.placement, links=()))
