"""The interpreter of the reference backend: runs any network, layer after layer, and defines it.

Time is that of the input: a layer's answer to step t stands at step t, whatever a chip or SLAYER
take to bring it there. Where SLAYER returned layers one step late (``delay_shift``), its biases act
from the first step of the sample in every layer, so layer k ran k steps longer than its input;
those steps are run here, too, before step 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import Int64Array
from ..hw_profiles.units import SPIKE, common_unit
from ..netx import (
    AverageLayer,
    ConcatLayer,
    FlattenLayer,
    InputLayer,
    IntArray,
    Layer,
    LayerShapes,
    Network,
    Shape,
    SpikeInputError,
    SynapticLayer,
    infer_shapes,
    size_of,
    spread,
)
from .neuron_input import neuron_input
from .neurons import DEFINITION, Rules, neuron_at_rest
from .timeline import Timeline, Timing, netx_timing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerRun:
    """What a layer did.

    Attributes
    ----------
    name : str
        Of the layer.
    output : int64 array, shape (N, neurons, T)
        Spikes (0 or 1) or payloads, axonal delays in; channel slowest.
    unit : Fraction
        What an output of 1 stands for.
    states : mapping of str to int32 array, shape (N, neurons, T)
        At the end of every step; empty for layers without neurons.
    overflows : int
        How many sums and states did not fit their registers and were wrapped or clipped, as Lava
        does; SLAYER's would have gone on. 0 means that nothing of that kind parts the two.
    """

    name: str
    output: Int64Array
    unit: Fraction
    states: dict[str, NDArray[np.int32]]
    overflows: int = 0


def run_network(
    network: Network,
    inputs: NDArray[np.integer],
    input_shape: Shape | None = None,
    timeline: Timeline = Timeline.SLAYER,
) -> tuple[LayerRun, ...]:
    """Run every layer of a network from rest.

    Parameters
    ----------
    network : Network
        Any that `read_netx` reads.
    inputs : integer array, shape (N, ..., T)
        Spikes or counts; for a network that starts with input neurons, numbers in units of 1/64
        (SLAYER quantizes input to even ones in [-256, 254]).
    input_shape : tuple of int, optional
        See `infer_shapes`.
    timeline : Timeline
        Which clock the results follow.

    Returns
    -------
    tuple of LayerRun
        One for each layer.

    Raises
    ------
    NetxFormatError
        When layers do not fit each other.
    UnsupportedNetworkError
        When a layer has no model.
    SpikeInputError
        When the inputs are not whole numbers of that shape.
    """
    runs, timing = run_from_start(network, inputs, input_shape, timeline)
    return tuple(
        _shown(run, first, timing.shown) for run, first in zip(runs, timing.shown_from, strict=True)
    )


def run_from_start(
    network: Network,
    inputs: NDArray[np.integer],
    input_shape: Shape | None = None,
    timeline: Timeline = Timeline.SLAYER,
) -> tuple[tuple[LayerRun, ...], Timing]:
    """Run a network as `run_network` does, and keep the steps that a timeline does not show."""
    shapes = infer_shapes(network, input_shape)
    check_inputs(inputs, shapes[0].shape_in)
    steps = inputs.shape[-1]
    timing = netx_timing(network, steps, timeline)
    values = inputs.reshape(inputs.shape[0], -1, steps).astype(np.int64)
    values = np.pad(values, ((0, 0), (0, 0), (timing.before, timing.after)))
    unit = SPIKE
    runs: list[LayerRun] = []
    for layer, shape, first_step in zip(network.layers, shapes, timing.first_step, strict=True):
        if isinstance(layer, ConcatLayer):
            run = concatenated(layer, [runs[source] for source in layer.sources])
        else:
            run = run_layer(layer, shape, values, unit, first_step)
        runs.append(run)
        values, unit = run.output, run.unit
    return tuple(runs), timing


def check_inputs(inputs: NDArray[np.integer], shape: Shape) -> None:
    """Raise `SpikeInputError` unless inputs are whole numbers, (N, ..., T), of this shape."""
    if inputs.dtype.kind not in "biu":
        raise SpikeInputError(f"inputs are {inputs.dtype}; whole numbers were expected.")
    inner = math.prod(inputs.shape[1:-1])
    if inputs.ndim < 3 or inner != size_of(shape) or inputs.shape[-1] < 1:
        raise SpikeInputError(
            f"inputs have shape {inputs.shape}; the network takes (N, "
            f"{', '.join(map(str, shape))}, T): samples, neurons, steps."
        )


def run_layer(
    layer: Layer | SynapticLayer,
    shape: LayerShapes,
    values: Int64Array,
    unit: Fraction,
    first_step: int = 0,
    rules: Rules = DEFINITION,
) -> LayerRun:
    """Run one layer by itself, from rest.

    Parameters
    ----------
    layer : Layer
        Any but a concat layer.
    shape : LayerShapes
        Of the layer.
    values : int64 array, shape (N, inputs, T)
        Outputs of the layer before it.
    unit : Fraction
        What a value of 1 stands for.
    first_step : int
        The step in which its neurons begin; they are at rest before.
    rules : Rules
        The arithmetic; runs take the definition's.
    """
    match layer:
        case InputLayer() if layer.neuron is not None:
            return _run_neurons(layer, shape, values, unit, first_step, rules)
        case InputLayer() | FlattenLayer():
            return LayerRun(name=layer.name, output=values, unit=unit, states={})
        case AverageLayer():
            groups = size_of(layer.shape)
            grouped = values.reshape(values.shape[0], groups, -1, values.shape[-1])
            return LayerRun(
                name=layer.name,
                output=grouped.sum(axis=2),
                unit=unit / grouped.shape[2],
                states={},
            )
        case SynapticLayer():
            return _run_neurons(layer, shape, values, unit, first_step, rules)
        case ConcatLayer():
            raise ValueError("a concat layer takes more than one input")


def _run_neurons(
    layer: InputLayer | SynapticLayer,
    shape: LayerShapes,
    values: Int64Array,
    unit: Fraction,
    first_step: int,
    rules: Rules,
) -> LayerRun:
    samples, _, steps = values.shape
    neurons = size_of(shape.shape_out)
    model = neuron_at_rest(layer, (samples, neurons), lambda v: spread(v, neurons), rules)
    fired = np.zeros((samples, neurons, steps), dtype=np.int64)
    states = {name: np.zeros((samples, neurons, steps), dtype=np.int32) for name in model.states()}
    wrapped = 0
    for step in range(first_step, steps):
        last = fired[:, :, step - 1] if step > 0 else np.zeros_like(fired[:, :, 0])
        real, imag, lost = neuron_input(
            layer, shape, values[:, :, step], unit, last, model.output_unit, rules
        )
        wrapped += lost
        fired[:, :, step] = model.step(real, imag)
        for name, state in model.states().items():
            states[name][:, :, step] = state
    output = fired if isinstance(layer, InputLayer) else delayed(layer.delay, fired)
    return LayerRun(
        name=layer.name,
        output=output,
        unit=model.output_unit,
        states=states,
        overflows=wrapped + model.overflows,
    )


def delayed(delay: IntArray | None, fired: Int64Array) -> Int64Array:
    """Return spikes after the axonal delay of their neurons; those past the last step are lost.

    Parameters
    ----------
    delay : int32 array, shape (C,), or None
        Steps, one a channel or neuron.
    fired : int64 array, shape (N, neurons, T)
        When neurons fired.

    Returns
    -------
    int64 array, shape (N, neurons, T)
        When their spikes leave.
    """
    if delay is None:
        return fired
    steps = fired.shape[-1]
    each = spread(delay, fired.shape[1])
    leaving = np.zeros_like(fired)
    for value in np.unique(each[each < steps]):
        chosen = each == value
        leaving[:, chosen, value:] = fired[:, chosen, : steps - value]
    return leaving


def concatenated(layer: ConcatLayer, parts: Sequence[LayerRun]) -> LayerRun:
    """Return what a concat layer makes of the layers that it joins."""
    unit = common_unit(part.unit for part in parts)
    return LayerRun(
        name=layer.name,
        output=np.concatenate([p.output * int(p.unit / unit) for p in parts], axis=1),
        unit=unit,
        states={},
    )


def _shown(run: LayerRun, first: int, steps: int) -> LayerRun:
    shown = slice(first, first + steps)
    return LayerRun(
        name=run.name,
        output=run.output[:, :, shown],
        unit=run.unit,
        states={name: state[:, :, shown] for name, state in run.states.items()},
        overflows=run.overflows,
    )
