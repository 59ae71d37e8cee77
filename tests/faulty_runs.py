"""Runs that go wrong in a known way, for tests: a small simulator of its own, and altered logs.

Nothing here uses the hypotheses of ``sim/causes``: what they are to find is planted independently.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from builders import convolve
from numpy.typing import NDArray

from lavadeploy.compile import (
    ChipConv,
    ChipDense,
    CompiledNetwork,
    neuron_count,
    per_neuron,
)
from lavadeploy.netx import CubaNeuron
from lavadeploy.sim import RunResult, SpikeInput, SpikeLog, open_backend
from lavadeploy.sim.run_result import StateTrace
from lavadeploy.sim.spike_log import LayerEvents, merge_events

Ints = NDArray[np.int64]
MOST = (1 << 23) - 1


def toward_zero(state: Ints, decay: Ints) -> Ints:
    return np.trunc(state * (4096 - decay) / 4096).astype(np.int64)


def wrapping(current: Ints) -> Ints:
    once = np.where(current > MOST + 1, current - (1 << 24), current)
    return np.where(once <= -MOST - 1, once + (1 << 24), once)


def clipping(voltage: Ints) -> Ints:
    return np.clip(voltage, -MOST, MOST)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What one layer does otherwise; see `faulty_run`."""

    layer: int = 0
    weight: Callable[[Any], Any] = lambda w: w
    delay: Callable[[Any], Any] = lambda d: d
    decay: Callable[[Ints, Ints], Ints] = toward_zero
    hold_current: Callable[[Ints], Ints] = wrapping
    hold_voltage: Callable[[Ints], Ints] = clipping
    fires: Callable[[Ints, int], Any] = lambda v, threshold: v > threshold
    arriving: Callable[[Ints], Ints] = lambda x: x
    bias_from: int = 0
    is_reset: bool = True


def faulty_run(
    compiled: CompiledNetwork, inputs: SpikeInput, fault: Fault, *, states: bool = False
) -> RunResult:
    """Run layers of binary CUBA neurons in a chain, without bias leads, one of them with a fault.

    `arriving` changes what reaches the layer, (N, inputs, T).
    """
    samples, steps = inputs.n_samples, inputs.n_steps
    values = inputs.spikes.reshape(samples, -1, steps).astype(np.int64)
    outputs: list[Ints] = []
    traces: list[StateTrace] = []
    for index, layer in enumerate(compiled.network.layers):
        assert isinstance(layer, ChipDense | ChipConv)
        assert isinstance(layer.neuron, CubaNeuron)
        own = fault if index == fault.layer else Fault()
        values, trace = _layer(layer, own.arriving(values), own)
        outputs.append(values)
        traces.append(trace)
    result = result_of(compiled, outputs)
    return dataclasses.replace(result, states=tuple(traces)) if states else result


def _layer(layer: ChipDense | ChipConv, values: Ints, fault: Fault) -> tuple[Ints, StateTrace]:
    neuron = layer.neuron
    assert isinstance(neuron, CubaNeuron)
    samples, _, steps = values.shape
    size = neuron_count(layer)
    weight = fault.weight(layer.weights.effective())
    fired = np.zeros((samples, size, steps), dtype=np.int64)
    kept = {name: np.zeros(fired.shape, dtype=np.int32) for name in ("current", "voltage")}
    bias = np.zeros(size, dtype=np.int64)
    if layer.bias is not None:
        bias = per_neuron(layer.bias, layer).astype(np.int64) * 64
    du, dv = (
        per_neuron(x, layer).astype(np.int64) for x in (neuron.current_decay, neuron.voltage_decay)
    )
    u, v = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for sample in range(samples):
        if fault.is_reset:
            u, v = np.zeros_like(u), np.zeros_like(v)
        for step in range(steps):
            now = values[sample : sample + 1, :, step]
            if isinstance(layer, ChipConv):
                summed = convolve(layer, now, weight)[0]
            else:
                summed = (now @ weight.astype(np.int64).T)[0]
            u = fault.hold_current(fault.decay(u, du) + 64 * summed)
            v = fault.hold_voltage(fault.decay(v, dv) + u + bias * (step >= fault.bias_from))
            fire = fault.fires(v, neuron.vth_mantissa * 64)
            v = np.where(fire, 0, v)
            fired[sample, :, step] = fire
            kept["current"][sample, :, step], kept["voltage"][sample, :, step] = u, v
    sent = np.zeros_like(fired)
    delay = np.zeros(size, dtype=np.int64)
    if layer.delay is not None:
        delay = per_neuron(fault.delay(layer.delay), layer).astype(np.int64)
    for index, wait in enumerate(delay):
        sent[:, index, wait:] = fired[:, index, : steps - wait] if wait < steps else 0
    return sent, StateTrace(values=kept)


def result_of(compiled: CompiledNetwork, outputs: list[Ints], backend: str = "faulty") -> RunResult:
    """Make a run of what each layer sent, (N, neurons, T)."""
    layers = compiled.network.layers
    events: list[LayerEvents] = []
    for output in outputs:
        sample, neuron, step = np.nonzero(output)
        value = output[sample, neuron, step]
        events.append(LayerEvents(sample=sample, step=step, neuron=neuron, value=value))
    log = merge_events(
        events,
        layer_names=tuple(layer.name for layer in layers),
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=outputs[0].shape[0],
        n_steps=outputs[0].shape[2],
    )
    return RunResult(backend=backend, spikes=log, states=(), wall_s=0.0)


def outputs_of(log: SpikeLog) -> list[Ints]:
    return [log.dense(k).astype(np.int64) for k in range(len(log.layer_names))]


def without_reset(compiled: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    """Run all samples as a single long one, whatever the neurons are."""
    joined = np.concatenate(list(inputs.spikes), axis=-1)[np.newaxis]
    run = open_backend("reference").run(compiled, SpikeInput(spikes=joined))
    outputs = [
        np.stack(np.split(output[0], inputs.n_samples, axis=1)) for output in outputs_of(run.spikes)
    ]
    return result_of(compiled, outputs)


def with_layer(compiled: CompiledNetwork, index: int, **changes: Any) -> CompiledNetwork:
    """Return the same network with other registers in one layer."""
    layers = list(compiled.network.layers)
    layers[index] = dataclasses.replace(layers[index], **changes)
    network = dataclasses.replace(compiled.network, layers=tuple(layers))
    return dataclasses.replace(compiled, network=network)
