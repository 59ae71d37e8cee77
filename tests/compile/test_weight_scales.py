"""Grids of stored weights, and the scales of the methods that need no data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from profiles import SHIPPED

from lavadeploy.compile import Method, SignMode
from lavadeploy.compile.weight_grids import WeightGrid, sign_mode_of, widest_grid
from lavadeploy.compile.weight_registers import weight_registers
from lavadeploy.compile.weight_scales import (
    by_largest,
    by_least_squares,
    by_percentile,
    levels_per_unit,
    squared_error,
)

LOIHI2 = SHIPPED["loihi2"]
MODES = st.sampled_from(list(SignMode))
WEIGHTS = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e4, 1e4, width=32))


@given(MODES, st.data())
def test_registers_hold_every_set_of_grid_points(mode: SignMode, data: st.DataObject) -> None:
    profile = data.draw(st.sampled_from(list(SHIPPED.values())))
    bits = data.draw(st.sampled_from(profile.formats.weight_bits.value))
    grid = widest_grid(mode, bits, profile)
    grid = grid.halved(data.draw(st.integers(0, grid.most_halvings)))
    levels = data.draw(st.lists(st.integers(grid.low, grid.high), min_size=1))
    registers = weight_registers(np.array([levels], dtype=np.int32) * grid.step, profile)
    assert registers is not None
    assert registers.bits <= bits


@pytest.mark.parametrize(
    ("mode", "bits", "low", "high", "step"),
    [
        (SignMode.MIXED, 8, -128, 127, 2),
        (SignMode.MIXED, 2, -2, 1, 128),
        (SignMode.MIXED, 1, -1, 0, 256),
        (SignMode.EXCITATORY, 8, 0, 254, 1),  # 255 is beyond the chip's largest weight
        (SignMode.EXCITATORY, 1, 0, 1, 128),
        (SignMode.INHIBITORY, 8, -255, 0, 1),
        (SignMode.INHIBITORY, 3, -7, 0, 32),
    ],
)
def test_grids_use_the_whole_mantissa(
    mode: SignMode, bits: int, low: int, high: int, step: int
) -> None:
    assert widest_grid(mode, bits, LOIHI2) == WeightGrid(low=low, high=high, step=step)


def test_one_bit_of_mixed_signs_is_read_as_excitation() -> None:
    mixed = np.array([-3.0, 2.0])
    assert sign_mode_of(mixed, 2) is SignMode.MIXED
    assert sign_mode_of(mixed, 1) is SignMode.EXCITATORY
    assert sign_mode_of(-np.abs(mixed), 1) is SignMode.INHIBITORY


def test_rounding_clips_and_counts() -> None:
    grid = WeightGrid(low=-2, high=1, step=128)
    found, clipped = grid.round(np.array([[-9.0, -1.0, 0.25, 0.75, 2.0]]), 1.0)
    assert found.tolist() == [[-256, -128, 0, 128, 128]]
    assert clipped == 2


@given(WEIGHTS, st.sampled_from([2, 3, 4, 5, 6, 8]))
def test_the_largest_weight_takes_the_last_level(weight: np.ndarray, bits: int) -> None:
    assume(np.abs(weight).max() > 1e-3)
    grid = widest_grid(sign_mode_of(weight, bits), bits, LOIHI2)
    levels = weight * by_largest(weight, grid)
    assert grid.low * (1 + 1e-12) <= levels.min()
    assert levels.max() <= grid.high * (1 + 1e-12)
    assert np.isclose(levels.max(), grid.high) or np.isclose(levels.min(), grid.low)


def test_a_percentile_leaves_out_that_part_of_the_weights() -> None:
    weight = np.concatenate([np.linspace(-1, 1, 999), [50.0]])
    grid = widest_grid(SignMode.MIXED, 8, LOIHI2)
    assert by_percentile(weight, grid, 100) == by_largest(weight, grid)
    assert by_percentile(weight, grid, 99.8) == pytest.approx(127)
    assert grid.round(weight, by_percentile(weight, grid, 99.8))[1] == 1


def test_a_percentile_of_zeros_clips_nothing() -> None:
    weight = np.concatenate([np.zeros(999), [3.0]])
    grid = widest_grid(SignMode.EXCITATORY, 4, LOIHI2)
    assert by_percentile(weight, grid, 99) == by_largest(weight, grid)


@given(WEIGHTS, st.sampled_from([2, 3, 4, 6, 8]))
def test_least_squares_is_no_worse_than_the_others(weight: np.ndarray, bits: int) -> None:
    assume(np.abs(weight).max() > 1e-3)
    grid = widest_grid(sign_mode_of(weight, bits), bits, LOIHI2)
    errors = {
        method: squared_error(weight, grid, levels_per_unit(method, weight, grid, 99.9))
        for method in (Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES)
    }
    # the search tries the largest value's levels to one part in a thousand
    slack = 1 + 1e-2
    assert errors[Method.LEAST_SQUARES] <= slack * errors[Method.LARGEST] + 1e-9 * weight.size


def test_least_squares_finds_the_best_of_a_fine_search() -> None:
    weight = np.random.default_rng(0).normal(0, 10, 4000)
    grid = widest_grid(SignMode.MIXED, 4, LOIHI2)
    found = squared_error(weight, grid, by_least_squares(weight, grid))
    searched = [squared_error(weight, grid, x) for x in np.geomspace(0.05, 2, 2000)]
    assert found <= 1.001 * min(searched)


def test_least_squares_of_a_large_layer_is_that_of_all_its_weights() -> None:
    weight = np.random.default_rng(0).standard_t(4, 1 << 19)
    grid = widest_grid(SignMode.MIXED, 4, LOIHI2)
    found = squared_error(weight, grid, by_least_squares(weight, grid))
    searched = [squared_error(weight, grid, x) for x in np.geomspace(0.5, 5, 40)]
    assert found <= 1.005 * min(searched)


@pytest.mark.parametrize("method", [Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES])
def test_weights_that_are_all_zero_have_a_scale(method: Method) -> None:
    grid = widest_grid(SignMode.EXCITATORY, 4, LOIHI2)
    assert levels_per_unit(method, np.zeros(5), grid, 99.9) == 1
