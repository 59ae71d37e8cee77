"""What accuracy is drawn against: energy, time and cores, each on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..energy import Estimate
from .outcome import PointResult
from .report import SweepReport
from .table import ENERGY_UNITS, TIME_UNITS, common_unit

MARGIN = 1.25  # what lies beyond the outermost bar, as a factor
# Bokeh labels decades only, and a sweep often spans one or two.
TICKS = tuple(mantissa * 10.0**place for place in range(-3, 7) for mantissa in (1, 2, 5))
MOST_LABELS = 16  # that stand beside each other without touching


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A point's place on an axis, in its unit.

    Attributes
    ----------
    nominal, low, high : float
        Best guess, and the ends of its interval as far as the axis goes.
    """

    nominal: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAxis:
    """An axis and the points on it.

    Attributes
    ----------
    name : str
        For headings: 'energy', 'time' or 'cores'.
    objective : str
        The same in `OBJECTIVES`.
    title : str
        With its unit.
    start, end : float
        Where it begins and ends, both above 0.
    ticks : tuple of float
        Where it has labels.
    costs : mapping of str to Cost
        By the point's name; those with an accuracy and a cost that can be drawn. A logarithmic axis
        has no place for 0 and none for infinity: a best guess that is either is left out, an
        interval's end ends with the axis.
    """

    name: str
    objective: str
    title: str
    start: float
    end: float
    ticks: tuple[float, ...]
    costs: Mapping[str, Cost]


def cost_axes(report: SweepReport) -> tuple[CostAxis, ...]:
    """Return the axes on which there is a point: energy, time, cores."""
    results = report.results
    energies = [report.energy_of(result) for result in results]
    latencies = [result.latency for result in results]
    energy_unit, energy_factor = common_unit(energies, ENERGY_UNITS)
    time_unit, time_factor = common_unit(latencies, TIME_UNITS)
    energy = _named(results, [_cost(each, energy_factor) for each in energies])
    time = _named(results, [_cost(each, time_factor) for each in latencies])
    cores = _named(results, [Cost(nominal=r.cores, low=r.cores, high=r.cores) for r in results])
    axes = (
        _axis("energy", "energy", f"energy of an inference, {energy_unit}", TICKS, energy),
        _axis("time", "latency", f"time of an inference, {time_unit}", TICKS, time),
        _axis("cores", "cores", "cores", _core_ticks(cores), cores),
    )
    return tuple(axis for axis in axes if axis is not None)


def _axis(
    name: str, objective: str, title: str, ticks: tuple[float, ...], costs: Mapping[str, Cost]
) -> CostAxis | None:
    if not costs:
        return None
    ends = [
        end
        for cost in costs.values()
        for end in (cost.low, cost.nominal, cost.high)
        if 0 < end < math.inf
    ]
    start, end = min(ends) / MARGIN, max(ends) * MARGIN
    return CostAxis(
        name=name,
        objective=objective,
        title=title,
        start=start,
        end=end,
        ticks=ticks,
        costs={
            point: Cost(nominal=cost.nominal, low=max(cost.low, start), high=min(cost.high, end))
            for point, cost in costs.items()
        },
    )


def _cost(estimate: Estimate | None, factor: float) -> Cost | None:
    if estimate is None:
        return None
    nominal, low, high = (x * factor for x in (estimate.nominal, estimate.low, estimate.high))
    return Cost(nominal=nominal, low=low, high=high)


def _named(results: Sequence[PointResult], costs: Sequence[Cost | None]) -> dict[str, Cost]:
    return {
        result.point.name: cost
        for result, cost in zip(results, costs, strict=True)
        if cost is not None and result.accuracy is not None and 0 < cost.nominal < math.inf
    }


def _core_ticks(costs: Mapping[str, Cost]) -> tuple[float, ...]:
    """Return the numbers of cores in use, as many as can be read beside each other."""
    used = sorted({cost.nominal for cost in costs.values()})
    if not used:
        return ()
    apart = (used[-1] / used[0]) ** (1 / MOST_LABELS)
    kept = used[:1]
    for number in used[1:]:
        if number >= kept[-1] * apart:
            kept.append(number)
    return tuple(kept)
