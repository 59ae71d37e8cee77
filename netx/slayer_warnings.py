"""What SLAYER's forward pass does that nothing else does: said when a model is exported."""
# SLAYER has no type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from .arrays import Shape
from .layers import size_of
from .neurons import NON_STRICT_THRESHOLD
from .slayer_blocks import BlockKind, block_kind, neuron_family, real_synapse
from .slayer_numbers import has_weight_norm


def block_warnings(position: str, block: Any, shape_in: Shape | None, shape: Shape) -> list[str]:
    """Return a sentence for each way in which a block's forward pass differs from its export.

    Parameters
    ----------
    position : str
        Name of the block.
    block : SLAYER block
        The block.
    shape_in, shape : tuple of int
        What comes in, where that is known, and what goes out.
    """
    warnings: list[str] = []
    neuron, kind = getattr(block, "neuron", None), block_kind(block)
    if kind is BlockKind.AVERAGE and shape_in is not None:
        group = size_of(shape_in) // size_of(shape)
        if group & (group - 1):
            warnings.append(
                f"block '{position}': means over groups of {group}; SLAYER rounds them to float32, "
                "here they are exact fractions."
            )
    if neuron is None:
        return warnings
    if neuron_family(neuron) == "adrf_iz":
        warnings.append(
            f"block '{position}': SLAYER's own forward pass of ADRF_IZ neurons raises a TypeError "
            "(lava-dl 0.6); exported is what its dynamics and spike methods compute."
        )
    if (
        neuron_family(neuron) == "cuba"
        and kind is not BlockKind.AFFINE
        and int(neuron.v_th_mant) >= NON_STRICT_THRESHOLD
    ):
        warnings.append(
            f"block '{position}': threshold {int(neuron.v_th_mant)} is {NON_STRICT_THRESHOLD} or "
            "more; there SLAYER fires when the voltage equals the threshold, Lava only above it."
        )
    if len(shape) == 3 and not neuron.shared_param:
        warnings.append(
            f"block '{position}': parameters one a channel; on the CPU SLAYER lays them along the "
            "width of an image instead of its channels, so its forward pass there differs."
        )
    if neuron.persistent_state and kind not in (BlockKind.RECURRENT, BlockKind.KWTA):
        warnings.append(
            f"block '{position}': SLAYER keeps its states from one forward pass to the next "
            "(persistent_state); an exported network starts every sample at rest."
        )
    if getattr(block, "mask", None) is not None and has_weight_norm(real_synapse(block.synapse)):
        warnings.append(
            f"block '{position}': its mask does not act, since weight normalization overwrites the "
            "masked weights; exported without it, as SLAYER's forward pass computes."
        )
    if kind is BlockKind.RECURRENT and has_weight_norm(block.recurrent_synapse):
        warnings.append(
            f"block '{position}': the weight normalization of its recurrent synapse never acts in "
            "SLAYER's forward pass; exported are the weights that it uses."
        )
    return warnings
