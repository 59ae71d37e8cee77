"""Running a chunk of one layer in the memory of one thread: CUBA neurons here, others by family."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .conv_kernel import run_conv
from .dense_kernel import run_dense
from .number_kernel import run_numbers
from .plan import LayerPlan
from .structures import Events, Int32Array, Neurons, Recording, Special, States, Synapses, Window

# Where each state of a layer is written, shape (N, neurons, T) or (0, 0, 0); see `state_order`.
Recorded: TypeAlias = tuple[Int32Array, ...]


class LayerMemory(Protocol):
    """What a layer keeps from step to step, and how it goes on."""

    def run(
        self, incoming: Events | NDArray[Any], window: Window, out: Events, recorded: Recorded
    ) -> None:
        """Run a chunk.

        Parameters
        ----------
        incoming : Events or uint8 or int32 array, shape (samples, neurons, T)
            Spikes, or numbers for neurons at the input.
        window : Window
            The chunk.
        out : Events
            Filled.
        recorded : tuple of int32 array
            Where each state goes.
        """
        ...


class CubaLayer(LayerMemory):
    """The memory of a layer of CUBA neurons.

    Parameters
    ----------
    layer : LayerPlan
        The layer.
    neurons : Neurons
        Its neurons.
    special : Special or None
        Room for what few layers need.
    """

    def __init__(self, layer: LayerPlan, neurons: Neurons, special: Special | None) -> None:
        self._layer = layer
        self._neurons = neurons
        self._special = special
        self._states = States(
            current=np.zeros(layer.padded, dtype=np.int32),
            voltage=np.zeros(layer.padded, dtype=np.int32),
        )
        self._arriving = np.zeros(layer.padded, dtype=np.int32)
        is_wide = layer.synapses is not None and layer.synapses.wide
        self._sums = np.zeros(layer.padded, dtype=np.int64) if is_wide else self._arriving

    def run(
        self, incoming: Events | NDArray[Any], window: Window, out: Events, recorded: Recorded
    ) -> None:
        """Run a chunk; see `LayerMemory.run`."""
        layer, states, special = self._layer, self._states, self._special
        recording = Recording(*recorded)
        numbers, synapses = layer.numbers, layer.synapses
        if numbers is not None:
            run_numbers(
                incoming,
                numbers.scale,
                numbers.offset,
                self._neurons,
                states,
                special,
                self._arriving,
                window,
                out,
                recording,
            )
            return
        run: Any = run_dense if isinstance(synapses, Synapses) else run_conv
        run(
            incoming,
            synapses,
            self._neurons,
            states,
            special,
            self._sums,
            self._arriving,
            window,
            out,
            recording,
        )


def layer_memory(layer: LayerPlan, end: int) -> LayerMemory:
    """Return the memory of a layer whose samples take `end` steps."""
    special = _special(layer, end) if layer.is_special else None
    if isinstance(layer.neurons, Neurons):
        return CubaLayer(layer, layer.neurons, special)
    # compiled code of neurons that few networks have is loaded for these
    from .family_layers import FamilyLayer

    assert special is not None
    return FamilyLayer(layer, special)


def _special(layer: LayerPlan, end: int) -> Special:
    count, delay = layer.neurons.count, layer.neurons.delay
    rows = 1 + min(int(delay.max()), end - 1) if delay.size else 0
    return Special(
        resting=np.zeros(count, dtype=np.int32),
        waiting=np.zeros((rows, count), dtype=np.int32),
        fired=np.zeros(count, dtype=np.int32),
        fired_value=np.zeros(count, dtype=np.int32),
        fired_count=np.zeros(1, dtype=np.int64),
    )
