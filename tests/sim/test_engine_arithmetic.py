"""The engine's vectors compute what hw_profiles.arithmetic defines, over whole ranges."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lavadeploy.compile import SignMode, WeightRegisters
from lavadeploy.hw_profiles.arithmetic import (
    CONV_BITS,
    align_with_states,
    update_current,
    update_voltage,
    wrap_signed,
)
from lavadeploy.sim.engine.plain_neurons import append_above, update_currents, update_voltages
from lavadeploy.sim.engine.plan_synapses import KERNEL_FACTOR, SPIKE_FACTOR, narrowest

DECAYS = np.arange(4097)
EDGES = [0, 1, 63, 64, 4095, 4096, 4097, (1 << 23) - 1, 1 << 23, (1 << 31) - (1 << 24)]
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)


def currents(
    state: NDArray[np.int64], sums: NDArray[np.int64], decay: NDArray[np.int64], *, kernel: bool
) -> NDArray[np.int64]:
    """Take a step with the engine."""
    now, arriving = state.astype(np.int32), sums.astype(np.int32)
    factor = KERNEL_FACTOR if kernel else SPIKE_FACTOR
    size = np.uint64(now.size)
    kept = 1.0 - np.broadcast_to(decay, now.shape) / 4096
    update_currents(now, arriving, kept, np.uint64(0), size, factor, kernel)
    assert not arriving.any()
    return now.astype(np.int64)


def voltages(
    state: NDArray[np.int64],
    current: NDArray[np.int64],
    bias: NDArray[np.int64],
    decay: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Take a step with the engine."""
    now = state.astype(np.int32)
    kept = 1.0 - np.broadcast_to(decay, now.shape) / 4096
    low = bias.astype(np.int32)
    update_voltages(now, current.astype(np.int32), kept, low, np.uint64(0), np.uint64(now.size))
    return now.astype(np.int64)


def test_every_decay_of_states_at_the_edges() -> None:
    for edge in EDGES:
        for state in (edge, -edge):
            states = np.full(DECAYS.size, state, dtype=np.int64)
            none = np.zeros_like(states)
            assert np.array_equal(
                currents(states, none, DECAYS, kernel=False), update_current(states, none, DECAYS)
            )
            if edge < 1 << 23:
                assert np.array_equal(
                    voltages(states, none, none, DECAYS),
                    update_voltage(states, none, none, DECAYS),
                )


def test_every_state_at_some_decays() -> None:
    states = np.arange(-(1 << 23) + 1, 1 << 23, dtype=np.int64)
    none = np.zeros_like(states)
    for decay in (1, 409, 2048, 4095):
        each = np.array(decay)
        assert np.array_equal(
            voltages(states, none, none, each), update_voltage(states, none, none, each)
        )


@settings(deadline=None, max_examples=300)
@given(st.integers(-(1 << 31) + (1 << 24), (1 << 31) - (1 << 24)), INT32, st.integers(0, 4096))
def test_currents_of_any_input(state: int, total: int, decay: int) -> None:
    states, sums, each = (np.array([value], dtype=np.int64) for value in (state, total, decay))
    expected = update_current(states, align_with_states(sums), each)
    assert np.array_equal(currents(states, sums, each, kernel=False), expected)
    wrapped = align_with_states(wrap_signed(sums, CONV_BITS))
    expected = update_current(states, wrapped, each)
    assert np.array_equal(currents(states, sums, each, kernel=True), expected)


@settings(deadline=None, max_examples=300)
@given(
    st.integers(-(1 << 23) + 1, (1 << 23) - 1),
    st.integers(-(1 << 31) + (1 << 24), (1 << 31) - (1 << 24)),
    INT32,
    st.integers(0, 4096),
)
def test_voltages_of_any_input(state: int, current: int, bias: int, decay: int) -> None:
    arrays = [np.array([value], dtype=np.int64) for value in (state, current, bias, decay)]
    assert np.array_equal(voltages(*arrays), update_voltage(*arrays))


def test_those_above_the_threshold_are_found_in_every_place() -> None:
    limit = 640
    for count in (1, 63, 64, 65, 128, 200):
        states = np.full(-(-count // 64) * 64, limit + 1, dtype=np.int32)  # those beyond fire, too
        states[:count:3] = limit
        index = np.full(count, -1, dtype=np.int32)
        found = append_above(states, np.uint64(count), limit, index, np.uint64(0))
        expected = np.flatnonzero(states[:count] > limit)
        assert index[: int(found)].tolist() == expected.tolist()


def test_weights_take_the_narrowest_type_that_is_exact() -> None:
    for weights, kind, shift in (
        ([-256, 254], np.int8, 1),
        ([-128, 127], np.int8, 0),
        ([-129, 126], np.int16, 0),
        ([1 << 20, -4], np.int32, 2),
        ([0, 0], np.int8, 0),
    ):
        (narrow,), found = narrowest([np.array(weights, dtype=np.int32)], keep_unit=False)
        assert (narrow.dtype, found) == (np.dtype(kind), shift)
        assert (narrow.astype(np.int64) << found).tolist() == weights
    (kept,), none = narrowest([np.array([4, 512], dtype=np.int32)], keep_unit=True)
    assert (kept.tolist(), none) == ([4, 512], 0)


def test_registers_of_8_bits_fit_a_byte() -> None:
    registers = WeightRegisters(
        mantissa=np.array([[-256, 254]], dtype=np.int16),
        exponent=0,
        bits=8,
        sign_mode=SignMode.MIXED,
    )
    (narrow,), _ = narrowest([registers.effective()], keep_unit=False)
    assert narrow.dtype == np.int8
