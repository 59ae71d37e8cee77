"""From the log of a run back to what reached each of its layers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from ...compile import CompiledNetwork, as_netx, neuron_count
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
)
from ..interpreter import LayerRun, concatenated, run_from_start, run_layer
from ..neurons import neuron_at_rest
from ..run_result import RunResult
from ..spike_log import SpikeLog
from ..timeline import Timing, chip_timing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
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
    timing : Timing
        When the chip's layers run and what is shown of that.
    lead_in : tuple of int64 array, shape (1, neurons, steps)
        What each layer of the chip sends in the steps that are not shown.
    """

    compiled: CompiledNetwork
    network: Network
    shapes: tuple[LayerShapes, ...]
    placed: tuple[int, ...]
    timing: Timing
    lead_in: tuple[Int64Array, ...]

    @classmethod
    def of(cls, compiled: CompiledNetwork, result: RunResult) -> Replay:
        """Lay out a compiled network in the timeline of a run."""
        network = as_netx(compiled.network)
        shape = compiled.network.input_shape
        placed = tuple(k for k, layer in enumerate(network.layers) if has_neurons(layer))
        # shown are the steps of the input and, in the chip's timeline, those of all latencies
        more = chip_timing(compiled.network, 0, result.timeline).shown
        timing = chip_timing(compiled.network, result.spikes.n_steps - more, result.timeline)
        lead_in = tuple(
            np.zeros((1, neuron_count(layer), start), dtype=np.int64)
            for layer, start in zip(compiled.network.layers, timing.shown_from, strict=True)
        )
        if timing.before:
            silence = np.zeros((1, *shape, 1), dtype=np.int64)
            runs, _ = run_from_start(network, silence, shape, result.timeline)
            lead_in = tuple(
                runs[place].output[:, :, :start]
                for place, start in zip(placed, timing.shown_from, strict=True)
            )
        return cls(
            compiled=compiled,
            network=network,
            shapes=infer_shapes(network, shape),
            placed=placed,
            timing=timing,
            lead_in=lead_in,
        )

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
            Its output is the layer's input, from the first step of the timing to the last one that
            is shown of the layer.
        """
        steps = self.timing.shown_from[index] + self.timing.shown
        run = self._output(self.placed[index] - 1, log, inputs, steps)
        assert run.output.shape[2] == steps
        return run

    def output_unit(self, layer: InputLayer | SynapticLayer) -> Fraction:
        """Return what an output of 1 stands for."""
        return neuron_at_rest(layer, (1, 1), lambda values: values).output_unit

    def _output(
        self, place: int, log: SpikeLog, inputs: NDArray[np.integer] | None, steps: int
    ) -> LayerRun:
        if place < 0:
            assert inputs is not None
            flat = inputs.reshape(inputs.shape[0], -1, inputs.shape[-1]).astype(np.int64)
            lead = np.zeros((*flat.shape[:2], self.timing.before), dtype=np.int64)
            output = _fitted(np.concatenate([lead, flat], axis=2), steps)
            return LayerRun(name="input", output=output, unit=SPIKE, states={})
        layer = self.network.layers[place]
        if has_neurons(layer):
            index = self.placed.index(place)
            sent = log.dense(index).astype(np.int64)
            lead = np.repeat(self.lead_in[index], log.n_samples, axis=0)
            return LayerRun(
                name=layer.name,
                output=_fitted(np.concatenate([lead, sent], axis=2), steps),
                unit=self.output_unit(layer),
                states={},
            )
        if isinstance(layer, ConcatLayer):
            parts = [self._output(source, log, inputs, steps) for source in layer.sources]
            return concatenated(layer, parts)
        source = self._output(place - 1, log, inputs, steps)
        return run_layer(layer, self.shapes[place], source.output, source.unit)


def _fitted(values: Int64Array, steps: int) -> Int64Array:
    """Return values (N, neurons, T) of exactly so many steps, zeros behind the last."""
    missing = max(0, steps - values.shape[2])
    return np.pad(values, ((0, 0), (0, 0), (0, missing)))[:, :, :steps]


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
