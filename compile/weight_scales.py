"""How many levels of a grid a weight of 1 becomes: largest value, percentile, least squares."""

from __future__ import annotations

import numpy as np

from ..netx import RealArray
from .quantization_plan import Method
from .weight_grids import WeightGrid

# The search of least squares: from half the levels that clip nothing to 128 times as many, since a
# single weight may be far from all others. Neighbours are 2.5 % apart; in layers
# of many weights, whose error is smooth, they are 10 % apart, and there is a round between.
COARSE = np.geomspace(0.5, 128, 225)
BETWEEN = np.linspace(0.9, 1.1, 9)
FINE = np.linspace(0.975, 1.025, 41)
MANY = 1 << 17


def levels_per_unit(
    method: Method, weight: RealArray, grid: WeightGrid, percentile: float
) -> float:
    """Return the levels of a weight of 1 by one of the methods that need no data.

    Parameters
    ----------
    method : Method
        Not `Method.CALIBRATED`.
    weight : float64 array, shape (n,)
        All weights that share registers.
    grid : WeightGrid
        Its levels are used, not its step.
    percentile : float
        For `Method.PERCENTILE`: of the magnitudes.

    Returns
    -------
    float
        1 for weights that are all zero.
    """
    match method:
        case Method.LARGEST:
            return by_largest(weight, grid)
        case Method.PERCENTILE:
            return by_percentile(weight, grid, percentile)
        case Method.LEAST_SQUARES:
            return by_least_squares(weight, grid)
        case Method.CALIBRATED:
            raise ValueError("a calibrated plan states its scale")


def by_largest(weight: RealArray, grid: WeightGrid) -> float:
    """Return the most levels at which no weight of a sign that the grid has is clipped.

    Examples
    --------
    >>> by_largest(np.array([-4.0, 2.0]), WeightGrid(low=-8, high=7, step=32))
    2.0
    """
    most, least = float(weight.max(initial=0.0)), float(weight.min(initial=0.0))
    bounds = [grid.high / most] if most > 0 and grid.high else []
    bounds += [grid.low / least] if least < 0 and grid.low else []
    return min(bounds, default=1.0)


def by_percentile(weight: RealArray, grid: WeightGrid, percentile: float) -> float:
    """Return the most levels at which no weight within a percentile of magnitude is clipped."""
    if not weight.size:
        return 1.0
    limit = float(np.percentile(np.abs(weight), percentile, method="higher"))
    # a percentile of zero would clip every weight there is
    return by_largest(np.clip(weight, -limit, limit) if limit > 0 else weight, grid)


def by_least_squares(weight: RealArray, grid: WeightGrid) -> float:
    """Return the levels with the least sum of squared weight errors, to about one in a thousand."""
    start = by_largest(weight, grid)
    if not weight.any():
        return start
    if weight.size < MANY:
        return _best(weight, grid, _best(weight, grid, start * COARSE) * FINE)
    between = _best(weight, grid, _best(weight, grid, start * COARSE[::4]) * BETWEEN)
    return _best(weight, grid, between * FINE[::4])


def squared_error(weight: RealArray, grid: WeightGrid, levels: float) -> float:
    """Return the sum of the squared errors of the weights, in their own units."""
    kept = np.clip(grid.levels(weight, levels), grid.low, grid.high)
    error = kept / levels - weight
    return float(error @ error)


def _best(weight: RealArray, grid: WeightGrid, candidates: RealArray) -> float:
    errors = [squared_error(weight, grid, float(levels)) for levels in candidates]
    return float(candidates[int(np.argmin(errors))])
