"""From registers to what the kernels take: weights in their narrowest type, in the engine's order.

The engine numbers the neurons of images channel fastest. Everything that meets those numbers (rows
of dense weights, tables of several sources, the log) is brought into that order here, once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compile import (
    NETWORK_INPUT,
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
    bias_leads,
    neuron_count,
    per_neuron,
)
from ...hw_profiles.arithmetic import STATE_SHIFT
from ...netx import IntArray, Shape, current_shift, size_of
from ..cuba_layers import cuba_neuron
from .geometry import plan_kernel
from .structures import Int32Array, Kernel, Neurons, Synapses

VECTOR = 64  # states are padded to a multiple of this, so that no loop has a rest
TILE = 1024  # parameters that repeat are kept in the first-level cache
GRADED_UNITS = 4096  # payloads of graded spikes are in 1/4096
SPIKE_FACTOR = 1 << STATE_SHIFT
KERNEL_FACTOR = SPIKE_FACTOR << 2  # `_update_currents` takes 2 bits back, to wrap at 24

LayerSynapses: TypeAlias = Synapses | Kernel | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """How the spikes of a source enter a layer of several sources.

    Attributes
    ----------
    source : int
        Layer, or `NETWORK_INPUT`.
    table : int32 array, shape (neurons of the source,)
        Number of each in the layer's input.
    scale : int
        What its values are multiplied with, to be in the common unit.
    """

    source: int
    table: Int32Array
    scale: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerPlan:
    """A layer as the kernels take it.

    Attributes
    ----------
    source : int or None
        The only source, whose numbering is the layer's; None where sources are `joined`.
    joined : tuple of Joined
        Else all of them.
    inputs : int
        Neurons that come in.
    synapses : Synapses, Kernel or None
        None for neurons at the input.
    scale, offset : int
        What numbers at the input are multiplied with, and what is added, in state units.
    neurons : Neurons
        Parameters.
    padded : int
        Length of the states.
    is_special : bool
        See `Special`.
    channels : int
        Of the image whose neurons are numbered channel fastest, else 1.
    """

    source: int | None
    joined: tuple[Joined, ...]
    inputs: int
    synapses: LayerSynapses
    scale: int
    offset: int
    neurons: Neurons
    padded: int
    is_special: bool
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkPlan:
    """A network as the kernels take it.

    Attributes
    ----------
    layers : tuple of LayerPlan
        In forward order.
    input_order : int32 array, shape (inputs,)
        The engine's number of each input.
    takes_spikes : bool
        Whether any layer takes the input as spikes; neurons at the input take numbers.
    before : int
        Steps before the input begins, for biases.
    """

    layers: tuple[LayerPlan, ...]
    input_order: Int32Array
    takes_spikes: bool
    before: int


def plan_network(compiled: CompiledNetwork) -> NetworkPlan:
    """Return what the kernels need of a network of CUBA neurons."""
    network = compiled.network
    leads = bias_leads(network)
    before = max(leads)
    order = _input_order(network.input_shape)
    sent = {NETWORK_INPUT: _Sent(shape=network.input_shape, natural=_inverse(order), is_wide=False)}
    plans: list[LayerPlan] = []
    for index, (layer, lead) in enumerate(zip(network.layers, leads, strict=True)):
        plans.append(_plan_layer(layer, sent, before - lead))
        sent[index] = _Sent(
            shape=layer.shape_out,
            natural=plans[-1].neurons.natural,
            is_wide=cuba_neuron(layer).graded_spike,
        )
    return NetworkPlan(
        layers=tuple(plans),
        input_order=order,
        takes_spikes=any(
            NETWORK_INPUT in layer.sources and not isinstance(layer, ChipInput)
            for layer in network.layers
        ),
        before=before,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sent:
    """What a layer sends: the natural number of each of its neurons, and whether in 1/4096."""

    shape: Shape
    natural: Int32Array
    is_wide: bool


def _input_order(shape: Shape) -> Int32Array:
    return (
        _inverse(_natural(shape)) if len(shape) == 3 else np.arange(size_of(shape), dtype=np.int32)
    )


def _natural(shape: Shape) -> Int32Array:
    """Return the channel-slowest numbers of (C, H, W), read channel fastest."""
    numbers = np.arange(size_of(shape), dtype=np.int32).reshape(shape)
    return np.ascontiguousarray(numbers.transpose(1, 2, 0).reshape(-1))


def _inverse(order: Int32Array) -> Int32Array:
    inverse = np.empty_like(order)
    inverse[order] = np.arange(order.size, dtype=np.int32)
    return inverse


def _plan_layer(layer: ChipLayer, sent: dict[int, _Sent], first_step: int) -> LayerPlan:
    is_image = not isinstance(layer, ChipDense) and len(layer.shape_out) == 3
    count = neuron_count(layer)
    natural = _natural(layer.shape_out) if is_image else np.arange(count, dtype=np.int32)
    channels = layer.shape_out[0] if is_image else 1
    padded = -(-count // VECTOR) * VECTOR
    neurons = _neurons(layer, natural, padded, first_step)
    recurs = isinstance(layer, ChipDense) and layer.weights_rec is not None
    is_special = (
        recurs
        or neurons.delay.size > 0
        or neurons.graded
        or neurons.refractory != 1
        or neurons.exponent != 0
    )
    source, joined, synapses = None, (), None
    scale = offset = 0
    if isinstance(layer, ChipInput):
        scale = SPIKE_FACTOR if layer.scale is None else layer.scale
        offset = (layer.offset or 0) << STATE_SHIFT
    else:
        source, rows, joined = _inputs(layer, sent)
        is_wide = any(sent[s].is_wide for s in layer.sources)
        if isinstance(layer, ChipDense):
            synapses = _synapses(layer, rows, padded, is_wide)
        else:
            synapses = _kernel(layer, is_wide)
    return LayerPlan(
        source=source,
        joined=joined,
        inputs=size_of(layer.shape_in),
        synapses=synapses,
        scale=scale,
        offset=offset,
        neurons=neurons,
        padded=padded,
        is_special=is_special,
        channels=channels,
    )


def _inputs(
    layer: ChipDense | ChipConv, sent: dict[int, _Sent]
) -> tuple[int | None, Int32Array, tuple[Joined, ...]]:
    """Return the only source or how several are joined, and the natural number of each input."""
    parts = [sent[source] for source in layer.sources]
    wanted = np.arange(size_of(layer.shape_in), dtype=np.int32)
    if isinstance(layer, ChipConv):
        wanted = _natural(layer.shape_in)
    if len(parts) == 1:
        natural = parts[0].natural
        if isinstance(layer, ChipDense) or np.array_equal(natural, wanted):
            return layer.sources[0], natural, ()
    place = _inverse(wanted)
    is_wide = any(part.is_wide for part in parts)
    joined: list[Joined] = []
    first = 0
    for source, part in zip(layer.sources, parts, strict=True):
        table = np.ascontiguousarray(place[first + part.natural])
        scale = GRADED_UNITS if is_wide and not part.is_wide else 1
        joined.append(Joined(source=source, table=table, scale=scale))
        first += part.natural.size
    return None, wanted, tuple(joined)


def _synapses(layer: ChipDense, rows: Int32Array, padded: int, is_wide: bool) -> Synapses:
    weight = layer.weights.effective()
    back = np.zeros((0, weight.shape[0]), dtype=np.int32)
    if layer.weights_rec is not None:
        back = np.ascontiguousarray(layer.weights_rec.effective().T)
    is_graded = layer.weights_rec is not None and cuba_neuron(layer).graded_spike
    wide = is_wide or is_graded
    (narrow, narrow_back), shift = narrowest([weight.T[rows], back], keep_unit=wide)
    return Synapses(
        weights=_padded_rows(narrow, padded),
        recurrent=_padded_rows(narrow_back, padded),
        factor=1 if wide else SPIKE_FACTOR << shift,
        wide=wide,
        input_scale=GRADED_UNITS if wide and not is_wide else 1,
        own_scale=GRADED_UNITS if wide and not is_graded else 1,
    )


def _kernel(layer: ChipConv, is_wide: bool) -> Kernel:
    (weight,), shift = narrowest([layer.weights.effective()], keep_unit=is_wide)
    return plan_kernel(layer, weight, factor=1 if is_wide else KERNEL_FACTOR << shift, wide=is_wide)


def narrowest(weights: list[IntArray], *, keep_unit: bool) -> tuple[list[NDArray[np.integer]], int]:
    """Return weights in the narrowest type that holds them without their common power of two.

    Parameters
    ----------
    weights : list of int32 array
        Weights that are summed together.
    keep_unit : bool
        Whether the power of two stays in.

    Returns
    -------
    weights : list of int8, int16 or int32 array
        All of one type.
    shift : int
        The power of two that was taken out.

    Examples
    --------
    >>> narrowest([np.array([-256, 4, 252], dtype=np.int32)], keep_unit=False)
    ([array([-64,   1,  63], dtype=int8)], 2)
    """
    bits = 0
    for weight in weights:
        bits |= int(np.bitwise_or.reduce(weight, axis=None))
    shift = 0 if keep_unit or bits == 0 else (bits & -bits).bit_length() - 1
    shifted = [weight >> shift for weight in weights]
    least = min((int(weight.min()) for weight in shifted if weight.size), default=0)
    most = max((int(weight.max()) for weight in shifted if weight.size), default=0)
    for kind in (np.int8, np.int16):
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return [weight.astype(kind) for weight in shifted], shift
    return list(shifted), shift


def _padded_rows(rows: NDArray[np.integer], padded: int) -> NDArray[np.integer]:
    wide = np.zeros((rows.shape[0], padded), dtype=rows.dtype)
    wide[:, : rows.shape[1]] = rows
    return wide


def _neurons(layer: ChipLayer, natural: Int32Array, padded: int, first_step: int) -> Neurons:
    neuron = cuba_neuron(layer)
    bias = None if isinstance(layer, ChipInput) else layer.bias
    delay = None if isinstance(layer, ChipInput) else layer.delay
    zero = np.zeros((), dtype=np.int32)
    values = [
        per_neuron(value, layer)[natural].astype(np.int64)
        for value in (
            neuron.current_decay,
            neuron.voltage_decay,
            zero if bias is None else bias,
        )
    ]
    period = _period(layer, values)
    tile = min(padded, period * max(1, TILE // period))
    current_decay, voltage_decay, shift = (np.resize(value, tile) for value in values)
    bias_in_states = shift << STATE_SHIFT
    limit = min(neuron.vth_mantissa << STATE_SHIFT, int(np.iinfo(np.int32).max))
    is_late = delay is not None and bool(delay.any())
    delays = per_neuron(zero if delay is None else delay, layer)[natural]
    return Neurons(
        count=neuron_count(layer),
        kept_current=1.0 - current_decay / 4096,
        kept_voltage=1.0 - voltage_decay / 4096,
        bias=bias_in_states,
        bias_low=bias_in_states.astype(np.int32),
        limit=limit,
        refractory=neuron.refractory_delay,
        exponent=current_shift(neuron),
        graded=neuron.graded_spike,
        first_step=first_step,
        delay=delays if is_late else np.zeros(0, dtype=np.int32),
        natural=natural,
    )


def _period(layer: ChipLayer, values: list[NDArray[np.int64]]) -> int:
    """Return after how many neurons parameters repeat, as a multiple of `VECTOR`."""
    if all(bool(np.all(value == value[0])) for value in values):
        return VECTOR
    if isinstance(layer, ChipConv):
        return math.lcm(layer.shape_out[0], VECTOR)
    # channels of neurons at the input, or every neuron of a dense layer, by itself
    return -(-neuron_count(layer) // VECTOR) * VECTOR
