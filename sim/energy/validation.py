"""Predictions of the model beside published measurements: the types, and who is inside what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...hw_profiles import HardwareProfile
from .counts import CoreOperations, LayerOperations, OperationCounts
from .model import EnergyEstimate, EnergyOptions, estimate_energy
from .ranges import Estimate, Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A published figure and what the model makes of the published counts.

    Attributes
    ----------
    quantity : str
        What was measured.
    unit : str
        Of all numbers.
    published : tuple of float
        Lowest and highest published value; one twice.
    predicted : Estimate
        With its interval, in the same unit.
    independent : bool
        Whether no coefficient of the profile was concluded from this measurement.
    is_bound : bool
        Whether the ends are what is possible at all, and nothing between them is predicted.
    remark : str
        Why it misses, or what the comparison is worth.
    """

    quantity: str
    unit: str
    published: tuple[float, float]
    predicted: Estimate
    independent: bool
    is_bound: bool = False
    remark: str = ""

    @property
    def verdict(self) -> str:
        """'inside' where the interval holds a published value, else the side it lies on."""
        lowest, highest = self.published
        if highest < self.predicted.low:
            return "too high"
        return "too low" if lowest > self.predicted.high else "inside"

    @property
    def factor(self) -> float | None:
        """Nominal prediction by the published value, their mean if there are several."""
        mean = sum(self.published) / 2
        return self.predicted.nominal / mean if mean > 0 and not self.is_bound else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCase:
    """A published measurement that can be computed again.

    Attributes
    ----------
    title, source : str
        Network and chip; who measured.
    counts : str
        What is known of the operations, and what had to be assumed.
    comparisons : tuple of Comparison
        Of this case.
    """

    title: str
    source: str
    counts: str
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Estimates of the same network at the least, likely and most operations it may have done."""

    nominal: EnergyEstimate
    least: EnergyEstimate
    most: EnergyEstimate

    def of(self, name: str) -> Estimate:
        """Return one figure of the estimates with the ends of the extremes."""
        nominal, least, most = (getattr(e, name) for e in (self.nominal, self.least, self.most))
        return Estimate(
            nominal=nominal.nominal,
            low=least.low,
            high=most.high,
            unit=nominal.unit,
            evidence=nominal.evidence,
        )


def spread(
    counts: Callable[[float], OperationCounts],
    rates: tuple[float, float, float],
    profile: HardwareProfile,
    options: EnergyOptions | None = None,
) -> Spread:
    """Estimate at the likely, the least and the highest spike rate."""
    nominal, least, most = (estimate_energy(counts(rate), profile, options) for rate in rates)
    return Spread(nominal=nominal, least=least, most=most)


def scaled(estimate: Estimate, factor: float, unit: str, more: Estimate | None = None) -> Estimate:
    """Return an estimate in another unit, after adding another of the same unit."""
    parts = [estimate] if more is None else [estimate, more]
    nominal, low, high = (
        factor * sum(getattr(part, corner) for part in parts)
        for corner in ("nominal", "low", "high")
    )
    return Estimate(nominal=nominal, low=low, high=high, unit=unit, evidence=estimate.evidence)


def energy_during(power: Range, microseconds: float) -> Estimate:
    """Return what a power (mW) takes in some time, in nJ."""
    return power.times(microseconds).estimate("nJ")


def even_counts(
    layers: Sequence[LayerOperations], *, steps: int, cores: int, chips: int = 1
) -> OperationCounts:
    """Return the counts of one inference whose work is spread evenly over the cores."""
    neurons = sum(layer.neurons for layer in layers)
    share = CoreOperations(
        core=0,
        layer="all",
        neurons=-(-neurons // cores),
        spikes=sum(layer.spikes for layer in layers) / cores,
        synaptic_operations=sum(layer.synaptic_operations for layer in layers) / cores,
    )
    return OperationCounts(
        inferences=1, steps=steps, layers=tuple(layers), cores=(share,) * cores, chips=chips
    )


def layer_at(
    name: str, neurons: int, connections: int, *, into: float, out: float, steps: int
) -> LayerOperations:
    """Return a layer whose inputs fire `into` and whose neurons fire `out` times a step."""
    return LayerOperations(
        name=name,
        neurons=neurons,
        connections=connections,
        spikes=out * neurons * steps,
        synaptic_operations=into * connections * steps,
        neuron_updates=neurons * steps,
    )


def dense_chain(sizes: Sequence[int], rate: float, steps: int) -> list[LayerOperations]:
    """Return fully connected layers in which everything fires equally often."""
    return [
        layer_at(f"layer{k}", n, n * sizes[k], into=rate, out=rate, steps=steps)
        for k, n in enumerate(sizes[1:])
    ]
