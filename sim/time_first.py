"""The timeline of runs that compute all steps of a layer's weighted sums at once.

Arrays have time first, (T, N, neurons), so that the sums of all steps and samples are one matrix
product. Runs of real numbers (`real_run`) and fast ones of whole numbers (`whole_run`) share it; it
is that of the reference (`sim.interpreter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..netx import (
    AverageLayer,
    CubaNeuron,
    FlattenLayer,
    InputLayer,
    Layer,
    LayerShapes,
    Network,
    RealArray,
    Shape,
    SynapticLayer,
    UnsupportedNetworkError,
    infer_shapes,
    is_readout,
    is_shifted,
    layer_kind,
    size_of,
    steps_before_input,
)
from .interpreter import check_inputs
from .synapses import synaptic_input

ROWS_AT_ONCE = 1 << 23  # numbers that are turned to float64 at a time, 64 MiB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeFirstRun:
    """What the neurons of a layer did, with time first.

    Attributes
    ----------
    output : bool or integer array, shape (T, N, neurons)
        Spikes when they leave, axonal delays in; of an average, their sums over groups.
    voltage : float64 array, shape (T, N, neurons)
        At the end of every step, in weight units of the layer; empty where there are no neurons.
    overflows : int
        Sums and states that left their registers; 0 for real numbers, which have none.
    """

    output: NDArray[Any]
    voltage: RealArray
    overflows: int = 0


def time_first(inputs: NDArray[np.integer], before: int) -> NDArray[np.integer]:
    """Return inputs (N, ..., T) as (T, N, inputs), with silent steps before the first.

    The steps are those in which biases act before input can (`steps_before_input`).
    """
    flat = inputs.reshape(inputs.shape[0], -1, inputs.shape[-1])
    moved = np.ascontiguousarray(np.moveaxis(flat, -1, 0))
    return np.pad(moved, ((before, 0), (0, 0), (0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLayer:
    """A layer, its shapes, and the first step in which it runs; see `timed_layers`."""

    layer: Layer
    shape: LayerShapes
    first_step: int


def timed_layers(
    network: Network, inputs: NDArray[np.integer], input_shape: Shape | None
) -> tuple[tuple[TimedLayer, ...], int]:
    """Return the layers with their timeline, and the silent steps before the input.

    Raises
    ------
    SpikeInputError
        When the inputs, (N, ..., T), do not fit the network.
    UnsupportedNetworkError
        With every layer that cannot be run here: neurons other than CUBA, graded spikes, inputs
        with neurons, layers with more than one input, averages before other layers.
    """
    shapes = infer_shapes(network, input_shape)
    check_inputs(inputs, shapes[0].shape_in)
    leads = steps_before_input(is_shifted(layer) for layer in network.layers)
    before = max(leads)
    last = network.layers[-1]
    problems = [p for layer in network.layers for p in _problems(layer, is_last=layer is last)]
    if problems:
        raise UnsupportedNetworkError(problems)
    timed = tuple(
        TimedLayer(layer=layer, shape=shape, first_step=before - lead)
        for layer, shape, lead in zip(network.layers, shapes, leads, strict=True)
    )
    return timed, before


def weighted_sums(
    layer: SynapticLayer, weight: NDArray[Any], shape: LayerShapes, arriving: NDArray[Any]
) -> RealArray:
    """Return the weighted sums of all steps and samples, in float64.

    Parameters
    ----------
    layer : SynapticLayer
        Gives the geometry.
    weight : array
        Real weights, or whole ones; sums of whole numbers are exact below 2**53.
    shape : LayerShapes
        Of the layer.
    arriving : array, shape (T, N, inputs)
        Spikes or payloads.

    Returns
    -------
    float64 array, shape (T, N, neurons)
    """
    steps, samples, inputs = arriving.shape
    wide = np.asarray(weight, dtype=np.float64)
    flat = arriving.reshape(steps * samples, inputs)
    sums = np.empty((steps * samples, size_of(shape.shape_out)), dtype=np.float64)
    rows = max(1, ROWS_AT_ONCE // inputs)
    for start in range(0, len(flat), rows):
        part = flat[start : start + rows].astype(np.float64)
        sums[start : start + rows] = synaptic_input(layer, wide, shape.shape_in, part)
    return sums.reshape(steps, samples, -1)


def pass_on(each: TimedLayer, values: NDArray[Any]) -> TimeFirstRun:
    """Return what a layer without neurons makes of its input: the same, or sums over groups."""
    none = np.zeros((0, 0, 0), dtype=np.float64)
    if isinstance(each.layer, AverageLayer):
        groups = size_of(each.layer.shape)
        grouped = values.reshape(*values.shape[:2], groups, -1)
        return TimeFirstRun(output=grouped.sum(axis=3, dtype=np.int64), voltage=none)
    return TimeFirstRun(output=values, voltage=none)


def without_first(run: TimeFirstRun, steps: int) -> TimeFirstRun:
    """Return a run without its first steps."""
    return TimeFirstRun(
        output=run.output[steps:], voltage=run.voltage[steps:], overflows=run.overflows
    )


def answering_layer(network: Network) -> int | None:
    """Return the number of the last layer where it never fires and answers in voltages, or None.

    Flatten layers behind it change nothing.
    """
    last = max(k for k, x in enumerate(network.layers) if not isinstance(x, FlattenLayer))
    layer = network.layers[last]
    return last if isinstance(layer, SynapticLayer) and is_readout(layer.neuron) else None


def answer_of(runs: Sequence[TimeFirstRun], answering: int | None) -> NDArray[Any]:
    """Return spikes of the last layer or voltages of the answering one, (N, neurons, T)."""
    if answering is not None:
        return np.moveaxis(runs[answering].voltage, 0, -1)
    return np.moveaxis(runs[-1].output, 0, -1).astype(np.int64)


def delayed_spikes(delay: NDArray[Any] | None, fired: NDArray[Any]) -> NDArray[Any]:
    """Return spikes after the axonal delay of their neurons; those past the last step are lost.

    Parameters
    ----------
    delay : int32 or float64 array, shape (C,), or None
        Steps, one a channel or neuron; rounded down, as SLAYER's forward pass does.
    fired : bool array, shape (T, N, neurons)
        When neurons fired.
    """
    if delay is None:
        return fired
    each = spread_real(np.floor(delay), fired.shape[2]).astype(np.int64)
    leaving = np.zeros_like(fired)
    for value in np.unique(each[each < len(fired)]):
        chosen = each == value
        leaving[value:, :, chosen] = fired[: len(fired) - value, :, chosen]
    return leaving


def _problems(layer: Layer, *, is_last: bool) -> list[str]:
    match layer:
        case InputLayer() if layer.neuron is not None:
            found = "an input layer with neurons"
        case SynapticLayer(neuron=CubaNeuron(graded_spike=True)):
            found = "graded spikes"
        case SynapticLayer() if not isinstance(layer.neuron, CubaNeuron):
            found = f"{layer.neuron.kind.value} neurons"
        case AverageLayer() if not is_last:
            found = "an average before another layer"
        case InputLayer() | FlattenLayer() | AverageLayer() | SynapticLayer():
            return []
        case _:
            found = f"a layer of kind '{layer_kind(layer).value}'"
    able = "a chain of layers with CUBA neurons that send spikes can"
    remedy = "Quantize with a method that needs no calibration data"
    return [f"{layer.name}: {found} cannot be calibrated; {able}. {remedy}."]


def spread_real(values: RealArray, neurons: int) -> RealArray:
    """Return each neuron's value of one value or one a channel, channel slowest."""
    if values.ndim == 0:
        return np.full(neurons, values, dtype=np.float64)
    return np.repeat(values, neurons // values.size)
