"""Rate coding: evenly spaced spikes, as many as the intensity says."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from lavadeploy.scripts.encode import rate_code

intensities = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
    elements=st.floats(0, 1) | st.sampled_from([0.0, 1 / 16, 1 / 3, 0.5, 254 / 255, 1.0]),
)
step_counts = st.integers(1, 100)
rates = st.floats(0.01, 1) | st.sampled_from([0.5, 1.0])
same_examples = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@same_examples
@given(intensities, step_counts, rates)
def test_spikes_are_0_or_1_for_every_sample_channel_and_step(
    intensity: NDArray[np.float64], steps: int, most: float
) -> None:
    spikes = rate_code(intensity, steps, most=most)
    assert spikes.dtype == np.uint8
    assert spikes.shape == (*intensity.shape, steps)
    assert set(np.unique(spikes).tolist()) <= {0, 1}


@same_examples
@given(intensities, step_counts, rates)
def test_number_of_spikes_is_rate_times_steps_rounded_down(
    intensity: NDArray[np.float64], steps: int, most: float
) -> None:
    counts = rate_code(intensity, steps, most=most).sum(axis=-1, dtype=np.int64)
    assert np.array_equal(counts, np.floor(intensity * most * steps).astype(np.int64))


@same_examples
@given(intensities, step_counts, rates)
def test_spikes_are_evenly_spaced(intensity: NDArray[np.float64], steps: int, most: float) -> None:
    for train in rate_code(intensity, steps, most=most).reshape(-1, steps):
        gaps = np.diff(np.flatnonzero(train))
        assert gaps.size == 0 or gaps.max() - gaps.min() <= 1


@same_examples
@given(intensities, step_counts)
def test_same_input_gives_the_same_spikes_and_stays_as_it_was(
    intensity: NDArray[np.float64], steps: int
) -> None:
    before = intensity.copy()
    assert np.array_equal(rate_code(intensity, steps), rate_code(intensity, steps))
    assert np.array_equal(intensity, before)


@same_examples
@given(intensities, st.integers(1, 50), st.integers(1, 50))
def test_shorter_samples_are_the_beginning_of_longer_ones(
    intensity: NDArray[np.float64], steps: int, more: int
) -> None:
    longer = rate_code(intensity, steps + more)
    assert np.array_equal(rate_code(intensity, steps), longer[..., :steps])


def test_half_of_the_steps_spike_at_full_intensity() -> None:
    spikes = rate_code(np.array([[0.0, 0.5, 1.0]]), steps=8)
    assert spikes[0].tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0, 1],
        [0, 1, 0, 1, 0, 1, 0, 1],
    ]


def test_coding_a_data_set_takes_little_more_memory_than_its_spikes() -> None:
    # all of MNIST has 753 MB of spikes; eight bytes a number would need more than 16 GB
    intensity = np.random.default_rng(0).random((1000, 784))
    tracemalloc.start()
    try:
        spikes = rate_code(intensity, steps=16)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * spikes.nbytes + 4 * intensity.nbytes
