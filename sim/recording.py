"""Which states a run records: ``layer2.v``, ``layer2`` (all of a layer) or ``all``."""

from __future__ import annotations

from collections.abc import Sequence

from ..compile import ChipInput, ChipLayer, ChipNetwork
from ..netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    OptionError,
    ResonatorNeuron,
    suggest,
)

ALL_STATES = "all"
SHORT_NAMES = {"u": "current", "v": "voltage", "re": "real", "im": "imag"}
_ADAPTING = ("threshold", "refractory")


def state_names(layer: ChipLayer) -> tuple[str, ...]:
    """Return the states of a layer's neurons, as `sim/neurons` names them."""
    match layer.neuron:
        case CubaNeuron():
            return ("current", "voltage")
        case AlifNeuron():
            return ("current", "voltage", *_ADAPTING)
        case ResonatorNeuron():
            return ("real", "imag")
        case AdaptiveResonatorNeuron():
            return ("real", "imag", *_ADAPTING)
        case _ if isinstance(layer, ChipInput):
            return ("activation", "residue")
        case neuron:
            return ("sigma",) if neuron.sigma_output else ("sigma", "activation", "residue")


def recorded_states(network: ChipNetwork, record: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the states to record of each layer, in forward order.

    Parameters
    ----------
    network : ChipNetwork
        The network.
    record : sequence of str
        'all', names of layers, or a layer and a state with a dot between; `SHORT_NAMES` stand for
        their states.

    Raises
    ------
    OptionError
        When there is no such layer or state.
    """
    wanted: dict[str, set[str]] = {layer.name: set() for layer in network.layers}
    for choice in record:
        for layer in network.layers if choice == ALL_STATES else [_layer_of(network, choice)]:
            state = choice.removeprefix(layer.name).removeprefix(".")
            is_whole = choice in (ALL_STATES, layer.name)
            wanted[layer.name].update(state_names(layer) if is_whole else [_state(layer, state)])
    return tuple(
        tuple(name for name in state_names(layer) if name in wanted[layer.name])
        for layer in network.layers
    )


def _layer_of(network: ChipNetwork, choice: str) -> ChipLayer:
    """Return the layer that a choice names; names of layers may have dots themselves."""
    for layer in network.layers:
        if choice == layer.name:
            return layer
    for layer in network.layers:
        if choice.rpartition(".")[0] == layer.name:
            return layer
    names = [layer.name for layer in network.layers]
    near = choice.rpartition(".")[0] or choice
    raise OptionError(f"cannot record '{choice}': no such layer; {suggest(near, names)}.")


def _state(layer: ChipLayer, state: str) -> str:
    name = SHORT_NAMES.get(state, state)
    if name not in state_names(layer):
        raise OptionError(
            f"{layer.name}: cannot record '{state}' of {layer.neuron.kind.value} neurons; "
            f"{suggest(name, state_names(layer))}."
        )
    return name
