"""The numbers that a SLAYER block multiplies with in its forward pass, in units of 1/scale.

They are computed the way the forward pass computes them, on copies: nothing of the model changes.
"""
# SLAYER has no type information and torch's is partial; numbers leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import INT32, IntArray
from .errors import ExportError
from .real_network import RealArray

REMEDY = (
    "Use the block's default, neuron.quantize_8bit, or export_real_slayer, whose file "
    "`lavadeploy compile --bits 8` quantizes."
)


def forward_weights(position: str, block: Any, synapse: Any) -> tuple[RealArray, RealArray | None]:
    """Return the weights of a synapse, and the imaginary ones of a complex synapse.

    Parameters
    ----------
    position : str
        Name of the block, for errors.
    block : SLAYER block
        Gives mask and scale.
    synapse : SLAYER synapse
        Dense, convolution, pooling, ...

    Returns
    -------
    real, imag : float64 array
        Whole where the synapse quantizes. Torch's axes without the last, SLAYER's time axis of
        size 1.
    """
    if getattr(synapse, "complex", False):
        return _weights(position, block, synapse.real), _weights(position, block, synapse.imag)
    return _weights(position, block, synapse), None


def has_weight_norm(synapse: Any) -> bool:
    """Tell whether torch normalizes a synapse's weights before each forward pass."""
    return _normalizer(synapse) is not None


def is_quantized(synapse: Any) -> bool:
    """Tell whether a synapse has a hook, which quantizes its weights in the forward pass."""
    parts = (synapse.real, synapse.imag) if synapse.complex else (synapse,)
    return all(part.pre_hook_fx is not None for part in parts)


def _weights(position: str, block: Any, synapse: Any) -> RealArray:
    weight = synapse.weight
    normalizer = _normalizer(synapse)
    if normalizer is not None:
        # torch recomputes a normalized weight before each forward pass; `synapse.weight` itself is
        # that of the last one and goes stale with every optimizer step. A mask, which SLAYER
        # applies to `synapse.weight`, is overwritten by it.
        weight = normalizer.compute_weight(synapse)
    elif getattr(block, "mask", None) is not None:
        weight = weight * block.mask
    return hooked(position, "weight", synapse, weight, block.neuron.scale)[..., 0]


def hooked(position: str, what: str, synapse: Any, weight: Any, scale: int) -> RealArray:
    """Return a weight after the synapse's quantization, or as it is where there is none."""
    used = weight.detach()
    if synapse.pre_hook_fx is not None:
        used = synapse.pre_hook_fx(used)
    return in_units(position, what, used, scale)


def _normalizer(synapse: Any) -> Any:
    for hook in synapse._forward_pre_hooks.values():
        if type(hook).__name__ == "WeightNorm":
            return hook
    return None


def in_units(position: str, what: str, values: Any, scale: int) -> RealArray:
    """Return values in units of 1/scale, or raise `ExportError` for what fits no 32 bits."""
    numbers = values.detach().cpu().double().numpy() * float(scale)
    good = (np.round(numbers) >= INT32.min) & (np.round(numbers) <= INT32.max)  # NaN is not
    if not bool(np.all(good)):
        raise ExportError(
            f"block '{position}': {what} times the neuron scale {scale} is "
            f"{numbers[~good].reshape(-1)[0]:g}; numbers of 32 bits were expected."
        )
    return numbers


def whole(position: str, what: str, values: Any, scale: int) -> IntArray:
    """Return values in units of 1/scale, or raise `ExportError` when they are not whole."""
    numbers = in_units(position, what, values, scale)
    check_whole(position, what, numbers, scale)
    return numbers.astype(np.int32)


def check_whole(position: str, what: str, numbers: RealArray, scale: int) -> None:
    """Raise `ExportError` for numbers in units of 1/scale that are not whole."""
    off = np.abs(numbers - np.round(numbers)).reshape(-1)
    if bool(np.any(off)):
        raise ExportError(
            f"block '{position}': {what} times the neuron scale {scale} is "
            f"{float(numbers.reshape(-1)[int(np.argmax(off))]):g}, not a whole number, so it is "
            f"not quantized as NetX needs it. {REMEDY}"
        )


def quantized_parameter(position: str, what: str, parameter: Any) -> IntArray:
    """Return a decay, of 4096, rounded half to even as SLAYER's forward pass does.

    Source: ``slayer/utils/quantize.py``. Where it is learned, the forward pass clamps it first.
    """
    values = parameter.detach().cpu().double().numpy().reshape(-1)
    if parameter.requires_grad:
        values = np.clip(values, 0, 4096)
    decay = np.round(values)
    if not bool(np.all((decay >= 0) & (decay <= 4096))):  # false for NaN, too
        raise ExportError(
            f"block '{position}': {what} {decay.min():g} to {decay.max():g} lies outside 0 to "
            "4096, the part of the state that a step can take."
        )
    return decay.astype(np.int32).reshape(()) if decay.size == 1 else decay.astype(np.int32)


def delay_of(position: str, block: Any, channels: int) -> IntArray | None:
    """Return the axonal delays of a block, rounded down and clamped as its forward pass does."""
    if block.delay is None:
        return None
    if not block.delay.init:
        raise ExportError(
            f"block '{position}': its delays are drawn in the first forward pass, which replaces "
            "any that were set before. Make one before exporting, or set block.delay.init = True."
        )
    steps = np.floor(block.delay.delay.detach().cpu().double().numpy()).reshape(-1)
    limit = block.delay.max_delay
    if not bool(np.isfinite(steps).all()):
        raise ExportError(f"block '{position}': its delays are not all finite.")
    clamped = np.clip(steps, 0, limit if limit is not None else None)
    return np.broadcast_to(clamped, (channels,)).astype(np.int32)
