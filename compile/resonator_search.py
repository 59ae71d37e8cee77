"""Search for inputs that overflow a resonator: in every step those that push along its state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import STATE_LIMIT, STATE_SHIFT, Int64Array, clip_state, rotate
from ..netx import AdaptiveResonatorNeuron, NeuronKind, ResonatorNeuron
from .fan_in import Sent, parameter
from .kernel_classes import incoming
from .overflow_input import InputPhase, OverflowInput
from .stages import ChipConv, ChipDense, input_count

MOST_STEPS = 1 << 12  # 4096 steps keep a part of 1 - 1/4096 long enough for all of its growth
PATIENCE = 64  # steps without growth after which there will be none


def find_resonance(
    layer: ChipDense | ChipConv,
    neuron: ResonatorNeuron | AdaptiveResonatorNeuron,
    state: str,
    index: int,
    sent: Sent,
    steps: int | None,
) -> OverflowInput | None:
    """Return an input that takes a part of a resonator's state out of 24 bits, if this one does.

    Parameters
    ----------
    layer : ChipDense or ChipConv
        The layer, without recurrent weights.
    neuron : ResonatorNeuron or AdaptiveResonatorNeuron
        Its neuron.
    state : str
        'real' or 'imag'.
    index : int
        Which neuron of the layer.
    sent : Sent
        What the inputs can send.
    steps : int or None
        The input may be no longer.

    Notes
    -----
    In every step all inputs send whose weight, as a complex number, lies within a right angle of
    the turned state: each makes its modulus larger. The first step goes along the real axis.
    """
    at = np.array([index], dtype=np.int64)
    sine, cosine = (parameter(p, layer, at) for p in (neuron.sin_decay, neuron.cos_decay))
    bias, bias_imag = (
        parameter(values, layer, at) << STATE_SHIFT for values in (layer.bias, layer.bias_imag)
    )
    places, weights = incoming(layer, layer.weights, index)
    weights_imag = incoming(layer, layer.weights_imag or layer.weights, index)[1]
    upward, downward = sent.value[0][places], -sent.value[1][places]
    resets = neuron.kind is NeuronKind.RF_IZ
    limit = neuron.vth_mantissa << STATE_SHIFT
    real = imag = np.zeros(1, dtype=np.int64)
    phases: list[InputPhase] = []
    farthest = waited = 0
    for _ in range(min(steps or MOST_STEPS, MOST_STEPS)):
        real, imag = rotate(real, imag, sine, cosine)
        along = weights * real + weights_imag * imag if real.any() or imag.any() else weights
        payloads = np.where(along > 0, upward, downward) * (along != 0)
        _extend(phases, places[payloads != 0], payloads[payloads != 0])
        real = real + ((weights @ payloads) << STATE_SHIFT) + bias
        imag = imag + ((weights_imag @ payloads) << STATE_SHIFT) + bias_imag
        if abs(int((real if state == "real" else imag)[0])) >= STATE_LIMIT:
            return OverflowInput(neuron=index, size=input_count(layer), phases=tuple(phases))
        real, imag = clip_state(real), clip_state(imag)
        square = int(real[0]) ** 2 + int(imag[0]) ** 2
        waited = 0 if square > farthest else waited + 1
        if waited > PATIENCE:
            return None
        farthest = max(farthest, square)
        if resets and int(imag[0]) >= limit:
            real, imag = np.zeros_like(real), np.full_like(imag, limit - 1)
    return None


def _extend(phases: list[InputPhase], inputs: NDArray[np.int64], payloads: Int64Array) -> None:
    """Add a step: to the last phase, where the input is the same."""
    steps = 1
    if phases and np.array_equal(phases[-1].inputs, inputs):
        last = phases[-1]
        if np.array_equal(last.payloads, payloads):
            steps = phases.pop().steps + 1
    phases.append(InputPhase(inputs=inputs, payloads=payloads, steps=steps))
