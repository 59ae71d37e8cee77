"""Search for inputs that overflow a state: a few candidates are run until one of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import (
    DECAY_BITS,
    DECAY_ONE,
    STATE_LIMIT,
    STATE_SHIFT,
    Int64Array,
    decay_toward_zero,
    fires,
    update_current,
    update_voltage,
)
from ..netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    current_shift,
)
from .fan_in import ARRAY_LIMIT, LARGEST_NUMBER, LEAST_NUMBER, Sent, parameter
from .kernel_classes import incoming
from .overflow_input import InputPhase, OverflowInput
from .resonator_search import find_resonance
from .stages import ChipDense, ChipInput, ChipLayer, input_count, neuron_count

MOST_STEPS = 1 << 18  # a step's weight of 1 leaves the 24 bits after 2**17 steps
MORE_STEPS = 1 << 14  # for each of the further candidates
MOST_RECURRENT_STEPS = 1 << 9  # whole layers are slower to run than single neurons
# The voltage overshoots its threshold most from just below: a first step with some eighths of the
# inputs, or some steps of inhibition, move the step in which it arrives.
FIRST_EIGHTHS = (4, 6, 2, 7, 5, 3, 1)
INHIBITED_STEPS = (4, 64, 1024)


def find_overflow(
    layer: ChipLayer,
    state: str,
    candidates: Sequence[tuple[int, bool]],
    sent: Sent,
    steps: int | None,
) -> OverflowInput | None:
    """Return an input of a layer that takes a state out of its register, if one of a few does.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    state : str
        Name of the state.
    candidates : sequence of (int, bool)
        Neurons, and whether upward.
    sent : Sent
        What its inputs can send.
    steps : int or None
        The input may be no longer.

    Notes
    -----
    The candidates are all inputs that push the neuron one way in every step; for a voltage that
    is reset above its threshold, also after a step of some of them, or after some steps of all that
    push the other way. Resonators: see `find_resonance`. There are none for other states, nor for
    inputs that do not send spikes or counts.
    """
    neuron = layer.neuron
    if sent.unit != 1:
        return None
    if isinstance(neuron, ResonatorNeuron | AdaptiveResonatorNeuron):
        if state not in ("real", "imag") or isinstance(layer, ChipInput):
            return None
        if isinstance(layer, ChipDense) and layer.weights_rec is not None:
            return None
        return find_resonance(layer, neuron, state, candidates[0][0], sent, steps)
    if state not in ("current", "voltage") or isinstance(neuron, SigmaDeltaNeuron):
        return None
    for index, upward in candidates:
        run = _runner(layer, neuron, index)
        overshoots = upward and state == "voltage" and isinstance(neuron, CubaNeuron)
        for pattern in _patterns(layer, index, sent, upward, overshoots):
            lengths = run(pattern, state, steps or MOST_STEPS)
            if lengths is not None:
                phases = tuple(
                    InputPhase(inputs=inputs, payloads=payloads, steps=length)
                    for ((inputs, payloads), _), length in zip(pattern, lengths, strict=False)
                )
                return OverflowInput(neuron=index, size=input_count(layer), phases=phases)
    return None


_Drive = tuple[NDArray[np.int64], NDArray[np.int64]]
_Pattern = Sequence[tuple[_Drive, int]]
_Run = Callable[[_Pattern, str, int], "list[int] | None"]


def _patterns(
    layer: ChipLayer, neuron: int, sent: Sent, upward: bool, overshoots: bool
) -> Iterator[_Pattern]:
    push = _drive(layer, neuron, sent, upward)
    yield [(push, MOST_STEPS)]
    if not overshoots or isinstance(layer, ChipInput):
        return
    for eighths in FIRST_EIGHTHS:
        inputs, payloads = push
        some = slice(0, inputs.size * eighths // 8)
        yield [((inputs[some], payloads[some]), 1), (push, MORE_STEPS)]
    pull = _drive(layer, neuron, sent, not upward)
    for steps in INHIBITED_STEPS:
        yield [(pull, steps), (push, MORE_STEPS)]


def _drive(layer: ChipLayer, neuron: int, sent: Sent, upward: bool) -> _Drive:
    """Return the inputs that push a neuron most in one direction, and what they send."""
    if isinstance(layer, ChipInput):
        ends = (LEAST_NUMBER, LARGEST_NUMBER)
        scale = 64 if layer.scale is None else layer.scale
        best = (max if upward else min)(ends, key=lambda number: scale * number)
        return np.array([neuron]), np.array([best])
    places, weights = incoming(layer, layer.weights, neuron)
    signed = weights if upward else -weights
    payloads = np.where(signed > 0, sent.value[0][places], -sent.value[1][places])
    chosen = (signed != 0) & (payloads != 0)
    return places[chosen], payloads[chosen]


def _runner(layer: ChipLayer, neuron: CubaNeuron | AlifNeuron, index: int) -> _Run:
    if isinstance(layer, ChipDense) and layer.weights_rec is not None:
        if not isinstance(neuron, CubaNeuron) or neuron.graded_spike:
            return lambda pattern, state, most: None
        recurrent, cuba = layer, neuron
        return lambda pattern, state, most: _run_layer(recurrent, cuba, pattern, state, most)
    return lambda pattern, state, most: _run_neuron(layer, neuron, index, pattern, state, most)


def _run_neuron(
    layer: ChipLayer,
    neuron: CubaNeuron | AlifNeuron,
    index: int,
    pattern: _Pattern,
    state: str,
    most: int,
) -> list[int] | None:
    """Return how long each phase lasts until a state of a neuron overflows; None if it never does.

    Python's whole numbers, since NumPy takes 50 times as long for a single neuron; the tests check
    the arithmetic against that of the interpreter.
    """
    bias = 0
    at = np.array([index], dtype=np.int64)
    if not isinstance(layer, ChipInput):
        bias = int(parameter(layer.bias, layer, at)[0]) << STATE_SHIFT
    decays = (neuron.current_decay, neuron.voltage_decay)
    kept = [DECAY_ONE - int(parameter(decay, layer, at)[0]) for decay in decays]
    adapts = isinstance(neuron, AlifNeuron)
    shift = current_shift(neuron)
    threshold = neuron.vth_mantissa << STATE_SHIFT
    u = v = resting = done = 0
    lengths: list[int] = []
    for drive, length in pattern:
        arriving = _arriving(layer, index, drive)
        if abs(arriving) >= ARRAY_LIMIT:
            return None  # Lava's sums wrap before they arrive
        if adapts:
            arriving = _shifted(arriving + bias, shift)
        resets = 0
        for step in range(1, min(length, most - done) + 1):
            before = u, v
            u = _cut(u * kept[0], DECAY_BITS) + arriving
            if not -STATE_LIMIT < u <= STATE_LIMIT:
                if state == "current":
                    return [*lengths, step]
                u += -2 * STATE_LIMIT if u > 0 else 2 * STATE_LIMIT
            v = _cut(v * kept[1], DECAY_BITS) + (u if adapts else _shifted(u + bias, shift))
            if abs(v) >= STATE_LIMIT:
                if state == "voltage":
                    return [*lengths, step]
                v = STATE_LIMIT - 1 if v > 0 else 1 - STATE_LIMIT
            if not adapts:
                v, fired, resting = _after(v, threshold, neuron.refractory_delay, resting)
                resets = resets + fired if u == before[0] else 0
            if (u, v, resting) == (*before, 0) or resets > 1:
                break  # from here on nothing new happens
        lengths.append(length)
        done += length
        if done >= most:
            return None
    return None


def _after(v: int, threshold: int, refractory_delay: int, resting: int) -> tuple[int, int, int]:
    """Return voltage, whether the neuron fired, and the refractory steps left."""
    if resting:
        return 0, 0, resting - 1
    if v > threshold:
        return 0, 1, refractory_delay - 1
    return v, 0, 0


def _run_layer(
    layer: ChipDense, neuron: CubaNeuron, pattern: _Pattern, state: str, most: int
) -> list[int] | None:
    """As `_run_neuron`, for a layer whose neurons excite each other, and any of its neurons."""
    assert layer.weights_rec is not None
    feedback = layer.weights_rec.effective().astype(np.int64)
    size = neuron_count(layer)
    every = np.arange(size)
    bias = parameter(layer.bias, layer, every) << STATE_SHIFT
    decays = (neuron.current_decay, neuron.voltage_decay)
    current_decay, voltage_decay = (parameter(decay, layer, every) for decay in decays)
    shift = current_shift(neuron)
    if shift:
        return None
    u, v, spikes, resting = (np.zeros(size, dtype=np.int64) for _ in range(4))
    lengths: list[int] = []
    left = min(most, MOST_RECURRENT_STEPS)
    for length, arriving in _layer_drives(layer, pattern):
        for step in range(1, min(length, left) + 1):
            pushed = arriving + ((feedback @ spikes) << STATE_SHIFT)
            wanted = decay_toward_zero(u, current_decay) + pushed
            u = update_current(u, pushed, current_decay)
            if state == "current" and not np.array_equal(wanted, u):
                return [*lengths, step]
            wanted = decay_toward_zero(v, voltage_decay) + u + bias
            v = update_voltage(v, u, bias, voltage_decay)
            if state == "voltage" and not np.array_equal(wanted, v):
                return [*lengths, step]
            v = np.where(resting > 0, 0, v)
            fired = fires(v, neuron.vth_mantissa) & (resting == 0)
            resting = np.where(fired, neuron.refractory_delay - 1, np.maximum(resting - 1, 0))
            v, spikes = np.where(fired, 0, v), fired.astype(np.int64)
        lengths.append(length)
        left -= length
    return None


def _layer_drives(layer: ChipDense, pattern: _Pattern) -> Iterator[tuple[int, Int64Array]]:
    weight = layer.weights.effective().astype(np.int64)
    for (inputs, payloads), length in pattern:
        yield length, (weight[:, inputs] @ payloads) << STATE_SHIFT


def _arriving(layer: ChipLayer, neuron: int, drive: _Drive) -> int:
    inputs, payloads = drive
    if isinstance(layer, ChipInput):
        scale = 64 if layer.scale is None else layer.scale
        return int(payloads[0]) * scale + ((layer.offset or 0) << STATE_SHIFT)
    places, weights = incoming(layer, layer.weights, neuron)
    by_place = dict(zip(places.tolist(), weights.tolist(), strict=True))
    pairs = zip(inputs.tolist(), payloads.tolist(), strict=True)
    return sum(by_place[i] * payload for i, payload in pairs) << STATE_SHIFT


def _cut(value: int, bits: int) -> int:
    """Divide by a power of two, toward zero."""
    return value >> bits if value >= 0 else -(-value >> bits)


def _shifted(value: int, exponent: int) -> int:
    return _cut(value, exponent) if exponent >= 0 else value << -exponent
