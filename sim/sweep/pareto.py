"""Which points no other one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .outcome import PointResult

# What counts, and whether more of it is better.
OBJECTIVES: Mapping[str, bool] = {
    "accuracy": True,
    "energy": False,
    "latency": False,
    "cores": False,
}


def objectives_of(result: PointResult, boundary: str) -> dict[str, float]:
    """Return what a point is judged by, less being better, as far as it is known.

    Parameters
    ----------
    result : PointResult
        A point.
    boundary : str
        What its energy covers; best guesses are compared, not intervals.

    Returns
    -------
    mapping of str to float
        Energy and time as they are shown, with three digits: a fourth one of an estimate that may
        be wrong by factors is no reason to prefer a point.
    """
    energy = result.energies.get(boundary)
    found = {
        "accuracy": result.accuracy,
        "energy": None if energy is None else float(f"{energy.nominal:.3g}"),
        "latency": None if result.latency is None else float(f"{result.latency.nominal:.3g}"),
        "cores": float(result.cores),
    }
    return {
        name: -value if OBJECTIVES[name] else value
        for name, value in found.items()
        if value is not None
    }


def pareto_front(costs: Sequence[Mapping[str, float]]) -> tuple[bool, ...]:
    """Tell for each point whether it is in the front.

    A point is beaten by one that has every objective it has, is nowhere worse in these and
    somewhere better. So equal points stay together, and a point without joules (a chip without
    coefficients) can be beaten by those that have them in what it does have, but beats none of
    them. That relation has no circles, so a front is never empty.

    Parameters
    ----------
    costs : sequence of mapping of str to float
        By objective, less is better.

    Examples
    --------
    >>> pareto_front([{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 2}, {"a": 2}])
    (True, True, False, False)
    """
    return tuple(not any(_beats(other, cost) for other in costs) for cost in costs)


def _beats(a: Mapping[str, float], b: Mapping[str, float]) -> bool:
    if not b.keys() <= a.keys():
        return False
    pairs = [(a[name], value) for name, value in b.items()]
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)
