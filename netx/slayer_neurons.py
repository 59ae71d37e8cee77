"""Neurons of SLAYER blocks, with what their normalization adds."""
# SLAYER has no type information and torch's is partial; numbers leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import IntArray
from .errors import ExportError
from .neurons import (
    VTH_FRACTIONS,
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    Neuron,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)
from .real_network import RealArray
from .slayer_blocks import IMAGE_KINDS, BlockKind, block_kind, neuron_family
from .slayer_normalization import normalization
from .slayer_numbers import in_units, quantized_parameter

SCALE = 64  # SLAYER's default; what analog and graded numbers mean depends on it
RESONATORS = {
    "rf": NeuronKind.RF,
    "rf_iz": NeuronKind.RF_IZ,
    "adrf": NeuronKind.ADRF,
    "adrf_iz": NeuronKind.ADRF_IZ,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExportedNeuron:
    """A block's neuron and the biases that its normalization makes, one a channel or None."""

    neuron: Neuron
    bias: RealArray | None
    bias_imag: RealArray | None


def exported_neuron(position: str, block: Any, channels: int) -> ExportedNeuron:
    """Return the neuron of a block.

    Parameters
    ----------
    position : str
        Name of the block, for errors.
    block : SLAYER block
        With a neuron.
    channels : int
        How many values a bias has.

    Raises
    ------
    ExportError
        When the neuron does something that NetX cannot state, or what it does is not known before
        a forward pass.
    """
    neuron = block.neuron
    family, kind = neuron_family(neuron), block_kind(block)
    if getattr(neuron, "graded_spike", False) and family != "sigma_delta":
        check_scale(position, int(neuron.scale), "graded spikes")
    drawn = ("current_decay_min", "period_min", "decay_min")
    if neuron.shape is None and any(hasattr(neuron, name) for name in drawn):
        raise ExportError(
            f"block '{position}': its decays, one a channel, are drawn in the first forward pass. "
            "Make one before exporting."
        )
    match family:
        case "cuba" | "alif":
            if neuron.threshold < 0 and kind is not BlockKind.AFFINE:
                raise ExportError(
                    f"block '{position}': threshold {neuron.threshold:g} is negative; SLAYER does "
                    "not reset neurons that fire by it. Use 0 or more."
                )
            return _integrate_and_fire(position, neuron, family, channels)
        case "rf" | "rf_iz" | "adrf" | "adrf_iz":
            return _resonator(position, neuron, RESONATORS[family], channels)
        case "sigma_delta":
            return _sigma_delta(position, neuron, channels, is_image=kind in IMAGE_KINDS)
        case _:
            raise ExportError(f"block '{position}': neuron '{family}' is not one of SLAYER's.")


def check_power_of_two(position: str, scale: int) -> None:
    """Raise `ExportError` for a neuron scale with which SLAYER's own arithmetic is not exact."""
    if scale < 1 or scale & (scale - 1):
        raise ExportError(
            f"block '{position}': neuron scale {scale} is not a power of two; SLAYER's own "
            "arithmetic is not exact with it. Use 64, the default."
        )


def check_scale(position: str, scale: int, what: str) -> None:
    """Raise `ExportError` unless the neuron scale is 64."""
    if scale != SCALE:
        raise ExportError(
            f"block '{position}': {what} with neuron scale {scale}; NetX does not store the scale, "
            "and readers take 64. Use 64."
        )


def _integrate_and_fire(position: str, neuron: Any, family: str, channels: int) -> ExportedNeuron:
    exponent, bias = normalization(position, neuron.norm, neuron, channels, may_scale=True)
    current_decay = quantized_parameter(position, "current decay", neuron.current_decay)
    voltage_decay = quantized_parameter(position, "voltage decay", neuron.voltage_decay)
    if family == "cuba":
        exported = CubaNeuron(
            vth_mantissa=int(neuron.v_th_mant),
            current_decay=current_decay,
            voltage_decay=voltage_decay,
            graded_spike=bool(neuron.graded_spike),
            current_exponent=exponent,
        )
    else:
        exported = AlifNeuron(
            vth_mantissa=int(neuron.v_th_mant),
            vth_step=int(neuron.v_th_step),
            current_decay=current_decay,
            voltage_decay=voltage_decay,
            threshold_decay=_unclamped(position, "threshold decay", neuron.threshold_decay),
            refractory_decay=_unclamped(position, "refractory decay", neuron.refractory_decay),
            graded_spike=bool(neuron.graded_spike),
            current_exponent=exponent,
        )
    return ExportedNeuron(neuron=exported, bias=bias, bias_imag=None)


def _resonator(position: str, neuron: Any, kind: NeuronKind, channels: int) -> ExportedNeuron:
    sin, cos = _turn(neuron)
    sin_decay = _unclamped(position, "sine", sin)
    cos_decay = _unclamped(position, "cosine", cos)
    _, bias = normalization(position, neuron.real_norm, neuron, channels, may_scale=False)
    _, bias_imag = normalization(position, neuron.imag_norm, neuron, channels, may_scale=False)
    vth, graded = int(neuron.v_th_mant), bool(neuron.graded_spike)
    if kind in (NeuronKind.RF, NeuronKind.RF_IZ):
        exported = ResonatorNeuron(
            kind=kind,
            vth_mantissa=vth,
            sin_decay=sin_decay,
            cos_decay=cos_decay,
            graded_spike=graded,
        )
    else:
        exported = AdaptiveResonatorNeuron(
            kind=kind,
            vth_mantissa=vth,
            vth_step=int(neuron.v_th_step),
            sin_decay=sin_decay,
            cos_decay=cos_decay,
            threshold_decay=_unclamped(position, "threshold decay", neuron.threshold_decay),
            refractory_decay=_unclamped(position, "refractory decay", neuron.refractory_decay),
            graded_spike=graded,
        )
    return ExportedNeuron(neuron=exported, bias=bias, bias_imag=bias_imag)


def _turn(neuron: Any) -> tuple[Any, Any]:
    """Return sine and cosine as the forward pass has them: kept inside the circle when learned."""
    import torch

    sin, cos = neuron.sin_decay.detach().clone(), neuron.cos_decay.detach().clone()
    if neuron.requires_grad:
        # the operations of slayer/neuron/rf.py, clamp, in their order and precision
        gain = torch.sqrt(sin**2 + cos**2)
        factor = gain.clamp(0, neuron.p_scale - 1) / gain
        sin, cos = (sin * factor).clamp(1), (cos * factor).clamp(0)
    return sin, cos


def _unclamped(position: str, what: str, parameter: Any) -> IntArray:
    return quantized_parameter(position, what, parameter.detach())


def _sigma_delta(position: str, neuron: Any, channels: int, *, is_image: bool) -> ExportedNeuron:
    check_scale(position, int(neuron.scale), "sigma-delta neurons")
    if not _is_relu(neuron.activation):
        name = getattr(neuron.activation, "__name__", type(neuron.activation).__name__)
        raise ExportError(
            f"block '{position}': activation '{name}' is not torch's ReLU; Lava and the chip have "
            "no other. Train with torch.nn.functional.relu."
        )
    if neuron.delta.cum_error:
        raise ExportError(
            f"block '{position}': cum_error=True has no model in Lava, and NetX cannot state it. "
            "Train with cum_error=False."
        )
    _, bias = normalization(position, neuron.norm, neuron, channels, may_scale=False)
    if neuron.bias_is_set:
        own = in_units(position, "bias", neuron.bias, SCALE)
        own = _one_a_channel(position, own, channels, is_image=is_image)
        bias = own if bias is None else own + bias
    mantissa, fraction = _sigma_delta_threshold(position, neuron.delta)
    exported = SigmaDeltaNeuron(vth_mantissa=mantissa, vth_fraction=fraction)
    return ExportedNeuron(neuron=exported, bias=bias, bias_imag=None)


def _sigma_delta_threshold(position: str, delta: Any) -> tuple[int, int]:
    """Return the threshold in weight units, and in 4096ths of one.

    The forward pass compares with the threshold as learned, not rounded, but no smaller than
    ``1 / delta.scale`` (``slayer/axon/delta.py``, clamp). Changes are whole in 2**-18, so a
    threshold between two such numbers acts as the next one up.
    """
    thresholds = np.unique(delta.threshold.detach().cpu().double().numpy())
    if thresholds.size != 1:
        raise ExportError(
            f"block '{position}': sigma-delta thresholds differ between channels "
            f"({thresholds[0]:g} to {thresholds[-1]:g}); NetX stores one. Train with "
            "shared_param=True."
        )
    fine = math.ceil(max(float(thresholds[0]), 1 / delta.scale) * SCALE * VTH_FRACTIONS)
    return divmod(fine, VTH_FRACTIONS)


def _is_relu(activation: Any) -> bool:
    """Tell whether a function is torch's ReLU; a user's own may only be called so."""
    import torch

    relus = (torch.relu, torch.relu_, torch.nn.functional.relu, torch.Tensor.relu)
    return activation in relus or isinstance(activation, torch.nn.ReLU)


def _one_a_channel(position: str, bias: RealArray, channels: int, *, is_image: bool) -> RealArray:
    """Return a bias of ``set_bias``, which the forward pass broadcasts over (C,) or (C, H, W)."""
    if bias.size == 1:
        return np.full(channels, bias.reshape(-1)[0], dtype=np.float64)
    # over an image a bias of one axis would lie along the width
    if bias.shape[0] != channels or (is_image and bias.ndim != 3):
        expected = f"({channels}, 1, 1)" if is_image else f"({channels},)"
        raise ExportError(
            f"block '{position}': its bias has shape {bias.shape}; one number, or {expected}, can "
            "be stored."
        )
    by_channel = bias.reshape(channels, -1)
    if bool(np.any(by_channel != by_channel[:, :1])):
        raise ExportError(
            f"block '{position}': its bias differs within a channel; NetX stores one a channel."
        )
    return by_channel[:, 0]
