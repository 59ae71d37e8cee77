"""The spikes of one sample that a raster can show, chosen while the log is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...hw_profiles.arithmetic import Int64Array
from ..spike_log import COLUMNS, Int32Array, SpikeLog
from ..spike_log_file import count_by_neuron, spike_log_parts

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
    samples = range(sample, sample + 1)
    counts = count_by_neuron(log, samples=samples)
    if not counts:
        return ()
    budget = max(most_events // len(counts), 1)
    strides = {name: _stride(spikes, budget) for name, spikes in counts.items()}
    chosen: dict[str, list[SpikeLog]] = {name: [] for name in counts}
    for part in spike_log_parts(log, samples=samples):
        for name, stride in strides.items():
            chosen[name].append(_selected(part, part.layer_names.index(name), stride))
    return tuple(_joined(parts, name, strides[name], budget) for name, parts in chosen.items())


def _stride(spikes: Int64Array, budget: int) -> int:
    """Return the least k of which every k-th neuron are few enough and have few enough spikes."""
    stride = -(-spikes.size // MOST_ROWS)
    while stride < spikes.size and int(spikes[::stride].sum()) > budget:
        stride += 1
    return max(stride, 1)


def _selected(part: SpikeLog, layer: int, stride: int) -> SpikeLog:
    shown = np.flatnonzero((part.layer == layer) & (part.neuron % stride == 0))
    return replace(part, **{name: getattr(part, name)[shown] for name in COLUMNS})


def _joined(parts: Sequence[SpikeLog], name: str, stride: int, budget: int) -> RasterLayer:
    layer = parts[0].layer_names.index(name)
    neuron, step, value = (
        np.concatenate([getattr(part, column) for part in parts])
        for column in ("neuron", "step", "value")
    )
    steps = parts[0].n_steps
    if step.size > budget:  # one neuron that has more
        steps = int(step[budget])
        kept = step < steps
        neuron, step, value = neuron[kept], step[kept], value[kept]
    return RasterLayer(
        layer=layer,
        name=name,
        neurons=parts[0].layer_sizes[layer],
        stride=stride,
        steps=steps,
        neuron=neuron,
        step=step,
        value=value,
    )
