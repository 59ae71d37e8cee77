"""NeuroBench's metrics of a run, under its names.

As the ``neurobench`` package (2.x) counts them, so that figures can stand beside its leaderboards:

====================== =========================================================================
Footprint              bytes of weights, biases and delays; here of the bits they take on the chip
ParameterCount         how many of them
ConnectionSparsity     zeros among the weights, in four digits
ActivationSparsity     outputs of neurons that are 0, of all neurons, steps and samples
SynapticOperations     an inference: weights other than 0 that met inputs other than 0, as
                       ``Effective_ACs`` in layers that take -1, 0 and 1 only, else as
                       ``Effective_MACs``; ``Dense`` if no weight and no input were 0
ClassificationAccuracy where there are labels
====================== =========================================================================

What a chip does is more: it delivers stored zeros, too (`LayerActivity.synaptic_operations`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compile import ChipInput, ChipLayer, CompiledNetwork, weight_sets
from .activity import ActivityCounts


def neurobench_metrics(
    compiled: CompiledNetwork, counts: ActivityCounts, accuracy: float | None = None
) -> dict[str, Any]:
    """Return NeuroBench's metrics; see the module.

    Parameters
    ----------
    compiled : CompiledNetwork
        What ran.
    counts : ActivityCounts
        Of the run.
    accuracy : float, optional
        Part of the samples classified as labelled.

    Notes
    -----
    NeuroBench decides between ACs and MACs call by call of a layer; here a layer is called once
    with all samples and steps. Definitions: neurobench/metrics of github.com/NeuroBench/neurobench.
    """
    bits, numbers = 0, 0
    for layer in compiled.network.layers:
        for count, width in _parameters(layer, compiled):
            bits, numbers = bits + count * width, numbers + count
    weights = [w.mantissa for layer in compiled.network.layers for _, w in weight_sets(layer)]
    stored = sum(each.size for each in weights)
    zeros = stored - sum(int(np.count_nonzero(each)) for each in weights)
    outputs = sum(layer.neuron_updates for layer in counts.layers)
    silent = outputs - sum(layer.spikes for layer in counts.layers)
    effective = {
        name: sum(
            layer.effective_operations for layer in counts.layers if layer.takes_graded == graded
        )
        / counts.samples
        for name, graded in (("Effective_MACs", True), ("Effective_ACs", False))
    }
    dense = sum(layer.dense_operations for layer in counts.layers) / counts.samples
    metrics: dict[str, Any] = {
        "Footprint": bits / 8,
        "ParameterCount": numbers,
        "ConnectionSparsity": round(zeros / stored, 4) if stored else 0.0,
        "ActivationSparsity": silent / outputs,
        "SynapticOperations": {**effective, "Dense": dense},
    }
    if accuracy is not None:
        metrics["ClassificationAccuracy"] = accuracy
    return metrics


def _parameters(layer: ChipLayer, compiled: CompiledNetwork) -> list[tuple[int, int]]:
    """Return how many numbers of how many bits a layer stores, kind by kind."""
    if isinstance(layer, ChipInput):
        return []
    bias_bits = 1 + compiled.profile.formats.bias_mantissa_max.value.bit_length()
    found = [(weights.mantissa.size, weights.bits) for _, weights in weight_sets(layer)]
    found += [(b.size, bias_bits) for b in (layer.bias, layer.bias_imag) if b is not None]
    if layer.delay is not None:
        found.append((layer.delay.size, int(layer.delay.max()).bit_length()))
    return found
