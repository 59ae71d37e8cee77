"""The spike log: one row an event; `spike_log_file` writes it as Parquet.

====== ===================== ==========================================================
column type                  meaning
====== ===================== ==========================================================
sample int32                 number of the sample
step   int32                 step of the sample, from 0; see `Timeline` for latencies
layer  dictionary of string  name of the layer
neuron int32                 number in the layer, channel slowest
value  int32                 payload of the spike; 1 for CUBA neurons
====== ===================== ==========================================================

Rows are sorted by sample, step, layer (forward order) and neuron.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..netx import RunFolderError

Int32Array = NDArray[np.int32]
COLUMNS = ("sample", "step", "layer", "neuron", "value")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpikeLog:
    """Every spike of a run.

    Attributes
    ----------
    sample, step, layer, neuron, value : int32 array, shape (events,)
        One entry an event, sorted by sample, step, layer, neuron. `layer` counts from 0 in
        forward order and indexes `layer_names`.
    layer_names : tuple of str
        Names of the layers.
    layer_sizes : tuple of int
        Neurons of each layer.
    n_samples, n_steps : int
        Samples, and steps of each.
    not_logged : tuple of str
        Layers whose events were left out when the run was made (``--log``).

    Notes
    -----
    A layer's events are what leaves it: axonal delays are in, the one step of latency that each
    layer adds on a chip is taken out, so an input of step t can cause spikes of step t in every
    layer. Spikes delayed beyond a sample's last step are lost, as in SLAYER.
    """

    sample: Int32Array
    step: Int32Array
    layer: Int32Array
    neuron: Int32Array
    value: Int32Array
    layer_names: tuple[str, ...]
    layer_sizes: tuple[int, ...]
    n_samples: int
    n_steps: int
    not_logged: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.sample.size)

    def spike_counts(self, layer: int) -> NDArray[np.int64]:
        """Return how often each neuron of a layer fired in each sample, shape (N, neurons)."""
        self.check_logged(layer)
        chosen = self.layer == layer
        size = self.layer_sizes[layer]
        flat = self.sample[chosen].astype(np.int64) * size + self.neuron[chosen]
        return np.bincount(flat, minlength=self.n_samples * size).reshape(self.n_samples, size)

    def dense(self, layer: int) -> NDArray[np.int32]:
        """Return the spikes of a layer as an array, shape (N, neurons, T)."""
        self.check_logged(layer)
        spikes = np.zeros((self.n_samples, self.layer_sizes[layer], self.n_steps), dtype=np.int32)
        chosen = self.layer == layer
        spikes[self.sample[chosen], self.neuron[chosen], self.step[chosen]] = self.value[chosen]
        return spikes

    def predictions(self) -> NDArray[np.int64]:
        """Return the neuron of the last layer that fired most in each sample, shape (N,).

        Of neurons that fired equally often the lowest number wins.
        """
        counts = self.spike_counts(len(self.layer_names) - 1)
        return np.argmax(counts, axis=1).astype(np.int64)

    def check_logged(self, layer: int) -> None:
        """Raise `RunFolderError` when the events of a layer were left out of the log."""
        name = self.layer_names[layer]
        if name in self.not_logged:
            raise RunFolderError(
                f"{name}: its spikes are not in the log. Run again with --log all, or --log {name}."
            )

    def of_layers(self, names: Collection[str]) -> SpikeLog:
        """Return a log in which the events of other layers are left out."""
        if all(name in names for name in self.layer_names):
            return self
        kept = np.array([name in names for name in self.layer_names])
        chosen = kept[self.layer]
        left_out = (n for n in self.layer_names if n not in names or n in self.not_logged)
        return replace(
            self,
            **{name: getattr(self, name)[chosen] for name in COLUMNS},
            not_logged=tuple(left_out),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerEvents:
    """Events of one layer in any order, as a backend collects them; fields as in `SpikeLog`.

    Without values the spikes are binary.
    """

    sample: NDArray[np.integer]
    step: NDArray[np.integer]
    neuron: NDArray[np.integer]
    value: NDArray[np.integer] | None = None

    def values(self) -> NDArray[np.int32]:
        """Return a value for each event."""
        if self.value is None:
            return np.ones(self.sample.size, dtype=np.int32)
        return self.value.astype(np.int32)


def join_events(parts: list[LayerEvents]) -> LayerEvents:
    """Return the events of one layer that were collected in parts."""
    return LayerEvents(
        sample=np.concatenate([p.sample for p in parts]),
        step=np.concatenate([p.step for p in parts]),
        neuron=np.concatenate([p.neuron for p in parts]),
        value=np.concatenate([p.values() for p in parts]),
    )


def merge_events(
    events: list[LayerEvents],
    *,
    layer_names: tuple[str, ...],
    layer_sizes: tuple[int, ...],
    n_samples: int,
    n_steps: int,
) -> SpikeLog:
    """Make a log, one entry of `events` for each layer in forward order."""
    sample = np.concatenate([e.sample for e in events]).astype(np.int32)
    step = np.concatenate([e.step for e in events]).astype(np.int32)
    neuron = np.concatenate([e.neuron for e in events]).astype(np.int32)
    sizes = [e.sample.size for e in events]
    layer = np.repeat(np.arange(len(events), dtype=np.int32), sizes)
    order = np.lexsort((neuron, layer, step, sample))
    return SpikeLog(
        sample=sample[order],
        step=step[order],
        layer=layer[order],
        neuron=neuron[order],
        value=np.concatenate([e.values() for e in events])[order],
        layer_names=layer_names,
        layer_sizes=layer_sizes,
        n_samples=n_samples,
        n_steps=n_steps,
    )


def fraction_equal(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Return in how many of their places two arrays agree, 0 to 1."""
    return float(np.count_nonzero(a == b) / a.size)
