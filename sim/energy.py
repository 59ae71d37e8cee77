"""Energy and time of a run, estimated from its counts and a profile's coefficients.

The model, for N samples of T steps (``hardware_facts``, section 5.1, the terms this version has):

    dynamic energy = e_syn * synaptic operations + e_upd * neuron updates + e_spk * spikes
    time of a step = slowest core (t_syn, t_upd, t_spk, mean counts of a step) + barrier + overhead
    static energy  = static power * time

A figure is an interval: every coefficient at its low end, and every one at its high end. It is as
trustworthy as its weakest coefficient, which is named. None of it is measured on your board.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..hw_profiles import Coefficient, Evidence, HardwareProfile, Time
from ..netx import ProfileError
from .activity import ActivityCounts

EXCLUDED = (
    "spike messages on the mesh",
    "embedded processors",
    "input and output",
    "host and board",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    nominal, low, high : float
        Best guess and corners, in `unit`.
    unit : str
        'nJ' or 'us'.
    evidence : str
        The weakest evidence that went into it.
    """

    nominal: float
    low: float
    high: float
    unit: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyEstimate:
    """Energy and time of one inference, averaged over the samples of a run.

    Attributes
    ----------
    profile : str
        Whose coefficients.
    terms : dict of str to Estimate
        Dynamic energy by kind of event, and static energy; nJ an inference.
    dynamic_energy, total_energy : Estimate
        nJ an inference; the total includes static power within its boundary.
    time : Estimate
        Microseconds an inference.
    busiest_core : int
        The core that sets the pace.
    static_boundary : str
        What the static power covers.
    basis : str
        The weakest evidence of all.
    excluded : tuple of str
        What the numbers leave out.
    """

    profile: str
    terms: dict[str, Estimate]
    dynamic_energy: Estimate
    total_energy: Estimate
    time: Estimate
    busiest_core: int
    static_boundary: str
    basis: str
    excluded: tuple[str, ...] = EXCLUDED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """Nominal, low and high, and the evidence behind them."""

    nominal: float
    low: float
    high: float
    evidence: Evidence

    @staticmethod
    def of(coefficient: Coefficient) -> _Range:
        return _Range(
            nominal=coefficient.nominal,
            low=coefficient.low,
            high=coefficient.high,
            evidence=coefficient.evidence,
        )

    def __add__(self, other: _Range) -> _Range:
        return _Range(
            nominal=self.nominal + other.nominal,
            low=self.low + other.low,
            high=self.high + other.high,
            evidence=_weaker(self.evidence, other.evidence),
        )

    def __mul__(self, other: _Range) -> _Range:
        return _Range(
            nominal=self.nominal * other.nominal,
            low=self.low * other.low,
            high=self.high * other.high,
            evidence=_weaker(self.evidence, other.evidence),
        )

    def times(self, factor: float) -> _Range:
        return _Range(
            nominal=self.nominal * factor,
            low=self.low * factor,
            high=self.high * factor,
            evidence=self.evidence,
        )

    def estimate(self, unit: str) -> Estimate:
        return Estimate(
            nominal=self.nominal,
            low=self.low,
            high=self.high,
            unit=unit,
            evidence=self.evidence.value,
        )


def estimate_energy(counts: ActivityCounts, profile: HardwareProfile) -> EnergyEstimate:
    """Estimate energy and time of one inference.

    Parameters
    ----------
    counts : ActivityCounts
        Of a run on any backend; they agree.
    profile : HardwareProfile
        Gives the coefficients; that of the compiled network, whose placement the counts follow.

    Returns
    -------
    EnergyEstimate
        Averages over the samples.

    Raises
    ------
    ProfileError
        When the profile has no coefficients.
    """
    if profile.energy is None or profile.time is None or profile.static_power is None:
        raise ProfileError(
            f"profile '{profile.name}' has no energy, time or power coefficients, so there are "
            "counts but no joules. Compile for a profile that has them."
        )
    synops = sum(layer.synaptic_operations for layer in counts.layers)
    updates = sum(layer.neuron_updates for layer in counts.layers)
    spikes = sum(layer.spikes for layer in counts.layers)
    nanojoules = 1e-3 / counts.samples  # coefficients are in pJ
    terms = {
        "synaptic operations": _Range.of(profile.energy.synaptic_operation).times(
            synops * nanojoules
        ),
        # any neuron may be active, and a spike is one message at least
        "neuron updates": _sum(profile.energy.neuron_update, profile.energy.active_neuron).times(
            updates * nanojoules
        ),
        "spikes": _sum(profile.energy.spike, profile.energy.message_out).times(spikes * nanojoules),
    }
    dynamic = terms["synaptic operations"] + terms["neuron updates"] + terms["spikes"]
    busiest, step_ns = _slowest_core(counts, profile.time)
    step_ns = step_ns + _Range.of(profile.time.step_barrier) + _Range.of(profile.time.step_overhead)
    microseconds = step_ns.times(counts.steps * 1e-3)
    # every chip in use draws it; mW * us = nJ
    static = _Range.of(profile.static_power).times(counts.chips) * microseconds
    terms["static power"] = static
    total = dynamic + static
    return EnergyEstimate(
        profile=profile.name,
        terms={name: term.estimate("nJ") for name, term in terms.items()},
        dynamic_energy=dynamic.estimate("nJ"),
        total_energy=total.estimate("nJ"),
        time=microseconds.estimate("us"),
        busiest_core=busiest,
        static_boundary=profile.static_power.boundary
        if counts.chips == 1
        else f"{profile.static_power.boundary}, times {counts.chips}",
        basis=total.evidence.value,
    )


def _slowest_core(counts: ActivityCounts, time: Time) -> tuple[int, _Range]:
    """Return the core with the longest mean step, and that step in ns.

    The mean over steps is a lower bound of the mean of each step's slowest core.
    """
    steps = counts.samples * counts.steps
    durations = {
        core.core: _Range.of(time.synaptic_operation).times(core.synaptic_operations / steps)
        + _Range.of(time.neuron_update).times(core.neurons)
        + _Range.of(time.spike).times(core.spikes / steps)
        for core in counts.cores
    }
    return max(durations.items(), key=lambda item: item[1].nominal)


def _sum(first: Coefficient, second: Coefficient | None) -> _Range:
    """Return two coefficients added; nothing is added where the second is not known."""
    found = _Range.of(first)
    return found if second is None else found + _Range.of(second)


def _weaker(a: Evidence, b: Evidence) -> Evidence:
    return max(a, b, key=lambda evidence: evidence.rank)
