"""State traces in files: one ``.npy`` for each state of each layer, written sample by sample.

``states/<layer>.<state>.npy`` holds an int32 array (N, neurons, T). Samples are its slowest axis,
so the next ones are appended, and a reader maps the file and loads only what it looks at. In file
names, characters of a layer's name that folders do not take are written as in addresses: ``%2F``.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from ..netx import RunFolderError
from .run_result import StateTrace
from .spike_log import SpikeLog

STATES = "states"
OLD_STATES = "states.npz"  # of runs before there were files for each state


def state_path(folder: Path, layer: str, state: str) -> Path:
    """Return the file of a state in a run folder."""
    return folder / STATES / f"{quote(layer, safe=' ')}.{state}.npy"


def append_samples(path: Path, values: NDArray[np.int32], first: int, n_samples: int) -> None:
    """Write the samples from number `first` on into a file that will hold `n_samples`.

    Parameters
    ----------
    path : Path
        The file; what stands in it behind those samples is lost.
    values : int32 array, shape (samples, neurons, T)
        The samples.
    first, n_samples : int
        Number of the first of them, and of all.
    """
    header = BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i4", "fortran_order": False, "shape": (n_samples, *values.shape[1:])}
    )
    content = np.ascontiguousarray(values, dtype="<i4")
    sample_bytes = content[0].nbytes
    path.parent.mkdir(exist_ok=True)
    with path.open("r+b" if first else "wb") as file:
        file.truncate(header.tell() + first * sample_bytes if first else 0)
        file.seek(0)
        file.write(header.getvalue())
        file.seek(0, 2)
        file.write(content.data.cast("B"))


def append_states(
    folder: Path, names: tuple[str, ...], states: tuple[StateTrace, ...], first: int, n_samples: int
) -> None:
    """Write the recorded states of the samples from number `first` on into a run folder."""
    if not states:
        return
    for name, trace in zip(names, states, strict=True):
        for state, values in trace.values.items():
            append_samples(state_path(folder, name, state), values, first, n_samples)


def read_states(folder: Path, spikes: SpikeLog) -> tuple[StateTrace, ...]:
    """Return the states in the run folder of a log, as maps of their files; () without any.

    Raises
    ------
    RunFolderError
        When a file is damaged.
    """
    try:
        if (folder / OLD_STATES).exists():
            return _read_old(folder / OLD_STATES, spikes.layer_names)
        if not (folder / STATES).exists():
            return ()
        traces = tuple(
            _read_layer(folder, name, (spikes.n_samples, size, spikes.n_steps))
            for name, size in zip(spikes.layer_names, spikes.layer_sizes, strict=True)
        )
        if not any(trace.values for trace in traces):
            raise KeyError("no layer has states")
    except Exception as error:  # a damaged archive or header raises nearly anything
        where = folder / (OLD_STATES if (folder / OLD_STATES).exists() else STATES)
        raise RunFolderError(f"'{where}': holds no states of this run ({error}).") from error
    return traces


def _read_layer(folder: Path, layer: str, shape: tuple[int, ...]) -> StateTrace:
    prefix = f"{quote(layer, safe=' ')}."
    values: dict[str, NDArray[np.int32]] = {}
    for path in sorted((folder / STATES).iterdir()):
        state = path.name.removeprefix(prefix).removesuffix(".npy")
        # names of layers may have dots, those of states have none
        if "." not in state and path == state_path(folder, layer, state):
            values[state] = np.load(path, mmap_mode="r", allow_pickle=False)
            found = values[state]
            if found.dtype != np.int32 or found.shape != shape:
                raise ValueError(f"{path.name}: {found.dtype} {found.shape}, not int32 {shape}")
    return StateTrace(values=values)


def _read_old(path: Path, names: tuple[str, ...]) -> tuple[StateTrace, ...]:
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
        traces = tuple(
            StateTrace(
                values={
                    key.removeprefix(f"{name}."): file[key]
                    for key in file.files
                    if key.startswith(f"{name}.")
                }
            )
            for name in names
        )
    if not any(trace.values for trace in traces):
        raise KeyError("no layer has states")
    return traces
