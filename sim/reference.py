"""The reference backend: a slow interpreter in plain NumPy that defines what a run is.

Every other backend must equal it, spike for spike and state for state. Read it as the
specification: it is written for that, not for speed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..compile import CompiledNetwork, as_netx, has_readout, neuron_count
from ..netx import InputLayer, Layer, SynapticLayer
from .backend import Backend, RunOptions
from .interpreter import LayerRun, run_network
from .recording import recorded_states
from .run_result import RunResult, StateTrace, only
from .spike_input import SpikeInput, check_input_fits
from .spike_log import LayerEvents, merge_events

SAMPLES_AT_ONCE = 64
BATCH_BYTES = 1 << 30  # of what the layers of a batch send and hold
NEURON_BYTES = 24  # in a step: an int64 output, and states of int32


class ReferenceBackend(Backend):
    """Runs `run_network` on what the registers say."""

    name = "reference"

    def unavailable(self) -> str | None:
        """Return None: it needs nothing but NumPy."""
        return None

    def portions(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> Iterator[RunResult]:
        """Run the samples; see `Backend.portions`."""
        options = options or RunOptions()
        check_input_fits(inputs, compiled)
        recorded = recorded_states(compiled.network, options.record)
        network = as_netx(compiled.network)
        # the chip's layers; as NetX there are input, flatten and concat layers between them
        placed = [k for k, layer in enumerate(network.layers) if _has_neurons(layer)]
        at_once = _samples_at_once(compiled, inputs.n_steps)
        for first in range(0, inputs.n_samples, at_once):
            started = time.perf_counter()
            batch = inputs.spikes[first : first + at_once]
            runs = run_network(network, batch, timeline=options.timeline)
            result = _result(compiled, [runs[index] for index in placed], recorded)
            options.on_progress(first + batch.shape[0])
            yield replace(result, timeline=options.timeline, wall_s=time.perf_counter() - started)


BACKEND = ReferenceBackend


def _samples_at_once(compiled: CompiledNetwork, n_steps: int) -> int:
    """Return how many samples keep a batch to its memory: at least one."""
    neurons = sum(neuron_count(layer) for layer in compiled.network.layers)
    return max(1, min(SAMPLES_AT_ONCE, BATCH_BYTES // (NEURON_BYTES * neurons * n_steps)))


def _has_neurons(layer: Layer) -> bool:
    return isinstance(layer, SynapticLayer) or (
        isinstance(layer, InputLayer) and layer.neuron is not None
    )


def _result(
    compiled: CompiledNetwork, runs: list[LayerRun], recorded: tuple[tuple[str, ...], ...]
) -> RunResult:
    events: list[LayerEvents] = []
    for run in runs:
        sample, neuron, step = np.nonzero(run.output)
        value = run.output[sample, neuron, step]
        events.append(LayerEvents(sample=sample, step=step, neuron=neuron, value=value))
    layers = compiled.network.layers
    samples, _, steps = runs[-1].output.shape
    log = merge_events(
        events,
        layer_names=tuple(layer.name for layer in layers),
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=samples,
        n_steps=steps,
    )
    return RunResult(
        backend=ReferenceBackend.name,
        spikes=log,
        states=only(tuple(StateTrace(values=run.states) for run in runs), recorded),
        wall_s=0.0,
        readout=runs[-1].states["voltage"] if has_readout(compiled.network) else None,
    )
