"""How far complex states can go, and thresholds that spikes raise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import DECAY_BITS, STATE_LIMIT, STATE_SHIFT, Int64Array
from ..netx import AdaptiveResonatorNeuron, AlifNeuron, NeuronKind, ResonatorNeuron
from .fan_in import FanIn, Interval, parameter
from .reach import UNBOUNDED, decayed, leaky_reach, plus
from .stages import ChipInput, ChipLayer

CUT = 3  # a turn cuts less than 2 from each part, less than 2 * sqrt(2) from the modulus
_FINE_BITS = 20  # more of the part kept than the 12 bits of the decays


def resonator_reach(
    layer: ChipLayer,
    neuron: ResonatorNeuron | AdaptiveResonatorNeuron,
    fan_in: FanIn,
    steps: int | None,
) -> tuple[dict[str, Interval], NDArray[np.bool_]]:
    """Return the states of resonators, and which neurons can fire at all.

    Notes
    -----
    A turn multiplies the modulus of the state by ``k = hypot(sin_decay, cos_decay) / 4096`` and
    rounding changes it by less than `CUT`. With inputs of modulus up to ``w`` it stays below
    ``(w + CUT) / (1 - k)``, whatever their phases, and so does each part. Clipping makes it
    smaller, and so does the reset of RF_IZ, to just below the threshold that the state had passed.
    No bound where k is 1 or more.
    """
    is_input = isinstance(layer, ChipInput)
    biases = (None, None) if is_input else (layer.bias, layer.bias_imag)
    parts = [
        _largest(interval, parameter(bias, layer, fan_in.neurons) << STATE_SHIFT)
        for interval, bias in zip((fan_in.real, fan_in.imag), biases, strict=True)
    ]
    sine = parameter(neuron.sin_decay, layer, fan_in.neurons)
    cosine = parameter(neuron.cos_decay, layer, fan_in.neurons)
    # RF_IZ with threshold 0 fires at rest and is reset to -1
    least = int(neuron.kind is NeuronKind.RF_IZ and neuron.vth_mantissa == 0)
    # many neurons have the same numbers
    rows, which = np.unique(np.stack([*parts, sine, cosine]), axis=1, return_inverse=True)
    moduli = [
        _modulus(*(int(number) for number in row), least=least, steps=steps) for row in rows.T
    ]
    modulus = np.array(moduli, dtype=np.int64)[which.reshape(-1)]
    states: dict[str, Interval] = {"real": (modulus, modulus), "imag": (modulus, modulus)}
    if isinstance(neuron, AdaptiveResonatorNeuron):
        adapting, fires = adaptation_reach(layer, neuron, fan_in.neurons, modulus, steps)
        return states | adapting, fires
    return states, modulus >= neuron.vth_mantissa << STATE_SHIFT


def adaptation_reach(
    layer: ChipLayer,
    neuron: AlifNeuron | AdaptiveResonatorNeuron,
    neurons: NDArray[np.int64],
    state: Int64Array,
    steps: int | None,
) -> tuple[dict[str, Interval], NDArray[np.bool_]]:
    """Return threshold and refractory term, and which neurons can fire at all.

    Notes
    -----
    A spike adds a step to the threshold and twice the threshold to the refractory term, both of
    which decay to rest: leaky states that take no more than that in a step. With a step that is not
    negative more is known: a neuron fires only while its state is at or above threshold plus
    refractory term, so that neither was above the state, and each ends at most one addition higher.
    """
    rest = neuron.vth_mantissa << STATE_SHIFT
    rise = neuron.vth_step << STATE_SHIFT
    threshold_decay = parameter(neuron.threshold_decay, layer, neurons)
    refractory_decay = parameter(neuron.refractory_decay, layer, neurons)
    raised = leaky_reach(np.full_like(state, max(rise, 0)), threshold_decay, steps)
    lowered = leaky_reach(np.full_like(state, max(-rise, 0)), threshold_decay, steps)
    state = np.minimum(state, STATE_LIMIT - 1)  # Lava clips it
    always = rest < 0 or rise < 0
    fires = np.full(state.shape, True) if always else state >= rest
    if not always:
        raised = np.minimum(raised, plus(state, rise - rest))
    met = plus(decayed(raised, threshold_decay), rest)
    if not always:
        met = np.minimum(met, state)
    refractory = leaky_reach(_doubled(met), refractory_decay, steps)
    if not always:
        refractory = np.minimum(refractory, plus(plus(_doubled(met), state), -rest))
    below = leaky_reach(_doubled(plus(lowered, -rest)), refractory_decay, steps)
    none = np.int64(0)
    threshold = plus(np.where(fires, raised, none), rest), plus(lowered, -rest)
    return {
        "threshold": threshold,
        "refractory": (np.where(fires, refractory, none), below),
    }, fires


def _modulus(*numbers: int, least: int, steps: int | None) -> int:
    real, imag, sine, cosine = numbers
    if max(real, imag) >= UNBOUNDED:
        return UNBOUNDED
    arriving = max(_root(real * real + imag * imag), least)
    if arriving == 0:
        return 0  # nothing turns at rest
    one = 1 << (DECAY_BITS + _FINE_BITS)
    kept = _root((sine * sine + cosine * cosine) << (2 * _FINE_BITS))
    limit = UNBOUNDED
    if kept < one:
        limit = min(-(-(arriving + CUT) * one // (one - kept)), UNBOUNDED)
    if steps is None:
        return limit
    modulus = 0
    for _ in range(steps):
        modulus = -(-kept * modulus // one) + CUT + arriving
        if modulus >= limit:
            return limit
    return modulus


def _root(square: int) -> int:
    """Return the least whole number that is not below the square root."""
    return math.isqrt(square - 1) + 1 if square > 0 else 0


def _largest(interval: Interval, bias: Int64Array) -> Int64Array:
    return np.maximum(plus(interval[0], bias), plus(interval[1], -bias))


def _doubled(reach: Int64Array) -> Int64Array:
    return np.minimum(reach, UNBOUNDED // 2) * 2
