"""The integer arithmetic that our own neuron models share, in registers as Lava's LIF has them.

It is written from SLAYER's quantized dynamics (``slayer/neuron/dynamics/leaky_integrator.py``,
``adaptive_threshold.py``) and shares no code with the reference, so that an equal result says
something about both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

STATE_MAX = (1 << 23) - 1  # 24 bits, sign included


def decayed(state: NDArray[np.int64], decay: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return what a step leaves of a state; `decay` is the part of 4096 lost, cut toward zero."""
    kept = np.abs(state) * (4096 - decay) >> 12
    return np.where(state < 0, -kept, kept)


def clipped(state: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a state as a register of 24 bits holds it that clips."""
    return np.minimum(np.maximum(state, -STATE_MAX), STATE_MAX)


def divided(value: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
    """Return ``value / 2**shift``, cut toward zero."""
    if shift <= 0:
        return value << -shift
    return np.where(value < 0, -(-value >> shift), value >> shift)


class LeakyStates:
    """Current and voltage at rest.

    Parameters
    ----------
    parameters : mapping
        ``shape``, ``current_decay`` and ``voltage_decay``, parts of 4096 lost in a step.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._current_decay = parameters["current_decay"]
        self._voltage_decay = parameters["voltage_decay"]
        self.u: NDArray[np.int64] = np.zeros(parameters["shape"], dtype=np.int64)
        self.v: NDArray[np.int64] = np.zeros(parameters["shape"], dtype=np.int64)

    def integrate_current(self, arriving: NDArray[np.integer]) -> None:
        """Decay the current and add what arrives; beyond 24 bits it wraps, once."""
        # Lava's arrays are int32
        wide = (decayed(self.u, self._current_decay) + arriving).astype(np.int32).astype(np.int64)
        wide[wide > STATE_MAX + 1] -= 1 << 24
        below = wide <= -(STATE_MAX + 1)
        wide[below] += 1 << 24
        self.u[:] = wide

    def integrate_voltage(self, rise: NDArray[np.int64]) -> None:
        """Decay the voltage and add to it; it is clipped to 24 bits."""
        wide = decayed(self.v, self._voltage_decay) + rise
        self.v[:] = clipped(wide.astype(np.int32).astype(np.int64))


class AdaptiveThreshold:
    """Threshold and refractory term, which spikes raise and which decay to rest.

    Source: ``slayer/neuron/dynamics/adaptive_threshold.py``; the refractory term rises by twice the
    threshold before that is raised. Both are clipped to 24 bits.

    Parameters
    ----------
    parameters : mapping
        ``shape``, ``threshold`` and ``threshold_step`` in state units, ``threshold_decay`` and
        ``refractory_decay``.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._at_rest = parameters["threshold"]
        self._rise = parameters["threshold_step"]
        self._threshold_decay = parameters["threshold_decay"]
        self._refractory_decay = parameters["refractory_decay"]
        self.threshold: NDArray[np.int64] = np.zeros(parameters["shape"], dtype=np.int64)
        self.refractory: NDArray[np.int64] = np.zeros(parameters["shape"], dtype=np.int64)
        self.rest()

    def rest(self) -> None:
        """Bring both to rest."""
        self.threshold[:] = self._at_rest
        self.refractory[:] = 0

    def decay(self) -> NDArray[np.int64]:
        """Let both decay, and return their sum: what the state is compared with."""
        above = decayed(self.threshold - self._at_rest, self._threshold_decay)
        self.threshold[:] = above + self._at_rest
        self.refractory[:] = decayed(self.refractory, self._refractory_decay)
        return self.threshold + self.refractory

    def adapt(self, fires: NDArray[np.bool_]) -> None:
        """Raise both where neurons fired."""
        self.refractory[fires] += 2 * self.threshold[fires]
        self.threshold[fires] += self._rise
        self.refractory[:] = clipped(self.refractory)
        self.threshold[:] = clipped(self.threshold)
