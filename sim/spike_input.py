"""Input spikes of a run, in memory or in a file that is read as the run goes on."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile import NETWORK_INPUT, ChipInput, CompiledNetwork, neuron_count, weight_sets
from ..netx import SpikeInputError, size_of

BLOCK_BYTES = 1 << 24  # what is looked at together of a data set that need not fit into memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpikeInput:
    """N separate samples of T steps, in SLAYER's axis order.

    The array is copied, so that nobody changes a run's input; `load_spike_input` leaves large files
    where they are.

    Attributes
    ----------
    spikes : uint8 or int32 array, shape (N, C, T) or (N, C, H, W, T)
        Number or payload of the spikes that enter in each step, not negative; for networks that
        start with neurons at the input, the numbers these take, in units of 1/64. Read-only.
    labels : int64 array, shape (N,), or None
        Right class of each sample.
    """

    spikes: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    _map: mmap.mmap | None = field(init=False, repr=False, default=None)
    # runs ask for these more often than a data set is made
    _extremes: list[int] = field(init=False, repr=False, default_factory=list[int])
    _digest: list[str] = field(init=False, repr=False, default_factory=list[str])

    def __post_init__(self) -> None:
        check_spikes(self.spikes)
        compact = np.array(self.spikes, dtype=narrowest(*extremes(self.spikes)))
        self._take(compact, self.labels, None)

    @classmethod
    def mapped(
        cls, spikes: NDArray[Any], labels: NDArray[Any] | None, file: mmap.mmap
    ) -> SpikeInput:
        """Return an input that stays in a file.

        Parameters
        ----------
        spikes : uint8 or int32 array, shape (N, C, T) or (N, C, H, W, T)
            A view of the file.
        labels : array, shape (N,), or None
            See `SpikeInput`.
        file : mmap
            The file's map, opened for reading.
        """
        check_spikes(spikes)
        made = object.__new__(cls)
        made._take(spikes, labels, file)
        return made

    def _take(
        self, spikes: NDArray[Any], labels: NDArray[Any] | None, file: mmap.mmap | None
    ) -> None:
        spikes.setflags(write=False)
        if labels is not None:
            labels = np.asarray(labels)
            _check_labels(labels, spikes.shape[0])
            labels = labels.astype(np.int64)
        object.__setattr__(self, "spikes", spikes)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "_map", file)
        object.__setattr__(self, "_extremes", list[int]())
        object.__setattr__(self, "_digest", list[str]())

    @property
    def n_samples(self) -> int:
        """N."""
        return int(self.spikes.shape[0])

    @property
    def n_steps(self) -> int:
        """T."""
        return int(self.spikes.shape[-1])

    @property
    def least(self) -> int:
        """Least of all numbers in `spikes`."""
        return self._both_extremes()[0]

    @property
    def largest(self) -> int:
        """Largest of all numbers in `spikes`."""
        return self._both_extremes()[1]

    def _both_extremes(self) -> list[int]:
        if not self._extremes:
            self._extremes.extend(_extremes_of(self.blocks()))
        return self._extremes

    def first(self, samples: int | None) -> SpikeInput:
        """Return the first samples only, as a view; all of them for None."""
        if samples is None or samples >= self.n_samples:
            return self
        return self.part(0, samples)

    def first_steps(self, steps: int) -> SpikeInput:
        """Return the first steps of every sample, as a view.

        Raises
        ------
        SpikeInputError
            When there are fewer.
        """
        if not 1 <= steps <= self.n_steps:
            raise SpikeInputError(
                f"{steps} steps were asked for, and the samples of the input have {self.n_steps}. "
                "Ask for fewer, or encode the input with more."
            )
        made = object.__new__(SpikeInput)
        made._take(self.spikes[..., :steps], self.labels, self._map)
        return made

    @property
    def is_mapped(self) -> bool:
        """Whether the spikes stay in their file."""
        return self._map is not None

    def part(self, start: int, end: int) -> SpikeInput:
        """Return samples `start` to `end`, the latter not among them, as a view."""
        made = object.__new__(SpikeInput)
        labels = None if self.labels is None else self.labels[start:end]
        made._take(self.spikes[start:end], labels, self._map)
        return made

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the samples in order, some at a time; memory holds those of a file only so long."""
        for block in sample_blocks(self.spikes):
            yield block
            self.forget()

    def forget(self) -> None:
        """Give back the memory of what was read of a file; it is read again when asked for."""
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def sha256(self) -> str:
        """Return a hash of shape and spikes, the same for every integer type they come in."""
        if self._digest:
            return self._digest[0]
        kind = narrowest(self.least, self.largest)
        digest = hashlib.sha256(repr(self.spikes.shape).encode("ascii"))
        for block in self.blocks():
            digest.update(np.ascontiguousarray(block, dtype=kind).data)
        self._digest.append(digest.hexdigest())
        return self._digest[0]


def sample_blocks(spikes: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the samples in order, some at a time, as views of about `BLOCK_BYTES`."""
    at_once = max(1, BLOCK_BYTES // max(1, spikes[:1].nbytes))
    for start in range(0, spikes.shape[0], at_once):
        yield spikes[start : start + at_once]


def extremes(spikes: NDArray[Any]) -> tuple[int, int]:
    """Return the least and the largest number."""
    return _extremes_of(sample_blocks(spikes))


def _extremes_of(blocks: Iterator[NDArray[Any]]) -> tuple[int, int]:
    found = [(int(block.min()), int(block.max())) for block in blocks]
    return min(least for least, _ in found), max(largest for _, largest in found)


def check_input_fits(inputs: SpikeInput, compiled: CompiledNetwork) -> None:
    """Raise when spikes do not fit a network.

    Parameters
    ----------
    inputs : SpikeInput
        The spikes.
    compiled : CompiledNetwork
        The network, and the chip it was compiled for.

    Raises
    ------
    SpikeInputError
        When the shape is another, or a value is beyond what a spike of the chip carries or what
        the sums of the first layer hold in 32 bits.
    """
    shape, wanted = inputs.spikes.shape[1:-1], compiled.network.input_shape
    same_size = size_of(shape) == size_of(wanted)
    if shape != wanted and not (same_size and len(wanted) == 1):
        axes = "neurons" if len(wanted) == 1 else "channels, rows, columns"
        raise SpikeInputError(
            f"spikes has shape {inputs.spikes.shape}; the network takes "
            f"(N, {', '.join(str(n) for n in wanted)}, T): samples, {axes}, steps."
        )
    classes = neuron_count(compiled.network.layers[-1])
    if inputs.labels is not None and not 0 <= inputs.labels.min() <= inputs.labels.max() < classes:
        raise SpikeInputError(
            f"labels go from {int(inputs.labels.min())} to {int(inputs.labels.max())}; the network "
            f"has {classes} output neurons, so classes are 0 to {classes - 1}."
        )
    if isinstance(compiled.network.layers[0], ChipInput):
        return
    if inputs.least < 0:
        sample = next(n for n, sample in enumerate(inputs.spikes) if sample.min() < 0)
        place = np.argwhere(inputs.spikes[sample] < 0)[0]
        where = (sample, *(int(i) for i in place))
        raise SpikeInputError(
            f"spikes is {int(inputs.spikes[where])} at {where}; a spike count cannot be negative."
        )
    largest = inputs.largest
    payload_max = compiled.profile.formats.payload_max.value
    if largest > payload_max:
        raise SpikeInputError(
            f"spikes holds the value {largest}; {compiled.profile.name} allows spikes of 0 to "
            f"{payload_max}. Use binary spikes, or a profile with graded spikes."
        )
    widest = max(
        int(
            np.abs(weights.mantissa.astype(np.int64))
            .reshape(len(weights.mantissa), -1)
            .sum(1)
            .max()
        )
        for layer in compiled.network.layers
        if NETWORK_INPUT in layer.sources
        for _, weights in weight_sets(layer)
    )
    if largest * widest > np.iinfo(np.int32).max:
        raise SpikeInputError(
            f"spikes holds the value {largest}; with the weights of the first layer a sum could "
            f"leave 32 bits. Keep values below {np.iinfo(np.int32).max // widest + 1}."
        )


def check_spikes(spikes: NDArray[Any]) -> None:
    """Raise `SpikeInputError` when an array cannot be input spikes."""
    if spikes.dtype.kind not in "biu":
        raise SpikeInputError(
            f"spikes has type {spikes.dtype}; whole numbers were expected. "
            "Convert with spikes.astype(np.uint8) after checking that nothing is lost."
        )
    if spikes.ndim not in (3, 5):
        raise SpikeInputError(
            f"spikes has shape {spikes.shape}; (N, C, T) or (N, C, H, W, T) was expected, "
            "time last, as SLAYER orders it."
        )
    if spikes.size == 0:
        raise SpikeInputError(f"spikes has shape {spikes.shape}, so there is nothing to run.")
    if np.can_cast(spikes.dtype, np.int32):
        return
    least, largest = extremes(spikes)
    if max(largest, -least) > np.iinfo(np.int32).max:
        raise SpikeInputError("spikes holds values beyond 32 bits.")


def _check_labels(labels: NDArray[Any], samples: int) -> None:
    if labels.dtype.kind not in "iu" or labels.shape != (samples,):
        raise SpikeInputError(
            f"labels has type {labels.dtype} and shape {labels.shape}; whole numbers of shape "
            f"({samples},) were expected."
        )


def narrowest(least: int, largest: int) -> type[np.uint8 | np.int32]:
    """Keep counts below 256 in a byte: a data set of binary spikes is large enough as it is."""
    return np.uint8 if least >= 0 and largest <= 255 else np.int32
