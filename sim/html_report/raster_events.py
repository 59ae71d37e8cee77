"""The spikes of one sample that a raster can show, chosen while the log is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...hw_profiles.arithmetic import Int64Array
from ..spike_log import COLUMNS, Int32Array, SpikeLog
from ..spike_log_file import spike_log_parts

MOST_ROWS = 160  # neurons of a layer; more could not be told apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RasterLayer:
    """Spikes of every k-th neuron of a layer: all that these have, or all up to a step.

    Attributes
    ----------
    layer : int
        Its number in forward order.
    name : str
        Its name.
    neurons : int
        How many it has.
    stride : int
        k; neurons 0, k, 2k ... are shown.
    steps : int
        Steps that are shown, from the first on; those of the run if there is room for all.
    neuron, step, value : int32 array, shape (events,)
        The spikes.
    """

    layer: int
    name: str
    neurons: int
    stride: int
    steps: int
    neuron: Int32Array
    step: Int32Array
    value: Int32Array


def read_raster(log: Path, sample: int, most_events: int) -> tuple[RasterLayer, ...]:
    """Read what a raster shows of one sample, in memory that its spikes do not determine.

    Parameters
    ----------
    log : Path
        A spike log.
    sample : int
        Number of the sample.
    most_events : int
        Spikes of all layers together, about; each has an equal part of them.

    Returns
    -------
    tuple of RasterLayer
        One for each layer that is in the log.
    """
    counts = _count(log, sample)
    if not counts:
        return ()
    budget = max(most_events // len(counts), 1)
    strides = {layer: _stride(spikes, budget) for layer, spikes in counts.items()}
    chosen: dict[int, list[SpikeLog]] = {layer: [] for layer in counts}
    for part in _parts(log, sample):
        for layer, stride in strides.items():
            chosen[layer].append(_selected(part, layer, stride))
    return tuple(_joined(parts, layer, strides[layer], budget) for layer, parts in chosen.items())


def _count(log: Path, sample: int) -> dict[int, Int64Array]:
    """Return how often each neuron fired in a sample, by layer."""
    counts: dict[int, Int64Array] = {}
    for part in _parts(log, sample):
        for layer, size in enumerate(part.layer_sizes):
            if part.layer_names[layer] in part.not_logged:
                continue
            found = np.bincount(part.neuron[part.layer == layer], minlength=size)
            counts[layer] = counts[layer] + found if layer in counts else found
    return counts


def _parts(log: Path, sample: int) -> Iterator[SpikeLog]:
    return spike_log_parts(log, samples=range(sample, sample + 1))


def _stride(spikes: Int64Array, budget: int) -> int:
    """Return the least k of which every k-th neuron are few enough and have few enough spikes."""
    stride = -(-spikes.size // MOST_ROWS)
    while stride < spikes.size and int(spikes[::stride].sum()) > budget:
        stride += 1
    return max(stride, 1)


def _selected(part: SpikeLog, layer: int, stride: int) -> SpikeLog:
    shown = np.flatnonzero((part.layer == layer) & (part.neuron % stride == 0))
    return replace(part, **{name: getattr(part, name)[shown] for name in COLUMNS})


def _joined(parts: Sequence[SpikeLog], layer: int, stride: int, budget: int) -> RasterLayer:
    neuron, step, value = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("neuron", "step", "value")
    )
    steps = parts[0].n_steps
    if step.size > budget:  # one neuron that has more
        steps = int(step[budget])
        kept = step < steps
        neuron, step, value = neuron[kept], step[kept], value[kept]
    return RasterLayer(
        layer=layer,
        name=parts[0].layer_names[layer],
        neurons=parts[0].layer_sizes[layer],
        stride=stride,
        steps=steps,
        neuron=neuron,
        step=step,
        value=value,
    )
