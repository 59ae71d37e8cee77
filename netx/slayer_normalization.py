"""What SLAYER's normalizations do in evaluation mode."""
# SLAYER has no type information and torch's is partial; numbers leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import ExportError
from .neurons import MOST_CURRENT_SHIFT
from .real_network import RealArray
from .slayer_numbers import in_units


def normalization(
    position: str, norm: Any, neuron: Any, channels: int, *, may_scale: bool
) -> tuple[int, RealArray | None]:
    """Return the power of two that a normalization divides by, and the bias it adds.

    Source: ``slayer/neuron/norm.py``. In evaluation it subtracts the running mean, which its hook
    quantizes; WgtScaleBatchNorm then divides by a power of two, clamped in the forward pass but not
    by lava-dl's exporter.
    """
    if norm is None:
        return 0, None
    kind = type(norm).__name__
    scaled = kind == "WgtScaleBatchNorm"
    if kind != "MeanOnlyBatchNorm" and not (scaled and may_scale):
        raise ExportError(
            f"block '{position}': normalization {kind} cannot be exported exactly. "
            "Use slayer.neuron.norm.MeanOnlyBatchNorm or none."
        )
    exponent = 0
    if scaled:
        exponent = round(float(np.log2(norm.std(norm.running_var.detach()).item())))
        if abs(exponent) > MOST_CURRENT_SHIFT:
            raise ExportError(
                f"block '{position}': its normalization divides by 2**{exponent}; NetX readers "
                f"take 2**{MOST_CURRENT_SHIFT} at most. Use weight_exp_bits="
                f"{MOST_CURRENT_SHIFT}, the default."
            )
    mean = norm.pre_hook_fx(norm.running_mean.detach())
    bias = -in_units(position, "the mean of the normalization", mean, int(neuron.scale))
    return exponent, np.broadcast_to(bias.reshape(-1), (channels,))
