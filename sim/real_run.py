"""Runs networks of real numbers in floating point: what quantized ones are measured against.

The equations are those of the reference (`sim.interpreter`) without its rounding, the timeline is
the same (`time_first`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import DECAY_ONE
from ..netx import (
    CubaNeuron,
    LayerShapes,
    RealNetwork,
    RealValues,
    RecurrentLayer,
    Shape,
    SynapticLayer,
    current_shift,
    size_of,
)
from .time_first import (
    TimeFirstRun,
    delayed_spikes,
    pass_on,
    spread_real,
    time_first,
    timed_layers,
    weighted_sums,
    without_first,
)


def run_real_network(
    network: RealNetwork, inputs: NDArray[np.integer], input_shape: Shape | None = None
) -> Iterator[TimeFirstRun]:
    """Run a network of real numbers from rest, a layer at a time.

    Parameters
    ----------
    network : RealNetwork
        A chain of layers with CUBA neurons that send spikes.
    inputs : integer array, shape (N, ..., T)
        Spikes or counts.
    input_shape : tuple of int, optional
        See `infer_shapes`.

    Yields
    ------
    TimeFirstRun
        For each layer, the silent steps before the input taken out.

    Raises
    ------
    UnsupportedNetworkError
        See `timed_layers`.
    """
    timed, before = timed_layers(network.nearest, inputs, input_shape)
    values: NDArray[Any] = time_first(inputs, before)
    for each in timed:
        if isinstance(each.layer, SynapticLayer):
            run = run_real_layer(
                each.layer, network.values[each.layer.name], each.shape, values, each.first_step
            )
        else:
            run = pass_on(each, values)
        values = run.output
        yield without_first(run, before)


def run_real_layer(
    layer: SynapticLayer,
    values: RealValues,
    shape: LayerShapes,
    arriving: NDArray[Any],
    first_step: int = 0,
) -> TimeFirstRun:
    """Run one layer of real CUBA neurons; arrays as in `TimeFirstRun`.

    Notes
    -----
    ``u = u (1 - du / 4096) + w s``; ``v = v (1 - dv / 4096) + u + bias``; a spike where
    ``v > vth``, which resets v. Delays are rounded down, as SLAYER's forward pass does.
    """
    steps, samples = arriving.shape[:2]
    neuron = _cuba(layer)
    neurons = size_of(shape.shape_out)
    drive = weighted_sums(layer, values.weight, shape, arriving)
    keep_current = 1 - spread_real(values.decays["current_decay"], neurons) / DECAY_ONE
    keep_voltage = 1 - spread_real(values.decays["voltage_decay"], neurons) / DECAY_ONE
    bias = 0.0 if values.bias is None else spread_real(values.bias, neurons)
    divisor = 2.0 ** current_shift(neuron)
    current, voltage = np.zeros((2, samples, neurons), dtype=np.float64)
    resting = np.zeros((samples, neurons), dtype=np.int64)
    output = np.zeros((steps, samples, neurons), dtype=np.bool_)
    voltages = np.zeros((steps, samples, neurons), dtype=np.float64)
    for step in range(first_step, steps):
        current = current * keep_current + drive[step]
        if isinstance(layer, RecurrentLayer) and step > 0 and values.weight_rec is not None:
            current += output[step - 1] @ values.weight_rec.T
        voltage = voltage * keep_voltage + (current + bias) / divisor
        if neuron.refractory_delay > 1:
            voltage[resting > 0] = 0
        fire = (voltage > values.vth) & (resting == 0)
        resting = np.where(fire, neuron.refractory_delay - 1, np.maximum(resting - 1, 0))
        output[step] = fire
        voltage[fire] = 0
        voltages[step] = voltage
    return TimeFirstRun(output=delayed_spikes(values.delay, output), voltage=voltages)


def _cuba(layer: SynapticLayer) -> CubaNeuron:
    if not isinstance(layer.neuron, CubaNeuron):
        raise TypeError(f"{layer.name}: {layer.neuron.kind.value} neurons have no real model")
    return layer.neuron
