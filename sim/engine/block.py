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
from .conv_kernel import run_conv
from .dense_kernel import run_dense
from .event_kernels import append_source, scan_bytes, scan_numbers, write_rows
from .number_kernel import run_numbers
from .plan import LayerPlan, NetworkPlan
from .structures import Events, Int32Array, Int64Array, Recording, Special, States, Synapses, Window

LOG_COLUMNS = 5  # sample, step, layer, neuron, value
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
    n_steps: int,
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
    n_samples, n_steps : int
        Of the input.
    threads : int
        That share the work.
    counted : bool
        Whether the input has values other than 0 and 1.
    rows_at_once : int
        Most samples times steps of a chunk.
    """
    end = plan.before + n_steps
    row_bytes = 4 * (1 + counted) * plan.input_order.size
    for layer in plan.layers:
        row_bytes += 4 * (1 + layer.neurons.graded) * layer.neurons.count
        row_bytes += 8 * layer.inputs * bool(layer.joined)
    rows = max(1, min(rows_at_once, BUFFER_BYTES // threads // row_bytes))
    if rows < 2 * end:
        return BlockSize(samples=1, steps=min(rows, end))
    samples = min(rows // end, max(1, n_samples // (4 * threads)))
    # eights begin at addresses that the scan of bytes can read in words
    return BlockSize(samples=samples if samples < 8 else samples // 8 * 8, steps=end)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChunkSpikes:
    """What the layers sent in a chunk.

    Attributes
    ----------
    window : Window
        The chunk.
    sent : tuple of Events
        Of each layer.
    places : int64 array, shape (layers, rows)
        Where each row's spikes go in the chunk's part of the log; negative before the input begins.
    """

    window: Window
    sent: tuple[Events, ...]
    places: Int64Array

    def __len__(self) -> int:
        logged = self.places >= 0
        return sum(
            int((events.stop - events.start)[mine].sum())
            for events, mine in zip(self.sent, logged, strict=True)
        )


class Workspace:
    """The memory of one thread.

    Parameters
    ----------
    plan : NetworkPlan
        The network.
    size : BlockSize
        Blocks are not larger.
    n_steps : int
        Of the input.
    counted : bool
        Whether the input has values other than 0 and 1.
    """

    def __init__(self, plan: NetworkPlan, size: BlockSize, n_steps: int, *, counted: bool) -> None:
        self._plan = plan
        self._steps = size.steps
        self._n_steps = n_steps
        rows = size.samples * size.steps
        inputs = plan.input_order.size if plan.takes_spikes else 0
        self._input = _events(rows, inputs, counted=counted)
        self._sent = [
            _events(rows, layer.neurons.count, counted=layer.neurons.graded)
            for layer in plan.layers
        ]
        self._joined = [
            _events(rows, layer.inputs, counted=_is_counted(plan, layer, counted))
            if layer.joined
            else None
            for layer in plan.layers
        ]
        end = plan.before + n_steps
        self._states = [_states(layer) for layer in plan.layers]
        self._special = [_special(layer, end) for layer in plan.layers]
        self._arriving = [np.zeros(layer.padded, dtype=np.int32) for layer in plan.layers]
        self._sums = [
            np.zeros(layer.padded, dtype=np.int64) if _is_wide(layer) else arriving
            for layer, arriving in zip(plan.layers, self._arriving, strict=True)
        ]

    def run(
        self, spikes: Numbers, first_sample: int, recordings: tuple[Recording, ...]
    ) -> list[ChunkSpikes]:
        """Run a block of samples.

        Parameters
        ----------
        spikes : uint8 or int32 array, shape (samples, inputs, T)
            Of the block; read-only.
        first_sample : int
            Number of its first sample.
        recordings : tuple of Recording
            For each layer, where states go.

        Returns
        -------
        list of ChunkSpikes
            In order of time.
        """
        end = self._plan.before + self._n_steps
        parts: list[ChunkSpikes] = []
        for first_step in range(0, end, self._steps):
            window = Window(
                first_sample=first_sample,
                samples=spikes.shape[0],
                first_step=first_step,
                steps=min(self._steps, end - first_step),
                before=self._plan.before,
                end=end,
            )
            self._run_chunk(spikes, window, recordings)
            parts.append(self._kept(window))
        return parts

    def _run_chunk(
        self, spikes: Numbers, window: Window, recordings: tuple[Recording, ...]
    ) -> None:
        if self._plan.takes_spikes:
            self._scan(spikes, window)
        for index, (layer, recording) in enumerate(zip(self._plan.layers, recordings, strict=True)):
            states, sums, arriving = self._states[index], self._sums[index], self._arriving[index]
            special, out = self._special[index], self._sent[index]
            neurons, synapses = layer.neurons, layer.synapses
            if synapses is None:
                run_numbers(
                    spikes,
                    layer.scale,
                    layer.offset,
                    neurons,
                    states,
                    special,
                    arriving,
                    window,
                    out,
                    recording,
                )
                continue
            events = self._events_into(index, layer, window)
            run = run_dense if isinstance(synapses, Synapses) else run_conv
            run(events, synapses, neurons, states, special, sums, arriving, window, out, recording)  # pyright: ignore[reportArgumentType] - each takes its own

    def _scan(self, spikes: Numbers, window: Window) -> None:
        """Find the input's spikes in this chunk."""
        first = max(0, window.first_step - window.before)
        last = max(0, window.first_step + window.steps - window.before)
        part = spikes
        if last - first < self._n_steps:
            part = frozen(spikes[:, :, first:last])
        order, steps = self._plan.input_order, last - first
        if part.dtype != np.uint8:
            scan_numbers(part, steps, order, window, self._input)
            return
        flat = part.reshape(-1)
        if flat.ctypes.data % 8:
            flat = frozen(flat.copy())
        whole = flat.size // 8 * 8
        words = flat[:whole].view(np.uint64)
        scan_bytes(words, flat[whole:], order.size, steps, order, window, self._input)

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

    def _kept(self, window: Window) -> ChunkSpikes:
        """Return copies of the chunk's spikes: the memory is used again."""
        rows = window.samples * window.steps
        sent = tuple(_copied(events, rows) for events in self._sent)
        return ChunkSpikes(window=window, sent=sent, places=_places(sent, window))


def write_log(plan: NetworkPlan, chunk: ChunkSpikes, first: int, log: Int32Array) -> None:
    """Write a chunk's spikes to its part of the log.

    Parameters
    ----------
    plan : NetworkPlan
        The network.
    chunk : ChunkSpikes
        The spikes.
    first : int
        Where the chunk's part begins.
    log : int32 array, shape (5, events)
        Sample, step, layer, neuron and value, sorted by the first four.
    """
    for index, (layer, sent) in enumerate(zip(plan.layers, chunk.sent, strict=True)):
        write_rows(
            sent,
            index,
            layer.channels,
            layer.neurons.count // layer.channels,
            chunk.places[index],
            first,
            chunk.window,
            np.zeros(layer.channels + 1, dtype=np.int64),
            log,
        )


def _places(sent: tuple[Events, ...], window: Window) -> Int64Array:
    """Return where each layer's spikes of each row go in the chunk's part of the log."""
    counts = np.stack([events.stop - events.start for events in sent])
    rows: Int64Array = np.arange(counts.shape[1], dtype=np.int64)
    step = window.first_step + rows % window.steps
    counts[:, step < window.before] = 0
    ends = np.cumsum(counts.T.reshape(-1)).reshape(counts.shape[::-1]).T
    places = np.ascontiguousarray(ends - counts)
    places[:, step < window.before] = -1
    return places


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


def _events(rows: int, neurons: int, *, counted: bool) -> Events:
    """Room for all neurons in every row; pages that no spike reaches take no memory."""
    room = max(1, rows * neurons)
    return Events(
        index=np.empty(room, dtype=np.int32),
        value=np.empty(room if counted else 1, dtype=np.int32),
        start=np.zeros(rows, dtype=np.int64),
        stop=np.zeros(rows, dtype=np.int64),
        counted=counted,
    )


def _states(layer: LayerPlan) -> States:
    return States(
        current=np.zeros(layer.padded, dtype=np.int32),
        voltage=np.zeros(layer.padded, dtype=np.int32),
    )


def _special(layer: LayerPlan, end: int) -> Special | None:
    if not layer.is_special:
        return None
    count, delay = layer.neurons.count, layer.neurons.delay
    rows = 1 + min(int(delay.max()), end - 1) if delay.size else 0
    return Special(
        resting=np.zeros(count, dtype=np.int32),
        waiting=np.zeros((rows, count), dtype=np.int32),
        fired=np.zeros(count, dtype=np.int32),
        fired_value=np.zeros(count, dtype=np.int32),
        fired_count=np.zeros(1, dtype=np.int64),
    )


def _is_wide(layer: LayerPlan) -> bool:
    return layer.synapses is not None and layer.synapses.wide


def _is_counted(plan: NetworkPlan, layer: LayerPlan, counted: bool) -> bool:
    """Tell whether joined spikes have values other than 1."""
    return any(
        part.scale != 1
        or (counted if part.source == NETWORK_INPUT else plan.layers[part.source].neurons.graded)
        for part in layer.joined
    )
