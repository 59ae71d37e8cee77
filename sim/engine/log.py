"""From the spikes of a block's chunks to rows of the log, in its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .event_kernels import write_rows
from .plan import NetworkPlan
from .structures import Events, Int32Array, Int64Array, Window

LOG_COLUMNS = 5  # sample, step, layer, neuron, value
ROW_BYTES = 4 * LOG_COLUMNS


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
        Where each row's spikes go in the block's part of the log; negative for rows not shown.
    """

    window: Window
    sent: tuple[Events, ...]
    places: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockSpikes:
    """What the layers sent in a block, and how many of these spikes are shown."""

    chunks: tuple[ChunkSpikes, ...]
    shown: int


def placed(plan: NetworkPlan, parts: list[tuple[Window, tuple[Events, ...]]]) -> BlockSpikes:
    """Return a block's spikes with their places in the log, sorted by sample, step and layer.

    Layers may be shown from different steps on, so chunks of time do not follow each other there.
    """
    timing, n_layers = plan.timing, len(plan.layers)
    samples = parts[0][0].samples
    counts = np.zeros((samples, timing.shown, n_layers), dtype=np.int64)
    for window, sent in parts:
        for index, events in enumerate(sent):
            chosen, shown = _shown(plan, window, index)
            rows = (events.stop - events.start).reshape(samples, -1)
            counts[:, shown, index] = rows[:, chosen]
    ends = np.cumsum(counts.reshape(-1)).reshape(counts.shape)
    first = ends - counts
    chunks: list[ChunkSpikes] = []
    for window, sent in parts:
        places = np.full((n_layers, samples, window.steps), -1, dtype=np.int64)
        for index in range(n_layers):
            chosen, shown = _shown(plan, window, index)
            places[index, :, chosen] = first[:, shown, index]
        flat = places.reshape(n_layers, -1)
        chunks.append(ChunkSpikes(window=window, sent=sent, places=flat))
    return BlockSpikes(chunks=tuple(chunks), shown=int(ends[-1, -1, -1]))


def write_log(plan: NetworkPlan, block: BlockSpikes, first: int, log: Int32Array) -> None:
    """Write a block's spikes to its part of the log.

    Parameters
    ----------
    plan : NetworkPlan
        The network.
    block : BlockSpikes
        The spikes.
    first : int
        Where the block's part begins.
    log : int32 array, shape (5, events)
        Sample, step, layer, neuron and value, sorted by the first four.
    """
    for chunk in block.chunks:
        for index, (layer, sent) in enumerate(zip(plan.layers, chunk.sent, strict=True)):
            write_rows(
                sent,
                index,
                layer.channels,
                layer.neurons.count // layer.channels,
                chunk.places[index],
                first,
                chunk.window._replace(shown_from=plan.timing.shown_from[index]),
                np.zeros(layer.channels + 1, dtype=np.int64),
                np.zeros(layer.neurons.count // 64 + 1, dtype=np.uint64),
                log,
            )


def _shown(plan: NetworkPlan, window: Window, layer: int) -> tuple[slice, slice]:
    """Return which of a chunk's steps a layer shows, and as which steps of the results."""
    first = window.first_step - plan.timing.shown_from[layer]
    begin = min(max(0, -first), window.steps)
    end = max(begin, min(window.steps, plan.timing.shown - first))
    return slice(begin, end), slice(first + begin, first + end)
