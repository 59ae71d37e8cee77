"""The bias of a layer's neurons, step by step."""

from __future__ import annotations

import numpy as np

from ...hw_profiles.arithmetic import Int64Array
from ...netx import IntArray
from .model import Spread


class Bias:
    """A bias in the unit of the states, for each neuron.

    Parameters
    ----------
    values : int32 array, shape (C,), or None
        In weight units; None is 0.
    shape : tuple of int
        (N, neurons).
    spread : callable
        See `Spread`.
    shift : int
        Bits from weight units to those of the states.
    start : int
        Steps that pass before it acts; see `Rules`.
    """

    def __init__(
        self,
        values: IntArray | None,
        shape: tuple[int, int],
        spread: Spread,
        shift: int,
        start: int,
    ) -> None:
        self._none = np.zeros(shape[1], dtype=np.int64)
        self._values = self._none if values is None else spread(values).astype(np.int64) << shift
        self._waits = start

    def next(self) -> Int64Array:
        """Return what acts in the next step, shape (neurons,)."""
        if self._waits > 0:
            self._waits -= 1
            return self._none
        return self._values
