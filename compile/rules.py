"""Limits of the chip's number formats, one function each.

The docstring of a rule is the sentence that a user reads about it. A rule looks at one layer and
returns what it found, or None. All problems of a network are collected and raised once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..hw_profiles import HardwareProfile
from ..netx import ConvLayer, DenseLayer, UnsupportedNetworkError
from .stages import LegalNetwork, cuba_neuron


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A broken rule.

    Attributes
    ----------
    layer : str
        Name of the layer.
    found : str
        What the layer has.
    allowed : str
        What the profile allows, and which profile.
    remedy : str
        What to do, one sentence.
    rule : str
        Name of the rule.
    """

    layer: str
    found: str
    allowed: str
    remedy: str
    rule: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.found}; {self.allowed}. {self.remedy} [{self.rule}]"


SynapticLayer: TypeAlias = DenseLayer | ConvLayer
Rule: TypeAlias = Callable[[SynapticLayer, HardwareProfile], Problem | None]


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


def raise_problems(problems: tuple[Problem, ...]) -> None:
    """Raise all problems as one `UnsupportedNetworkError`; do nothing when there are none."""
    if problems:
        raise UnsupportedNetworkError(str(p) for p in problems)


def weights_in_range(layer: SynapticLayer, profile: HardwareProfile) -> Problem | None:
    """Weights, in units of 1/64, lie within what a mantissa of full width holds."""
    low, high = profile.formats.weight_min.value, profile.formats.weight_max.value
    least, largest = int(layer.weight.min()), int(layer.weight.max())
    if low <= least and largest <= high:
        return None
    worst = least if least < low else largest
    return Problem(
        layer=layer.name,
        found=f"weight {worst}",
        allowed=f"{profile.name} allows {low} to {high}",
        remedy="Scale the layer's weights and threshold down together, or clamp in training.",
        rule="weights_in_range",
    )


def threshold_in_range(layer: SynapticLayer, profile: HardwareProfile) -> Problem | None:
    """The threshold mantissa is not negative and fits its register."""
    high = profile.formats.threshold_mantissa_max.value
    mantissa = cuba_neuron(layer).vth_mantissa
    if 0 <= mantissa <= high:
        return None
    return Problem(
        layer=layer.name,
        found=f"threshold {mantissa} (vThMant)",
        allowed=f"{profile.name} allows 0 to {high}",
        remedy="Scale the layer's weights and threshold down together.",
        rule="threshold_in_range",
    )


def decays_in_range(layer: SynapticLayer, profile: HardwareProfile) -> Problem | None:
    """Current and voltage decay are parts of 4096."""
    high = profile.formats.decay_max.value
    neuron = cuba_neuron(layer)
    for name, decay in (
        ("current decay", neuron.current_decay),
        ("voltage decay", neuron.voltage_decay),
    ):
        wrong = decay[(decay < 0) | (decay > high)]
        if wrong.size:
            return Problem(
                layer=layer.name,
                found=f"{name} {int(wrong.reshape(-1)[0])}",
                allowed=f"{profile.name} allows 0 to {high} (of 4096)",
                remedy="Export the decay as round(4096 * decay).",
                rule="decays_in_range",
            )
    return None


def bias_in_range(layer: SynapticLayer, profile: HardwareProfile) -> Problem | None:
    """The bias mantissa fits its register."""
    high = profile.formats.bias_mantissa_max.value
    if layer.bias is None or int(np.abs(layer.bias.astype(np.int64)).max()) <= high:
        return None
    worst = int(layer.bias[int(np.argmax(np.abs(layer.bias.astype(np.int64))))])
    return Problem(
        layer=layer.name,
        found=f"bias {worst}",
        allowed=f"{profile.name} allows {-high} to {high}",
        remedy="Scale the layer's weights, bias and threshold down together.",
        rule="bias_in_range",
    )


def delays_in_range(layer: SynapticLayer, profile: HardwareProfile) -> Problem | None:
    """Axonal delays are not negative and fit the delay field."""
    high = profile.formats.delay_max.value
    if layer.delay is None or (layer.delay.min() >= 0 and layer.delay.max() <= high):
        return None
    worst = int(layer.delay.min()) if layer.delay.min() < 0 else int(layer.delay.max())
    return Problem(
        layer=layer.name,
        found=f"delay {worst}",
        allowed=f"{profile.name} allows 0 to {high} steps",
        remedy="Clamp the delays in training (SLAYER's max_delay).",
        rule="delays_in_range",
    )


RULES: tuple[Rule, ...] = (
    weights_in_range,
    threshold_in_range,
    decays_in_range,
    bias_in_range,
    delays_in_range,
)
