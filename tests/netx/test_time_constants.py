"""Time constants and periods are those of states that decay and turn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from every_kind import ints

from lavadeploy.hw_profiles.arithmetic import decay_toward_zero, rotate
from lavadeploy.netx.time_constants import amplitude_steps, decay_steps, period_steps

# Large, so that rounding toward zero, less than one unit a step, stays below the tolerances.
START = 1 << 40


@pytest.mark.parametrize("decay", [1, 128, 410, 1024, 2048, 4000])
def test_a_simulated_state_falls_to_1_in_e_each_time_constant(decay: int) -> None:
    steps, same = decay_steps(ints(decay))
    assert steps is not None
    assert steps == same
    state = np.array([START])
    count = math.ceil(10 * steps)
    for _ in range(count):
        state = decay_toward_zero(state, ints(decay))
    # ten time constants leave 1 / e**10; up to 1 unit a step is lost besides, each of them less
    # than 1e-7 of the rest here
    assert math.log(START / state[0]) == pytest.approx(count / steps, rel=1e-3)


@pytest.mark.parametrize(("angle", "kept"), [(0.3, 0.98), (2.5, 0.995), (-0.1, 0.999)])
def test_a_simulated_resonator_turns_and_decays_as_told(angle: float, kept: float) -> None:
    sine = ints(round(4096 * kept * math.sin(angle)))
    cosine = ints(round(4096 * kept * math.cos(angle)))
    (period, _), (steps, _) = period_steps(sine, cosine), amplitude_steps(sine, cosine)
    assert period is not None
    assert steps is not None
    # rounding to 1/4096 changes angle and amplitude by less than one part in 4000
    assert period == pytest.approx(2 * math.pi / abs(angle), rel=4e-3)
    assert steps == pytest.approx(-1 / math.log(kept), rel=0.15)
    real, imag, turned = np.array([START]), np.array([0]), 0.0
    for _ in range(200):
        before = math.atan2(imag[0], real[0])
        real, imag = rotate(real, imag, sine, cosine)
        # by less than half a turn a step
        turned += math.remainder(math.atan2(imag[0], real[0]) - before, 2 * math.pi)
    assert abs(turned) / (2 * math.pi) == pytest.approx(200 / period, rel=1e-6)
    left = math.hypot(real[0], imag[0]) / START
    assert math.log(left) == pytest.approx(-200 / steps, rel=1e-6)


def test_nothing_kept_is_0_and_all_kept_is_infinite() -> None:
    assert decay_steps(ints(4096)) == (0, 0)
    assert decay_steps(ints(0)) == (None, None)
    assert amplitude_steps(ints(0), ints(0)) == (0, 0)
    assert amplitude_steps(ints(-4096), ints(0)) == (None, None)
    assert period_steps(ints(0), ints(0)) == (None, None)


def test_a_range_goes_from_the_fastest_channel_to_the_slowest() -> None:
    assert decay_steps(ints(0, 4096, 2048)) == (0, None)
    least, largest = decay_steps(ints(1024, 128))
    assert (least, largest) == (decay_steps(ints(1024))[0], decay_steps(ints(128))[0])
    # one sine for all, a cosine for each
    assert period_steps(ints(4096), ints(4096, 0)) == (4, pytest.approx(8))


def test_a_state_that_grows_has_a_negative_constant_and_is_slowest() -> None:
    fastest, slowest = amplitude_steps(ints(2896, 2897), ints(2896, 2897))
    assert fastest is not None
    assert slowest is not None
    assert slowest < 0 < fastest
    assert decay_steps(ints(-4096)) == (pytest.approx(-1 / math.log(2)),) * 2


def test_a_decay_beyond_the_whole_counts_by_its_magnitude() -> None:
    assert decay_steps(ints(6144)) == decay_steps(ints(2048))
    assert decay_steps(ints(8192)) == (None, None)


def test_turning_backward_has_the_same_period() -> None:
    assert period_steps(ints(-4096), ints(0)) == period_steps(ints(4096), ints(0)) == (4, 4)
    assert period_steps(ints(0), ints(-3000)) == (2, 2)
