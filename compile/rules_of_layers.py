"""Limits of the chip's formats for synapses, biases and delays, one function each.

The docstring of a rule is the sentence that a user reads about it (SUPPORTED.md). A rule looks at
one layer and returns what it found, or None.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles import HardwareProfile
from ..netx import InputLayer, IntArray
from .problems import Rule, rule
from .stages import BIAS_EXPONENT, LegalLayer, legal_weights
from .weight_registers import FULL_WIDTH, align_weights, weight_registers


def _weight_range(profile: HardwareProfile) -> str:
    return f"{profile.formats.weight_min.value} to {profile.formats.weight_max.value}"


@rule(
    limit=_weight_range,
    remedy="Scale the layer's weights and threshold down together, or clamp in training.",
)
def weights_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """Weights, in units of 1/64, lie within what a mantissa of full width holds."""
    weights = legal_weights(legal)
    if not weights:
        return None
    least, largest = min(int(w.min()) for w in weights), max(int(w.max()) for w in weights)
    if least < profile.formats.weight_min.value:
        return f"weight {least}"
    return f"weight {largest}" if largest > profile.formats.weight_max.value else None


def _widths(profile: HardwareProfile) -> str:
    *rest, last = (str(bits) for bits in sorted(profile.formats.weight_bits.value))
    return f"{', '.join(rest)} or {last} bits" if rest else f"{last} bits"


@rule(
    limit=_widths,
    remedy="Round the weights to a coarser grid (to even numbers where signs are mixed, as SLAYER "
    "does), or compile for 'ideal'.",
)
def weight_width(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """A legal width, sign included, holds the layer's weights exactly."""
    for weight in _storable(legal, profile):
        if weight_registers(weight, profile) is not None:
            continue
        needed = align_weights(weight, profile).bits
        span = f"weights between {int(weight.min())} and {int(weight.max())}"
        odd = " with odd numbers among them" if needed > FULL_WIDTH else ""
        return f"{span}{odd} need {needed} bits"
    return None


def _exponents(profile: HardwareProfile) -> str:
    formats = profile.formats
    return (
        f"exponents of {formats.weight_exponent_min.value} to {formats.weight_exponent_max.value}"
    )


@rule(limit=_exponents, remedy="Scale the layer's weights and threshold together.")
def weight_exponent(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The power of two that scales the mantissas of a layer has a legal exponent."""
    formats = profile.formats
    for weight in _storable(legal, profile):
        exponent = align_weights(weight, profile).exponent
        if not formats.weight_exponent_min.value <= exponent <= formats.weight_exponent_max.value:
            return f"weights up to {int(np.abs(weight).max())} with exponent {exponent}"
    return None


def _sign_modes(profile: HardwareProfile) -> str:
    return ", ".join(f"'{mode}'" for mode in profile.formats.sign_modes.value)


@rule(limit=_sign_modes, remedy="Train with weights of one sign, or compile for another profile.")
def weight_sign_mode(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The signs of a layer's weights are those of a mode of its synapses."""
    for weight in _storable(legal, profile):
        mode = align_weights(weight, profile).sign_mode.value
        if mode not in profile.formats.sign_modes.value:
            span = f"weights between {int(weight.min())} and {int(weight.max())}"
            return f"{span}, of sign mode '{mode}'"
    return None


def _bias_range(profile: HardwareProfile) -> str:
    high = profile.formats.bias_mantissa_max.value
    return f"{-high} to {high}"


@rule(
    limit=_bias_range,
    remedy="Scale the layer's weights, bias and threshold down together.",
)
def bias_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The bias mantissa, in units of 1/64, fits its register."""
    biases = np.concatenate([np.zeros(1, dtype=np.int64), *_biases(legal)])
    worst = int(biases[int(np.argmax(np.abs(biases)))])
    return f"bias {worst}" if abs(worst) > profile.formats.bias_mantissa_max.value else None


@rule(
    limit=lambda profile: f"exponents of 0 to {profile.formats.bias_exponent_max.value}",
    remedy="Train without bias, or compile for another profile.",
)
def bias_exponent_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The exponent 6, which aligns biases with the states, is one of the bias register."""
    if profile.formats.bias_exponent_max.value >= BIAS_EXPONENT:
        return None
    has_bias = any(bool(bias.any()) for bias in _biases(legal))
    return f"a bias of exponent {BIAS_EXPONENT}" if has_bias else None


@rule(
    limit=lambda profile: f"0 to {profile.formats.delay_max.value} steps",
    remedy="Clamp the delays in training (SLAYER's max_delay).",
)
def delays_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """Axonal delays are not negative and fit the delay field."""
    high = profile.formats.delay_max.value
    delay = None if isinstance(legal.layer, InputLayer) else legal.layer.delay
    if delay is None or (delay.min() >= 0 and delay.max() <= high):
        return None
    return f"delay {int(delay.min()) if delay.min() < 0 else int(delay.max())}"


def _storable(legal: LegalLayer, profile: HardwareProfile) -> list[IntArray]:
    """Return the weights that `weights_in_range` has nothing to say about."""
    low, high = profile.formats.weight_min.value, profile.formats.weight_max.value
    return [w for w in legal_weights(legal) if low <= int(w.min()) and int(w.max()) <= high]


def _biases(legal: LegalLayer) -> list[NDArray[np.int64]]:
    layer = legal.layer
    if isinstance(layer, InputLayer):
        return [np.array([layer.bias or 0], dtype=np.int64)]
    return [b.astype(np.int64) for b in (layer.bias, layer.bias_imag) if b is not None]


RULES_OF_LAYERS: tuple[Rule[LegalLayer], ...] = (
    weights_in_range,
    weight_width,
    weight_exponent,
    weight_sign_mode,
    bias_in_range,
    bias_exponent_in_range,
    delays_in_range,
)
