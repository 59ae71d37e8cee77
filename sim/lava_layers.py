"""The processes of a layer on Lava's CPU simulator, and what connects them.

A layer is synapses (Lava's `Dense` or `Conv`), neurons (`lava_neurons`) and, where it has axonal
delays, `AxonDelay`. Between layers stand `Axons` where Lava's direct connection does not do: behind
several sources, sources of different lag, or payloads of different units.
"""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..compile import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    WeightRegisters,
)
from ..hw_profiles.units import SPIKE, common_unit
from ..netx import Shape, is_complex, size_of
from .lava_neurons import in_lava_order, neuron_process
from .lava_order import lava_order, lava_shape
from .lava_processes.axons import (
    AxonDelay,
    Axons,
    PyAxonDelay,
    PyAxons,
)
from .lava_processes.recorder import RecordPlan
from .lava_synapses import PAYLOAD_BITS, conv_synapses, dense_synapses
from .lava_timing import LavaTiming
from .output_units import output_unit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sender:
    """What others can hear: the port of the input or of a layer.

    Attributes
    ----------
    port : lava OutPort
        In Lava's shape.
    shape : tuple of int
        (N,) or (C, H, W).
    unit : Fraction
        What a payload of 1 stands for.
    is_binary : bool
        Whether nothing but 0 and 1 is sent.
    lag : int
        Steps of Lava behind the source.
    """

    port: Any
    shape: Shape
    unit: Fraction
    is_binary: bool
    lag: int


@dataclass(slots=True, kw_only=True, eq=False)
class NetworkBuilder:
    """Makes processes and connects them; remembers the model of each."""

    timing: LavaTiming
    senders: dict[int, Sender]
    models: dict[Any, type]
    last: Any = field(init=False, default=None)

    def add(self, made: tuple[Any, type]) -> Any:
        """Keep a process and its model."""
        process, model = made
        self.models[process] = model
        return process

    def add_layer(self, index: int, layer: ChipLayer, plan: RecordPlan) -> None:
        """Make the processes of a layer, and connect them to those that it hears."""
        heard = [self.senders[source] for source in layer.sources]
        unit = common_unit([sender.unit for sender in heard])
        own = output_unit(layer)
        feedback = layer.weights_rec if isinstance(layer, ChipDense) else None
        if feedback is not None:
            unit = common_unit([unit, own])
        delay = None if isinstance(layer, ChipInput) else layer.delay
        is_delayed = delay is not None and bool(delay.any())
        quiet = RecordPlan(window=plan.window, state_path=plan.state_path, states=plan.states)
        neurons = self.add(neuron_process(layer, quiet if is_delayed else plan, unit))
        if is_complex(layer.neuron):
            entries = (neurons.a_real_in, neurons.a_imag_in)
        else:
            entries = (neurons.a_in,)
        arriving = self._arriving(layer, heard, unit)
        if isinstance(layer, ChipInput):
            for entry in entries:
                _connect(arriving.port, entry)
        else:
            for weights, reached in _weights_of(layer, entries):
                synapses = self.add(_synapses(layer, weights, arriving))
                _connect(arriving.port, synapses.s_in)
                for entry in reached:
                    _connect(synapses.a_out, entry)
        spikes = Sender(
            port=neurons.s_out,
            shape=layer.shape_out,
            unit=own,
            is_binary=own == SPIKE,
            lag=self.timing.lags[index],
        )
        if feedback is not None:
            self._feed_back(layer, feedback, spikes, unit, entries)
        if delay is not None and is_delayed:
            steps = in_lava_order(layer, delay)
            sent = replace(plan, state_path="", states=())  # the neurons write these
            process = self.add((AxonDelay(delay=steps, plan=sent), PyAxonDelay))
            spikes.port.connect(process.s_in)
            spikes = replace(spikes, port=process.s_out)
        self.senders[index] = spikes
        self.last = neurons

    def _arriving(self, layer: ChipLayer, heard: list[Sender], unit: Fraction) -> Sender:
        """Return all that a layer hears as one sender, side by side, of one unit and lag."""
        lag = max(sender.lag for sender in heard)
        if len(heard) == 1 and heard[0].unit == unit and _same_order(heard[0].shape, layer):
            return heard[0]
        shape = lava_shape(layer.shape_in)
        place_of = np.argsort(lava_order(layer.shape_in))
        entries: list[Any] = []
        first = 0
        for sender in heard:
            places = place_of[first + lava_order(sender.shape)]
            axons = Axons(
                places=places.reshape(lava_shape(sender.shape)),
                shape_out=shape,
                wait=lag - sender.lag,
                factor=int(sender.unit / unit),
            )
            self.add((axons, PyAxons))
            sender.port.connect(axons.s_in)
            entries.append(axons.s_out)
            first += size_of(sender.shape)
        return Sender(
            port=entries,
            shape=layer.shape_in,
            unit=unit,
            is_binary=all(s.is_binary and s.unit == unit for s in heard),
            lag=lag,
        )

    def _feed_back(
        self,
        layer: ChipLayer,
        weights: WeightRegisters,
        spikes: Sender,
        unit: Fraction,
        entries: tuple[Any, ...],
    ) -> None:
        """Let the neurons hear what they fired a step before."""
        order = lava_order(layer.shape_out)
        port, is_binary = spikes.port, spikes.is_binary and spikes.unit == unit
        if spikes.unit != unit:
            shape = lava_shape(layer.shape_out)
            axons = Axons(
                places=np.arange(size_of(shape)).reshape(shape),
                shape_out=shape,
                wait=0,
                factor=int(spikes.unit / unit),
            )
            self.add((axons, PyAxons))
            port.connect(axons.s_in)
            port = axons.s_out
        synapses = self.add(
            dense_synapses(
                weights,
                order,
                order,
                message_bits=0 if is_binary else PAYLOAD_BITS,
                wide=not is_binary,
            )
        )
        _connect(port, synapses.s_in)
        for entry in entries:
            _connect(synapses.a_out, entry)


def _weights_of(
    layer: ChipDense | ChipConv, entries: tuple[Any, ...]
) -> list[tuple[WeightRegisters, tuple[Any, ...]]]:
    """Return which weights lead to which inputs of the neurons."""
    if layer.weights_imag is None or len(entries) == 1:
        return [(layer.weights, entries)]
    return [(layer.weights, entries[:1]), (layer.weights_imag, entries[1:])]


def _synapses(
    layer: ChipDense | ChipConv, weights: WeightRegisters, arriving: Sender
) -> tuple[Any, type]:
    message_bits = 0 if arriving.is_binary else PAYLOAD_BITS
    if isinstance(layer, ChipConv):
        return conv_synapses(layer, weights, message_bits)
    return dense_synapses(
        weights,
        lava_order(layer.shape_out),
        lava_order(layer.shape_in),
        message_bits=message_bits,
        # inputs of the network are known to keep within 32 bits, see `check_input_fits`
        wide=not arriving.is_binary and arriving.unit != SPIKE,
    )


def _same_order(shape: Shape, layer: ChipLayer) -> bool:
    """Tell whether neurons of this shape stand among the inputs of a layer as Lava orders them."""
    return shape == layer.shape_in or len(shape) == 1 == len(layer.shape_in)


def _connect(ports: Any, entry: Any) -> None:
    """Connect one port or several, whose sum arrives, flat or as an image."""
    for port in ports if isinstance(ports, list) else [ports]:
        if port.shape == entry.shape:
            port.connect(entry)
        else:
            port.reshape(entry.shape).connect(entry)
