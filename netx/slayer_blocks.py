"""Finding the blocks of a SLAYER model, in forward order, without importing SLAYER.

The blocks of ``lava.lib.dl.bootstrap`` derive from SLAYER's and are found, too.
"""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from .errors import MAX_POOLING_REMEDY, ExportError

BLOCK_MODULES = "lava.lib.dl.slayer.block."
NEURON_MODULES = "lava.lib.dl.slayer.neuron."
CONTAINERS = ("ModuleList", "Sequential", "SequentialNetwork")  # the last is slayer.auto's
# do nothing to a model in evaluation mode
IDLE = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "Identity")


class BlockKind(Enum):
    """Kinds of blocks, by the name of SLAYER's class."""

    INPUT = "AbstractInput"
    FLATTEN = "AbstractFlatten"
    AVERAGE = "AbstractAverage"
    AFFINE = "AbstractAffine"
    TIME_DECIMATION = "AbstractTimeDecimation"
    DENSE = "AbstractDense"
    CONV = "AbstractConv"
    POOL = "AbstractPool"
    CONV_TRANSPOSE = "AbstractConvT"
    UNPOOL = "AbstractUnpool"
    KWTA = "AbstractKWTA"
    RECURRENT = "AbstractRecurrent"
    SIGMA_OUTPUT = "Output"


IMAGE_KINDS = (BlockKind.CONV, BlockKind.CONV_TRANSPOSE, BlockKind.POOL, BlockKind.UNPOOL)


def slayer_blocks(module: Any, position: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (position, block) of every SLAYER block in a module, in forward order.

    Parameters
    ----------
    module : torch.nn.Module
        A block or anything that holds blocks, in the order in which they are registered. A forward
        pass that calls them in another order, or does more, cannot be seen.
    position : str
        Dotted name of `module` inside the model, for error messages.

    Raises
    ------
    ExportError
        When a module is neither a block nor a container.
    """
    if block_kind(module) is not None:
        yield position or "0", module
        return
    if _is_from("torch", module) and type(module).__name__ in IDLE:
        return
    if _is_from("torch", module) and "MaxPool" in type(module).__name__:
        raise ExportError(
            f"block '{position or 'model'}': is a torch.nn.{type(module).__name__}; NetX and the "
            f"chips have no max pooling: what comes in is summed. {MAX_POOLING_REMEDY}"
        )
    # named_children would leave out a block that is used twice
    children = [(n, child) for n, child in module._modules.items() if child is not None]
    is_users_container = not (_is_from("lava", module) or _is_from("torch", module))
    if type(module).__name__ not in CONTAINERS and not (children and is_users_container):
        raise ExportError(
            f"block '{position or 'model'}' is a {type(module).__module__}."
            f"{type(module).__name__}, which cannot be exported. Exported are the blocks of "
            "slayer.block and containers of them."
        )
    for name, child in children:
        yield from slayer_blocks(child, f"{position}.{name}" if position else name)


def block_kind(module: Any) -> BlockKind | None:
    """Return the kind of a block, or None when a module is none."""
    for ancestor in type(module).__mro__:
        if ancestor.__module__.startswith(BLOCK_MODULES):
            for kind in BlockKind:
                if ancestor.__name__ == kind.value:
                    return kind
    return None


def neuron_family(neuron: Any) -> str:
    """Return the module of a neuron: 'cuba', 'alif', 'rf', 'rf_iz', 'adrf', ..."""
    module = type(neuron).__module__
    return module.removeprefix(NEURON_MODULES) if module.startswith(NEURON_MODULES) else module


def is_shifting(block: Any) -> bool:
    """Tell whether a block's forward pass returns its output one step late."""
    kind = block_kind(block)
    if kind in (BlockKind.AFFINE, BlockKind.SIGMA_OUTPUT):
        return False
    if kind is BlockKind.INPUT and neuron_family(block.neuron) == "sigma_delta":
        return False  # its forward pass has no shift, whatever its attribute says
    return bool(getattr(block, "delay_shift", False))


def real_synapse(synapse: Any) -> Any:
    """Return a synapse, of a complex one the real part; both parts have the same geometry."""
    return synapse.real if synapse.complex else synapse


def _is_from(package: str, module: Any) -> bool:
    return type(module).__module__.split(".")[0] == package
