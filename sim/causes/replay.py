"""From the log of a run back to what reached each of its layers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from ...compile import CompiledNetwork, as_netx, bias_leads
from ...hw_profiles.arithmetic import Int64Array
from ...hw_profiles.units import SPIKE
from ...netx import (
    ConcatLayer,
    InputLayer,
    Layer,
    LayerShapes,
    Network,
    SynapticLayer,
    infer_shapes,
    size_of,
    spread,
)
from ..interpreter import LayerRun, concatenated, run_from_start, run_layer
from ..neurons import neuron_at_rest
from ..spike_log import SpikeLog


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """A compiled network as layers that can be run by themselves.

    Attributes
    ----------
    compiled : CompiledNetwork
        The registers.
    network : Network
        The same as NetX.
    shapes : tuple of LayerShapes
        Of each layer of `network`.
    placed : tuple of int
        For each layer of the chip its number in `network`.
    before : int
        Steps that biases act before the first input.
    lead_in : tuple of int64 array, shape (1, neurons, before)
        What each layer of `network` sends in those steps.
    """

    compiled: CompiledNetwork
    network: Network
    shapes: tuple[LayerShapes, ...]
    placed: tuple[int, ...]
    before: int
    lead_in: tuple[Int64Array, ...]

    @classmethod
    def of(cls, compiled: CompiledNetwork) -> Timeline:
        """Lay out a compiled network."""
        network = as_netx(compiled.network)
        shape = compiled.network.input_shape
        shapes = infer_shapes(network, shape)
        before = max(bias_leads(compiled.network))
        lead_in = tuple(np.zeros((1, size_of(s.shape_out), 0), dtype=np.int64) for s in shapes)
        if before:
            silence = np.zeros((1, *shape, 1), dtype=np.int64)
            runs, _ = run_from_start(network, silence, shape)
            lead_in = tuple(run.output[:, :, :before] for run in runs)
        return cls(
            compiled=compiled,
            network=network,
            shapes=shapes,
            placed=tuple(k for k, layer in enumerate(network.layers) if has_neurons(layer)),
            before=before,
            lead_in=lead_in,
        )

    def first_step(self, index: int) -> int:
        """Return the step, counted from the start, in which a layer of the chip begins."""
        return self.before - bias_leads(self.compiled.network)[index]

    def reaching(self, index: int, log: SpikeLog, inputs: NDArray[np.integer] | None) -> LayerRun:
        """Return what reached a layer of the chip in a run.

        Parameters
        ----------
        index : int
            Which layer.
        log : SpikeLog
            What the layers before it sent.
        inputs : integer array, shape (N, ..., T), or None
            What the network was fed; needed by layers that it reaches.

        Returns
        -------
        LayerRun
            Its output, of ``before + T`` steps, is the layer's input.
        """
        return self._output(self.placed[index] - 1, log, inputs)

    def _output(self, place: int, log: SpikeLog, inputs: NDArray[np.integer] | None) -> LayerRun:
        if place < 0:
            assert inputs is not None
            flat = inputs.reshape(inputs.shape[0], -1, inputs.shape[-1]).astype(np.int64)
            padded = np.pad(flat, ((0, 0), (0, 0), (self.before, 0)))
            return LayerRun(name="input", output=padded, unit=SPIKE, states={})
        layer = self.network.layers[place]
        if has_neurons(layer):
            sent = log.dense(self.placed.index(place)).astype(np.int64)
            lead = np.repeat(self.lead_in[place], log.n_samples, axis=0)
            return LayerRun(
                name=layer.name,
                output=np.concatenate([lead, sent], axis=2),
                unit=neuron_at_rest(
                    layer, (1, sent.shape[1]), lambda v: spread(v, sent.shape[1])
                ).output_unit,
                states={},
            )
        if isinstance(layer, ConcatLayer):
            parts = [self._output(source, log, inputs) for source in layer.sources]
            return concatenated(layer, parts)
        source = self._output(place - 1, log, inputs)
        return run_layer(layer, self.shapes[place], source.output, source.unit)


def has_neurons(layer: Layer) -> TypeGuard[InputLayer | SynapticLayer]:
    """Tell whether a layer of NetX is one of the chip's."""
    return isinstance(layer, SynapticLayer) or (
        isinstance(layer, InputLayer) and layer.neuron is not None
    )


def some_samples(log: SpikeLog, start: int, stop: int) -> SpikeLog:
    """Return the log of samples `start` to `stop` - 1, numbered from 0."""
    first, last = np.searchsorted(log.sample, [start, stop])
    rows = slice(int(first), int(last))
    return dataclasses.replace(
        log,
        sample=log.sample[rows] - np.int32(start),
        step=log.step[rows],
        layer=log.layer[rows],
        neuron=log.neuron[rows],
        value=log.value[rows],
        n_samples=stop - start,
    )
