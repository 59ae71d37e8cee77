"""The whole estimate: terms, layers, boundaries, time, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...hw_profiles import Energy, Evidence, HardwareProfile, Time
from ...netx import OptionError, ProfileError
from ..activity import ActivityCounts
from .ann import AnnComparison, compare_with_ann
from .counts import OperationCounts
from .dynamic import fixed_terms, layer_terms
from .excluded import left_out
from .from_activity import operations_of
from .ranges import Estimate, Range, total
from .standing_power import (
    Boundary,
    StaticRule,
    boundary_text,
    known_powers,
    standing_power,
)
from .step_time import StepModel, inference_time

STATIC = "static power"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyOptions:
    """Choices that an energy is meaningless without.

    Attributes
    ----------
    boundary : Boundary
        What the total covers.
    static_rule : StaticRule
        Whose static power.
    step_model : StepModel
        How a core's step adds up.
    processor_duty : float
        Part of the time that embedded processors run code, 0 to 1; counts beyond neurocores.

    Raises
    ------
    OptionError
        When the duty is no part.
    """

    boundary: Boundary = Boundary.NEUROCORES
    static_rule: StaticRule = StaticRule.CHIPS
    step_model: StepModel = StepModel.SUM
    processor_duty: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.processor_duty <= 1:
            raise OptionError(f"processor duty {self.processor_duty:g}; 0 to 1 was expected.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEnergy:
    """Dynamic energy of one layer, nJ an inference, in all and by kind of operation.

    `power` is the same a second in mW, when one inference follows the other.
    """

    name: str
    energy: Estimate
    terms: Mapping[str, Estimate]
    power: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyEstimate:
    """Energy and time of one inference, averaged over the samples of a run.

    Attributes
    ----------
    profile : str
        Whose coefficients.
    options : EnergyOptions
        Boundary and rules.
    terms : mapping of str to Estimate
        Dynamic energy by kind of operation, and static energy; nJ an inference.
    layers : tuple of LayerEnergy
        In forward order.
    dynamic_energy, total_energy : Estimate
        nJ an inference; the total includes what stands within the boundary.
    totals : mapping of str to Estimate
        The total within every boundary that the profile has coefficients for.
    time, time_sum, time_max_affine : Estimate
        Microseconds an inference, by the chosen model and by either.
    longest_step : Estimate or None
        Microseconds; None where steps were not counted one by one.
    busiest_core : int
        The core that sets the pace.
    inferences_per_second : Estimate
        One after the other.
    dynamic_power, total_power : Estimate
        mW at that pace: energy a second.
    powers : mapping of str to Estimate
        The same for each of the terms.
    energy_delay_product : Estimate
        Total energy times time, 'nJ s'.
    ann : AnnComparison or None
        The same layers as an artificial network; None where connections are not known.
    static_boundary : str
        In words what the total covers.
    basis : str
        The weakest evidence of all.
    weakest : tuple of str
        Names of the terms that have no better evidence than that.
    excluded : tuple of str
        What the numbers leave out.
    """

    profile: str
    options: EnergyOptions
    terms: Mapping[str, Estimate]
    layers: tuple[LayerEnergy, ...]
    dynamic_energy: Estimate
    total_energy: Estimate
    totals: Mapping[str, Estimate]
    time: Estimate
    time_sum: Estimate
    time_max_affine: Estimate
    longest_step: Estimate | None
    busiest_core: int
    inferences_per_second: Estimate
    dynamic_power: Estimate
    total_power: Estimate
    powers: Mapping[str, Estimate]
    energy_delay_product: Estimate
    ann: AnnComparison | None
    static_boundary: str
    basis: str
    weakest: tuple[str, ...]
    excluded: tuple[str, ...]


def estimate_energy(
    counts: ActivityCounts | OperationCounts,
    profile: HardwareProfile,
    options: EnergyOptions | None = None,
) -> EnergyEstimate:
    """Estimate energy and time of one inference.

    Parameters
    ----------
    counts : ActivityCounts or OperationCounts
        Of a run on any backend, since they agree, or expected.
    profile : HardwareProfile
        Gives the coefficients; that of the compiled network, whose placement the counts follow.
    options : EnergyOptions, optional
        Boundary and rules; static power of the neurocores of all chips in use if not given.

    Returns
    -------
    EnergyEstimate
        Averages over the samples.

    Raises
    ------
    ProfileError
        When the profile has no coefficients, or none for that boundary or rule.
    """
    energy, times = _coefficients(profile)
    options = options or EnergyOptions()
    if isinstance(counts, ActivityCounts):
        counts = operations_of(counts)
    by_layer = [layer_terms(layer, counts.inferences, energy) for layer in counts.layers]
    names = dict.fromkeys(name for terms in by_layer for name in terms)
    terms = {name: total(t[name] for t in by_layer if name in t) for name in names}
    terms |= fixed_terms(counts, energy)
    dynamic = total(terms.values())

    durations = {model: inference_time(counts, times, model) for model in StepModel}
    chosen = durations[options.step_model]
    time = chosen.inference
    rule, duty = options.static_rule, options.processor_duty
    power = standing_power(counts, profile, options.boundary, rule, duty)
    static = power * time  # mW * us = nJ
    in_all = dynamic + static
    powers = known_powers(counts, profile, rule, duty)
    parts = {**terms, STATIC: static}
    return EnergyEstimate(
        profile=profile.name,
        options=options,
        terms=_in_nanojoules(parts),
        layers=tuple(
            _layer(layer.name, found, time)
            for layer, found in zip(counts.layers, by_layer, strict=True)
        ),
        dynamic_energy=dynamic.estimate("nJ"),
        total_energy=in_all.estimate("nJ"),
        totals={b.value: (dynamic + p * time).estimate("nJ") for b, p in powers.items()},
        time=time.estimate("us"),
        time_sum=durations[StepModel.SUM].inference.estimate("us"),
        time_max_affine=durations[StepModel.MAX_AFFINE].inference.estimate("us"),
        longest_step=None if chosen.longest_step is None else chosen.longest_step.estimate("us"),
        busiest_core=chosen.busiest_core,
        inferences_per_second=_rate(time).estimate("1/s"),
        dynamic_power=(dynamic / time).estimate("mW"),
        total_power=(power + dynamic / time).estimate("mW"),
        # static power is known as such: over time its interval would be wider
        powers={name: (term / time).estimate("mW") for name, term in terms.items()}
        | {STATIC: power.estimate("mW")},
        energy_delay_product=(in_all * time).times(1e-6).estimate("nJ s"),
        ann=compare_with_ann(counts, terms),
        static_boundary=boundary_text(counts, profile, options.boundary, rule),
        basis=in_all.evidence.value,
        weakest=tuple(n for n, t in parts.items() if t.high > 0 and t.evidence is in_all.evidence),
        excluded=left_out(counts, energy, times, profile.power, options.boundary),
    )


def _coefficients(profile: HardwareProfile) -> tuple[Energy, Time]:
    if profile.energy is None or profile.time is None or profile.static_power is None:
        raise ProfileError(
            f"profile '{profile.name}' has no energy, time or power coefficients, so there are "
            "counts but no joules. Compile for a profile that has them."
        )
    return profile.energy, profile.time


def _in_nanojoules(terms: Mapping[str, Range]) -> dict[str, Estimate]:
    return {name: term.estimate("nJ") for name, term in terms.items()}


def _layer(name: str, terms: Mapping[str, Range], time: Range) -> LayerEnergy:
    energy = total(terms.values())
    return LayerEnergy(
        name=name,
        energy=energy.estimate("nJ"),
        terms=_in_nanojoules(terms),
        power=(energy / time).estimate("mW"),
    )


def _rate(microseconds: Range) -> Range:
    """Return how many fit into a second."""
    second = Range(nominal=1e6, low=1e6, high=1e6, evidence=Evidence.MEASURED)
    return second / microseconds
