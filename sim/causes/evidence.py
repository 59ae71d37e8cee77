"""What happened where two runs part, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...hw_profiles.arithmetic import STATE_SHIFT, update_voltage
from ...netx import CubaNeuron, SynapticLayer, spread
from ..compare import Difference
from ..neuron_input import neuron_input
from .cause import StepEvidence
from .layer_case import Behaviour, LayerCase

STEPS_BEFORE, STEPS_AFTER = 3, 1


def evidence_at(
    first: Difference, case: LayerCase, defined: Behaviour, other: LayerCase
) -> tuple[StepEvidence, ...]:
    """Return what happened around the first difference.

    Parameters
    ----------
    first : Difference
        The place.
    case : LayerCase
        The layer in run A; its inputs are those of the definition's answer.
    defined : Behaviour
        That answer.
    other : LayerCase
        The layer in run B.
    """
    number = first.sample - case.first_sample
    start = max(0, first.step - STEPS_BEFORE)
    stop = min(case.seen.output.shape[2], first.step + STEPS_AFTER + 1)
    neuron = case.chip.neuron
    threshold = neuron.vth_mantissa << STATE_SHIFT if isinstance(neuron, CubaNeuron) else None
    rows: list[StepEvidence] = []
    for step in range(start, stop):
        place = (number, first.neuron, step)
        rows.append(
            StepEvidence(
                step=step,
                arriving=_arriving(case, defined, number, first.neuron, step),
                before_reset=_before_reset(case, defined, place),
                threshold=threshold,
                states=_at(defined.states, place),
                states_a=_at(case.seen.states, place),
                states_b=_at(other.seen.states, place),
                output=int(defined.output[place]),
                output_a=int(case.seen.output[place]),
                output_b=int(other.seen.output[place]),
            )
        )
    return tuple(rows)


def _at(states: Mapping[str, NDArray[Any]], place: tuple[int, int, int]) -> dict[str, int]:
    return {name: int(values[place]) for name, values in states.items()}


def _arriving(case: LayerCase, defined: Behaviour, number: int, neuron: int, step: int) -> int:
    values = case.values[number : number + 1, :, case.shown_from + step]
    last = defined.output[number : number + 1, :, max(0, step - 1)] * (step > 0)
    unit = case.replay.output_unit(case.layer)
    real, _, _ = neuron_input(case.layer, case.shape, values, case.unit, last, unit)
    return int(real[0, neuron])


def _before_reset(case: LayerCase, defined: Behaviour, place: tuple[int, int, int]) -> int | None:
    """Return the voltage that a CUBA neuron compares with its threshold."""
    layer, neuron = case.layer, case.chip.neuron
    if not isinstance(layer, SynapticLayer) or not isinstance(neuron, CubaNeuron):
        return None
    if neuron.current_exponent or neuron.refractory_delay != 1:
        return None
    number, index, step = place
    size = defined.output.shape[1]
    if step == 0 and case.shown_from > case.first_step:
        return None  # the state that steps before the input left is not kept
    before = defined.states["voltage"][number, index, step - 1] if step else 0
    bias = 0 if layer.bias is None else int(spread(layer.bias, size)[index]) << STATE_SHIFT
    voltage = update_voltage(
        np.array(before, dtype=np.int64),
        np.array(defined.states["current"][place], dtype=np.int64),
        np.array(bias, dtype=np.int64),
        spread(neuron.voltage_decay, size)[index],
    )
    return int(voltage)
