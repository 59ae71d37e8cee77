"""Where weights act: what one spike of some inputs does to each neuron."""

from __future__ import annotations

import numpy as np

from ...compile import ChipDense, ChipInput, ChipLayer, input_count, neuron_count, weight_sets
from ...hw_profiles.arithmetic import Int64Array
from ..synapses import correlate


def connections(layer: ChipLayer) -> int:
    """Return how often a weight acts when every input of a layer arrives once."""
    if isinstance(layer, ChipInput):
        return 0
    once = weights_met(layer, np.ones(input_count(layer), dtype=np.int64))
    own = sum(
        int(weights.mantissa.size) for name, weights in weight_sets(layer) if name == "weight_rec"
    )
    return int(once.sum()) + own


def weights_met(layer: ChipLayer, inputs: Int64Array) -> Int64Array:
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
