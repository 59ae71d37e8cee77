"""The plainest cause: the runs were given other registers."""

from __future__ import annotations

from typing import Literal

from ...compile import NETWORK_INPUT, CompiledNetwork, diff_artifacts
from ...netx import Change
from ..run_result import RunResult
from ..spike_input import SpikeInput
from .cause import Cause, CauseName
from .hypothesis import fit
from .layer_case import layer_case
from .replay import Replay

# Where neurons sit and how weights are stored changes no spike; what the weights are does.
WITHOUT_EFFECT = ("cores", "of each neuron", ".bits", ".exponent", ".sign_mode")


def register_cause(
    compiled: CompiledNetwork,
    compiled_b: CompiledNetwork,
    b: RunResult,
    index: int,
    inputs: SpikeInput | None,
    samples: tuple[int, int],
    name: str,
) -> Cause | None:
    """Return the first register of a layer that run B had otherwise; None where all are the same.

    Parameters
    ----------
    compiled, compiled_b : CompiledNetwork
        What the runs ran.
    b : RunResult
        Run B.
    index : int
        The layer where the runs part first.
    inputs : SpikeInput or None
        What run B was fed.
    samples : tuple of int
        Those to judge.
    name : str
        What to call run B.
    """
    layer = compiled.network.layers[index].name
    changes = [
        change
        for change in diff_artifacts(compiled, compiled_b)
        if layer in (change.layer, change.other_layer) and not change.field.endswith(WITHOUT_EFFECT)
    ]
    if not changes:
        return None
    explained = differing = 0
    quantity: Literal["spikes", "states"] = "spikes"
    if inputs is not None or NETWORK_INPUT not in compiled.network.layers[index].sources:
        fed = None if inputs is None else inputs.spikes
        defined = layer_case(Replay.of(compiled, b), index, b, fed, samples)
        supposed = layer_case(Replay.of(compiled_b, b), index, b, fed, samples)
        found = fit(defined, defined.defined(), supposed.defined())
        explained, differing, quantity = found.explained, found.differing, found.quantity
    return Cause(
        name=CauseName.OTHER_REGISTERS,
        layer=layer,
        side=None,
        explanation=f"{name} ran other registers of {layer}: {_told(changes)}.",
        remedy="Run the same artifact with both; lavadeploy diff tells all that differs.",
        quantity=quantity,
        explained=explained,
        differing=differing,
        samples=samples,
    )


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
