"""Regularized non-negative least squares, and the merging of columns."""

from __future__ import annotations

import numpy as np
import pytest

from lavadeploy.sim.energy.least_squares import (
    Prior,
    condition_number,
    merged,
    merged_prior,
    solve,
)


def prior(mean: list[float], sd: list[float]) -> Prior:
    return Prior(mean=np.array(mean), sd=np.array(sd))


def test_without_a_prior_exact_equations_are_solved() -> None:
    matrix = np.array([[1.0, 2.0], [3.0, 1.0], [0.0, 5.0]])
    found = solve(matrix, matrix @ [4.0, 7.0], prior([0, 0], [np.inf, np.inf]), 1.0)
    assert found == pytest.approx([4, 7])


def test_coefficients_are_not_negative() -> None:
    found = solve(np.eye(2), np.array([-3.0, 2.0]), prior([0, 0], [np.inf, np.inf]), 1.0)
    assert found == pytest.approx([0, 2])


def test_the_prior_decides_where_nothing_was_measured() -> None:
    matrix = np.array([[1.0, 0.0]])
    found = solve(matrix, np.array([5.0]), prior([1.0, 9.0], [1.0, 2.0]), 1.0)
    # one equation of weight 1 and a prior of weight 1 meet half way
    assert found == pytest.approx([3.0, 9.0])


def test_strength_weighs_the_prior() -> None:
    one = np.array([[1.0]])
    for strength, expected in ((0.0, 5.0), (1.0, 3.0), (3.0, 2.0)):
        found = solve(one, np.array([5.0]), prior([1.0], [1.0]), strength)
        assert found == pytest.approx([expected])


def test_proportional_columns_are_merged_in_the_proportions_of_the_prior() -> None:
    matrix = np.array([[1.0, 10.0, 5.0], [2.0, 20.0, 1.0], [3.0, 30.0, 2.0]])
    known = prior([4.0, 0.5, 7.0], [1.0, 0.1, 2.0])
    merging = merged(matrix, known)
    assert merging.groups == ((0, 1), (2,))
    assert merging.weights.tolist() == [[4.0, 0.0], [0.5, 0.0], [0.0, 1.0]]
    reduced = merged_prior(matrix, known, merging)
    assert reduced.mean.tolist() == [1.0, 7.0]
    # of 4 * 2 + 0.5 * 20 in a typical row, 1 * 2 and 0.1 * 20 are uncertain
    assert reduced.sd == pytest.approx([np.sqrt(2**2 + 2**2) / 18, 2.0])


def test_of_columns_of_which_nothing_is_known_one_stands_for_all() -> None:
    matrix = np.array([[1.0, 2.0], [1.0, 2.0]])
    known = prior([0.0, 0.0], [3.0, np.inf])
    merging = merged(matrix, known)
    assert merging.weights.tolist() == [[0.0], [1.0]]
    assert merged_prior(matrix, known, merging).sd.tolist() == [np.inf]


def test_the_condition_number_does_not_depend_on_units() -> None:
    matrix = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    plain = condition_number(matrix)
    assert condition_number(matrix * [1e9, 1e-9]) == pytest.approx(plain)
    assert condition_number(np.array([[1.0, 1.0], [1.0, 1.000001]])) > 1e5
    assert condition_number(np.zeros((3, 0))) == 1
