"""The plainest cause: the runs were given other registers."""

from __future__ import annotations

from ...compile import CompiledNetwork, diff_artifacts
from ...netx import Change

# Where neurons sit and how weights are stored changes no spike; what the weights are does.
WITHOUT_EFFECT = ("cores", "of each neuron", ".bits", ".exponent", ".sign_mode")


def other_registers(compiled: CompiledNetwork, other: CompiledNetwork, index: int) -> str | None:
    """Return how registers of a layer differ, as the end of 'run B ran other registers: ...'.

    Parameters
    ----------
    compiled, other : CompiledNetwork
        What the runs ran.
    index : int
        The layer.

    Returns
    -------
    str or None
        None where all that have an effect on spikes are the same.
    """
    layer = compiled.network.layers[index].name
    changes = [
        change
        for change in diff_artifacts(compiled, other)
        if layer in (change.layer, change.other_layer) and not change.field.endswith(WITHOUT_EFFECT)
    ]
    return _told(changes) if changes else None


def _told(changes: list[Change]) -> str:
    """Return the first change in words, and how many more there are."""
    change = changes[0]
    where, count = "", ""
    if change.elements is not None:
        index = ", ".join(map(str, change.elements.first))
        where, count = (
            f"[{index}]",
            f" ({change.elements.differing} of {change.elements.size} differ)",
        )
    more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
    return f"{change.field}{where} is {change.after}, not {change.before}{count}{more}"
