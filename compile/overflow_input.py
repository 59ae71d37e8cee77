"""An input of a layer that takes a state out of its register, as data and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputPhase:
    """Some steps with the same input.

    Attributes
    ----------
    inputs : int64 array, shape (k,)
        Which inputs of the layer send, side by side over all its sources, channel slowest.
    payloads : int64 array, shape (k,)
        What each sends in every step: 1 for spikes, or a count, or a number in 1/64.
    steps : int
        How many steps.
    """

    inputs: NDArray[np.int64]
    payloads: NDArray[np.int64]
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OverflowInput:
    """An input of a layer, from rest, whose last step takes a state out of its register.

    Attributes
    ----------
    neuron : int
        The neuron; channel slowest.
    size : int
        Number of inputs of the layer.
    phases : tuple of InputPhase
        One after the other.
    """

    neuron: int
    size: int
    phases: tuple[InputPhase, ...]

    @property
    def steps(self) -> int:
        """How many steps until the state does not fit."""
        return sum(phase.steps for phase in self.phases)

    def values(self) -> Int64Array:
        """Return the input, shape (1, inputs, steps)."""
        found = np.zeros((1, self.size, self.steps), dtype=np.int64)
        start = 0
        for phase in self.phases:
            found[0, phase.inputs, start : start + phase.steps] = phase.payloads[:, None]
            start += phase.steps
        return found

    def __str__(self) -> str:
        said = [
            f"{_what(phase)} in {phase.steps} step{'s' * (phase.steps > 1)}"
            for phase in self.phases
        ]
        return f"to neuron {self.neuron}: {', then '.join(said)}"


def _what(phase: InputPhase) -> str:
    count = phase.inputs.size
    if count == 0:
        return "nothing"
    least, largest = int(phase.payloads.min()), int(phase.payloads.max())
    if least == largest == 1:
        sends = "a spike"
    else:
        sends = f"the value {least}" if least == largest else f"values from {least} to {largest}"
    if count == 1:
        return f"{sends} of input {phase.inputs[0]}"
    return f"{sends} of each of {count} inputs ({_listed(phase.inputs.tolist())})"


def _listed(inputs: list[int], most: int = 6) -> str:
    """Return numbers with runs shortened, such as '0-3, 7', and no more than a few of them."""
    runs: list[list[int]] = []
    for number in inputs:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    said = [str(first) if first == last else f"{first}-{last}" for first, last in runs[:most]]
    return ", ".join(said) + ", ..." * (len(runs) > most)
