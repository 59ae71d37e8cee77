"""The spike log: one row an event, and Parquet as its file format.

====== ===================== ==========================================================
column type                  meaning
====== ===================== ==========================================================
sample int32                 number of the sample
step   int32                 step of the sample, from 0, latencies taken out
layer  dictionary of string  name of the layer
neuron int32                 number in the layer, channel slowest
value  int32                 payload of the spike; 1 for CUBA neurons
====== ===================== ==========================================================

Rows are sorted by sample, step, layer (forward order) and neuron.
"""
# pyarrow has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..netx import RunFolderError

Int32Array = NDArray[np.int32]


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

    def __len__(self) -> int:
        return int(self.sample.size)

    def spike_counts(self, layer: int) -> NDArray[np.int64]:
        """Return how often each neuron of a layer fired in each sample, shape (N, neurons)."""
        chosen = self.layer == layer
        size = self.layer_sizes[layer]
        flat = self.sample[chosen].astype(np.int64) * size + self.neuron[chosen]
        return np.bincount(flat, minlength=self.n_samples * size).reshape(self.n_samples, size)

    def dense(self, layer: int) -> NDArray[np.int32]:
        """Return the spikes of a layer as an array, shape (N, neurons, T)."""
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


def write_spike_log(log: SpikeLog, path: Path) -> None:
    """Write a log as Parquet; sizes that the rows do not tell go into the file's metadata."""
    layer = pa.DictionaryArray.from_arrays(
        pa.array(log.layer, type=pa.int32()), pa.array(list(log.layer_names), type=pa.string())
    )
    table = pa.table(
        {
            "sample": pa.array(log.sample),
            "step": pa.array(log.step),
            "layer": layer,
            "neuron": pa.array(log.neuron),
            "value": pa.array(log.value),
        }
    )
    shape = {
        "layer_names": log.layer_names,
        "layer_sizes": log.layer_sizes,
        "n_samples": log.n_samples,
        "n_steps": log.n_steps,
    }
    table = table.replace_schema_metadata({"lavadeploy": json.dumps(shape)})
    pq.write_table(table, path, compression="zstd")


def read_spike_log(path: Path) -> SpikeLog:
    """Read a log that `write_spike_log` wrote.

    Raises
    ------
    RunFolderError
        When the file is missing or not such a log.
    """
    try:
        table = pq.read_table(path)
        shape = json.loads(cast(dict[bytes, bytes], table.schema.metadata)[b"lavadeploy"])
        names = tuple(cast(list[str], shape["layer_names"]))
        index = {name: number for number, name in enumerate(names)}
        layer = [index[name] for name in table.column("layer").to_pylist()]
        columns = {
            name: table.column(name).to_numpy().astype(np.int32)
            for name in ("sample", "step", "neuron", "value")
        }
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise RunFolderError(f"'{path}': is not a spike log ({error}).") from error
    return SpikeLog(
        layer=np.array(layer, dtype=np.int32),
        layer_names=names,
        layer_sizes=tuple(cast(list[int], shape["layer_sizes"])),
        n_samples=int(shape["n_samples"]),
        n_steps=int(shape["n_steps"]),
        **columns,
    )
