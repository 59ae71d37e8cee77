"""Spike logs as files of other tools, written in memory that does not grow with the log.

=========== ==================================================================================
csv         a line an event: sample, step, layer, neuron, value
nirdata     HDF5 as ``nir.read_data`` reads it: a node for each layer, with observable ``spikes``
npz         an array ``(N, T, neurons)`` for each layer
slayer      an array ``(N, neurons, T)`` or ``(N, C, H, W, T)`` for each layer
tonic       a structured array for each layer and sample, ``<layer>/<sample>``
=========== ==================================================================================

Of npz and slayer, memory holds the array of one layer. Arrays are called like their layers; that of
a slayer file with one layer only is called ``spikes``, as `load_spike_input` takes it.
"""
# pyarrow and h5py have no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from ..netx import OptionError, Shape, suggest
from .spike_input import narrowest
from .spike_log import SpikeLog
from .spike_log_file import read_spike_log, spike_log_parts
from .spike_readers import STEP_US, slayer_spikes, time_first_spikes, tonic_events

SAMPLES_AT_ONCE = 64
INPUT_SPIKES = "spikes"  # what an input file calls them


def convert_spike_log(
    source: Path,
    target: Path,
    to: str,
    shapes: Mapping[str, Shape],
    *,
    layers: Collection[str] | None = None,
    step_us: int = STEP_US,
) -> tuple[str, ...]:
    """Write a spike log as a file of another kind.

    Parameters
    ----------
    source : Path
        A log, ``spikes.parquet``.
    target : Path
        The file to write.
    to : str
        One of `CONVERTERS`.
    shapes : mapping of str to tuple of int
        Shape of the neurons of each layer, (neurons,) or (C, H, W).
    layers : collection of str, optional
        Only these; all that are in the log if not given.
    step_us : int
        Microseconds of a step, where the file tells times.

    Returns
    -------
    tuple of str
        The layers that were written.

    Raises
    ------
    OptionError
        When `to` or a layer is not known.
    RunFolderError
        When the log is damaged, or a layer is not in it.
    """
    if to not in CONVERTERS:
        raise OptionError(f"cannot convert to '{to}'; {suggest(to, CONVERTERS)}.")
    log = next(iter(spike_log_parts(source)))
    logged = [name for name in log.layer_names if name not in log.not_logged]
    for name in layers or ():
        if name not in log.layer_names:
            raise OptionError(f"no layer '{name}'; {suggest(name, log.layer_names)}.")
        log.check_logged(log.layer_names.index(name))
    names = [name for name in logged if layers is None or name in layers]
    CONVERTERS[to](source, target, names, shapes, step_us)
    return tuple(names)


def layers_without_values(
    source: Path, to: str, names: Collection[str], shapes: Mapping[str, Shape]
) -> tuple[str, ...]:
    """Return the layers whose graded spikes lose their values in a file of that kind.

    Parameters
    ----------
    source, to, shapes
        As for `convert_spike_log`.
    names : collection of str
        The layers that are written.
    """
    images = [name for name in names if len(shapes[name]) == 3]
    if to != "tonic" or not images:  # its events of images tell place and channel
        return ()
    log = next(iter(spike_log_parts(source)))
    _, is_graded = _survey(source, images)
    return tuple(name for name in images if is_graded[log.layer_names.index(name)])


def _to_csv(
    source: Path, target: Path, names: list[str], _shapes: Mapping[str, Shape], _step_us: int
) -> None:
    kinds = {name: pa.int32() for name in ("sample", "step", "layer", "neuron", "value")}
    schema = pa.schema([*(kinds | {"layer": pa.string()}).items()])
    with pa_csv.CSVWriter(target, schema) as writer:
        for part in spike_log_parts(source, layers=names):
            labels = pa.array(list(part.layer_names), type=pa.string())
            layer = pa.DictionaryArray.from_arrays(pa.array(part.layer), labels)
            columns = [part.sample, part.step, layer.dictionary_decode(), part.neuron, part.value]
            writer.write_table(pa.table([pa.array(c) for c in columns], schema=schema))


def _to_nirdata(
    source: Path, target: Path, names: list[str], _shapes: Mapping[str, Shape], step_us: int
) -> None:
    counts, is_graded = _survey(source, names)
    with h5py.File(target, "w") as file:
        file.attrs["__type__"] = "NIRGraphData"
        nodes = file.create_group("nodes")
        groups = {name: _node(nodes, name) for name in names}
        for start, log in _by_samples(source, names):
            for name, group in groups.items():
                index = log.layer_names.index(name)
                if "idx" not in group:
                    room = (counts.shape[0], max(1, int(counts[:, index].max())))
                    _make_room(group, room, log.layer_sizes[index], log.n_steps, step_us)
                    if is_graded[index]:
                        group.attrs["__type__"] = "ValuedEventData"
                        group.create_dataset("value", room, np.float64, compression="gzip")
                _write_events(group, log, index, start, step_us)


def _node(nodes: Any, name: str) -> Any:
    node = nodes.create_group(quote(name, safe=" "))  # '/' would make a group in a group
    node.attrs["__type__"] = "NIRNodeData"
    spikes = node.create_group("observables").create_group("spikes")
    spikes.attrs["__type__"] = "EventData"
    return spikes


def _make_room(group: Any, room: tuple[int, int], neurons: int, n_steps: int, step_us: int) -> None:
    group.create_dataset("idx", room, np.int64, fillvalue=-1, compression="gzip")
    group.create_dataset("time", room, np.float64, fillvalue=np.inf, compression="gzip")
    group.attrs["n_neurons"] = neurons
    # nir cuts the quotient of t_max and a step to a whole number
    group.attrs["t_max"] = float(np.nextafter(n_steps * (step_us / 1e6), np.inf))


def _write_events(group: Any, log: SpikeLog, layer: int, start: int, step_us: int) -> None:
    """Write the events of some samples; what is behind a sample's last one stays empty."""
    mine = log.layer == layer
    sample, n = log.sample[mine], log.n_samples
    counts = np.bincount(sample, minlength=n)
    if not counts.any():
        return
    place = np.arange(sample.size) - np.repeat(np.cumsum(counts) - counts, counts)
    # the middle of the step: every version of nir takes it for that step, rounding up or down
    time = (log.step[mine] + 0.5) * (step_us / 1e6)
    columns = {"idx": (log.neuron[mine], -1), "time": (time, np.inf), "value": (log.value[mine], 0)}
    for name, (values, empty) in columns.items():
        if name in group:
            block = np.full((n, int(counts.max())), empty, dtype=group[name].dtype)
            block[sample, place] = values
            group[name][start : start + n, : block.shape[1]] = block


def _survey(source: Path, names: list[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return how many events each sample has in each layer, and whether any is graded."""
    counts, graded = np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.bool_)
    for part in spike_log_parts(source, layers=names):
        n_layers = len(part.layer_names)
        if not counts.size:
            counts = np.zeros((part.n_samples, n_layers), dtype=np.int64)
            graded = np.zeros(n_layers, dtype=np.bool_)
        flat = part.sample.astype(np.int64) * n_layers + part.layer
        counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)
        graded[part.layer[part.value != 1]] = True
    return counts, graded


def _by_samples(source: Path, names: list[str]) -> Iterator[tuple[int, SpikeLog]]:
    """Yield the log of some samples after the other, with the number of the first."""
    total = next(iter(spike_log_parts(source))).n_samples
    for start in range(0, total, SAMPLES_AT_ONCE):
        samples = range(start, min(start + SAMPLES_AT_ONCE, total))
        yield start, read_spike_log(source, samples=samples, layers=names)


def _to_npz(
    source: Path, target: Path, names: list[str], _shapes: Mapping[str, Shape], _step_us: int
) -> None:
    def array(name: str) -> NDArray[np.int32]:
        log = read_spike_log(source, layers=[name])
        return time_first_spikes(log, log.layer_names.index(name))

    _write_arrays(target, ((name, _compact(array(name))) for name in names))


def _to_slayer(
    source: Path, target: Path, names: list[str], shapes: Mapping[str, Shape], _step_us: int
) -> None:
    def array(name: str) -> NDArray[np.int32]:
        log = read_spike_log(source, layers=[name])
        return slayer_spikes(log, log.layer_names.index(name), shapes[name])

    called = {name: name if len(names) > 1 else INPUT_SPIKES for name in names}
    _write_arrays(target, ((called[name], _compact(array(name))) for name in names))


def _to_tonic(
    source: Path, target: Path, names: list[str], shapes: Mapping[str, Shape], step_us: int
) -> None:
    def arrays() -> Iterator[tuple[str, NDArray[Any]]]:
        for start, log in _by_samples(source, names):
            for sample in range(log.n_samples):
                for name in names:
                    index = log.layer_names.index(name)
                    events = tonic_events(log, index, sample, shapes[name], step_us=step_us)
                    yield f"{name}/{start + sample}", events

    _write_arrays(target, arrays())


def _compact(values: NDArray[np.int32]) -> NDArray[Any]:
    kind = narrowest(int(values.min(initial=0)), int(values.max(initial=0)))
    return values.astype(kind, copy=False)


def _write_arrays(target: Path, arrays: Iterator[tuple[str, NDArray[Any]]]) -> None:
    """Write an .npz array by array; NumPy would want all at once."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


_Converter = Callable[[Path, Path, list[str], Mapping[str, Shape], int], None]
CONVERTERS: dict[str, _Converter] = {
    "csv": _to_csv,
    "nirdata": _to_nirdata,
    "npz": _to_npz,
    "slayer": _to_slayer,
    "tonic": _to_tonic,
}
