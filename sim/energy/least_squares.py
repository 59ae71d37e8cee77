"""Least squares of coefficients that are not negative, held near what is known of them.

    minimize  |W (A x - y)|^2 + strength * |(x - x0) / sigma0|^2   with x >= 0

solved by SciPy's non-negative least squares on both parts stacked.
"""
# scipy has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .counts import FloatArray

COLLINEAR = 0.999  # cosine of two columns from which on their coefficients cannot be told apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """What is known of coefficients before anything was measured.

    Attributes
    ----------
    mean, sd : float64 array, shape (columns,)
        Best guess, and how far it may be off; infinite where nothing is known.
    """

    mean: FloatArray
    sd: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merging:
    """Columns that are fitted as one.

    Attributes
    ----------
    groups : tuple of tuple of int
        Columns of each group, ascending.
    weights : float64 array, shape (columns, groups)
        A coefficient is its group's times this: 1 where it is alone, its prior mean otherwise, so
        that coefficients of a group keep their proportions.
    """

    groups: tuple[tuple[int, ...], ...]
    weights: FloatArray


def solve(matrix: FloatArray, target: FloatArray, prior: Prior, strength: float) -> FloatArray:
    """Return the coefficients, float64 array of shape (columns,); rows are weighted already."""
    # a sixth of a second that only fits are to take
    from scipy.optimize import nnls

    known = np.isfinite(prior.sd)
    hold = np.sqrt(strength) / prior.sd[known]
    rows = np.zeros((int(known.sum()), matrix.shape[1]), dtype=np.float64)
    rows[np.arange(rows.shape[0]), np.flatnonzero(known)] = hold
    stacked = np.concatenate([matrix, rows])
    wanted = np.concatenate([target, hold * prior.mean[known]])
    size = np.linalg.norm(stacked, axis=0)
    size[size == 0] = 1.0
    found, _ = nnls(stacked / size, wanted)
    return np.asarray(found, dtype=np.float64) / size


def merged(matrix: FloatArray, prior: Prior) -> Merging:
    """Group the columns that are proportional to each other in these rows."""
    size = np.linalg.norm(matrix, axis=0)
    unit = matrix / np.where(size > 0, size, 1.0)
    groups: list[list[int]] = []
    for column in range(matrix.shape[1]):
        for group in groups:
            if abs(float(unit[:, group[0]] @ unit[:, column])) > COLLINEAR:
                group.append(column)
                break
        else:
            groups.append([column])
    weights = np.zeros((matrix.shape[1], len(groups)), dtype=np.float64)
    for index, group in enumerate(groups):
        weights[group, index] = _weights(group, prior)
    return Merging(groups=tuple(map(tuple, groups)), weights=weights)


def merged_prior(matrix: FloatArray, prior: Prior, merging: Merging) -> Prior:
    """Return what is known of the groups; errors of a group's members are independent."""
    means: list[float] = []
    sds: list[float] = []
    typical = np.abs(matrix).mean(axis=0)
    for index, group in enumerate(merging.groups):
        weights = merging.weights[:, index]
        used = [column for column in group if weights[column] > 0]
        if len(used) == 1:
            means.append(float(prior.mean[used[0]] / weights[used[0]]))
            sds.append(float(prior.sd[used[0]] / weights[used[0]]))
            continue
        shares = typical[used] / float((typical[used] * weights[used]).sum())
        known = np.where(np.isfinite(prior.sd[used]), prior.sd[used], 0.0)
        means.append(float((shares * prior.mean[used]).sum()))
        sds.append(float(np.sqrt(((shares * known) ** 2).sum())))
    return Prior(mean=np.array(means), sd=np.array(sds))


def condition_number(matrix: FloatArray) -> float:
    """Return the condition number of the columns, each scaled to length 1, without columns of 0."""
    size = np.linalg.norm(matrix, axis=0)
    kept = matrix[:, size > 0] / size[size > 0]
    return float(np.linalg.cond(kept)) if kept.size else 1.0


def _weights(group: Sequence[int], prior: Prior) -> FloatArray:
    """Return how a group's members share its coefficient."""
    if len(group) == 1:
        return np.ones(1)
    mean = prior.mean[list(group)]
    if mean.any():
        return mean
    # nothing is known of any: the one with the widest prior stands for all
    shares = np.zeros(len(group))
    shares[int(np.argmax(prior.sd[list(group)]))] = 1.0
    return shares
