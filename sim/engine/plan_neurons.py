"""From a layer's neurons to what the kernels take: parameters in the engine's order."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compile import ChipConv, ChipDense, ChipInput, ChipLayer, neuron_count, per_neuron
from ...hw_profiles.arithmetic import DECAY_ONE, STATE_SHIFT
from ...hw_profiles.units import WEIGHT_TO_SIGMA
from ...netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    IntArray,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    UnsupportedNetworkError,
    current_shift,
    is_complex,
)
from .family_structures import Adaptation, AdaptiveLeaky, FamilyNeurons, Resonators, SigmaDelta
from .structures import Int32Array, Neurons

VECTOR = 64  # states are padded to a multiple of this, so that no loop has a rest
TILE = 1024  # parameters that repeat are kept in the first-level cache
INT32 = np.iinfo(np.int32)
ANGLES = ("sin_decay", "cos_decay")

# A parameter, one a channel or neuron, by position in the tile
_Tiled = NDArray[np.int64]


def plan_neurons(layer: ChipLayer, natural: Int32Array, first_step: int) -> Neurons | FamilyNeurons:
    """Return the parameters of a layer's neurons.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    natural : int32 array, shape (neurons,)
        Natural number of each neuron.
    first_step : int
        When the layer begins to run.

    Raises
    ------
    UnsupportedNetworkError
        For decays that are no parts of 4096, which only a profile of one's own allows.
    """
    neuron = layer.neuron
    _check_parts(layer)
    common: dict[str, Any] = {
        "count": neuron_count(layer),
        "first_step": first_step,
        "delay": _delays(layer, natural),
        "natural": natural,
    }
    match neuron:
        case CubaNeuron():
            return _cuba(layer, neuron, common)
        case AlifNeuron():
            return _adaptive_leaky(layer, neuron, common)
        case ResonatorNeuron() | AdaptiveResonatorNeuron():
            return _resonators(layer, neuron, common)
        case SigmaDeltaNeuron():
            return _sigma_delta(layer, neuron, common)


def plan_adaptation(layer: ChipLayer, natural: Int32Array) -> Adaptation | None:
    """Return how the thresholds of a layer adapt, without room for them; None where they do not."""
    neuron = layer.neuron
    if not isinstance(neuron, AlifNeuron | AdaptiveResonatorNeuron):
        return None
    threshold, refractory = _tiled(layer, natural, neuron.threshold_decay, neuron.refractory_decay)
    return Adaptation(
        rest=float(neuron.vth_mantissa << STATE_SHIFT),
        rise=float(neuron.vth_step << STATE_SHIFT),
        kept_threshold=_kept(threshold),
        kept_refractory=_kept(refractory),
        threshold=np.zeros(0, dtype=np.float64),
        refractory=np.zeros(0, dtype=np.int32),
    )


def padded_size(layer: ChipLayer) -> int:
    """Return the length of a layer's states."""
    return -(-neuron_count(layer) // VECTOR) * VECTOR


def _check_parts(layer: ChipLayer) -> None:
    """Products of floats are exact for parts only."""
    neuron = layer.neuron
    for name in (field.name for field in dataclasses.fields(neuron)):
        if not name.endswith("_decay"):
            continue
        values: IntArray = getattr(neuron, name)
        least = -DECAY_ONE if is_complex(neuron) and name in ANGLES else 0
        if int(values.min()) < least or int(values.max()) > DECAY_ONE:
            worst = int(values.max()) if int(values.max()) > DECAY_ONE else int(values.min())
            problem = (
                f"{layer.name}: {name.replace('_', ' ')} {worst} cannot run on backend 'engine', "
                f"which takes {least} to {DECAY_ONE}; backend 'reference' can."
            )
            raise UnsupportedNetworkError([problem])


def _cuba(layer: ChipLayer, neuron: CubaNeuron, common: dict[str, Any]) -> Neurons:
    current_decay, voltage_decay, shift = _tiled(
        layer, common["natural"], neuron.current_decay, neuron.voltage_decay, _bias(layer)
    )
    bias = shift << STATE_SHIFT
    return Neurons(
        kept_current=_kept(current_decay),
        kept_voltage=_kept(voltage_decay),
        bias=bias,
        bias_low=bias.astype(np.int32),
        limit=min(neuron.vth_mantissa << STATE_SHIFT, INT32.max),
        refractory=neuron.refractory_delay,
        exponent=current_shift(neuron),
        graded=neuron.graded_spike,
        **common,
    )


def _adaptive_leaky(layer: ChipLayer, neuron: AlifNeuron, common: dict[str, Any]) -> AdaptiveLeaky:
    current_decay, voltage_decay, bias = _tiled(
        layer, common["natural"], neuron.current_decay, neuron.voltage_decay, _bias(layer)
    )
    return AdaptiveLeaky(
        graded=neuron.graded_spike,
        kept_current=_kept(current_decay),
        kept_voltage=_kept(voltage_decay),
        bias=bias << STATE_SHIFT,
        # numbers at the input are divided where they come in
        exponent=0 if isinstance(layer, ChipInput) else current_shift(neuron),
        **common,
    )


def _resonators(
    layer: ChipLayer, neuron: ResonatorNeuron | AdaptiveResonatorNeuron, common: dict[str, Any]
) -> Resonators:
    sine, cosine, bias, bias_imag = _tiled(
        layer,
        common["natural"],
        neuron.sin_decay,
        neuron.cos_decay,
        _bias(layer),
        _bias_imag(layer),
    )
    return Resonators(
        graded=neuron.graded_spike,
        sine=sine / DECAY_ONE,
        cosine=cosine / DECAY_ONE,
        bias=bias << STATE_SHIFT,
        bias_imag=bias_imag << STATE_SHIFT,
        limit=min((neuron.vth_mantissa << STATE_SHIFT) - 1, INT32.max),
        by_phase=neuron.kind in (NeuronKind.RF, NeuronKind.ADRF),
        **common,
    )


def _sigma_delta(layer: ChipLayer, neuron: SigmaDeltaNeuron, common: dict[str, Any]) -> SigmaDelta:
    (bias,) = _tiled(layer, common["natural"], _bias(layer))
    is_input = isinstance(layer, ChipInput)
    # a change of 32 bits is at least the threshold, or at most its negative
    threshold = (neuron.vth_mantissa << WEIGHT_TO_SIGMA) + neuron.vth_fraction
    return SigmaDelta(
        graded=True,
        bias=(bias << WEIGHT_TO_SIGMA).astype(np.int32),
        above=min(threshold - 1, INT32.max),
        below=max(1 - threshold, INT32.min),
        sums=not is_input,
        sends_changes=is_input or not neuron.sigma_output,
        **common,
    )


def _bias(layer: ChipLayer) -> IntArray:
    bias = None if isinstance(layer, ChipInput) else layer.bias
    return np.zeros((), dtype=np.int32) if bias is None else bias


def _bias_imag(layer: ChipLayer) -> IntArray:
    # recurrent layers have no imaginary weights and biases (`compile.as_netx`)
    bias = None
    if isinstance(layer, ChipConv) or (isinstance(layer, ChipDense) and layer.weights_rec is None):
        bias = layer.bias_imag
    return np.zeros((), dtype=np.int32) if bias is None else bias


def _delays(layer: ChipLayer, natural: Int32Array) -> Int32Array:
    delay = None if isinstance(layer, ChipInput) else layer.delay
    if delay is None or not delay.any():
        return np.zeros(0, dtype=np.int32)
    return per_neuron(delay, layer)[natural]


def _kept(decay: _Tiled) -> NDArray[np.float64]:
    return 1.0 - decay / DECAY_ONE


def _tiled(layer: ChipLayer, natural: Int32Array, *parameters: IntArray) -> list[_Tiled]:
    """Return parameters in the engine's order, all as long as the tile after which they repeat."""
    values = [per_neuron(each, layer)[natural].astype(np.int64) for each in parameters]
    period = _period(layer, values)
    tile = min(padded_size(layer), period * max(1, TILE // period))
    return [np.resize(value, tile) for value in values]


def _period(layer: ChipLayer, values: list[_Tiled]) -> int:
    """Return after how many neurons parameters repeat, as a multiple of `VECTOR`."""
    if all(bool(np.all(value == value[0])) for value in values):
        return VECTOR
    if isinstance(layer, ChipConv):
        return math.lcm(layer.shape_out[0], VECTOR)
    # channels of neurons at the input, or every neuron of a dense layer, by itself
    return padded_size(layer)
