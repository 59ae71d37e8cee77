"""Limits of the chip's number formats, one function each.

The docstring of a rule is the sentence that a user reads about it. A rule looks at one layer and
returns what it found, or None. All problems of a network are collected and raised once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles import HardwareProfile
from ..netx import InputLayer, IntArray
from .passes.encode import legal_weights
from .problems import Problem
from .stages import LegalLayer, LegalNetwork, neuron_of

Rule: TypeAlias = Callable[[LegalLayer, HardwareProfile], Problem | None]


def check_rules(network: LegalNetwork, profile: HardwareProfile) -> tuple[Problem, ...]:
    """Check every layer against every format rule of a chip.

    Parameters
    ----------
    network : LegalNetwork
        After legalization.
    profile : HardwareProfile
        The chip.

    Returns
    -------
    tuple of Problem
        In layer order; empty when all is well.
    """
    found = (rule(layer, profile) for layer in network.layers for rule in RULES)
    return tuple(problem for problem in found if problem is not None)


def weights_in_range(legal: LegalLayer, profile: HardwareProfile) -> Problem | None:
    """Weights, in units of 1/64, lie within what a mantissa of full width holds."""
    low, high = profile.formats.weight_min.value, profile.formats.weight_max.value
    weights = legal_weights(legal)
    if not weights:
        return None
    least, largest = min(int(w.min()) for w in weights), max(int(w.max()) for w in weights)
    if low <= least and largest <= high:
        return None
    worst = least if least < low else largest
    return Problem(
        layer=legal.layer.name,
        found=f"weight {worst}",
        allowed=f"{profile.name} allows {low} to {high}",
        remedy="Scale the layer's weights and threshold down together, or clamp in training.",
        rule="weights_in_range",
    )


def threshold_in_range(legal: LegalLayer, profile: HardwareProfile) -> Problem | None:
    """The threshold mantissa is not negative and fits its register."""
    high = profile.formats.threshold_mantissa_max.value
    mantissa = neuron_of(legal).vth_mantissa
    if 0 <= mantissa <= high:
        return None
    return Problem(
        layer=legal.layer.name,
        found=f"threshold {mantissa} (vThMant)",
        allowed=f"{profile.name} allows 0 to {high}",
        remedy="Scale the layer's weights and threshold down together.",
        rule="threshold_in_range",
    )


def decays_in_range(legal: LegalLayer, profile: HardwareProfile) -> Problem | None:
    """Current and voltage decay are parts of 4096."""
    high = profile.formats.decay_max.value
    for field in dataclasses.fields(neuron_of(legal)):
        if not field.name.endswith("_decay"):
            continue
        name, decay = field.name.replace("_", " "), getattr(neuron_of(legal), field.name)
        lowest = -high if name in ("sin decay", "cos decay") else 0
        wrong: IntArray = decay[(decay < lowest) | (decay > high)]
        if wrong.size:
            return Problem(
                layer=legal.layer.name,
                found=f"{name} {int(wrong.reshape(-1)[0])}",
                allowed=f"{profile.name} allows {lowest} to {high} (of 4096)",
                remedy="Export the decay as round(4096 * decay).",
                rule="decays_in_range",
            )
    return None


def bias_in_range(legal: LegalLayer, profile: HardwareProfile) -> Problem | None:
    """The bias mantissa fits its register."""
    high = profile.formats.bias_mantissa_max.value
    biases = np.concatenate([np.zeros(1, dtype=np.int64), *_biases(legal)])
    worst = int(biases[int(np.argmax(np.abs(biases)))])
    if abs(worst) <= high:
        return None
    return Problem(
        layer=legal.layer.name,
        found=f"bias {worst}",
        allowed=f"{profile.name} allows {-high} to {high}",
        remedy="Scale the layer's weights, bias and threshold down together.",
        rule="bias_in_range",
    )


def delays_in_range(legal: LegalLayer, profile: HardwareProfile) -> Problem | None:
    """Axonal delays are not negative and fit the delay field."""
    high = profile.formats.delay_max.value
    delay = None if isinstance(legal.layer, InputLayer) else legal.layer.delay
    if delay is None or (delay.min() >= 0 and delay.max() <= high):
        return None
    worst = int(delay.min()) if delay.min() < 0 else int(delay.max())
    return Problem(
        layer=legal.layer.name,
        found=f"delay {worst}",
        allowed=f"{profile.name} allows 0 to {high} steps",
        remedy="Clamp the delays in training (SLAYER's max_delay).",
        rule="delays_in_range",
    )


def _biases(legal: LegalLayer) -> list[NDArray[np.int64]]:
    layer = legal.layer
    if isinstance(layer, InputLayer):
        return [np.array([layer.bias or 0], dtype=np.int64)]
    return [b.astype(np.int64) for b in (layer.bias, layer.bias_imag) if b is not None]


RULES: tuple[Rule, ...] = (
    weights_in_range,
    threshold_in_range,
    decays_in_range,
    bias_in_range,
    delays_in_range,
)
