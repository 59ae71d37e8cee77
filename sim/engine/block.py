"""Running a block of samples through all layers, a chunk of time at once, in memory of fixed size.

Layer after layer works on the spikes that the layers before it sent in the same chunk, so memory
holds one chunk's spikes of every layer and one sample's states, whatever the number of samples and
steps. Either a chunk is the whole of a sample, and a block has several of them, or it is a part,
and a block is one sample: rows of the log then come in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compile import NETWORK_INPUT
from .event_kernels import append_source, scan_bytes, scan_numbers
from .layers import Recorded, layer_memory
from .log import BlockSpikes, placed
from .plan import LayerPlan, NetworkPlan
from .structures import Events, Window

ROWS_AT_ONCE = 2048  # samples times steps; more leave the second-level cache
BUFFER_BYTES = 256 << 20  # for spikes, of all threads, were every neuron to fire in every step

Numbers: TypeAlias = NDArray[Any]  # uint8 or int32


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSize:
    """How a run is cut.

    Attributes
    ----------
    samples : int
        In a block.
    steps : int
        In a chunk, the steps before the input included.
    """

    samples: int
    steps: int


def block_size(
    plan: NetworkPlan,
    n_samples: int,
    threads: int,
    *,
    counted: bool,
    rows_at_once: int = ROWS_AT_ONCE,
) -> BlockSize:
    """Return the blocks that keep to the memory, and give every thread several.

    Parameters
    ----------
    plan : NetworkPlan
        The network.
    n_samples : int
        Of the input.
    threads : int
        That share the work.
    counted : bool
        Whether the input has values other than 0 and 1.
    rows_at_once : int
        Most samples times steps of a chunk.
    """
    end = plan.end
    row_bytes = 4 * (1 + counted) * plan.input_order.size
    for layer in plan.layers:
        row_bytes += 4 * (1 + layer.neurons.graded) * layer.neurons.count
        row_bytes += 12 * layer.inputs * bool(layer.joined)
    rows = max(1, min(rows_at_once, BUFFER_BYTES // threads // row_bytes))
    if rows < 2 * end:
        return BlockSize(samples=1, steps=min(rows, end))
    samples = min(rows // end, max(1, n_samples // (4 * threads)))
    # eights begin at addresses that the scan of bytes can read in words
    return BlockSize(samples=samples if samples < 8 else samples // 8 * 8, steps=end)


class Workspace:
    """The memory of one thread.

    Parameters
    ----------
    plan : NetworkPlan
        The network.
    size : BlockSize
        Blocks are not larger.
    counted : bool
        Whether the input has values other than 0 and 1.
    """

    def __init__(self, plan: NetworkPlan, size: BlockSize, *, counted: bool) -> None:
        self._plan = plan
        self._steps = size.steps
        rows = size.samples * size.steps
        inputs = plan.input_order.size if plan.takes_spikes else 0
        self._input = _events(rows, inputs, counted=counted)
        self._sent = [
            _events(rows, layer.neurons.count, counted=layer.neurons.graded)
            for layer in plan.layers
        ]
        self._joined = [
            _joined_events(plan, layer, rows, counted=counted) if layer.joined else None
            for layer in plan.layers
        ]
        self._memory = [layer_memory(layer, plan.end) for layer in plan.layers]

    def run(
        self, spikes: Numbers, first_sample: int, recordings: tuple[Recorded, ...]
    ) -> BlockSpikes:
        """Run a block of samples.

        Parameters
        ----------
        spikes : uint8 or int32 array, shape (samples, inputs, T)
            Of the block; read-only.
        first_sample : int
            Number of its first sample.
        recordings : tuple
            For each layer, where its states go.
        """
        plan = self._plan
        parts: list[tuple[Window, tuple[Events, ...]]] = []
        for first_step in range(0, plan.end, self._steps):
            window = Window(
                first_sample=first_sample,
                samples=spikes.shape[0],
                first_step=first_step,
                steps=min(self._steps, plan.end - first_step),
                before=plan.timing.before,
                shown_from=0,
                end=plan.end,
            )
            self._run_chunk(spikes, window, recordings)
            # copies: the memory is used again
            rows = window.samples * window.steps
            parts.append((window, tuple(_copied(events, rows) for events in self._sent)))
        return placed(plan, parts)

    def _run_chunk(self, spikes: Numbers, window: Window, recordings: tuple[Recorded, ...]) -> None:
        if self._plan.takes_spikes:
            self._scan(spikes, window)
        for index, (layer, memory) in enumerate(zip(self._plan.layers, self._memory, strict=True)):
            own = window._replace(shown_from=self._plan.timing.shown_from[index])
            incoming = spikes
            if layer.synapses is not None:
                incoming = self._events_into(index, layer, own)
            memory.run(incoming, own, self._sent[index], recordings[index])

    def _scan(self, spikes: Numbers, window: Window) -> None:
        """Find the input's spikes in this chunk."""
        n_steps, first = self._plan.n_steps, window.first_step - window.before
        last = min(max(0, first + window.steps), n_steps)
        lead, first = max(0, -first), min(max(0, first), n_steps)
        part = spikes
        if last - first < n_steps:
            part = frozen(spikes[:, :, first:last])
        order, steps = self._plan.input_order, last - first
        if part.dtype != np.uint8:
            scan_numbers(part, steps, lead, order, window, self._input)
            return
        flat = part.reshape(-1)
        if flat.ctypes.data % 8:
            flat = frozen(flat.copy())
        whole = flat.size // 8 * 8
        words = flat[:whole].view(np.uint64)
        scan_bytes(words, flat[whole:], order.size, steps, lead, order, window, self._input)

    def _events_of(self, source: int) -> Events:
        return self._input if source == NETWORK_INPUT else self._sent[source]

    def _events_into(self, index: int, layer: LayerPlan, window: Window) -> Events:
        """Return the spikes that come into a layer."""
        if layer.source is not None:
            return self._events_of(layer.source)
        joined = self._joined[index]
        assert joined is not None
        rows = window.samples * window.steps
        joined.start[:rows] = np.arange(rows) * layer.inputs
        joined.stop[:rows] = joined.start[:rows]
        for part in layer.joined:
            append_source(self._events_of(part.source), part.table, part.scale, rows, joined)
        return joined


def _copied(events: Events, rows: int) -> Events:
    total = int(events.stop[rows - 1])
    return Events(
        index=events.index[:total].copy(),
        value=events.value[: total if events.counted else 1].copy(),
        start=events.start[:rows].copy(),
        stop=events.stop[:rows].copy(),
        counted=events.counted,
    )


def frozen(values: Numbers) -> Numbers:
    """Return values in C order and read-only: Numba compiles once for each kind of array."""
    made = np.ascontiguousarray(values)
    made = made.view()
    made.setflags(write=False)
    return made


def _events(
    rows: int, neurons: int, *, counted: bool, kind: type[np.int32 | np.int64] = np.int32
) -> Events:
    """Room for all neurons in every row; pages that no spike reaches take no memory."""
    room = max(1, rows * neurons)
    return Events(
        index=np.empty(room, dtype=np.int32),
        value=np.empty(room if counted else 1, dtype=kind),
        start=np.zeros(rows, dtype=np.int64),
        stop=np.zeros(rows, dtype=np.int64),
        counted=counted,
    )


def _joined_events(plan: NetworkPlan, layer: LayerPlan, rows: int, *, counted: bool) -> Events:
    """Room for the spikes of all sources; payloads brought to another unit may take 64 bits."""
    is_scaled = any(part.scale != 1 for part in layer.joined)
    has_values = is_scaled or any(
        counted if part.source == NETWORK_INPUT else plan.layers[part.source].neurons.graded
        for part in layer.joined
    )
    kind = np.int64 if is_scaled else np.int32
    return _events(rows, layer.inputs, counted=has_values, kind=kind)
