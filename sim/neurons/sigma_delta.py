"""Sigma-delta neurons: delta encoders, sigma-delta units and sigma outputs.

All three work in 2**-18, which is weights (2**-6) times messages (2**-12).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...hw_profiles.arithmetic import Int64Array, wrap_signed
from ...hw_profiles.units import GRADED, SIGMA_TO_MESSAGE, SIGMA_UNIT, WEIGHT_TO_SIGMA
from ...netx import IntArray, SigmaDeltaNeuron
from .bias import Bias
from .model import Spread, count_changed
from .rules import DEFINITION, Rules


class Delta:
    """Sends the change of an activation when it is large enough.

    What is not sent, and only that, is kept for the next step; a message is cut down to 2**-12
    after that, so up to 63/64 of its last bit are lost, in Lava as in SLAYER
    (``lava/proc/sdn/models.py``; ``slayer/axon/delta.py``).
    """

    output_unit = GRADED

    def __init__(
        self, neuron: SigmaDeltaNeuron, shape: tuple[int, int], rules: Rules = DEFINITION
    ) -> None:
        threshold = (np.int64(neuron.vth_mantissa) << WEIGHT_TO_SIGMA) + neuron.vth_fraction
        self._threshold = threshold + rules.threshold_shift
        self._activation = np.zeros(shape, dtype=np.int64)
        self._residue = np.zeros(shape, dtype=np.int64)
        self.overflows = 0

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take one step; see `NeuronModel.step`."""
        wanted = real - self._activation + self._residue
        change = wrap_signed(wanted, 32)
        self.overflows += count_changed(wanted, change)
        sent = np.where(np.abs(change) >= self._threshold, change, 0)
        self._residue = change - sent
        self._activation = real
        return sent >> SIGMA_TO_MESSAGE

    def states(self) -> Mapping[str, Int64Array]:
        """Return activation and residue, in 2**-18."""
        return {"activation": self._activation, "residue": self._residue}


class SigmaDelta:
    """Sums messages, rectifies the sum and its bias, and sends the change; see `Delta`."""

    output_unit = GRADED

    def __init__(
        self,
        neuron: SigmaDeltaNeuron,
        bias: IntArray | None,
        shape: tuple[int, int],
        spread: Spread,
        rules: Rules = DEFINITION,
    ) -> None:
        self._bias = Bias(bias, shape, spread, WEIGHT_TO_SIGMA, rules.bias_from)
        self._sigma = np.zeros(shape, dtype=np.int64)
        self._delta = Delta(neuron, shape, rules)
        self._sums_lost = 0

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take one step; see `NeuronModel.step`."""
        wanted = self._sigma + real
        self._sigma = wrap_signed(wanted, 32)
        shifted = self._sigma + self._bias.next()
        biased = wrap_signed(shifted, 32)
        self._sums_lost += count_changed(wanted, self._sigma)
        self._sums_lost += count_changed(shifted, biased)
        return self._delta.step(np.maximum(biased, 0), imag)

    @property
    def overflows(self) -> int:
        """See `NeuronModel.overflows`."""
        return self._sums_lost + self._delta.overflows

    def states(self) -> Mapping[str, Int64Array]:
        """Return sum, activation and residue, in 2**-18."""
        return {"sigma": self._sigma} | dict(self._delta.states())


class Sigma:
    """Sums messages; the sum is the output."""

    output_unit = SIGMA_UNIT

    def __init__(self, shape: tuple[int, int]) -> None:
        self._sigma = np.zeros(shape, dtype=np.int64)
        self.overflows = 0

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take one step; see `NeuronModel.step`."""
        wanted = self._sigma + real
        self._sigma = wrap_signed(wanted, 32)
        self.overflows += count_changed(wanted, self._sigma)
        return self._sigma

    def states(self) -> Mapping[str, Int64Array]:
        """Return the sum, in 2**-18."""
        return {"sigma": self._sigma}
