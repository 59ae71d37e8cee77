"""Turning images into spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rate_code(
    intensity: NDArray[np.float64], steps: int, *, most: float = 0.5
) -> NDArray[np.uint8]:
    """Return evenly spaced spikes whose rate is proportional to intensity.

    Parameters
    ----------
    intensity : float64 array, shape (N, C)
        In [0, 1].
    steps : int
        T, steps of a sample.
    most : float
        Spikes a step at intensity 1, at most 1.

    Returns
    -------
    uint8 array, shape (N, C, T)
        0 or 1; the same input gives the same spikes.

    Examples
    --------
    >>> rate_code(np.array([[1.0, 0.5]]), steps=4)[0].tolist()
    [[0, 1, 0, 1], [0, 0, 0, 1]]
    """
    if intensity.size and not 0 <= intensity.min() <= intensity.max() <= 1:
        raise ValueError("intensity must lie in [0, 1]")
    rate = intensity * most
    spikes = np.empty((*intensity.shape, steps), dtype=np.uint8)
    sent = np.zeros(intensity.shape)
    for step in range(steps):
        due = np.floor(rate * (step + 1))
        spikes[:, :, step] = due - sent
        sent = due
    return spikes
