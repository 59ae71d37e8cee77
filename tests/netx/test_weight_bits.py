"""Used bits: counted by hand, and as the compiler counts them where a chip has every width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lavadeploy.compile.weight_registers import weight_registers
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx.weight_bits import used_bits

IDEAL = load_profile("ideal")


@pytest.mark.parametrize(
    ("weights", "bits"),
    [
        ([0, 0], 0),
        ([1], 1),
        ([-256], 1),
        ([0, 64], 1),
        ([1, 255], 8),
        ([2, 254], 7),
        ([-255, 0], 8),
        ([-1, 1], 2),
        ([-2, 1], 2),
        ([-2, 2], 2),
        ([-1, 2], 3),
        ([-128, 127], 8),
        ([-128, 128], 2),
        ([-129, 127], 9),
        ([-256, 254], 8),
        ([-256, 255], 9),
        ([-(2**31), 2**31 - 1], 32),
        ([-(2**31)], 1),
    ],
)
def test_bits_by_hand(weights: list[int], bits: int) -> None:
    assert used_bits(np.array(weights, dtype=np.int32)) == bits


@given(
    weight=hnp.arrays(
        np.int32,
        st.integers(1, 4),
        elements=st.one_of(st.integers(-256, 255), st.sampled_from([-256, -128, 0, 64, 128])),
    )
)
def test_bits_are_those_of_a_chip_that_has_every_width(weight: Any) -> None:
    registers = weight_registers(weight, IDEAL)
    assert registers is not None
    # no register has a width of 0
    assert registers.bits == max(1, used_bits(weight))


def two_s_complement(bits: int) -> range:
    return range(-(1 << (bits - 1)), 1 << (bits - 1))


@given(
    weight=hnp.arrays(np.int32, st.integers(2, 5), elements=st.integers(-(2**31), 2**31 - 1)),
    shift=st.integers(0, 3),
)
def test_mixed_signs_fit_and_fit_no_narrower(weight: Any, shift: int) -> None:
    mixed = np.append(weight >> 3, [-1, 1]).astype(np.int32)
    bits = used_bits(mixed << shift)
    assert all(int(w) in two_s_complement(bits) for w in mixed)
    assert not all(int(w) in two_s_complement(bits - 1) for w in mixed)
