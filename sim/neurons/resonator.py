"""Resonators: RF, RF_IZ and their adaptive forms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...hw_profiles.arithmetic import STATE_SHIFT, Int64Array
from ...hw_profiles.units import GRADED, SPIKE
from ...netx import AdaptiveResonatorNeuron, IntArray, NeuronKind, ResonatorNeuron
from .bias import Bias
from .cuba import Adaptation
from .model import Spread, count_changed
from .rules import DEFINITION, Rules


class Resonator:
    """A complex state that turns and decays; all four kinds.

    ==========  ==================================================  ==============================
    kind        fires where                                         afterwards
    ==========  ==================================================  ==============================
    RF          real part >= threshold, imaginary part rises past 0  nothing
    RF_IZ       imaginary part >= threshold                         real 0, imaginary threshold - 1
    ADRF        as RF, threshold and refractory term added          both raised
    ADRF_IZ     as RF_IZ, threshold and refractory term added       both raised, state stays
    ==========  ==================================================  ==============================

    Sources: ``lava/proc/rf/models.py``, ``lava/proc/rf_iz/models.py``;
    ``slayer/neuron/dynamics/resonator.py``, ``adaptive_phase_th.py``, ``adaptive_resonator.py``.
    SLAYER's own forward pass of ADRF_IZ raises a TypeError (lava-dl 0.6 calls ``spike`` without one
    of its arguments); the model is what its ``dynamics`` and ``spike`` say.
    """

    def __init__(
        self,
        neuron: ResonatorNeuron | AdaptiveResonatorNeuron,
        bias: IntArray | None,
        bias_imag: IntArray | None,
        shape: tuple[int, int],
        spread: Spread,
        rules: Rules = DEFINITION,
    ) -> None:
        self._neuron = neuron
        self._rules = rules
        self._sin_decay = spread(neuron.sin_decay)
        self._cos_decay = spread(neuron.cos_decay)
        self._bias, self._bias_imag = (
            Bias(values, shape, spread, STATE_SHIFT, rules.bias_from)
            for values in (bias, bias_imag)
        )
        self._real = np.zeros(shape, dtype=np.int64)
        self._imag = np.zeros(shape, dtype=np.int64)
        self._adaptation = (
            Adaptation(neuron, shape, spread, rules)
            if isinstance(neuron, AdaptiveResonatorNeuron)
            else None
        )
        self.output_unit = GRADED if neuron.graded_spike else SPIKE
        self.overflows = 0

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take one step; see `NeuronModel.step`."""
        rules = self._rules
        turned_real, turned_imag = rules.turn(
            self._real, self._imag, self._sin_decay, self._cos_decay
        )
        wanted_real = turned_real + real + self._bias.next()
        wanted_imag = turned_imag + imag + self._bias_imag.next()
        new_real, new_imag = rules.hold_state(wanted_real), rules.hold_state(wanted_imag)
        self.overflows += count_changed(wanted_real, new_real)
        self.overflows += count_changed(wanted_imag, new_imag)
        threshold = np.int64(self._neuron.vth_mantissa) << STATE_SHIFT
        limit = threshold + rules.threshold_shift
        if self._adaptation is not None:
            limit = self._adaptation.limit()
        if self._neuron.kind in (NeuronKind.RF, NeuronKind.ADRF):
            fire = (new_real >= limit) & (new_imag >= 0) & (self._imag < 0)
            payload = new_real
        else:
            fire = new_imag >= limit
            payload = new_imag
        if self._adaptation is not None:
            self.overflows += self._adaptation.raise_after(fire)
        elif self._neuron.kind is NeuronKind.RF_IZ:
            new_real = np.where(fire, 0, new_real)
            new_imag = np.where(fire, threshold - 1, new_imag)
        self._real, self._imag = new_real, new_imag
        return np.where(fire, payload if self._neuron.graded_spike else 1, 0)

    def states(self) -> Mapping[str, Int64Array]:
        """Return both parts of the state, and the terms that adapt, in 1/4096."""
        adapting = {} if self._adaptation is None else self._adaptation.states()
        return {"real": self._real, "imag": self._imag} | adapting
