"""Where recorded states go: room for those that are wanted, and for a readout's voltage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from ...compile import ChipLayer, CompiledNetwork, has_readout, neuron_count
from ...netx import SigmaDeltaNeuron, is_complex
from ..recording import state_names
from .layers import Recorded
from .structures import Int32Array

# For each layer, its wanted states by name; int32, shape (N, neurons, T).
Rooms: TypeAlias = tuple[Mapping[str, Int32Array], ...]
NOWHERE = np.zeros((0, 0, 0), dtype=np.int32)


def rooms_for(
    compiled: CompiledNetwork, wanted: Sequence[Sequence[str]], samples: int, steps: int
) -> Rooms:
    """Return room for the states of some samples; pages that no sample reaches take no memory."""
    return tuple(
        {
            name: np.zeros((samples, neuron_count(layer), steps), dtype=np.int32)
            for name in _kept_names(compiled, wanted, index)
        }
        for index, layer in enumerate(compiled.network.layers)
    )


def bytes_of_states(compiled: CompiledNetwork, wanted: Sequence[Sequence[str]], steps: int) -> int:
    """Return how much room a sample takes."""
    return sum(
        4 * steps * neuron_count(layer) * len(_kept_names(compiled, wanted, index))
        for index, layer in enumerate(compiled.network.layers)
    )


def in_kernel_order(compiled: CompiledNetwork, rooms: Rooms) -> tuple[Recorded, ...]:
    """Return rooms as the kernels take them; states that are not wanted go nowhere."""
    return tuple(
        tuple(room.get(name, NOWHERE) for name in _kernel_order(layer))
        for layer, room in zip(compiled.network.layers, rooms, strict=True)
    )


def _kept_names(
    compiled: CompiledNetwork, wanted: Sequence[Sequence[str]], index: int
) -> tuple[str, ...]:
    is_read = index == len(compiled.network.layers) - 1 and has_readout(compiled.network)
    layer = compiled.network.layers[index]
    return tuple(
        name
        for name in state_names(layer)
        if name in wanted[index] or (is_read and name == "voltage")
    )


def _kernel_order(layer: ChipLayer) -> tuple[str, ...]:
    """Return the states that the loop of a layer's family knows, whatever this layer has."""
    if isinstance(layer.neuron, SigmaDeltaNeuron):
        return ("sigma", "activation", "residue")
    if is_complex(layer.neuron):
        return ("real", "imag", "threshold", "refractory")
    return state_names(layer)
