"""From the outputs of one layer to the input of the next one's neurons: weighted and aligned."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..hw_profiles.arithmetic import Int64Array, align_with_states
from ..hw_profiles.units import SIGMA_UNIT, common_unit
from ..netx import (
    InputLayer,
    IntArray,
    KernelLayer,
    LayerShapes,
    RecurrentLayer,
    SigmaDeltaNeuron,
    SynapticLayer,
)
from .neurons import DEFINITION, Rules
from .synapses import synaptic_input


def neuron_input(
    layer: InputLayer | SynapticLayer,
    shape: LayerShapes,
    values: Int64Array,
    unit: Fraction,
    last: Int64Array,
    last_unit: Fraction,
    rules: Rules = DEFINITION,
) -> tuple[Int64Array, Int64Array, int]:
    """Return what reaches the neurons of a layer in a step.

    Parameters
    ----------
    layer : InputLayer or SynapticLayer
        The layer.
    shape : LayerShapes
        What comes in.
    values : int64 array, shape (N, inputs)
        Outputs of the layer before; for an input layer the input, in 1/64.
    unit : Fraction
        What a value of 1 stands for.
    last, last_unit : int64 array, shape (N, neurons), and Fraction
        The layer's own output of the step before.
    rules : Rules
        The arithmetic; runs take the definition's.

    Returns
    -------
    real, imag : int64 array, shape (N, neurons)
        In 1/4096, for sigma-delta neurons in 2**-18.
    wrapped : int
        How many sums of kernels did not fit 24 bits.
    """
    if isinstance(layer, InputLayer):
        weight = np.int64(64 if layer.weight is None else layer.weight)
        offset = np.int64(layer.bias or 0) << 6
        scaled = values * weight + offset  # in 1/4096
        real = scaled << 6 if isinstance(layer.neuron, SigmaDeltaNeuron) else scaled
        return real, scaled, 0
    weighted, lost = _weighted(layer, layer.weight, shape, values, rules)
    if isinstance(layer, RecurrentLayer):
        # summed before fractions are cut, as SLAYER does
        common = common_unit((unit, last_unit))
        feedback = last @ layer.weight_rec.astype(np.int64).T
        weighted = weighted * int(unit / common) + feedback * int(last_unit / common)
        unit = common
    real = _aligned(layer, weighted, unit)
    if layer.weight_imag is None:
        return real, real, lost
    imag, lost_imag = _weighted(layer, layer.weight_imag, shape, values, rules)
    return real, _aligned(layer, imag, unit), lost + lost_imag


def _weighted(
    layer: SynapticLayer, weight: IntArray, shape: LayerShapes, values: Int64Array, rules: Rules
) -> tuple[Int64Array, int]:
    """Return weighted sums, those of kernels wrapped to 24 bits as Lava's, and how many were."""
    wanted = synaptic_input(layer, weight, shape.shape_in, values)
    if not isinstance(layer, KernelLayer):
        return wanted, 0
    kept = rules.hold_sum(wanted)
    return kept, int(np.count_nonzero(kept != wanted))


def _aligned(layer: SynapticLayer, weighted: Int64Array, unit: Fraction) -> Int64Array:
    """From weight units times `unit` to the units of the neuron's input."""
    if isinstance(layer.neuron, SigmaDeltaNeuron):
        factor = unit / 64 / SIGMA_UNIT
        return weighted * factor.numerator // factor.denominator
    return align_with_states(weighted, unit)
