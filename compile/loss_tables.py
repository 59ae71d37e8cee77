"""What quantization lost, as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from .quantization_loss import LayerLoss

LossTable: TypeAlias = tuple[tuple[str, ...], list[tuple[str, ...]]]


def loss_tables(losses: Sequence[LayerLoss], unknown: str = "not measured") -> list[LossTable]:
    """Return what quantization lost as tables, each columns and rows.

    Parameters
    ----------
    losses : sequence of LayerLoss
        Of the layers.
    unknown : str
        For spikes changed, where there was no calibration set.
    """
    if not losses:
        return []
    how = [
        (
            loss.layer,
            str(loss.bits),
            loss.method,
            f"{loss.scale:.4g}",
            str(loss.clipped),
            unknown if loss.spikes_changed is None else f"{loss.spikes_changed} of {loss.spikes}",
        )
        for loss in losses
    ]
    lost = [
        (
            loss.layer,
            f"{loss.largest_weight_error_percent:.2f} %",
            f"{loss.mean_weight_error_percent:.2f} %",
            f"{loss.threshold_error_percent:.2f} %",
            _percent(max((d.error_percent for d in loss.decays.values()), default=0.0)),
            _steps(max((d.half_life_error for d in loss.decays.values()), default=0.0)),
        )
        for loss in losses
    ]
    tables = [
        (("quantized", "bits", "method", "scale", "clipped", "spikes changed"), how),
        (("lost", "of a weight, at most", "on average", "threshold", "decays", "half-life"), lost),
    ]
    return [*tables, *_other_losses(losses)]


def _other_losses(losses: Sequence[LayerLoss]) -> list[LossTable]:
    """Return what few layers have: biases, delays and steps of a threshold that were rounded."""
    rows = [
        (
            loss.layer,
            f"{loss.largest_bias_error:.3g}/64",
            f"{loss.largest_delay_error:.2f} steps",
            f"{loss.threshold_step_error_percent:.2f} %",
        )
        for loss in losses
        if loss.largest_bias_error or loss.largest_delay_error or loss.threshold_step_error_percent
    ]
    return (
        [(("lost, too", "bias, at most", "delay", "step of the threshold"), rows)] if rows else []
    )


def _percent(error: float) -> str:
    return "was 0" if math.isinf(error) else f"{error:.2f} %"


def _steps(change: float) -> str:
    return "for ever" if math.isinf(change) else f"{change:.2f} steps"
