"""What backends can run that know CUBA neurons only."""

from __future__ import annotations

from ..compile import ChipLayer, CompiledNetwork
from ..netx import CubaNeuron, UnsupportedNetworkError


def cuba_neuron(layer: ChipLayer) -> CubaNeuron:
    """Return the neuron of a layer that passed a check of its neurons."""
    if not isinstance(layer.neuron, CubaNeuron):
        raise TypeError(f"{layer.name}: {layer.neuron.kind.value} neurons")
    return layer.neuron


def check_only_cuba_neurons(compiled: CompiledNetwork, backend: str) -> None:
    """Raise when a network has other neurons than CUBA.

    Raises
    ------
    UnsupportedNetworkError
        With every layer of other neurons.
    """
    problems = [
        f"{layer.name}: {layer.neuron.kind.value} neurons cannot run on backend '{backend}' yet; "
        "backend 'reference' can."
        for layer in compiled.network.layers
        if not isinstance(layer.neuron, CubaNeuron)
    ]
    if problems:
        raise UnsupportedNetworkError(problems)
