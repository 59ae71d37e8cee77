"""Runs layers of whole numbers fast: the reference's arithmetic on sums made by matrix products.

A layer's weighted sums of all steps are one product in float64, which is exact below 2**53; neurons
are the reference's own. Tests require that it equals `run_network` in every spike and state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import CONV_BITS, STATE_SHIFT, align_with_states, wrap_signed
from ..netx import (
    KernelLayer,
    LayerShapes,
    Network,
    RecurrentLayer,
    Shape,
    SynapticLayer,
    size_of,
    spread,
)
from .neurons import neuron_at_rest
from .time_first import (
    TimedLayer,
    TimeFirstRun,
    answer_of,
    answering_layer,
    delayed_spikes,
    pass_on,
    time_first,
    timed_layers,
    weighted_sums,
    without_first,
)


def run_whole_network(
    network: Network,
    inputs: NDArray[np.integer],
    input_shape: Shape | None = None,
    *,
    samples_at_once: int = 500,
) -> tuple[NDArray[np.int64], int]:
    """Return the spikes of the last layer, and how many numbers left their registers on the way.

    Parameters
    ----------
    network : Network
        A chain of layers with CUBA neurons that send spikes.
    inputs : integer array, shape (N, ..., T)
        Spikes or counts.
    input_shape : tuple of int, optional
        See `infer_shapes`.
    samples_at_once : int
        Bounds the memory taken.

    Returns
    -------
    spikes : int64 array, shape (N, neurons, T)
        As `run_network` gives them.
    overflows : int
        Of all layers.

    Raises
    ------
    UnsupportedNetworkError
        See `timed_layers`.
    """
    parts: list[NDArray[np.int64]] = []
    overflows = 0
    for runs in _batches(network, inputs, input_shape, samples_at_once):
        parts.append(np.moveaxis(runs[-1].output, 0, -1).astype(np.int64))
        overflows += sum(run.overflows for run in runs)
    return np.concatenate(parts), overflows


def whole_answer(
    network: Network,
    inputs: NDArray[np.integer],
    input_shape: Shape | None = None,
    *,
    samples_at_once: int = 500,
) -> NDArray[Any]:
    """Return what a network answers in: spikes, or voltages where its last neurons never fire.

    Parameters are those of `run_whole_network`.

    Returns
    -------
    int64 or float64 array, shape (N, neurons, T)
        Spikes, or voltages in weight units.
    """
    answering = answering_layer(network)
    batches = _batches(network, inputs, input_shape, samples_at_once)
    return np.concatenate([answer_of(runs, answering) for runs in batches])


def _batches(
    network: Network,
    inputs: NDArray[np.integer],
    input_shape: Shape | None,
    samples_at_once: int,
) -> Iterator[list[TimeFirstRun]]:
    """Yield the runs of all layers, without the steps before the input, a batch at a time."""
    timed, before = timed_layers(network, inputs, input_shape)
    for start in range(0, inputs.shape[0], samples_at_once):
        values: NDArray[np.integer] = time_first(inputs[start : start + samples_at_once], before)
        runs: list[TimeFirstRun] = []
        for each in timed:
            runs.append(run_whole_layer(each, values))
            values = runs[-1].output
        yield [without_first(run, before) for run in runs]


def run_whole_layer(each: TimedLayer, arriving: NDArray[np.integer]) -> TimeFirstRun:
    """Run one layer.

    Parameters
    ----------
    each : TimedLayer
        A layer of whole numbers.
    arriving : bool or integer array, shape (T, N, inputs)
        Spikes or counts.

    Returns
    -------
    TimeFirstRun
        Silent steps included.
    """
    layer = each.layer
    if not isinstance(layer, SynapticLayer):
        return pass_on(each, arriving)
    steps, samples = arriving.shape[:2]
    neurons = size_of(each.shape.shape_out)
    sums, overflows = _whole_sums(layer, each.shape, arriving)
    model = neuron_at_rest(layer, (samples, neurons), lambda value: spread(value, neurons))
    output = np.zeros((steps, samples, neurons), dtype=bool)
    voltage = np.zeros((steps, samples, neurons), dtype=np.float64)
    for step in range(each.first_step, steps):
        summed = sums[step].astype(np.int64)
        if isinstance(layer, RecurrentLayer) and step > 0:
            summed += output[step - 1].astype(np.int64) @ layer.weight_rec.astype(np.int64).T
        arriving_now = align_with_states(summed)
        output[step] = model.step(arriving_now, arriving_now)
        voltage[step] = model.states()["voltage"]
    return TimeFirstRun(
        output=delayed_spikes(layer.delay, output),
        voltage=voltage / (1 << STATE_SHIFT),
        overflows=overflows + model.overflows,
    )


def _whole_sums(
    layer: SynapticLayer, shape: LayerShapes, arriving: NDArray[np.integer]
) -> tuple[NDArray[np.float64], int]:
    """Return exact sums, those of kernels wrapped to 24 bits, and how many were."""
    sums = weighted_sums(layer, layer.weight, shape, arriving)
    if not isinstance(layer, KernelLayer):
        return sums, 0
    wanted = sums.astype(np.int64)
    kept = wrap_signed(wanted, CONV_BITS)
    return kept.astype(np.float64), int(np.count_nonzero(kept != wanted))
