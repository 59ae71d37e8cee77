"""What workers need for any point, in a form that can be sent to them.

Processes of this machine map the input's file, so that memory holds it once; workers of a cluster
need not see that file, and get the spikes themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...netx import RealNetwork
from ..spike_files import load_spike_input
from ..spike_input import SpikeInput


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpikes:
    """Samples in a file that this machine's processes open.

    Attributes
    ----------
    path, labels : Path, Path or None
        See `load_spike_input`.
    samples : int or None
        Only the first ones; None for all.
    """

    path: Path
    labels: Path | None = None
    samples: int | None = None

    def open(self) -> SpikeInput:
        """Return the input; a process opens a file once."""
        return _opened(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedSpikes:
    """Samples to be sent, those of 0 and 1 in a bit each.

    Attributes
    ----------
    spikes : uint8 or int32 array, shape (N, ..., T), or of bits (N, ..., ceil(T / 8))
        See `SpikeInput`.
    labels : int64 array, shape (N,), or None
        See `SpikeInput`.
    bits_of_steps : int or None
        T where the spikes are bits along the last axis.
    """

    spikes: NDArray[Any]
    labels: NDArray[np.int64] | None
    bits_of_steps: int | None

    @classmethod
    def of(cls, inputs: SpikeInput) -> PackedSpikes:
        """Pack an input, also one that is mapped."""
        if inputs.least < 0 or inputs.largest > 1:
            return cls(spikes=np.array(inputs.spikes), labels=inputs.labels, bits_of_steps=None)
        bits = np.concatenate([np.packbits(block, axis=-1) for block in inputs.blocks()])
        return cls(spikes=bits, labels=inputs.labels, bits_of_steps=inputs.n_steps)

    def open(self) -> SpikeInput:
        """Return the input."""
        spikes = self.spikes
        if self.bits_of_steps is not None:
            spikes = np.unpackbits(spikes, axis=-1, count=self.bits_of_steps)
        return SpikeInput(spikes=spikes, labels=self.labels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointData:
    """What is the same for all points.

    Attributes
    ----------
    network : RealNetwork
        As read; of whole numbers, too (`RealNetwork.nearest`).
    spikes : FileSpikes or PackedSpikes
        The samples.
    calibration : PackedSpikes or None
        Training samples to quantize and to place by.
    """

    network: RealNetwork
    spikes: FileSpikes | PackedSpikes
    calibration: PackedSpikes | None = None


def as_sent(data: PointData) -> PointData:
    """Return the data: a cluster's task that makes them again where a worker lost them."""
    return data


@lru_cache(maxsize=1)
def _opened(spikes: FileSpikes) -> SpikeInput:
    return load_spike_input(spikes.path, spikes.labels).first(spikes.samples)
