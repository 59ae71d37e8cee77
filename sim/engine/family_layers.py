"""Running a layer of neurons other than CUBA: sums of some rows, then the neurons of these rows.

Every family of neurons has one loop, whatever the form of the layer, and it is compiled when
a network first has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adaptive_leaky import run_adaptive
from .family_structures import (
    AdaptiveLeaky,
    Incoming,
    Resonators,
    ResonatorStates,
    Scratch,
    SigmaDelta,
    SigmaDeltaStates,
)
from .gather import gather_conv, gather_dense, gather_numbers, narrow_sums
from .layers import LayerMemory, Recorded
from .plan import LayerPlan
from .plan_synapses import NO_ALIGNMENT
from .resonators import run_resonators
from .sigma_delta import run_sigma_delta
from .structures import Events, Int32Array, Special, States, Synapses, Window

SUMS_BYTES = 1 << 20  # of a batch of rows: they stay in the second-level cache


class FamilyLayer(LayerMemory):
    """The memory of a layer of neurons other than CUBA, for one thread.

    Parameters
    ----------
    layer : LayerPlan
        The layer.
    special : Special
        Its part for spikes on their way.
    """

    def __init__(self, layer: LayerPlan, special: Special) -> None:
        self._layer = layer
        self._special = special
        recurrent, own_scale, is_wide = np.zeros((0, layer.padded), dtype=np.int8), 1, False
        if isinstance(layer.synapses, Synapses):
            recurrent, own_scale = layer.synapses.recurrent, layer.synapses.own_scale
            is_wide = layer.synapses.wide
        kind = np.int64 if is_wide else np.int32
        self._rows = max(1, SUMS_BYTES // (layer.padded * np.dtype(kind).itemsize))
        self._sums = _room(layer, self._rows, kind)
        self._sums_imag = _room(layer, 0 if layer.imag is None else self._rows, kind)
        # sums to which a layer's own spikes are still added stay wide
        self._narrows = is_wide and len(recurrent) == 0
        real, imag = self._sums, self._sums_imag
        if self._narrows:
            real, imag = (_room(layer, len(each), np.int32) for each in (real, imag))
        self._incoming = Incoming(
            real=real,
            imag=imag,
            recurrent=recurrent,
            own_scale=own_scale,
            alignment=NO_ALIGNMENT if self._narrows else layer.alignment,
        )
        self._scratch = Scratch(*(_zeros(layer) for _ in Scratch._fields))
        self._states = _states(layer)
        self._adaptation = None
        if layer.adaptation is not None:
            self._adaptation = layer.adaptation._replace(
                threshold=np.zeros(layer.padded, dtype=np.float64), refractory=_zeros(layer)
            )

    def run(
        self,
        incoming: Events | NDArray[Any],
        window: Window,
        out: Events,
        recorded: Recorded,
    ) -> None:
        """Run a chunk; see `LayerMemory.run`."""
        position, rows = 0, window.samples * window.steps
        for first in range(0, rows, self._rows):
            some = min(self._rows, rows - first)
            self._gather(incoming, window, first, some)
            position = self._step(window, first, some, out, position, recorded)

    def _gather(self, incoming: Any, window: Window, first: int, rows: int) -> None:
        layer = self._layer
        numbers = layer.numbers
        if numbers is not None:
            gather_numbers(
                incoming,
                numbers.scale,
                numbers.offset,
                numbers.exponent,
                numbers.clips,
                layer.neurons.natural,
                window,
                first,
                rows,
                self._sums,
            )
            return
        for synapses, sums in ((layer.synapses, self._sums), (layer.imag, self._sums_imag)):
            if isinstance(synapses, Synapses):
                scale = synapses.input_scale
                gather_dense(incoming, synapses.weights, scale, first, rows, sums)
            elif synapses is not None:
                gather_conv(incoming, synapses, first, rows, sums)
        if self._narrows:
            how, made = layer.alignment, self._incoming
            narrow_sums(self._sums, how, rows, made.real)
            narrow_sums(self._sums_imag, how, rows if len(made.imag) > 0 else 0, made.imag)

    def _step(
        self,
        window: Window,
        first: int,
        rows: int,
        out: Events,
        position: int,
        recorded: Recorded,
    ) -> int:
        neurons, states, incoming = self._layer.neurons, self._states, self._incoming
        rest = (self._special, self._scratch, window, first, rows, out, position, recorded)
        match neurons, states:
            case Resonators(), ResonatorStates():
                return run_resonators(incoming, neurons, self._adaptation, states, *rest)
            case AdaptiveLeaky(), States():
                assert self._adaptation is not None
                return run_adaptive(incoming, neurons, self._adaptation, states, *rest)
            case SigmaDelta(), SigmaDeltaStates():
                return run_sigma_delta(incoming, neurons, states, *rest)
            case _:
                raise TypeError(f"{type(neurons).__name__} are run elsewhere")


def _states(layer: LayerPlan) -> States | ResonatorStates | SigmaDeltaStates:
    match layer.neurons:
        case Resonators():
            return ResonatorStates(_zeros(layer), _zeros(layer))
        case SigmaDelta():
            return SigmaDeltaStates(_zeros(layer), _zeros(layer), _zeros(layer))
        case _:
            return States(_zeros(layer), _zeros(layer))


def _zeros(layer: LayerPlan) -> Int32Array:
    return np.zeros(layer.padded, dtype=np.int32)


def _room(layer: LayerPlan, rows: int, kind: type[np.int32 | np.int64]) -> NDArray[Any]:
    return np.zeros((rows, layer.padded), dtype=kind)
