"""How far the states of each kind of neuron can go, and what the neuron can send."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import STATE_LIMIT, STATE_SHIFT, Int64Array
from ..hw_profiles.units import GRADED, SIGMA_TO_MESSAGE, SIGMA_UNIT, SPIKE, WEIGHT_TO_SIGMA
from ..netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    Neuron,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    current_shift,
)
from .fan_in import FanIn, Interval, Sent, parameter
from .reach import UNBOUNDED, cascade_reach, decayed, leaky_reach, plus
from .resonator_reach import adaptation_reach, resonator_reach
from .stages import ChipInput, ChipLayer

STATE_MOST = STATE_LIMIT - 1
WIDE_LIMIT = 1 << 31  # sigma-delta neurons have 32 bits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeuronReach:
    """What neurons can do; one entry for each class of neurons.

    Attributes
    ----------
    states : mapping of str to pair of int64 array, shape (classes,)
        Reach of each state, upward and downward, of what is to be stored before it is wrapped or
        clipped, and before a reset.
    value, total : pair of int64 array, shape (classes,)
        What is sent; see `Sent`.
    unit : Fraction
        What an output of 1 stands for.
    """

    states: Mapping[str, Interval]
    value: Interval
    total: Interval
    unit: Fraction


def neuron_reach(layer: ChipLayer, fan_in: FanIn, steps: int | None) -> NeuronReach:
    """Return how far the states of a layer go.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    fan_in : FanIn
        What can reach its neurons in a step.
    steps : int or None
        How long the layer runs; None is for ever.
    """
    neuron = layer.neuron
    match neuron:
        case CubaNeuron():
            return _cuba(layer, neuron, fan_in, steps)
        case AlifNeuron():
            return _alif(layer, neuron, fan_in, steps)
        case SigmaDeltaNeuron():
            return _sigma_delta(layer, neuron, fan_in, steps)
        case _:
            states, fires = resonator_reach(layer, neuron, fan_in, steps)
            return _spiking(neuron, states, fires, states["real"], steps)


def fits(interval: Interval) -> NDArray[np.bool_]:
    """Tell which intervals lie within 24 bits, ±(2**23 - 1)."""
    return (interval[0] <= STATE_MOST) & (interval[1] <= STATE_MOST)


def own_output(neuron: Neuron, neurons: int) -> Sent:
    """Return what registers let a neuron send at most: what recurrent weights take."""
    none = np.zeros(neurons, dtype=np.int64)
    endless = np.full(neurons, UNBOUNDED, dtype=np.int64)
    if isinstance(neuron, SigmaDeltaNeuron):
        most = np.full(neurons, WIDE_LIMIT >> SIGMA_TO_MESSAGE, dtype=np.int64)
        return Sent(value=(most, most), total=(endless, endless), unit=GRADED)
    if neuron.graded_spike:
        most = np.full(neurons, STATE_MOST, dtype=np.int64)
        below = most if _fires_below_zero(neuron) else none
        return Sent(value=(most, below), total=(endless, endless), unit=GRADED)
    return Sent(value=(none + 1, none), total=(endless, none), unit=SPIKE)


def _fires_below_zero(neuron: Neuron) -> bool:
    """Tell whether spikes can lower the threshold, so that payloads may be negative."""
    return isinstance(neuron, AlifNeuron | AdaptiveResonatorNeuron) and neuron.vth_step < 0


def _cuba(layer: ChipLayer, neuron: CubaNeuron, fan_in: FanIn, steps: int | None) -> NeuronReach:
    """Bound current and voltage of CUBA neurons.

    The current is exact. A voltage that was not reset is exact, too, since both states are monotone
    in every input. A voltage above the threshold is reset, so that the largest is the threshold,
    decayed, plus a step's rise. If the neuron did not fire in the step before, that step's current
    was at most ``threshold - bias - decayed(lowest voltage)``, which bounds this step's. If it did,
    the voltage starts from 0. Resets never take a voltage below 0, and threshold 0 is the least.
    """
    bias = _bias(layer, fan_in)
    shift = current_shift(neuron)
    current_decay = parameter(neuron.current_decay, layer, fan_in.neurons)
    voltage_decay = parameter(neuron.voltage_decay, layer, fan_in.neurons)
    current, free = _leaky(fan_in.real, bias, shift, current_decay, voltage_decay, steps)
    threshold = np.int64(max(neuron.vth_mantissa, 0) << STATE_SHIFT)
    drive = _register(current, fan_in.real)
    rise = _scaled(plus(drive[0], bias), shift)
    if shift == 0:
        before = plus(decayed(free[1], voltage_decay), threshold - bias)
        from_before = decayed(np.minimum(drive[0], before), current_decay) + fan_in.real[0]
        rested = plus(np.minimum(drive[0], np.minimum(from_before, UNBOUNDED)), bias)
        # a wrapped current owes nothing to the one before, a clipped voltage may hide a larger
        rested = np.where(fits(current) & (threshold < STATE_MOST), rested, rise)
    else:
        rested = rise
    up = np.maximum(plus(rested, decayed(np.full_like(rise, threshold), voltage_decay)), rise)
    voltage = np.minimum(free[0], up), free[1]
    fires = voltage[0] > threshold
    states = {"current": current, "voltage": voltage}
    return _spiking(neuron, states, fires, voltage, steps)


def _alif(layer: ChipLayer, neuron: AlifNeuron, fan_in: FanIn, steps: int | None) -> NeuronReach:
    """Bound the states of ALIF neurons: current and voltage, never reset, exactly."""
    bias = _bias(layer, fan_in)
    shift = current_shift(neuron)
    arriving = (
        _scaled(plus(fan_in.real[0], bias), shift),
        _scaled(plus(fan_in.real[1], -bias), shift),
    )
    current_decay = parameter(neuron.current_decay, layer, fan_in.neurons)
    voltage_decay = parameter(neuron.voltage_decay, layer, fan_in.neurons)
    none = np.zeros_like(bias)
    current, voltage = _leaky(arriving, none, 0, current_decay, voltage_decay, steps)
    adapting, fires = adaptation_reach(layer, neuron, fan_in.neurons, voltage[0], steps)
    states = {"current": current, "voltage": voltage} | adapting
    return _spiking(neuron, states, fires, voltage, steps)


def _leaky(
    arriving: Interval,
    bias: Int64Array,
    shift: int,
    current_decay: Int64Array,
    voltage_decay: Int64Array,
    steps: int | None,
) -> tuple[Interval, Interval]:
    """Return the reach of a current and of a voltage that is never reset.

    A current that can leave its register wraps, so that the voltage may then take anything that the
    register holds; the voltage's reach covers SLAYER's and Lava's.
    """

    def rising(sign: int, u: Int64Array) -> Int64Array:
        return _scaled(plus(u, sign * bias), shift)

    both = [
        cascade_reach(
            arriving[side], current_decay, functools.partial(rising, sign), voltage_decay, steps
        )
        for side, sign in ((0, 1), (1, -1))
    ]
    current = both[0][0], both[1][0]
    wrapping = _register(current, arriving)
    up, down = (
        np.where(
            fits(current),
            both[side][1],
            leaky_reach(rising(sign, wrapping[side]), voltage_decay, steps),
        )
        for side, sign in ((0, 1), (1, -1))
    )
    return current, (up, down)


def _register(current: Interval, arriving: Interval) -> Interval:
    """Return what the current's register can hold: all of its 24 bits if the current may wrap.

    One wrap brings no input of 2**24 or more back; those are only kept in by Lava's 32 bits.
    """
    far = np.maximum(arriving[0], arriving[1]) >= 2 * STATE_LIMIT
    widest = np.where(far, WIDE_LIMIT, STATE_LIMIT)
    up, down = (np.where(fits(current), reach, np.maximum(reach, widest)) for reach in current)
    return up, down


def _sigma_delta(
    layer: ChipLayer, neuron: SigmaDeltaNeuron, fan_in: FanIn, steps: int | None
) -> NeuronReach:
    """Bound sigma-delta neurons by what their inputs have sent altogether.

    Changes add up to the activation, less a residue below the threshold. A message is a change
    rounded down to 2**-12, so that the messages of a neuron behind weights may fall behind by up to
    63/64 each, for ever; those of numbers at the input are whole.
    """
    states: dict[str, Interval] = {}
    whole_messages = isinstance(layer, ChipInput)
    if whole_messages:
        activation = fan_in.real
    else:
        sigma = states["sigma"] = fan_in.total
        if neuron.sigma_output:
            total = _repeated(sigma, steps)
            return NeuronReach(states=states, value=sigma, total=total, unit=SIGMA_UNIT)
        bias = _bias(layer, fan_in) << (WEIGHT_TO_SIGMA - STATE_SHIFT)
        biased = plus(sigma[0], bias), plus(sigma[1], -bias)
        states["activation"] = biased
        kept = (sigma[0] < WIDE_LIMIT) & (sigma[1] < WIDE_LIMIT) & (biased[0] < WIDE_LIMIT)
        kept &= biased[1] < WIDE_LIMIT
        activation = np.where(kept, biased[0], WIDE_LIMIT), np.zeros_like(bias)
    least = (neuron.vth_mantissa << WEIGHT_TO_SIGMA) + neuron.vth_fraction
    residue = max(least - 1, 0)
    change = plus(activation[0] + activation[1], residue)
    states["change"] = change, change
    sent = np.where(change < WIDE_LIMIT, change, WIDE_LIMIT)
    value = sent >> SIGMA_TO_MESSAGE, -(-sent >> SIGMA_TO_MESSAGE)
    up = plus(activation[0], residue) >> SIGMA_TO_MESSAGE
    down = -(-plus(activation[1], residue) >> SIGMA_TO_MESSAGE)
    if not whole_messages:
        down = np.full_like(down, UNBOUNDED) if steps is None else down + steps
    lossless = change < WIDE_LIMIT
    total = np.where(lossless, up, UNBOUNDED), np.where(lossless, down, UNBOUNDED)
    return NeuronReach(states=states, value=value, total=total, unit=GRADED)


def _spiking(
    neuron: CubaNeuron | AlifNeuron | ResonatorNeuron | AdaptiveResonatorNeuron,
    states: Mapping[str, Interval],
    fires: NDArray[np.bool_],
    payload: Interval,
    steps: int | None,
) -> NeuronReach:
    """Return states with spikes, which carry 1 or what the state register holds at most."""
    none = np.zeros_like(payload[0])
    value = np.where(fires, 1, none), none
    if neuron.graded_spike:
        below = payload[1] if _fires_below_zero(neuron) else none
        up, down = (np.where(fires, np.minimum(r, STATE_MOST), 0) for r in (payload[0], below))
        value = up, down
    unit = GRADED if neuron.graded_spike else SPIKE
    return NeuronReach(states=states, value=value, total=_repeated(value, steps), unit=unit)


def _repeated(value: Interval, steps: int | None) -> Interval:
    """Return the reach of a sum over all steps."""
    up, down = (
        np.where(reach == 0, 0, UNBOUNDED)
        if steps is None
        else np.minimum(reach, UNBOUNDED // max(steps, 1)) * steps
        for reach in value
    )
    return up, down


def _bias(layer: ChipLayer, fan_in: FanIn) -> Int64Array:
    """Return the bias in 1/4096; that of neurons at the input is part of their input."""
    bias = None if isinstance(layer, ChipInput) else layer.bias
    return parameter(bias, layer, fan_in.neurons) << STATE_SHIFT


def _scaled(reach: Int64Array, exponent: int) -> Int64Array:
    """Return ``reach / 2**exponent``, cut toward zero; see `current_shift`."""
    if exponent >= 0:
        return np.where(reach >= UNBOUNDED, UNBOUNDED, reach >> exponent)
    return np.minimum(reach, UNBOUNDED >> -exponent) << -exponent
