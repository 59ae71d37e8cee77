"""The reference backend: a slow interpreter in plain NumPy that defines what a run is.

Every other backend must equal it, spike for spike and state for state. Read it as the
specification: it is written for that, not for speed.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, as_netx, has_readout, neuron_count
from ..netx import InputLayer, Layer, SynapticLayer
from .backend import RunOptions, RunResult, StateTrace
from .interpreter import run_network
from .spike_input import SpikeInput, check_input_fits
from .spike_log import LayerEvents, join_events, merge_events

SAMPLES_AT_ONCE = 64  # bounds the memory of a batch


class ReferenceBackend:
    """Runs `run_network` on what the registers say."""

    name = "reference"

    def unavailable(self) -> str | None:
        """Return None: it needs nothing but NumPy."""
        return None

    def run(
        self, compiled: CompiledNetwork, inputs: SpikeInput, options: RunOptions | None = None
    ) -> RunResult:
        """Run every sample; see `Backend.run`."""
        options = options or RunOptions()
        check_input_fits(inputs, compiled)
        started = time.perf_counter()
        layers = compiled.network.layers
        network = as_netx(compiled.network)
        # the chip's layers; as NetX there are input, flatten and concat layers between them
        placed = [k for k, layer in enumerate(network.layers) if _has_neurons(layer)]
        events: list[list[LayerEvents]] = [[] for _ in layers]
        traces: list[list[StateTrace]] = [[] for _ in layers]
        readouts: list[NDArray[np.int32]] = []
        for first in range(0, inputs.n_samples, SAMPLES_AT_ONCE):
            batch = inputs.spikes[first : first + SAMPLES_AT_ONCE]
            runs = run_network(network, batch)
            chip_runs = [runs[index] for index in placed]
            for index, run in enumerate(chip_runs):
                sample, neuron, step = np.nonzero(run.output)
                value = run.output[sample, neuron, step]
                events[index].append(
                    LayerEvents(sample=sample + first, step=step, neuron=neuron, value=value)
                )
                if options.record_states:
                    traces[index].append(StateTrace(values=run.states))
            if has_readout(compiled.network):
                readouts.append(chip_runs[-1].states["voltage"])
            options.on_progress(first + batch.shape[0])
        log = merge_events(
            [join_events(layer_events) for layer_events in events],
            layer_names=tuple(layer.name for layer in layers),
            layer_sizes=tuple(neuron_count(layer) for layer in layers),
            n_samples=inputs.n_samples,
            n_steps=inputs.n_steps,
        )
        return RunResult(
            backend=self.name,
            spikes=log,
            states=tuple(_joined_traces(t) for t in traces) if options.record_states else (),
            wall_s=time.perf_counter() - started,
            readout=np.concatenate(readouts) if readouts else None,
        )


BACKEND = ReferenceBackend


def _has_neurons(layer: Layer) -> bool:
    return isinstance(layer, SynapticLayer) or (
        isinstance(layer, InputLayer) and layer.neuron is not None
    )


def _joined_traces(parts: list[StateTrace]) -> StateTrace:
    names = parts[0].values
    return StateTrace(
        values={name: np.concatenate([part.values[name] for part in parts]) for name in names}
    )
