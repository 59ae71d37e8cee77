"""Operations that are to be expected from how often neurons fire, without a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...compile import (
    NETWORK_INPUT,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
    core_traffic,
    input_count,
    neuron_count,
)
from ...hw_profiles.arithmetic import Int64Array
from ...netx import OptionError, size_of, suggest
from ..activity_counter import messages_of_cores
from ..fan_out import fan_out
from ..synapses import correlate
from .counts import CoreOperations, FloatArray, LayerOperations, OperationCounts

INPUT = "input"  # what the network's input is called among the rates


def expected_operations(
    compiled: CompiledNetwork, activity: float | Mapping[str, float], steps: int
) -> OperationCounts:
    """Return the operations of one inference whose neurons fire at known rates.

    Parameters
    ----------
    compiled : CompiledNetwork
        Layers and placement.
    activity : float or mapping of str to float
        Spikes by neuron and step, 0 to 1; of all layers and the input alike, or of each layer by
        name and of 'input'.
    steps : int
        Of an inference.

    Returns
    -------
    OperationCounts
        Expected values. All neurons of a layer are taken to fire equally often, and all steps to
        be alike, so the time is that of even work.

    Raises
    ------
    OptionError
        When a rate is no part of 1, a name is no layer, one lacks a rate, or there is no step.
    """
    layers = compiled.network.layers
    rates = checked_rates(activity, tuple(layer.name for layer in layers))
    if steps < 1:
        raise OptionError(f"{steps} steps; at least 1 was expected.")
    placement = compiled.placement
    fired = {layer.name: np.array(rates[layer.name] * steps) for layer in layers}
    traffic = core_traffic(compiled.network, placement, compiled.profile, fired)
    on_cores = messages_of_cores(traffic, len(placement.cores))
    counted: list[LayerOperations] = []
    cores: list[CoreOperations] = []
    for layer in layers:
        operations = steps * _operations(layer, compiled, rates)
        neurons = neuron_count(layer)
        own = placement.cores_of(layer.name)
        numbers = [core.index for core in own]
        counted.append(
            LayerOperations(
                name=layer.name,
                neurons=neurons,
                connections=fan_out(compiled, layer).synapses,
                spikes=rates[layer.name] * neurons * steps,
                synaptic_operations=float(operations.sum()),
                neuron_updates=neurons * steps,
                messages=float(on_cores.sent[numbers].sum()),
                hops=float(on_cores.hops[numbers].sum()),
                crossings=float(on_cores.crossings[numbers].sum()),
            )
        )
        cores += [
            CoreOperations(
                core=core.index,
                layer=layer.name,
                neurons=int(core.neurons.size),
                spikes=rates[layer.name] * core.neurons.size * steps,
                synaptic_operations=float(operations[core.neurons].sum()),
                messages_in=float(on_cores.received[core.index]),
            )
            for core in own
        ]
    return OperationCounts(
        inferences=1,
        steps=steps,
        layers=tuple(counted),
        cores=tuple(cores),
        chips=placement.chips,
    )


def checked_rates(
    activity: float | Mapping[str, float], layers: tuple[str, ...]
) -> dict[str, float]:
    """Return a rate for the input and for every layer."""
    names = (INPUT, *layers)
    given = activity if isinstance(activity, Mapping) else dict.fromkeys(names, activity)
    rates = {name: float(rate) for name, rate in given.items()}
    for name, rate in rates.items():
        if name not in names:
            raise OptionError(f"activity of '{name}': is not a layer; {suggest(name, names)}.")
        if not 0 <= rate <= 1:
            raise OptionError(
                f"activity {rate:g} of '{name}'; 0 to 1 spikes by neuron and step was expected."
            )
    missing = [name for name in names if name not in rates]
    if missing:
        listed = ", ".join(f"'{name}'" for name in missing)
        raise OptionError(f"no activity of {listed}; give each layer one, or one for all.")
    return rates


def _operations(
    layer: ChipLayer, compiled: CompiledNetwork, rates: Mapping[str, float]
) -> FloatArray:
    """Return the operations that each neuron of a layer can expect in a step."""
    found = np.zeros(neuron_count(layer), dtype=np.float64)
    if isinstance(layer, ChipInput):
        return found
    first = 0
    for source in layer.sources:
        if source == NETWORK_INPUT:
            name, size = INPUT, size_of(compiled.network.input_shape)
        else:
            other = compiled.network.layers[source]
            name, size = other.name, neuron_count(other)
        once = np.zeros(input_count(layer), dtype=np.int64)
        once[first : first + size] = 1
        found += rates[name] * _weights_met(layer, once)
        first += size
    if isinstance(layer, ChipDense) and layer.weights_rec is not None:
        found += rates[layer.name] * neuron_count(layer)
    return found


def _weights_met(layer: ChipLayer, inputs: Int64Array) -> Int64Array:
    """Return how many weights each neuron receives from inputs that fire, its own layer's not.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    inputs : int64 array, shape (inputs,)
        How often each input fires, channel slowest.

    Returns
    -------
    int64 array, shape (neurons,)
        For a convolution those inside the image; a weight to either part of a complex state is two.
    """
    if isinstance(layer, ChipInput):
        return np.zeros(neuron_count(layer), dtype=np.int64)
    if isinstance(layer, ChipDense):
        found = np.full(neuron_count(layer), inputs.sum(), dtype=np.int64)
    else:
        ones = np.ones(layer.weights.mantissa.shape, dtype=np.int64)
        image = inputs.reshape(1, *layer.shape_in)
        geometry = (layer.stride, layer.padding, layer.dilation, layer.groups)
        found = correlate(image, ones, *geometry).reshape(-1).astype(np.int64)
    return found if layer.weights_imag is None else 2 * found
