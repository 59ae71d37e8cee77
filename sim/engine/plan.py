"""From registers to what the kernels take: layers, their sources and their numbering.

The engine numbers the neurons of images channel fastest. Everything that meets those numbers (rows
of dense weights, tables of several sources, the log) is brought into that order here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ...compile import (
    NETWORK_INPUT,
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
)
from ...hw_profiles.arithmetic import STATE_SHIFT
from ...hw_profiles.units import WEIGHT_TO_SIGMA
from ...netx import AlifNeuron, Shape, SigmaDeltaNeuron, current_shift, is_complex, size_of
from ..timeline import Timeline, Timing, chip_timing
from .family_structures import Adaptation, Alignment, FamilyNeurons
from .plan_neurons import padded_size, plan_adaptation, plan_neurons
from .plan_synapses import (
    NO_ALIGNMENT,
    SPIKE_FACTOR,
    conv_kernels,
    cuba_kernel,
    cuba_synapses,
    dense_synapses,
    unit_bits,
)
from .structures import Int32Array, Kernel, Neurons, Synapses

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
class InputScale:
    """What neurons at the input make of a number, in the units of their states.

    Attributes
    ----------
    scale, offset : int
        What it is multiplied with, and what is added.
    exponent : int
        It is divided by ``2**exponent``, toward zero.
    clips : bool
        Whether numbers beyond 32 bits are clipped (resonators) or wrapped.
    """

    scale: int
    offset: int
    exponent: int
    clips: bool


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
    imag : Synapses, Kernel or None
        Weights to the imaginary part of resonators; None where both parts take the same.
    alignment : Alignment
        Of sums; CUBA neurons have theirs in `synapses`.
    numbers : InputScale or None
        For neurons at the input.
    neurons : Neurons or another family's
        Parameters.
    adaptation : Adaptation or None
        For thresholds that adapt.
    padded : int
        Length of the states.
    is_special : bool
        See `Special`; always for neurons other than CUBA.
    channels : int
        Of the image whose neurons are numbered channel fastest, else 1.
    """

    source: int | None
    joined: tuple[Joined, ...]
    inputs: int
    synapses: LayerSynapses
    imag: LayerSynapses
    alignment: Alignment
    numbers: InputScale | None
    neurons: Neurons | FamilyNeurons
    adaptation: Adaptation | None
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
    timing : Timing
        When layers run and what is shown of them.
    n_steps : int
        Of the input.
    """

    layers: tuple[LayerPlan, ...]
    input_order: Int32Array
    takes_spikes: bool
    timing: Timing
    n_steps: int

    @property
    def end(self) -> int:
        """Steps from the first in which a layer runs to the end of the sample."""
        return self.timing.before + self.n_steps + self.timing.after


def plan_network(
    compiled: CompiledNetwork, n_steps: int, timeline: Timeline = Timeline.SLAYER
) -> NetworkPlan:
    """Return what the kernels need to run a network on samples of `n_steps`."""
    network = compiled.network
    timing = chip_timing(network, n_steps, timeline)
    order = _input_order(network.input_shape)
    sent = {NETWORK_INPUT: _Sent(shape=network.input_shape, natural=_inverse(order), bits=0)}
    plans: list[LayerPlan] = []
    for index, layer in enumerate(network.layers):
        plans.append(_plan_layer(layer, sent, timing.first_step[index]))
        sent[index] = _Sent(
            shape=layer.shape_out,
            natural=plans[-1].neurons.natural,
            bits=unit_bits(layer),
        )
    return NetworkPlan(
        layers=tuple(plans),
        input_order=order,
        takes_spikes=any(
            NETWORK_INPUT in layer.sources and not isinstance(layer, ChipInput)
            for layer in network.layers
        ),
        timing=timing,
        n_steps=n_steps,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sent:
    """What a layer sends: the natural number of each of its neurons, and its unit, 2**-bits."""

    shape: Shape
    natural: Int32Array
    bits: int


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
    natural = (
        _natural(layer.shape_out)
        if is_image
        else np.arange(size_of(layer.shape_out), dtype=np.int32)
    )
    neurons = plan_neurons(layer, natural, first_step)
    recurs = isinstance(layer, ChipDense) and layer.weights_rec is not None
    source, joined, synapses, imag, alignment = None, (), None, None, NO_ALIGNMENT
    if not isinstance(layer, ChipInput):
        source, rows, joined = _inputs(layer, sent)
        bits = max(sent[each].bits for each in layer.sources)
        if isinstance(neurons, Neurons):
            synapses = (
                cuba_synapses(layer, rows, padded_size(layer), bits)
                if isinstance(layer, ChipDense)
                else cuba_kernel(layer, bits)
            )
        elif isinstance(layer, ChipDense):
            synapses, imag, alignment = dense_synapses(layer, rows, padded_size(layer), bits)
        else:
            synapses, imag, alignment = conv_kernels(layer, bits)
    return LayerPlan(
        source=source,
        joined=joined,
        inputs=size_of(layer.shape_in),
        synapses=synapses,
        imag=imag,
        alignment=alignment,
        numbers=_input_scale(layer) if isinstance(layer, ChipInput) else None,
        neurons=neurons,
        adaptation=plan_adaptation(layer, natural),
        padded=padded_size(layer),
        is_special=recurs or _is_special(neurons),
        channels=layer.shape_out[0] if is_image else 1,
    )


def _is_special(neurons: Neurons | FamilyNeurons) -> bool:
    return (
        not isinstance(neurons, Neurons)
        or neurons.delay.size > 0
        or neurons.graded
        or neurons.refractory != 1
        or neurons.exponent != 0
    )


def _input_scale(layer: ChipInput) -> InputScale:
    neuron, exponent = layer.neuron, 0
    if isinstance(neuron, AlifNeuron):
        exponent = current_shift(neuron)
    if isinstance(neuron, SigmaDeltaNeuron):
        exponent = STATE_SHIFT - WEIGHT_TO_SIGMA
    return InputScale(
        scale=SPIKE_FACTOR if layer.scale is None else layer.scale,
        offset=(layer.offset or 0) << STATE_SHIFT,
        exponent=exponent,
        clips=is_complex(neuron),
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
    bits = max(part.bits for part in parts)
    joined: list[Joined] = []
    first = 0
    for source, part in zip(layer.sources, parts, strict=True):
        table = np.ascontiguousarray(place[first + part.natural])
        joined.append(Joined(source=source, table=table, scale=1 << (bits - part.bits)))
        first += part.natural.size
    return None, wanted, tuple(joined)
