"""What a neuron model is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Protocol

import numpy as np

from ...hw_profiles.arithmetic import Int64Array
from ...netx import IntArray

# Gives each neuron its value of a parameter that is stored once or once a channel.
Spread = Callable[[IntArray], IntArray]


def count_changed(wanted: Int64Array, kept: Int64Array) -> int:
    """Return how many numbers a register changed."""
    return int(np.count_nonzero(wanted != kept))


class NeuronModel(Protocol):
    """The neurons of a layer, all samples at once; arrays have shape (N, neurons).

    A model keeps its states and changes them in `step`.
    """

    output_unit: Fraction
    """What an output of 1 stands for."""

    @property
    def overflows(self) -> int:
        """Return how many numbers did not fit their register and were wrapped or clipped."""
        ...

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take the weighted input of one step and return the output.

        Parameters
        ----------
        real, imag : int64 array, shape (N, neurons)
            Input to the real and the imaginary part, in 1/4096 (sigma-delta: in 2**-18); models
            that are not complex ignore `imag`.

        Returns
        -------
        int64 array, shape (N, neurons)
            Spikes (0 or 1), or payloads in units of `output_unit`.
        """
        ...

    def states(self) -> Mapping[str, Int64Array]:
        """Return the states by name, as the last step left them."""
        ...
