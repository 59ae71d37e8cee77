"""How far every state of a network can go, whatever its input, and which input overflows one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import CONV_BITS, Int64Array
from ..hw_profiles.units import SPIKE
from ..netx import SigmaDeltaNeuron, size_of, steps_before_input
from .fan_in import FanIn, Interval, Sent, fan_in, joined
from .neuron_reach import NeuronReach, neuron_reach, own_output
from .overflow_input import OverflowInput
from .overflow_search import find_overflow
from .reach import UNBOUNDED
from .stages import NETWORK_INPUT, ChipConv, ChipLayer, ChipNetwork, neuron_count

STATE_BITS = 24
SIGMA_DELTA_BITS = 32
KERNEL_SUM = "sum"  # the state of this name is the sum of a convolution, which Lava wraps


class Verdict(str, Enum):
    """What is known of a state."""

    PROVED = "proved"  # no input takes it out of its register
    REACHABLE = "reachable"  # the witness does
    NOT_PROVED = (
        "not proved"  # the bound lies beyond the register, no input that goes there is known
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBounds:
    """How far a state of a layer can go.

    Attributes
    ----------
    layer : str
        Name of the user's layer.
    state : str
        As the interpreter names it: 'current', 'voltage', 'real', 'imag', 'threshold',
        'refractory', 'sigma', 'activation'; 'change' is what a sigma-delta neuron compares with its
        threshold, 'sum' a convolution's, in weight units.
    low, high : int or None
        No input takes the state of any neuron beyond, before it is wrapped, clipped or reset; None
        is without bound. Always ``low <= 0 <= high``.
    bits : int
        Width of the register, sign included.
    headroom_bits : float
        ``log2(2**(bits - 1) / max(-low, high))``: by how many bits weights and thresholds could
        grow. Infinite for a state that is always 0, minus infinity without bound.
    neuron : int
        The neuron that goes farthest; channel slowest.
    witness : OverflowInput or None
        An input of the layer that takes the state out of its register.
    """

    layer: str
    state: str
    low: int | None
    high: int | None
    bits: int
    headroom_bits: float
    neuron: int
    witness: OverflowInput | None = None

    @property
    def verdict(self) -> Verdict:
        """What is known."""
        if self.low is not None and self.high is not None:
            most = (1 << (self.bits - 1)) - 1
            if max(-self.low, self.high) <= most:
                return Verdict.PROVED
        return Verdict.NOT_PROVED if self.witness is None else Verdict.REACHABLE


def state_bounds(
    network: ChipNetwork, input_max: int = 1, steps: int | None = None
) -> tuple[StateBounds, ...]:
    """Bound every state of a network by interval analysis in whole numbers.

    Parameters
    ----------
    network : ChipNetwork
        In register form.
    input_max : int
        The largest count that the network is fed; 1 for binary spikes. Neurons at the input take
        SLAYER's numbers, from -256 to 254 in 1/64.
    steps : int, optional
        Length of the longest sample; without it the bounds hold for samples of any length.

    Returns
    -------
    tuple of StateBounds
        By layer and state.

    Notes
    -----
    Layers are bounded one after the other, each by what the layers before can send: neurons that
    cannot reach their threshold send nothing. Which of their spikes can come together is not asked.
    Bounds of CUBA currents, and of voltages that are never reset, are reached by an input of the
    layer; see `neuron_reach`, `resonator_reach` and `fan_in` for the rules of each kind.
    """
    leads = steps_before_input(layer.delay_shift for layer in network.layers)
    size = size_of(network.input_shape)
    none = np.zeros(size, dtype=np.int64)
    most = np.full(size, input_max, dtype=np.int64)
    total = np.full(size, UNBOUNDED if steps is None else input_max * steps, dtype=np.int64)
    sent = {NETWORK_INPUT: Sent(value=(most, none), total=(total, none), unit=SPIKE)}
    found: list[StateBounds] = []
    for index, layer in enumerate(network.layers):
        duration = None if steps is None else steps + leads[index]
        arriving = joined([sent[source] for source in layer.sources])
        own = own_output(layer.neuron, neuron_count(layer))
        inputs = fan_in(layer, arriving, own, duration)
        reach = neuron_reach(layer, inputs, duration)
        found += _bounds(layer, inputs, reach, arriving, duration)
        sent[index] = Sent(
            value=_per_neuron(layer, inputs.neurons, reach.value),
            total=_per_neuron(layer, inputs.neurons, reach.total),
            unit=reach.unit,
        )
    return tuple(found)


def _bounds(
    layer: ChipLayer, inputs: FanIn, reach: NeuronReach, arriving: Sent, steps: int | None
) -> list[StateBounds]:
    bits = SIGMA_DELTA_BITS if isinstance(layer.neuron, SigmaDeltaNeuron) else STATE_BITS
    found: list[StateBounds] = []
    if inputs.sums is not None:
        found.append(_bound(layer, KERNEL_SUM, CONV_BITS, inputs, inputs.sums, arriving, steps))
    for name, interval in reach.states.items():
        found.append(_bound(layer, name, bits, inputs, interval, arriving, steps))
    return found


def _bound(
    layer: ChipLayer,
    state: str,
    bits: int,
    inputs: FanIn,
    interval: Interval,
    arriving: Sent,
    steps: int | None,
) -> StateBounds:
    up, down = (int(reach.max()) for reach in interval)
    largest = max(up, down)
    witness = None
    if largest >= 1 << (bits - 1):
        candidates = [
            (int(inputs.neurons[_farthest(reach, pushes)]), upward)
            for reach, pushes, upward in zip(interval, inputs.real, (True, False), strict=True)
            if int(reach.max()) >= 1 << (bits - 1)
        ]
        witness = find_overflow(layer, state, candidates, arriving, steps)
    return StateBounds(
        layer=layer.name,
        state=state,
        low=None if down >= UNBOUNDED else -down,
        high=None if up >= UNBOUNDED else up,
        bits=bits,
        headroom_bits=_headroom(largest, bits),
        neuron=int(inputs.neurons[int(np.maximum(*interval).argmax())]),
        witness=witness,
    )


def _headroom(largest: int, bits: int) -> float:
    if largest == 0:
        return math.inf
    return -math.inf if largest >= UNBOUNDED else bits - 1 - math.log2(largest)


def _farthest(reach: Int64Array, pushes: Int64Array) -> int:
    """Return the class that goes farthest, of several without bound the one driven hardest."""
    return int(np.lexsort((pushes, reach))[-1])


def _per_neuron(layer: ChipLayer, neurons: NDArray[np.int64], interval: Interval) -> Interval:
    """Return an interval for every neuron: the widest of its channel's classes."""
    if not isinstance(layer, ChipConv):
        return interval
    channels = layer.shape_out[0]
    size = neuron_count(layer) // channels
    sides: list[Int64Array] = []
    for reach in interval:
        widest = np.zeros(channels, dtype=np.int64)
        np.maximum.at(widest, neurons // size, reach)
        sides.append(np.repeat(widest, size))
    return sides[0], sides[1]
