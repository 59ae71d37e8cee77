"""What the outputs of layers stand for."""

from __future__ import annotations

from fractions import Fraction

from ..compile import ChipInput, ChipLayer
from ..hw_profiles.units import GRADED, SIGMA_UNIT, SPIKE
from ..netx import SigmaDeltaNeuron


def output_unit(layer: ChipLayer) -> Fraction:
    """Return what an output of 1 stands for."""
    neuron = layer.neuron
    if not isinstance(neuron, SigmaDeltaNeuron):
        return GRADED if neuron.graded_spike else SPIKE
    is_sum = neuron.sigma_output and not isinstance(layer, ChipInput)
    return SIGMA_UNIT if is_sum else GRADED
