"""The neuron of a layer that is known to be CUBA."""

from __future__ import annotations

from ..compile import ChipLayer
from ..netx import CubaNeuron


def cuba_neuron(layer: ChipLayer) -> CubaNeuron:
    """Return the neuron of a layer that passed a check of its neurons."""
    if not isinstance(layer.neuron, CubaNeuron):
        raise TypeError(f"{layer.name}: {layer.neuron.kind.value} neurons")
    return layer.neuron
