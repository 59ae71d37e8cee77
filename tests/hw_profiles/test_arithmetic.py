"""The fixed-point arithmetic equals Lava's formulas in Python's own unbounded integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lavadeploy.hw_profiles.arithmetic import (
    STATE_LIMIT,
    align_with_states,
    decay_toward_zero,
    fires,
    update_current,
    update_voltage,
    wrap_signed,
)

MANY = settings(deadline=None, derandomize=True, database=None, max_examples=300)
EDGE = 1 << 23


def near(*centers: int) -> st.SearchStrategy[int]:
    """Whole numbers of 32 bits, and many of those next to where something happens."""
    edges = [center + step for center in centers for step in (-2, -1, 0, 1, 2)]
    return st.sampled_from(edges) | st.integers(-(2**31), 2**31 - 1)


STATES = st.sampled_from([-EDGE + 1, -EDGE + 2, -1, 0, 1, EDGE - 1, EDGE]) | st.integers(
    -EDGE + 1, EDGE
)
DECAYS = st.sampled_from([0, 1, 4095, 4096]) | st.integers(0, 4096)
INPUTS = near(-(1 << 25), -(1 << 17), 0, 1 << 17, 1 << 18, 1 << 25)
BIASES = near(-EDGE, 0, EDGE, -(1 << 31) + 2, (1 << 31) - 3)


def in_bits(value: int, bits: int) -> int:
    """Keep the low bits of a Python integer, as two's complement."""
    low = value & ((1 << bits) - 1)
    return low - (1 << bits) if low >> (bits - 1) else low


def toward_zero(value: int, decay: int) -> int:
    product = abs(value) * (4096 - decay)
    return product // 4096 if value > 0 else -(product // 4096)


def one(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([value], dtype=np.int64)


@MANY
@given(state=STATES, decay=DECAYS)
def test_decay_rounds_toward_zero(state: int, decay: int) -> None:
    left = decay_toward_zero(one(state), np.array(decay))
    assert left.dtype == np.int64
    assert left.tolist() == [toward_zero(state, decay)]
    assert abs(int(left[0])) <= abs(state)


def test_decay_at_its_ends() -> None:
    states = np.array([-EDGE, -4097, -4096, -1, 0, 1, 4096, 4097, EDGE], dtype=np.int64)
    assert np.array_equal(decay_toward_zero(states, np.array(0)), states)
    assert np.array_equal(decay_toward_zero(states, np.array(4096)), np.zeros(9))
    expected = [-(EDGE - 2048), -4095, -4095, 0, 0, 0, 4095, 4095, EDGE - 2048]
    assert np.array_equal(decay_toward_zero(states, np.array(1)), expected)
    expected = [-2048, -1, -1, 0, 0, 0, 1, 1, 2048]
    assert np.array_equal(decay_toward_zero(states, np.array(4095)), expected)


def test_decay_takes_one_value_a_neuron() -> None:
    states = np.full((2, 3), 4096, dtype=np.int64)
    left = decay_toward_zero(states, np.array([0, 1, 4096], dtype=np.int32))
    assert np.array_equal(left, [[4096, 4095, 0], [4096, 4095, 0]])


@MANY
@given(value=st.integers(-(2**62), 2**62), bits=st.sampled_from([8, 22, 24, 32]))
def test_wrapping_keeps_the_low_bits(value: int, bits: int) -> None:
    assert wrap_signed(one(value), bits).tolist() == [in_bits(value, bits)]


@pytest.mark.parametrize("bits", [8, 24, 32])
def test_wrapping_at_its_ends(bits: int) -> None:
    half = 1 << (bits - 1)
    values = np.array([-half - 1, -half, half - 1, half, 2 * half], dtype=np.int64)
    assert wrap_signed(values, bits).tolist() == [half - 1, -half, half - 1, -half, 0]


def lava_current(current: int, arriving: int, decay: int) -> int:
    """Lava's AbstractPyLifModelFixed.subthr_dynamics (lava/proc/lif/models.py)."""
    shifted = in_bits(in_bits(arriving, 32) << 6, 32)
    summed = in_bits(toward_zero(current, decay) + shifted, 32)
    wrapped = summed - 2 * EDGE if summed > EDGE else summed
    return summed + 2 * EDGE if wrapped <= -EDGE else wrapped


@MANY
@given(current=STATES, arriving=INPUTS, decay=DECAYS)
def test_current_equals_lavas_formula(current: int, arriving: int, decay: int) -> None:
    found = update_current(one(current), align_with_states(one(arriving)), np.array(decay))
    assert found.dtype == np.int64
    assert found.tolist() == [lava_current(current, arriving, decay)]
    if abs(arriving) <= 1 << 17:
        assert -EDGE < int(found[0]) <= EDGE


@pytest.mark.parametrize(
    ("current", "arriving", "expected"),
    [
        (0, (1 << 17) - 1, EDGE - 64),
        (0, 1 << 17, EDGE),  # 2**23 itself stays
        (1, 1 << 17, -EDGE + 1),
        (0, -(1 << 17) + 1, -EDGE + 64),
        (0, -(1 << 17), EDGE),  # -2**23 becomes 2**23
        (-1, -(1 << 17), EDGE - 1),
        (EDGE, 0, EDGE),
        (-EDGE + 1, 0, -EDGE + 1),
        # one wrap only: 2**24 + 64 comes back by 2**24, three times 2**23 does not
        (0, (1 << 18) + 1, 64),
        (0, 393217, EDGE + 64),
        (0, -393216, -EDGE),
        # the shift itself wraps at 32 bits
        (0, 1 << 25, -(2**31) + 2 * EDGE),
        (0, 1 << 26, 0),
        (0, (1 << 26) + 1, 64),
    ],
)
def test_current_wraps_once(current: int, arriving: int, expected: int) -> None:
    assert update_current(one(current), align_with_states(one(arriving)), np.array(0)).tolist() == [
        expected
    ]


@MANY
@given(voltage=STATES, current=STATES, bias=BIASES, decay=DECAYS)
def test_voltage_equals_lavas_formula(voltage: int, current: int, bias: int, decay: int) -> None:
    found = update_voltage(one(voltage), one(current), one(bias), np.array(decay))
    summed = in_bits(toward_zero(voltage, decay) + current + bias, 32)
    assert found.dtype == np.int64
    assert found.tolist() == [max(-(EDGE - 1), min(EDGE - 1, summed))]


@pytest.mark.parametrize(
    ("voltage", "current", "bias", "expected"),
    [
        (EDGE - 1, 0, 0, EDGE - 1),
        (EDGE - 2, 1, 0, EDGE - 1),
        (EDGE - 1, 1, 0, EDGE - 1),
        (EDGE - 1, EDGE, 4095 << 6, EDGE - 1),
        (-EDGE + 1, 0, 0, -EDGE + 1),
        (-EDGE + 1, -1, 0, -EDGE + 1),
        (-EDGE + 1, -EDGE, 0, -EDGE + 1),
        (0, 0, 2**31 - 1, EDGE - 1),
        (0, 1, 2**31 - 1, -EDGE + 1),  # 32 bits wrap before the clip
        (0, -1, -(2**31), EDGE - 1),
    ],
)
def test_voltage_is_clipped(voltage: int, current: int, bias: int, expected: int) -> None:
    found = update_voltage(one(voltage), one(current), one(bias), np.array(0))
    assert found.tolist() == [expected]


@MANY
@given(voltage=STATES, vth=st.integers(0, 131071))
def test_firing_is_strictly_above_the_threshold(voltage: int, vth: int) -> None:
    assert fires(one(voltage), vth).tolist() == [voltage > 64 * vth]


@pytest.mark.parametrize("vth", [0, 1, 80, 4096, 131071])
def test_equality_with_the_threshold_does_not_fire(vth: int) -> None:
    voltages = np.array([64 * vth - 1, 64 * vth, 64 * vth + 1], dtype=np.int64)
    assert fires(voltages, vth).tolist() == [False, False, True]


def test_the_largest_threshold_fires_at_the_top_and_the_next_never() -> None:
    top = one(STATE_LIMIT - 1)
    assert fires(top, 131071).tolist() == [True]
    assert fires(top, 131072).tolist() == [False]
