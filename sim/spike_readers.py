"""Spike logs as the arrays that other tools of the field take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..netx import OptionError, Shape, size_of
from .spike_log import SpikeLog

STEP_US = 1000  # a step is a millisecond where nothing else is said
# tonic's field names (tonic/io.py)
IMAGE_EVENTS = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.int16)])
FLAT_EVENTS = np.dtype([("t", np.int64), ("x", np.int32), ("p", np.int32)])


def tonic_events(
    log: SpikeLog, layer: int, sample: int, shape: Shape, *, step_us: int = STEP_US
) -> NDArray[Any]:
    """Return the spikes of a layer in a sample as tonic's structured array.

    Parameters
    ----------
    log : SpikeLog
        The log.
    layer, sample : int
        Which.
    shape : tuple of int
        Of the layer's neurons: (neurons,) or (C, H, W), as `ChipLayer.shape_out` has it.
    step_us : int
        Microseconds of a step.

    Returns
    -------
    structured array, shape (events,)
        Sorted by time `t`, in microseconds. Images have `x` (column), `y` (row) and `p` (channel),
        as tonic's event cameras, without the values of graded spikes; others `x` (neuron) and `p`
        (1, or the value of a graded spike), as its cochleas.

    Raises
    ------
    RunFolderError
        When the layer is not in the log.
    OptionError
        When the shape is not that of the layer.
    """
    log.check_logged(layer)
    _check_shape(log, layer, shape)
    # rows are sorted by sample, so that a sample is a stretch of them
    start, end = np.searchsorted(log.sample, (sample, sample + 1))
    chosen = int(start) + np.flatnonzero(log.layer[start:end] == layer)
    is_image = len(shape) == 3
    events = np.empty(chosen.size, dtype=IMAGE_EVENTS if is_image else FLAT_EVENTS)
    events["t"] = log.step[chosen].astype(np.int64) * step_us
    if is_image:
        events["p"], events["y"], events["x"] = np.unravel_index(log.neuron[chosen], shape)
    else:
        events["x"], events["p"] = log.neuron[chosen], log.value[chosen]
    return events


def time_first_spikes(log: SpikeLog, layer: int) -> NDArray[np.int32]:
    """Return the spikes of a layer as an array (N, T, neurons), as NIR and NeuroBench order it."""
    log.check_logged(layer)
    shape = (log.n_samples, log.n_steps, log.layer_sizes[layer])
    spikes = np.zeros(shape, dtype=np.int32)
    chosen = log.layer == layer
    spikes[log.sample[chosen], log.step[chosen], log.neuron[chosen]] = log.value[chosen]
    return spikes


def slayer_spikes(log: SpikeLog, layer: int, shape: Shape) -> NDArray[np.int32]:
    """Return the spikes of a layer as SLAYER takes them.

    Parameters
    ----------
    log, layer, shape
        As for `tonic_events`.

    Returns
    -------
    int32 array, shape (N, neurons, T) or (N, C, H, W, T)
        What `SpikeInput` takes: one layer's spikes can be the input of another network.
    """
    _check_shape(log, layer, shape)
    return log.dense(layer).reshape(log.n_samples, *shape, log.n_steps)


def _check_shape(log: SpikeLog, layer: int, shape: Shape) -> None:
    if len(shape) not in (1, 3) or size_of(shape) != log.layer_sizes[layer]:
        raise OptionError(
            f"{log.layer_names[layer]}: shape {shape}; (N,) or (C, H, W) of its "
            f"{log.layer_sizes[layer]} neurons was expected."
        )
