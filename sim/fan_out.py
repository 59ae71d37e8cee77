"""How many weights a spike meets: in a layer, and on each of its cores.

A spike of one input meets every weight that it has in the layer, stored zeros too; in a convolution
only those whose output lies in the image, as stride, padding, dilation and groups leave them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..compile import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    CompiledNetwork,
    WeightRegisters,
    input_count,
    neuron_count,
)
from ..hw_profiles.arithmetic import Int64Array
from .synapses import correlate_transposed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FanOut:
    """What spikes of a layer's inputs meet, on each of its cores.

    Inputs that meet the same number of weights on every core are one class; there are few, since
    only borders of images and of cores tell inputs apart. So counting is by class and not by input.

    Attributes
    ----------
    classes : int32 array, shape (inputs,)
        Class of each input; inputs of all sources side by side.
    by_core : int64 array, shape (cores, classes)
        Weights that a spike of an input of that class meets on each core of the layer.
    nonzero : int64 array, shape (inputs,)
        Weights other than 0 that a spike of each input meets in the layer.
    cores : int64 array, shape (cores,)
        Numbers of the layer's cores.
    own : int64 array, shape (cores,)
        Weights that a spike of the layer itself meets on each core; 0 unless it is recurrent.
    own_nonzero : int64 array, shape (neurons,)
        Weights other than 0 that a spike of each neuron meets in the layer itself.
    """

    classes: NDArray[np.int32]
    by_core: Int64Array
    nonzero: Int64Array
    cores: Int64Array
    own: Int64Array
    own_nonzero: Int64Array

    @property
    def synapses(self) -> int:
        """Connections of the layer: weights that one spike of every input and neuron meets."""
        inputs = np.bincount(self.classes, minlength=self.by_core.shape[1])
        return int(
            (self.by_core.sum(axis=0) * inputs).sum() + self.own.sum() * len(self.own_nonzero)
        )


def fan_out(compiled: CompiledNetwork, layer: ChipLayer) -> FanOut:
    """Return what spikes of a layer's inputs meet."""
    cores = compiled.placement.cores_of(layer.name)
    inputs = 0 if isinstance(layer, ChipInput) else input_count(layer)
    classes = np.zeros(inputs, dtype=np.int64)
    fans: list[Int64Array] = []
    number = 1
    for core in cores:
        fan = _delivered(layer, core.neurons)
        fans.append(fan)
        met = np.flatnonzero(fan)
        # the class so far and the number of weights here make the new class
        pair = classes[met] * (int(fan.max(initial=0)) + 1) + fan[met]
        found, places = np.unique(pair, return_inverse=True)
        classes[met] = number + places
        number += found.size
    _, first, compact = np.unique(classes, return_index=True, return_inverse=True)
    is_recurrent = isinstance(layer, ChipDense) and layer.weights_rec is not None
    sizes = np.array([core.neurons.size for core in cores], dtype=np.int64)
    return FanOut(
        classes=compact.astype(np.int32),
        by_core=np.array([fan[first] for fan in fans], dtype=np.int64).reshape(len(cores), -1),
        nonzero=_nonzero(layer),
        cores=np.array([core.index for core in cores], dtype=np.int64),
        own=sizes if is_recurrent else np.zeros_like(sizes),
        own_nonzero=_own_nonzero(layer),
    )


def _delivered(layer: ChipLayer, neurons: NDArray[np.int32]) -> Int64Array:
    """Return how many weights to some neurons a spike of each input meets."""
    match layer:
        case ChipInput():
            return np.zeros(0, dtype=np.int64)
        case ChipDense():
            met = np.full(input_count(layer), neurons.size, dtype=np.int64)
        case ChipConv():
            group_size = layer.shape_out[0] // layer.groups
            channel, row, column = np.unravel_index(neurons, layer.shape_out)
            places = np.zeros((layer.groups, *layer.shape_out[1:]), dtype=np.int64)
            np.add.at(places, (channel // group_size, row, column), 1)
            _, in_group, *kernel = layer.weights.mantissa.shape
            met = _met(layer, places, np.ones((layer.groups, in_group, *kernel), dtype=np.int64))
    # a complex neuron has a weight to either part of its state
    return met if layer.weights_imag is None else 2 * met


def _nonzero(layer: ChipLayer) -> Int64Array:
    """Return how many weights other than 0 a spike of each input meets."""
    if isinstance(layer, ChipInput):
        return np.zeros(0, dtype=np.int64)
    total = np.zeros(input_count(layer), dtype=np.int64)
    for weights in (layer.weights, layer.weights_imag):
        if weights is not None:
            total += _nonzero_of(layer, weights)
    return total


def _nonzero_of(layer: ChipDense | ChipConv, weights: WeightRegisters) -> Int64Array:
    is_set = weights.mantissa != 0
    if isinstance(layer, ChipDense):
        return np.count_nonzero(is_set, axis=0).astype(np.int64)
    # output channels of a group together: what matters is how many weights, not to which
    by_group = is_set.reshape(layer.groups, -1, *is_set.shape[1:]).sum(axis=1, dtype=np.int64)
    places = np.ones((layer.groups, *layer.shape_out[1:]), dtype=np.int64)
    return _met(layer, places, by_group)


def _own_nonzero(layer: ChipLayer) -> Int64Array:
    if isinstance(layer, ChipDense) and layer.weights_rec is not None:
        return np.count_nonzero(layer.weights_rec.mantissa, axis=0).astype(np.int64)
    return np.zeros(neuron_count(layer), dtype=np.int64)


def _met(layer: ChipConv, places: Int64Array, kernel: Int64Array) -> Int64Array:
    """Return how often each input meets a kernel.

    Parameters
    ----------
    layer : ChipConv
        Gives the geometry.
    places : int64 array, shape (groups, height out, width out)
        How often the kernel is applied at each place, for each group.
    kernel : int64 array, shape (groups, input channels of a group, kernel height, kernel width)
        How much an input meets in it.

    Returns
    -------
    int64 array, shape (inputs,)
    """
    reached = correlate_transposed(
        places[np.newaxis], kernel, layer.stride, (0, 0), layer.dilation, layer.groups
    )[0]
    (rows, columns), (_, height, width) = layer.padding, layer.shape_in
    inside = reached[:, rows : rows + height, columns : columns + width]
    # rows and columns at the end may meet no kernel
    found = np.zeros(layer.shape_in, dtype=np.int64)
    found[:, : inside.shape[1], : inside.shape[2]] = inside
    return found.reshape(-1)
