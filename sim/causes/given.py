"""The plainest causes: the runs were given other registers, or other input."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...compile import NETWORK_INPUT
from ..compare import Difference
from ..run_result import RunResult
from ..spike_input import SpikeInput
from .cause import Cause, CauseName
from .hypothesis import Fit, fit_of_given
from .inputs import REMEDY, describe_inputs
from .layer_case import LayerCase, layer_case
from .registers import other_registers
from .replay import Replay


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """What two runs were given, and where they part.

    Attributes
    ----------
    replays : tuple of Replay
        The networks of run A and of run B; the same one where both ran the same.
    inputs : tuple of SpikeInput or None
        What they were fed; None where that is not known.
    first : Difference
        Where they part first.
    index : int
        The layer of that.
    samples : tuple of int
        Those that are judged.
    """

    replays: tuple[Replay, Replay]
    inputs: tuple[SpikeInput | None, SpikeInput | None]
    first: Difference
    index: int
    samples: tuple[int, int]

    def fed(self, run: int) -> NDArray[np.integer] | None:
        """Return what a run was fed: run A is 0, run B is 1."""
        inputs = self.inputs[run]
        return None if inputs is None else inputs.spikes

    def is_input_missing(self, run: int) -> bool:
        """Tell whether the layer takes what the network was fed and that is not known."""
        sources = self.replays[run].compiled.network.layers[self.index].sources
        return self.inputs[run] is None and NETWORK_INPUT in sources

    def case(self, run: int, result: RunResult) -> LayerCase:
        """Return the layer in a run, as the registers and the input of that run define it."""
        return layer_case(self.replays[run], self.index, result, self.fed(run), self.samples)


def cause_in_given(given: Given, b: RunResult, name: str, *, can_replay: bool) -> Cause | None:
    """Return what run B was given otherwise, where that is why the runs part.

    Parameters
    ----------
    given : Given
        What the runs were given.
    b : RunResult
        Run B.
    name : str
        What to call it, at the begin of a sentence.
    can_replay : bool
        Whether the logs hold what reached the layer. Otherwise, and where one network could not
        take the input of the other, nothing tells how much of the
        difference comes of what was given; any other register or input is named, without counts.
    """
    sizes = {math.prod(each.compiled.network.input_shape) for each in given.replays}
    can_replay = can_replay and len(sizes) == 1
    return _other_registers(given, b, name, can_replay) or _other_input(given, b, name, can_replay)


def _other_registers(given: Given, b: RunResult, name: str, can_replay: bool) -> Cause | None:
    ours, theirs = given.replays
    how = other_registers(ours.compiled, theirs.compiled, given.index)
    if how is None:
        return None
    cause = Cause(
        name=CauseName.OTHER_REGISTERS,
        layer=given.first.layer,
        side=None,
        explanation=f"{name} ran other registers of {given.first.layer}: {how}.",
        remedy="Run the same artifact with both; lavadeploy diff tells all that differs.",
    )
    # both networks on the input of run B, so that nothing but the registers differs
    same_input = dataclasses.replace(given, inputs=(given.inputs[1], given.inputs[1]))
    if not can_replay or any(same_input.is_input_missing(run) for run in (0, 1)):
        return cause
    found = fit_of_given(same_input.case(0, b), same_input.case(1, b), given.first)
    return None if found is None else _counted(cause, found, given.samples)


def _other_input(given: Given, b: RunResult, name: str, can_replay: bool) -> Cause | None:
    ours, theirs = given.inputs
    if ours is None or theirs is None or ours is theirs:
        return None
    start, stop = given.samples
    how = describe_inputs(ours.spikes[start:stop], theirs.spikes[start:stop], start)
    if how is None:
        return None
    cause = Cause(
        name=CauseName.INPUT_ENCODING,
        layer=given.first.layer,
        side=None,
        explanation=f"{name} is fed its input {how}.",
        remedy=REMEDY,
    )
    if not can_replay:
        return cause
    # both inputs into the network of run B, so that nothing but the input differs
    same_network = dataclasses.replace(given, replays=(given.replays[1], given.replays[1]))
    found = fit_of_given(same_network.case(0, b), same_network.case(1, b), given.first)
    return None if found is None else _counted(cause, found, given.samples)


def _counted(cause: Cause, found: Fit, samples: tuple[int, int]) -> Cause:
    return dataclasses.replace(
        cause,
        quantity=found.quantity,
        explained=found.explained,
        differing=found.differing,
        samples=samples,
    )
