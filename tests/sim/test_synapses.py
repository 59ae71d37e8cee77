"""Weighted sums of whole numbers are exact, however they are made."""

from __future__ import annotations

import numpy as np
import pytest
from builders import dense
from hypothesis import given, settings
from hypothesis import strategies as st

from lavadeploy.sim.synapses import synaptic_input


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 1 << 8, 1 << 24, 1 << 40]))
def test_sums_are_those_of_whole_numbers(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    layer = dense(rng.integers(-256, 256, (5, 7)))
    values = rng.integers(-most, most + 1, (3, 7))
    expected = [
        [sum(int(w) * int(v) for w, v in zip(row, sample, strict=True)) for row in layer.weight]
        for sample in values
    ]
    found = synaptic_input(layer, layer.weight, (7,), values)
    assert found.dtype == np.int64
    assert found.tolist() == expected


@pytest.mark.parametrize("payload", [(1 << 44) - 1, 1 << 44, (1 << 44) + 1, (1 << 45) + 1])
def test_sums_beyond_what_float64_holds_are_exact(payload: int) -> None:
    layer = dense([[255, 1, -255]])
    values = np.array([[payload, 1, -payload]], dtype=np.int64)
    found = synaptic_input(layer, layer.weight, (3,), values)
    assert found.tolist() == [[510 * payload + 1]]
