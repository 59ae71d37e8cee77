"""CUBA: the current-based leaky integrate-and-fire neuron, and ALIF, which adapts its threshold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...hw_profiles.arithmetic import (
    STATE_SHIFT,
    Int64Array,
    divide_toward_zero,
    fires,
)
from ...hw_profiles.units import GRADED, SPIKE
from ...netx import AdaptiveResonatorNeuron, AlifNeuron, CubaNeuron, IntArray, current_shift
from .bias import Bias
from .model import Spread, count_changed
from .rules import DEFINITION, Rules


class LeakyStates:
    """Current and voltage, as CUBA and ALIF have them; counts what left the 24 bits.

    Parameters
    ----------
    neuron : CubaNeuron or AlifNeuron
        Gives the decays.
    shape : tuple of int
        (N, neurons).
    spread : callable
        See `Spread`.
    rules : Rules
        The arithmetic.
    """

    def __init__(
        self,
        neuron: CubaNeuron | AlifNeuron,
        shape: tuple[int, int],
        spread: Spread,
        rules: Rules = DEFINITION,
    ) -> None:
        self._rules = rules
        self._current_decay = spread(neuron.current_decay)
        self._voltage_decay = spread(neuron.voltage_decay)
        self.current = np.zeros(shape, dtype=np.int64)
        self.voltage = np.zeros(shape, dtype=np.int64)
        self.overflows = 0

    def add_to_current(self, arriving: Int64Array) -> None:
        """Decay the current by a step and add what arrives, in 1/4096."""
        wanted = self._rules.decay(self.current, self._current_decay) + arriving
        self.current = self._rules.hold_current(wanted)
        self.overflows += count_changed(wanted, self.current)

    def add_to_voltage(self, rise: Int64Array) -> None:
        """Decay the voltage by a step and add to it, in 1/4096."""
        wanted = self._rules.decay(self.voltage, self._voltage_decay) + rise
        self.voltage = self._rules.hold_voltage(wanted)
        self.overflows += count_changed(wanted, self.voltage)


class Cuba:
    """Lava's ``LIF`` in fixed point; the voltage is reset by a spike, the current is not.

    Source: ``lava/proc/lif/models.py`` (PyLifModelBitAcc). From SLAYER: graded spikes carry the
    voltage (``slayer/spike/spike.py``), `current_exponent` divides current and bias on their way to
    the voltage (``slayer/neuron/norm.py``, WgtScaleBatchNorm). A refractory period keeps the
    voltage at rest while the current goes on, as Lava's floating-point ``LIFRefractory`` does.
    """

    def __init__(
        self,
        neuron: CubaNeuron,
        bias: IntArray | None,
        shape: tuple[int, int],
        spread: Spread,
        rules: Rules = DEFINITION,
    ) -> None:
        self._neuron = neuron
        self._bias = Bias(bias, shape, spread, STATE_SHIFT, rules.bias_from)
        self._leaky = LeakyStates(neuron, shape, spread, rules)
        self._shift = rules.threshold_shift
        self._resting = np.zeros(shape, dtype=np.int64)  # steps of the refractory period left
        self.output_unit = GRADED if neuron.graded_spike else SPIKE

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take one step; see `NeuronModel.step`."""
        leaky = self._leaky
        leaky.add_to_current(real)
        leaky.add_to_voltage(
            _scaled(leaky.current + self._bias.next(), current_shift(self._neuron))
        )
        voltage = np.where(self._resting > 0, 0, leaky.voltage)
        fire = fires(voltage - self._shift, self._neuron.vth_mantissa) & (self._resting == 0)
        self._resting = np.where(
            fire, self._neuron.refractory_delay - 1, np.maximum(self._resting - 1, 0)
        )
        leaky.voltage = np.where(fire, 0, voltage)
        return np.where(fire, voltage if self._neuron.graded_spike else 1, 0)

    def states(self) -> Mapping[str, Int64Array]:
        """Return current and voltage, in 1/4096."""
        return {"current": self._leaky.current, "voltage": self._leaky.voltage}

    @property
    def overflows(self) -> int:
        """See `NeuronModel.overflows`."""
        return self._leaky.overflows


class Alif:
    """SLAYER's adaptive neuron: nothing is reset, a spike raises threshold and refractory term.

    Source: ``slayer/neuron/alif.py`` and ``dynamics/adaptive_threshold.py``. It fires at equality,
    and its bias enters before the current. Ours: current and voltage keep to the registers of CUBA,
    threshold and refractory term are clipped like voltages.
    """

    def __init__(
        self,
        neuron: AlifNeuron,
        bias: IntArray | None,
        shape: tuple[int, int],
        spread: Spread,
        rules: Rules = DEFINITION,
    ) -> None:
        self._neuron = neuron
        self._bias = Bias(bias, shape, spread, STATE_SHIFT, rules.bias_from)
        self._leaky = LeakyStates(neuron, shape, spread, rules)
        self._adaptation = Adaptation(neuron, shape, spread, rules)
        self.output_unit = GRADED if neuron.graded_spike else SPIKE

    def step(self, real: Int64Array, imag: Int64Array) -> Int64Array:
        """Take one step; see `NeuronModel.step`."""
        arriving = _scaled(real + self._bias.next(), current_shift(self._neuron))
        leaky = self._leaky
        leaky.add_to_current(arriving)
        leaky.add_to_voltage(leaky.current)
        fire = leaky.voltage >= self._adaptation.limit()
        leaky.overflows += self._adaptation.raise_after(fire)
        return np.where(fire, leaky.voltage if self._neuron.graded_spike else 1, 0)

    def states(self) -> Mapping[str, Int64Array]:
        """Return current, voltage, threshold and refractory term, in 1/4096."""
        own = {"current": self._leaky.current, "voltage": self._leaky.voltage}
        return own | self._adaptation.states()

    @property
    def overflows(self) -> int:
        """See `NeuronModel.overflows`."""
        return self._leaky.overflows


class Adaptation:
    """Threshold and refractory term that spikes raise and that decay to rest.

    Parameters
    ----------
    neuron : AlifNeuron or AdaptiveResonatorNeuron
        Gives threshold, step and decays.
    shape : tuple of int
        (N, neurons).
    spread : callable
        See `Spread`.
    rules : Rules
        The arithmetic.
    """

    def __init__(
        self,
        neuron: AlifNeuron | AdaptiveResonatorNeuron,
        shape: tuple[int, int],
        spread: Spread,
        rules: Rules = DEFINITION,
    ) -> None:
        self._rules = rules
        self._rest = np.int64(neuron.vth_mantissa) << STATE_SHIFT
        self._rise = np.int64(neuron.vth_step) << STATE_SHIFT
        self._threshold_decay = spread(neuron.threshold_decay)
        self._refractory_decay = spread(neuron.refractory_decay)
        self._threshold = np.full(shape, self._rest, dtype=np.int64)
        self._refractory = np.zeros(shape, dtype=np.int64)

    def limit(self) -> Int64Array:
        """Decay by a step and return what the state is compared with."""
        raised = self._rules.decay(self._threshold - self._rest, self._threshold_decay)
        self._threshold = raised + self._rest
        self._refractory = self._rules.decay(self._refractory, self._refractory_decay)
        return self._threshold + self._refractory + self._rules.threshold_shift

    def raise_after(self, fire: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
        """Raise both terms of the neurons that fired; the second by twice the threshold before.

        Returns how many were clipped.
        """
        refractory = self._refractory + np.where(fire, 2 * self._threshold, 0)
        threshold = self._threshold + np.where(fire, self._rise, 0)
        hold = self._rules.hold_state
        self._refractory, self._threshold = hold(refractory), hold(threshold)
        return count_changed(refractory, self._refractory) + count_changed(
            threshold, self._threshold
        )

    def states(self) -> dict[str, Int64Array]:
        """Return both terms, in 1/4096."""
        return {"threshold": self._threshold, "refractory": self._refractory}


def _scaled(value: Int64Array, exponent: int) -> Int64Array:
    """Return ``value / 2**exponent``, cut toward zero."""
    return divide_toward_zero(value, 1 << exponent) if exponent >= 0 else value << -exponent
