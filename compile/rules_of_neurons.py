"""Limits of a chip's neurons, one function each; see `rules_of_layers`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..hw_profiles import HardwareProfile
from ..netx import (
    AlifNeuron,
    CubaNeuron,
    InputLayer,
    IntArray,
    Neuron,
    SigmaDeltaNeuron,
    current_shift,
)
from .problems import Rule, rule
from .stages import LegalLayer, neuron_of

ACTIVATION = "relu"  # the only one that Lava has a sigma-delta model of
ANGLES = ("sin_decay", "cos_decay")


def _kinds(profile: HardwareProfile) -> str:
    return ", ".join(kind.value for kind in profile.formats.neuron_kinds.value)


@rule(
    limit=_kinds,
    remedy="Train with CUBA neurons (slayer.block.cuba), or compile for another profile.",
)
def neuron_kind_exists(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The chip has neurons of the layer's kind."""
    neuron = neuron_of(legal)
    if neuron.kind in profile.formats.neuron_kinds.value:
        return None
    return f"{neuron.kind.value} neurons"


@rule(
    limit=lambda profile: f"0 to {profile.formats.threshold_mantissa_max.value}",
    remedy="Scale the layer's weights and threshold down together.",
)
def threshold_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The threshold mantissa, in units of 1/64, is not negative and fits its register."""
    return _threshold_beyond(neuron_of(legal).vth_mantissa, "threshold {} (vThMant)", profile)


@rule(
    limit=lambda profile: f"0 to {profile.formats.threshold_mantissa_max.value}",
    remedy="Scale the layer's weights, threshold and threshold step down together.",
)
def threshold_step_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """What a spike adds to an adaptive threshold fits the threshold's register."""
    step = getattr(neuron_of(legal), "vth_step", 0)
    return _threshold_beyond(step, "threshold step {} (vThStep)", profile)


@rule(
    limit=lambda profile: f"0 to {profile.formats.decay_max.value} (of 4096)",
    remedy="Export the decay as round(4096 * decay).",
)
def decays_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """Decays of current, voltage, threshold and refractory term are parts of 4096."""
    neuron = neuron_of(legal)
    names = [f.name for f in dataclasses.fields(neuron) if f.name.endswith("_decay")]
    decays = [name for name in names if name not in ANGLES]
    return _decay_beyond(neuron, decays, 0, profile.formats.decay_max.value)


@rule(
    limit=lambda profile: (
        f"{-profile.formats.decay_max.value} to {profile.formats.decay_max.value} (of 4096)"
    ),
    remedy="Export them as round(4096 * decay * sin(angle)) and the same with cos.",
)
def rotation_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """Sine and cosine by which a resonator turns are parts of 4096, of either sign."""
    neuron = neuron_of(legal)
    high = profile.formats.decay_max.value
    angles = [name for name in ANGLES if hasattr(neuron, name)]
    return _decay_beyond(neuron, angles, -high, high)


@rule(
    limit=lambda profile: f"1 to {profile.formats.refractory_max.value} steps",
    remedy="Use a shorter refractory period.",
)
def refractory_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The refractory delay, from a spike to the next possible one, fits its register."""
    neuron = neuron_of(legal)
    delay = neuron.refractory_delay if isinstance(neuron, CubaNeuron | AlifNeuron) else 1
    if 1 <= delay <= profile.formats.refractory_max.value:
        return None
    return f"refractory delay {delay}"


@rule(
    limit=lambda _: "1 step, since neither SLAYER nor Lava has a model of more",
    remedy="Use a refractory delay of 1; the refractory decay remains.",
)
def refractory_of_adaptive_neurons(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """ALIF neurons have a refractory term in place of a refractory delay."""
    neuron = neuron_of(legal)
    if not isinstance(neuron, AlifNeuron) or neuron.refractory_delay == 1:
        return None
    return f"refractory delay {neuron.refractory_delay} of ALIF neurons"


def _payloads(profile: HardwareProfile) -> str:
    bits = profile.formats.payload_max.value.bit_length()
    return "binary spikes only" if bits == 1 else f"payloads of up to {bits} bits"


@rule(
    limit=_payloads,
    remedy="Train without graded_spike or with fewer message bits, or compile for another profile.",
)
def graded_spikes_fit(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """Spikes carry no more bits than a message of the chip."""
    neuron = neuron_of(legal)
    is_graded = isinstance(neuron, SigmaDeltaNeuron) or neuron.graded_spike
    if not is_graded or neuron.kind not in profile.formats.neuron_kinds.value:
        return None  # the second is said by `neuron_kind_exists`
    bits = profile.formats.payload_max.value.bit_length()
    if bits == 1:
        return "graded spikes"
    if neuron.message_bits is not None and neuron.message_bits > bits:
        return f"payloads of {neuron.message_bits} bits (messageBits)"
    return None


@rule(
    limit=lambda _: f"'{ACTIVATION}', since Lava has no model of another",
    remedy="Train with torch.nn.functional.relu.",
)
def activation_has_a_model(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """Sigma-delta neurons have an activation that Lava has a model of."""
    neuron = neuron_of(legal)
    if not isinstance(neuron, SigmaDeltaNeuron) or neuron.sigma_output:
        return None  # a sigma output is the sum itself
    if isinstance(legal.layer, InputLayer):
        return None  # a delta encoder sends changes of what it is fed
    return None if neuron.activation == ACTIVATION else f"activation '{neuron.activation}'"


def _current_exponents(profile: HardwareProfile) -> str:
    high = profile.formats.current_exponent_max.value
    return f"exponents of {-high} to {high}" if high else "the current as it is"


@rule(
    limit=_current_exponents,
    remedy="Train without WgtScaleBatchNorm, or compile for another profile.",
)
def current_exponent_in_range(legal: LegalLayer, profile: HardwareProfile) -> str | None:
    """The power of two that divides the current on its way to the voltage is one the chip has."""
    neuron = neuron_of(legal)
    if not isinstance(neuron, CubaNeuron | AlifNeuron):
        return None
    shift = current_shift(neuron)
    high = profile.formats.current_exponent_max.value
    return f"a current divided by 2**{shift}" if abs(shift) > high else None


def _threshold_beyond(mantissa: int, found: str, profile: HardwareProfile) -> str | None:
    if 0 <= mantissa <= profile.formats.threshold_mantissa_max.value:
        return None
    return found.format(mantissa)


def _decay_beyond(neuron: Neuron, names: Sequence[str], low: int, high: int) -> str | None:
    """Return the first decay outside a range."""
    for name in names:
        decay: IntArray = getattr(neuron, name)
        wrong: IntArray = decay[(decay < low) | (decay > high)]
        if wrong.size:
            return f"{name.replace('_', ' ')} {int(wrong.reshape(-1)[0])}"
    return None


RULES_OF_NEURONS: tuple[Rule[LegalLayer], ...] = (
    neuron_kind_exists,
    threshold_in_range,
    threshold_step_in_range,
    decays_in_range,
    rotation_in_range,
    refractory_in_range,
    refractory_of_adaptive_neurons,
    graded_spikes_fit,
    activation_has_a_model,
    current_exponent_in_range,
)
