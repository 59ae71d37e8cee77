"""Orders in which an image may be read that is meant as channel, row, column."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ...netx import Shape

# What an image (C, H, W), or more axes behind these, becomes; its numbers are then read in order.
IMAGE_ORDERS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "with rows and columns swapped": lambda x: x.swapaxes(1, 2),
    "as (H, W, C), channel fastest": lambda x: _moved(x, (1, 2, 0)),
    "as (W, H, C), channel fastest": lambda x: _moved(x, (2, 1, 0)),
    "with the channels in reverse (polarity)": lambda x: x[::-1],
    "with the rows in reverse": lambda x: x[:, ::-1],
    "with the columns in reverse": lambda x: x[:, :, ::-1],
}


def image_shapes(shape: Shape) -> tuple[Shape, ...]:
    """Return the images that a flat input may have been: square ones of 1 to 3 channels."""
    if len(shape) == 3:
        return (shape,)
    (size,) = shape
    found: list[Shape] = []
    for channels in (1, 2, 3):
        side = math.isqrt(size // channels)
        if side > 1 and channels * side * side == size:
            found.append((channels, side, side))
    return tuple(found)


def _moved(image: NDArray[Any], first: tuple[int, int, int]) -> NDArray[Any]:
    return image.transpose(*first, *range(3, image.ndim))
