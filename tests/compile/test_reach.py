"""Fixed points are those that a constant input reaches, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavadeploy.compile.reach import (
    UNBOUNDED,
    cascade_reach,
    decayed,
    fixed_point,
    leaky_reach,
    plus,
)
from lavadeploy.hw_profiles.arithmetic import Int64Array, decay_toward_zero


def whole(*numbers: int) -> Int64Array:
    return np.array(numbers, dtype=np.int64)


@given(st.integers(0, 1 << 45), st.integers(0, 4096))
def test_decays_are_those_of_the_chip(state: int, decay: int) -> None:
    expected = decay_toward_zero(whole(state), whole(decay))
    assert np.array_equal(decayed(whole(state), whole(decay)), expected)


@given(st.integers(1, 1 << 22), st.integers(1, 4096))
def test_a_fixed_point_is_the_least_that_a_step_keeps(arriving: int, decay: int) -> None:
    def step(x: int) -> int:
        return (x * (4096 - decay) >> 12) + arriving

    found = int(fixed_point(whole(arriving), whole(decay))[0])
    assert step(found) == found
    assert step(found - 1) > found - 1
    assert found <= -(-4096 * arriving // decay)  # the geometric sum of real numbers


@pytest.mark.parametrize("decay", [30, 1000, 4095, 4096])
@pytest.mark.parametrize("arriving", [1, 2, 64, 16256])
def test_a_constant_input_reaches_the_fixed_point(arriving: int, decay: int) -> None:
    state = 0
    for _ in range(3000):
        state = (state * (4096 - decay) >> 12) + arriving
    assert fixed_point(whole(arriving), whole(decay)).tolist() == [state]


def test_nothing_arrives_nothing_is_reached() -> None:
    assert fixed_point(whole(0, 0), whole(0, 4096)).tolist() == [0, 0]


def test_without_decay_there_is_no_bound() -> None:
    assert fixed_point(whole(1), whole(0)).tolist() == [UNBOUNDED]
    assert leaky_reach(whole(3), whole(0), 5).tolist() == [15]


def test_what_is_too_large_is_unbounded_and_stays_so() -> None:
    assert fixed_point(whole(UNBOUNDED, 1 << 58), whole(4096, 1)).tolist() == [UNBOUNDED] * 2
    assert decayed(whole(UNBOUNDED), whole(4095)).tolist() == [UNBOUNDED]
    assert plus(whole(UNBOUNDED), -5).tolist() == [UNBOUNDED]


@given(st.integers(0, 1 << 20), st.integers(0, 4096), st.integers(0, 4096), st.integers(1, 40))
def test_bounds_for_some_steps_are_what_these_steps_reach(
    arriving: int, current_decay: int, voltage_decay: int, steps: int
) -> None:
    u = v = 0
    for _ in range(steps):
        u = (u * (4096 - current_decay) >> 12) + arriving
        v = (v * (4096 - voltage_decay) >> 12) + u
    decays = whole(current_decay), whole(voltage_decay)
    found = cascade_reach(whole(arriving), decays[0], lambda x: x, decays[1], steps)
    assert [reach.tolist() for reach in found] == [[u], [v]]
    endless = cascade_reach(whole(arriving), decays[0], lambda x: x, decays[1], None)
    assert u <= int(endless[0][0])
    assert v <= int(endless[1][0])
