"""Measured runs as equations: a row a run, a column a coefficient of the profile.

Rows are by step: picojoules of dynamic energy, and nanoseconds on the busiest core. A column exists
where every run counted it; what was not counted keeps the profile's value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...hw_profiles import Coefficient, Energy, Time
from .counts import FloatArray
from .dynamic import hop_energy
from .least_squares import Prior
from .measurement import CoreCounters, Measurement
from .ranges import Range
from .step_time import StepModel

HOP = "hop"  # both directions, of which only the sum is counted
OVERHEAD = "step_overhead"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equations:
    """Equations of some runs.

    Attributes
    ----------
    names : tuple of str
        Coefficients, one a column.
    matrix : float64 array, shape (runs, columns)
        How often each event happened in a step.
    target : float64 array, shape (runs,)
        What was measured, less what is taken as known; below 0 where that is more.
    known : float64 array, shape (runs,)
        What is taken as known.
    prior : Prior
        The profile's values.
    """

    names: tuple[str, ...]
    matrix: FloatArray
    target: FloatArray
    known: FloatArray
    prior: Prior

    def rows(self, chosen: Sequence[int]) -> Equations:
        """Return the equations of some of the runs."""
        index = np.array(chosen, dtype=np.int64)
        return Equations(
            names=self.names,
            matrix=self.matrix[index],
            target=self.target[index],
            known=self.known[index],
            prior=self.prior,
        )


def energy_equations(runs: Sequence[Measurement], energy: Energy) -> Equations:
    """Return dynamic energy as a sum over events, in pJ a step."""
    known = {
        "synaptic_operation": _range(energy.synaptic_operation),
        # neurons that rest are not counted apart
        "neuron_update": _sum(energy.neuron_update, energy.active_neuron),
        "spike": _range(energy.spike),
        "message_out": _range(energy.message_out),
        "message_in": _range(energy.message_in),
        "tile": _range(energy.tile),
        HOP: hop_energy(energy),
        "chip_crossing": _range(energy.chip_crossing),
        "step": _range(energy.step),
        "core_step": _range(energy.core_step),
        "inference": _range(energy.inference),
    }
    columns = {name: _column(runs, name) for name in known}
    measured = np.array([run.dynamic_pj for run in runs], dtype=np.float64)
    return _equations(columns, known, measured)


def rail_equations(runs: Sequence[Measurement], energy: Energy, rail: str) -> Equations:
    """Return the part of the dynamic energy that one rail delivers, in pJ a step.

    The profile's values, which are of all rails, are scaled to its share; their uncertainty stays.
    """
    whole = energy_equations(runs, energy)
    part = np.array([run.rail_pj(rail) for run in runs], dtype=np.float64)
    share = max(0.0, float(part.sum() / (whole.target + whole.known).sum()))
    return Equations(
        names=whole.names,
        matrix=whole.matrix,
        target=np.maximum(0.0, part - share * whole.known),
        known=share * whole.known,
        prior=Prior(mean=share * whole.prior.mean, sd=whole.prior.sd),
    )


def time_equations(
    runs: Sequence[Measurement],
    time: Time,
    model: StepModel,
    guess: dict[str, float] | None = None,
) -> Equations:
    """Return the time of a step on the core that is waited for, in ns.

    Parameters
    ----------
    runs : sequence of Measurement
        The runs.
    time : Time
        The profile's values; its barrier is taken as known, so that the rest is overhead.
    model : StepModel
        Whether a core's parts add up or only the longest counts.
    guess : dict of str to float, optional
        Coefficients that say which core (and which part) that is; the profile's if not given.
    """
    known = {
        "synaptic_operation": _range(time.synaptic_operation),
        "neuron_update": _range(time.neuron_update),
        "spike": _range(time.spike),
        "message_in": _range(time.message_in),
        OVERHEAD: _range(time.step_overhead),
    }
    names = [name for name in known if name != OVERHEAD]
    guess = guess or {n: r.nominal for n, r in known.items() if r is not None}
    weights = np.array([guess.get(name, 0.0) for name in names])
    rows: list[FloatArray] = []
    for run in runs:
        cores = np.array([_on_core(run, core, names) for core in run.counters.core])
        costs = cores * weights
        if model is StepModel.SUM:
            rows.append(cores[int(costs.sum(axis=1).argmax())])
        else:
            core, part = np.unravel_index(int(costs.argmax()), costs.shape)
            alone = np.zeros(len(names))
            alone[part] = cores[core, part]
            rows.append(alone)
    table = np.stack(rows)
    columns: dict[str, FloatArray | None] = {n: table[:, k] for k, n in enumerate(names)}
    columns[OVERHEAD] = np.ones(len(runs))
    step_ns = np.array([run.time.total_s / run.steps * 1e9 for run in runs])
    return _equations(columns, known, step_ns, always=time.step_barrier.nominal)


def _equations(
    columns: dict[str, FloatArray | None],
    known: dict[str, Range | None],
    measured: FloatArray,
    always: float = 0.0,
) -> Equations:
    """Put columns side by side; those whose coefficient has no interval are taken as known.

    `always` is known, too, of every run. Targets are not clipped at 0: target and what is known
    must add up to what was measured, to which errors are relative.
    """
    fixed = np.full_like(measured, always)
    names: list[str] = []
    for name, column in columns.items():
        if column is None or not column.any():
            continue
        prior = known[name]
        if prior is not None and prior.low == prior.high:
            fixed += prior.nominal * column
        else:
            names.append(name)
    found = [known[name] for name in names]
    return Equations(
        names=tuple(names),
        matrix=np.stack([_present(columns[name]) for name in names], axis=1),
        target=measured - fixed,
        known=fixed,
        prior=Prior(
            mean=np.array([0.0 if r is None else r.nominal for r in found]),
            sd=np.array([np.inf if r is None else (r.high - r.low) / 2 for r in found]),
        ),
    )


def _column(runs: Sequence[Measurement], name: str) -> FloatArray | None:
    """Return how often an event happened in a step of each run; None where one did not count it."""
    if name in ("tile", HOP, "chip_crossing"):
        meshes = [run.mesh for run in runs]
        if any(mesh is None for mesh in meshes):
            return None
        key = {"tile": "messages", HOP: "hops", "chip_crossing": "crossings"}[name]
        return np.array([getattr(run.mesh, key) / run.steps for run in runs], dtype=np.float64)
    whole: dict[str, Callable[[Measurement], float]] = {
        "step": lambda run: 1.0,
        "core_step": lambda run: float(run.cores_used),
        "inference": lambda run: run.inferences / run.steps,
    }
    if name in whole:
        return np.array([whole[name](run) for run in runs], dtype=np.float64)
    return np.array(
        [sum(_on_core(run, core, [name])[0] for core in run.counters.core) for run in runs],
        dtype=np.float64,
    )


def _on_core(run: Measurement, core: CoreCounters, names: Sequence[str]) -> list[float]:
    """Return what a core does in a step; a spike is one message where spikes were not counted."""
    spikes = core.axon_out if core.spikes_out is None else core.spikes_out
    found = {
        "synaptic_operation": core.syn_ops / run.steps,
        "neuron_update": run.neurons_of(core),
        "spike": spikes / run.steps,
        "message_out": core.axon_out / run.steps,
        "message_in": core.spikes_in / run.steps,
    }
    return [found[name] for name in names]


def _range(coefficient: Coefficient | None) -> Range | None:
    return None if coefficient is None else Range.of(coefficient)


def _sum(first: Coefficient, second: Coefficient | None) -> Range:
    return Range.of(first) if second is None else Range.of(first) + Range.of(second)


def _present(column: FloatArray | None) -> FloatArray:
    assert column is not None
    return column
