"""Axis order: ours is (C, H, W), Lava's is (W, H, C)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..netx import Shape


def lava_shape(shape: Shape) -> Shape:
    """(C, H, W) becomes Lava's (W, H, C)."""
    return shape[::-1]


def lava_order(shape: Shape) -> NDArray[np.intp]:
    """Return, for each neuron in Lava's order, its number in ours."""
    return np.arange(int(np.prod(shape)), dtype=np.intp).reshape(shape).T.reshape(-1)


def lava_order_of_samples(spikes: NDArray[Any]) -> NDArray[Any]:
    """(N, C, H, W, T) becomes (N, W, H, C, T); (N, C, T) stays."""
    middle = range(spikes.ndim - 2, 0, -1)
    return spikes.transpose(0, *middle, spikes.ndim - 1)
