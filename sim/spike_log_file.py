"""The spike log as Parquet: written in row groups as it comes, read as a whole or by selection.

The columns are those of `SpikeLog`, the layer a dictionary of strings. What the rows do not tell
stands in the file's metadata under ``lavadeploy``, as JSON: names and sizes of the layers, samples,
steps, and the layers that were not logged.
"""
# pyarrow has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from typing_extensions import Self

from ..netx import OptionError, RunFolderError, suggest
from .spike_log import COLUMNS, Int32Array, SpikeLog

ROW_GROUP = 1 << 20  # 20 MB in memory; one is what a reader of a part of the log needs
METADATA = b"lavadeploy"


class SpikeLogWriter:
    """Writes one log in parts; the file is the same however it was parted.

    Parameters
    ----------
    path : Path
        The file.
    shape : SpikeLog
        Gives layers, steps and the number of all samples; its events are not written.
    """

    def __init__(self, path: Path, shape: SpikeLog) -> None:
        metadata = {
            "layer_names": shape.layer_names,
            "layer_sizes": shape.layer_sizes,
            "n_samples": shape.n_samples,
            "n_steps": shape.n_steps,
            "not_logged": shape.not_logged,
        }
        self._schema = pa.schema(
            [
                (name, pa.dictionary(pa.int32(), pa.string()) if name == "layer" else pa.int32())
                for name in COLUMNS
            ],
            metadata={METADATA: json.dumps(metadata).encode()},
        )
        self._names = pa.array(list(shape.layer_names), type=pa.string())
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[Any] = []

    def add(self, log: SpikeLog, first_sample: int = 0) -> None:
        """Write the events of the next samples, whose numbers in `log` count from 0."""
        self._waiting.append(
            pa.table(
                [
                    pa.array(log.sample + np.int32(first_sample)),
                    pa.array(log.step),
                    pa.DictionaryArray.from_arrays(pa.array(log.layer), self._names),
                    pa.array(log.neuron),
                    pa.array(log.value),
                ],
                schema=self._schema,
            )
        )
        while sum(len(table) for table in self._waiting) >= ROW_GROUP:
            rows = pa.concat_tables(self._waiting)
            self._write(rows.slice(0, ROW_GROUP))
            self._waiting = [rows.slice(ROW_GROUP)]

    def _write(self, rows: Any) -> None:
        self._writer.write_table(rows.combine_chunks(), row_group_size=ROW_GROUP)

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        if self._waiting:
            self._write(pa.concat_tables(self._waiting))
        self._waiting = []
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._waiting = []
            try:
                self._writer.close()
            except OSError:  # the disk is full: the first error is the one to hear of
                return


def write_spike_log(log: SpikeLog, path: Path) -> None:
    """Write a log as Parquet."""
    with SpikeLogWriter(path, log) as writer:
        writer.add(log)


def read_spike_log(
    path: Path, *, samples: range | None = None, layers: Collection[str] | None = None
) -> SpikeLog:
    """Read a log that `SpikeLogWriter` or `write_spike_log` wrote.

    Parameters
    ----------
    path : Path
        The file.
    samples : range, optional
        Samples that follow each other; their numbers count from 0 then. All if not given.
    layers : collection of str, optional
        Only the events of these layers.

    Raises
    ------
    RunFolderError
        When the file is missing or not such a log.
    OptionError
        When there is no such layer, or no such samples.
    """
    parts = list(spike_log_parts(path, samples=samples, layers=layers))
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return _with_columns(parts[0], columns)


def spike_log_parts(
    path: Path, *, samples: range | None = None, layers: Collection[str] | None = None
) -> Iterator[SpikeLog]:
    """Yield a log row group by row group, each as a log of all samples; one at least.

    Memory holds one of them, at most `ROW_GROUP` events. For the parameters see `read_spike_log`.
    """
    with _opened(path) as (file, shape):
        if samples is not None and not 0 <= samples.start < samples.stop <= shape.n_samples:
            raise OptionError(
                f"samples {samples.start} to {samples.stop - 1}; the run has 0 to "
                f"{shape.n_samples - 1}."
            )
        for name in layers or ():
            if name not in shape.layer_names:
                raise OptionError(f"no layer '{name}'; {suggest(name, shape.layer_names)}.")
        chosen = range(shape.n_samples) if samples is None else samples
        if samples is not None or layers is not None:
            shape = _selected(shape, chosen, shape.layer_names if layers is None else layers)
        yielded = False
        for group in range(file.num_row_groups):
            if _is_outside(file, group, chosen):
                continue
            yield _with_columns(shape, _columns(file.read_row_group(group), shape, chosen))
            yielded = True
        if not yielded:
            yield shape


def spike_log_shape(path: Path) -> SpikeLog:
    """Return a log without its events: layers, samples, steps. For errors see `read_spike_log`."""
    with _opened(path) as (_file, shape):
        return shape


def count_by_neuron(path: Path, *, samples: range | None = None) -> dict[str, NDArray[np.int64]]:
    """Return how often each neuron fired, shape (neurons,), for each layer that is in a log.

    Memory holds a row group of the log. For the parameters see `read_spike_log`.
    """
    counts: dict[str, NDArray[np.int64]] = {}
    for part in spike_log_parts(path, samples=samples):
        starts = np.concatenate([[0], np.cumsum(part.layer_sizes)]).astype(np.int64)
        found = np.bincount(starts[part.layer] + part.neuron, minlength=int(starts[-1]))
        for index, layer in enumerate(part.layer_names):
            if layer in part.not_logged:
                continue
            of_layer = found[starts[index] : starts[index + 1]]
            counts[layer] = counts[layer] + of_layer if layer in counts else of_layer
    return counts


@contextmanager
def _opened(path: Path) -> Generator[tuple[pq.ParquetFile, SpikeLog]]:
    """Open a log; gives the file, and its shape as a log without events."""
    try:
        with pq.ParquetFile(path) as file:
            metadata = cast(dict[bytes, bytes], file.schema_arrow.metadata)[METADATA]
            shape = json.loads(metadata)
            none = np.zeros(0, dtype=np.int32)
            yield (
                file,
                SpikeLog(
                    **dict.fromkeys(COLUMNS, none),
                    layer_names=tuple(cast(Sequence[str], shape["layer_names"])),
                    layer_sizes=tuple(cast(Sequence[int], shape["layer_sizes"])),
                    n_samples=int(shape["n_samples"]),
                    n_steps=int(shape["n_steps"]),
                    # logs of before there was a choice are whole
                    not_logged=tuple(cast(Sequence[str], shape.get("not_logged", ()))),
                ),
            )
    except (OptionError, RunFolderError):
        raise
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise RunFolderError(f"'{path}': is not a spike log ({error}).") from error


def _columns(rows: Any, shape: SpikeLog, samples: range) -> dict[str, Int32Array]:
    """Return the columns of some rows, those of the wanted samples and layers."""
    columns = {
        name: rows.column(name).to_numpy().astype(np.int32, copy=False)
        for name in COLUMNS
        if name != "layer"
    }
    names = rows.column("layer").combine_chunks()
    if isinstance(names, pa.ChunkedArray):  # older versions of pyarrow
        names = names.chunk(0)
    number = {name: index for index, name in enumerate(shape.layer_names)}
    numbers = np.array([number[name] for name in names.dictionary.to_pylist()], dtype=np.int32)
    columns["layer"] = numbers[names.indices.to_numpy()]
    left_out = [number[name] for name in shape.not_logged]
    chosen = (columns["sample"] >= samples.start) & (columns["sample"] < samples.stop)
    if left_out:
        chosen &= ~np.isin(columns["layer"], left_out)
    if not chosen.all():
        columns = {name: column[chosen] for name, column in columns.items()}
    if samples.start:
        columns["sample"] = columns["sample"] - np.int32(samples.start)
    return columns


def _is_outside(file: pq.ParquetFile, group: int, samples: range) -> bool:
    """Tell whether a row group holds none of some samples, by its statistics."""
    found = file.metadata.row_group(group).column(COLUMNS.index("sample")).statistics
    if found is None or not found.has_min_max:
        return False
    return bool(found.min >= samples.stop or found.max < samples.start)


def _selected(shape: SpikeLog, samples: range, layers: Collection[str]) -> SpikeLog:
    not_logged = (n for n in shape.layer_names if n not in layers or n in shape.not_logged)
    columns = {name: getattr(shape, name) for name in COLUMNS}
    return SpikeLog(
        **columns,
        layer_names=shape.layer_names,
        layer_sizes=shape.layer_sizes,
        n_samples=len(samples),
        n_steps=shape.n_steps,
        not_logged=tuple(not_logged),
    )


def _with_columns(shape: SpikeLog, columns: dict[str, Int32Array]) -> SpikeLog:
    return SpikeLog(
        **columns,
        layer_names=shape.layer_names,
        layer_sizes=shape.layer_sizes,
        n_samples=shape.n_samples,
        n_steps=shape.n_steps,
        not_logged=shape.not_logged,
    )
