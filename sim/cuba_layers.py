"""What a backend can run that knows chains of CUBA neurons only (Lava's LIF)."""

from __future__ import annotations

from ..compile import ChipConv, ChipDense, ChipLayer, CompiledNetwork
from ..netx import CubaNeuron, UnsupportedNetworkError


def cuba_neuron(layer: ChipLayer) -> CubaNeuron:
    """Return the neuron of a layer that passed the check below."""
    if not isinstance(layer.neuron, CubaNeuron):
        raise TypeError(f"{layer.name}: {layer.neuron.kind.value} neurons")
    return layer.neuron


def check_only_cuba_layers(compiled: CompiledNetwork, backend: str) -> None:
    """Raise when a network has what a backend cannot run.

    Parameters
    ----------
    compiled : CompiledNetwork
        The network.
    backend : str
        Name of the backend.

    Raises
    ------
    UnsupportedNetworkError
        With every layer that is no dense layer or convolution of plain CUBA neurons behind the
        layer before it.
    """
    problems = [
        f"{layer.name}: {what} cannot run on backend '{backend}' yet; backend 'reference' can."
        for index, layer in enumerate(compiled.network.layers)
        for what in _beyond_cuba(index, layer)
    ]
    if problems:
        raise UnsupportedNetworkError(problems)


def _beyond_cuba(index: int, layer: ChipLayer) -> list[str]:
    """Return what a layer has that a chain of LIF processes lacks."""
    neuron = layer.neuron
    if not isinstance(layer, ChipDense | ChipConv):
        return ["neurons at the input"]
    found: list[str] = []
    if not isinstance(neuron, CubaNeuron):
        found.append(f"{neuron.kind.value} neurons")
    else:
        if neuron.refractory_delay != 1:
            found.append(f"a refractory delay of {neuron.refractory_delay}")
        if neuron.graded_spike:
            found.append("graded spikes")
        if neuron.current_exponent:
            found.append(f"a current divided by 2**{neuron.current_exponent}")
    if layer.sources != (index - 1,):
        found.append("inputs of several layers")
    if isinstance(layer, ChipDense) and layer.weights_rec is not None:
        found.append("recurrent weights")
    return found
