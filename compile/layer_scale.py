"""The scale of a layer: how many whole numbers one unit of its real numbers becomes.

Where spikes are 0 or 1 they depend only on the ratios of weights, bias and threshold, so one real
factor is free in every layer. It is chosen so that the threshold is a whole number without
rounding: what is rounded then are the weights and the biases only. The factor is not free where a
layer sends numbers (graded spikes, sigma-delta), since others take them for what they are; there it
is 1 and only the step of the weights is chosen. Thresholds that never fire (readouts) are no part
of the ratios: the voltage of a readout comes out times its scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..hw_profiles import HardwareProfile
from ..hw_profiles.arithmetic import DECAY_ONE, STATE_LIMIT, STATE_SHIFT
from ..netx import (
    AlifNeuron,
    ConvTransposeLayer,
    CubaNeuron,
    Neuron,
    PoolLayer,
    RealArray,
    RealValues,
    SigmaDeltaNeuron,
    SynapticLayer,
    UnpoolLayer,
    is_readout,
)
from .quantization_plan import LayerPlan, Method
from .weight_grids import WeightGrid, sign_mode_of, widest_grid
from .weight_registers import MANTISSA_RANGE, SignMode, weight_registers
from .weight_scales import levels_per_unit, squared_error

# Weights are halved against a wrap of the current only as long as this much threshold is left: half
# a unit of it is then 0.1 %.
FINE_THRESHOLD = 512
ROUNDING_MARGIN = 1.05  # what rounding may add to a sum of many weights, where bounds must hold


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerScale:
    """What turns the real numbers of a layer into whole ones.

    Attributes
    ----------
    scale : float
        Factor of weights, biases and threshold before they are rounded.
    grid : WeightGrid
        The whole numbers that weights may become.
    halvings : int
        How often `grid` was halved against the widest.
    """

    scale: float
    grid: WeightGrid
    halvings: int

    @property
    def levels_per_unit(self) -> float:
        """Levels of the grid that a weight of 1 is."""
        return self.scale / self.grid.step


def choose_scale(
    layer: SynapticLayer, values: RealValues, plan: LayerPlan, profile: HardwareProfile
) -> LayerScale:
    """Choose the scale of a layer, weights, bias and threshold together.

    Parameters
    ----------
    layer : SynapticLayer
        Gives geometry and neuron.
    values : RealValues
        Its numbers.
    plan : LayerPlan
        Bits and method.
    profile : HardwareProfile
        Gives the ranges of the registers.

    Returns
    -------
    LayerScale
        1 for a layer that holds whole numbers in these bits already.
    """
    weight = all_weights(values)
    widest = widest_grid(sign_mode_of(weight, plan.bits), plan.bits, profile)
    if plan.scale is not None and plan.halvings is not None:
        return LayerScale(
            scale=plan.scale, grid=widest.halved(plan.halvings), halvings=plan.halvings
        )
    if is_whole(values, plan.bits, profile):
        low, high = MANTISSA_RANGE[SignMode.MIXED]
        finest = WeightGrid(low=low, high=high, step=1)
        return LayerScale(scale=1.0, grid=finest, halvings=0)
    if not is_scale_free(layer.neuron):
        return _fixed(weight, widest, plan)
    levels = levels_per_unit(plan.method, weight, widest, plan.percentile)
    halvings = _halvings(layer, values, levels * widest.step, widest, profile, plan)
    grid = widest.halved(halvings)
    found = LayerScale(scale=levels * grid.step, grid=grid, halvings=halvings)
    return fit_registers(found, layer, values, plan.method, profile)


def all_weights(values: RealValues) -> RealArray:
    """Return all weights of a layer that share a scale, flat."""
    parts = (values.weight, values.weight_imag, values.weight_rec)
    return np.concatenate([part.reshape(-1) for part in parts if part is not None])


def is_scale_free(neuron: Neuron) -> bool:
    """Tell whether the output of neurons depends on ratios only."""
    return not isinstance(neuron, SigmaDeltaNeuron) and not neuron.graded_spike


def has_ratio(neuron: Neuron, values: RealValues) -> bool:
    """Tell whether a threshold is part of the ratios: neither a readout's nor zero."""
    return not is_readout(neuron) and values.vth > 0


def is_whole(values: RealValues, bits: int, profile: HardwareProfile) -> bool:
    """Tell whether a layer holds whole numbers that its registers hold as they are."""
    weights = [w for w in (values.weight, values.weight_imag, values.weight_rec) if w is not None]
    others = [b for b in (values.bias, values.bias_imag) if b is not None]
    others.append(np.array([values.vth, values.vth_step or 0.0]))
    if not all(np.array_equal(np.rint(part), part) for part in weights + others):
        return False
    least, most = profile.formats.weight_min.value, profile.formats.weight_max.value
    for weight in weights:
        if weight.size and not least <= weight.min() <= weight.max() <= most:
            return False
        registers = weight_registers(weight.astype(np.int32), profile)
        if registers is None or registers.bits > bits:
            return False
    return True


def fit_registers(
    found: LayerScale,
    layer: SynapticLayer,
    values: RealValues,
    method: Method,
    profile: HardwareProfile,
) -> LayerScale:
    """Return the scale nearest to one found at which registers hold bias and threshold.

    The threshold comes out whole, but where it would be less than half a unit, or than one where
    nothing may be clipped or a bias would not fit: there the scale stays and it is rounded.
    """
    limit = _hard_limit(layer, values, profile)
    found = replace(found, scale=min(found.scale, limit))
    wanted = found.scale * values.vth
    if not has_ratio(layer.neuron, values) or wanted < 0.5:
        return found
    weight = all_weights(values)
    # the limit may be that of the threshold itself, a quotient rounded either way
    most = math.floor(limit * values.vth * (1 + 1e-12)) if limit < math.inf else math.inf
    nearest = max(1, round(wanted))
    if nearest > most or (method is Method.LARGEST and _clips(found, weight, nearest / values.vth)):
        nearest = math.floor(wanted)
    candidates = [nearest]
    if method is Method.LEAST_SQUARES:
        # the least error moves with every unit of a small threshold
        candidates = [n for n in range(nearest - 4, nearest + 5) if n <= most]
    candidates = [n for n in candidates if n >= 1]
    if not candidates:
        return found
    errors = [
        squared_error(weight, found.grid, n / values.vth / found.grid.step) for n in candidates
    ]
    return replace(found, scale=candidates[int(np.argmin(errors))] / values.vth)


def _clips(found: LayerScale, weight: RealArray, scale: float) -> bool:
    levels = found.grid.levels(weight, scale / found.grid.step)
    below = found.grid.low < 0 and bool((levels < found.grid.low).any())
    return below or bool((levels > found.grid.high).any())


def _fixed(weight: RealArray, widest: WeightGrid, plan: LayerPlan) -> LayerScale:
    """Choose the step where the scale must be 1."""
    grids = [widest.halved(n) for n in range(widest.most_halvings + 1)]
    if plan.method is Method.LEAST_SQUARES:
        errors = [squared_error(weight, grid, 1 / grid.step) for grid in grids]
        halvings = int(np.argmin(errors))
    else:
        levels = levels_per_unit(plan.method, weight, widest, plan.percentile)
        # the smallest step at which one unit takes no more levels than the method allows
        halvings = max(0, sum(1 / grid.step <= levels for grid in grids) - 1)
    return LayerScale(scale=1.0, grid=grids[halvings], halvings=halvings)


def _hard_limit(layer: SynapticLayer, values: RealValues, profile: HardwareProfile) -> float:
    """Return the largest scale at which threshold and biases fit their registers."""
    formats = profile.formats
    limits = [math.inf]
    if has_ratio(layer.neuron, values):
        limits.append(formats.threshold_mantissa_max.value / values.vth)
        if values.vth_step:
            limits.append(formats.threshold_mantissa_max.value / abs(values.vth_step))
    for bias in (values.bias, values.bias_imag):
        if bias is not None and bias.any():
            limits.append(formats.bias_mantissa_max.value / float(np.abs(bias).max()))
    return min(limits)


def _halvings(
    layer: SynapticLayer,
    values: RealValues,
    scale: float,
    widest: WeightGrid,
    profile: HardwareProfile,
    plan: LayerPlan,
) -> int:
    """Return how often weights are halved so that registers and states hold what belongs to them.

    Halving loses no weight, but states and threshold get coarser: it is done as often as threshold
    and bias registers need it, and against states beyond 24 bits as long as that costs nothing, or
    as often as it takes where the plan asks for it.
    """
    needed = _halvings_to(scale, _hard_limit(layer, values, profile))
    wanted = _halvings_to(scale, _state_limit(layer, values, bounded=plan.bounded))
    if has_ratio(layer.neuron, values) and not plan.bounded:
        wanted = min(wanted, max(0, math.floor(math.log2(scale * values.vth / FINE_THRESHOLD))))
    return min(max(needed, wanted), widest.most_halvings)


def _halvings_to(scale: float, limit: float) -> int:
    return max(0, math.ceil(math.log2(scale / limit))) if limit < math.inf else 0


def _state_limit(layer: SynapticLayer, values: RealValues, *, bounded: bool) -> float:
    """Return the scale at which no binary input can take the current out of 24 bits.

    The voltage counts for readouts, and below zero where the plan asks for bounds: above, neurons
    that fire are reset. Infinite for neurons without a leaky current and for states that never
    decay, which no scale bounds.
    """
    if not isinstance(layer.neuron, CubaNeuron | AlifNeuron):
        return math.inf
    excitation, inhibition = _largest_sums(layer, values)
    current_gain = _gain(values.decays["current_decay"])
    voltage_gain = _gain(values.decays["voltage_decay"])
    bound = max(excitation, inhibition) * current_gain
    if is_readout(layer.neuron):
        bound *= voltage_gain
    elif bounded and inhibition > 0:
        bound = max(bound, inhibition * current_gain * voltage_gain)
    if bounded:
        bound *= ROUNDING_MARGIN
    bound *= 1 << STATE_SHIFT
    return STATE_LIMIT / bound if 0 < bound < math.inf else math.inf


def _gain(decay: RealArray) -> float:
    """Return what a constant input of 1 adds up to; infinite without decay."""
    least = round(float(decay.min()))  # as the register will have it
    return DECAY_ONE / min(least, DECAY_ONE) if least > 0 else math.inf


def _largest_sums(layer: SynapticLayer, values: RealValues) -> tuple[float, float]:
    """Return the largest sums of positive and of negative weights of a neuron, in real units.

    The second as a magnitude.
    """
    weight = values.weight
    if isinstance(layer, ConvTransposeLayer):
        weight = weight.swapaxes(0, 1)  # outputs first
    elif isinstance(layer, PoolLayer | UnpoolLayer):
        weight = weight.reshape(1, -1)
    rows = weight.reshape(weight.shape[0], -1)
    if values.weight_rec is not None:
        rows = np.concatenate([rows, values.weight_rec], axis=1)
    excitation = np.where(rows > 0, rows, 0).sum(axis=1)
    inhibition = np.where(rows < 0, -rows, 0).sum(axis=1)
    return float(excitation.max(initial=0.0)), float(inhibition.max(initial=0.0))
