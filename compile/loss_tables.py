"""What quantization lost, as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .quantization_loss import LayerLoss


def loss_tables(
    losses: Sequence[LayerLoss],
) -> tuple[tuple[tuple[str, ...], list[tuple[str, ...]]], ...]:
    """Return columns and rows of two tables: how each layer was quantized, and what that lost."""
    how = [
        (
            loss.layer,
            str(loss.bits),
            loss.method,
            f"{loss.scale:.4g}",
            str(loss.clipped),
            "give --calibration"
            if loss.spikes_changed is None
            else f"{loss.spikes_changed} of {loss.spikes}",
        )
        for loss in losses
    ]
    lost = [
        (
            loss.layer,
            f"{loss.largest_weight_error_percent:.2f} %",
            f"{loss.mean_weight_error_percent:.2f} %",
            f"{loss.threshold_error_percent:.2f} %",
            f"{max((d.error_percent for d in loss.decays.values()), default=0.0):.2f} %",
            _steps(max((d.half_life_error for d in loss.decays.values()), default=0.0)),
        )
        for loss in losses
    ]
    return (
        (("quantized", "bits", "method", "scale", "clipped", "spikes changed"), how),
        (("lost", "of a weight, at most", "on average", "threshold", "decays", "half-life"), lost),
    )


def _steps(change: float) -> str:
    return "for ever" if math.isinf(change) else f"{change:.2f} steps"
