"""Input spikes of a run."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..compile import NETWORK_INPUT, ChipInput, CompiledNetwork, neuron_count, weight_sets
from ..netx import SpikeInputError, size_of

NPY_MAGIC = b"\x93NUMPY"  # numpy.lib.format: how a file of a single array begins


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpikeInput:
    """N separate samples of T steps, in SLAYER's axis order.

    Attributes
    ----------
    spikes : integer array, shape (N, C, T) or (N, C, H, W, T)
        Number or payload of the spikes that enter in each step, not negative; for networks that
        start with neurons at the input, the numbers these take, in units of 1/64.
    labels : int64 array, shape (N,), or None
        Right class of each sample.
    least, largest : int
        Of all numbers in `spikes`.
    """

    spikes: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    least: int = field(init=False)
    largest: int = field(init=False)

    def __post_init__(self) -> None:
        _check_spikes(self.spikes)
        # a data set is large: runs ask for these more often than it is made
        object.__setattr__(self, "least", int(self.spikes.min()))
        object.__setattr__(self, "largest", int(self.spikes.max()))
        compact = self.spikes.astype(_narrowest(self.least, self.largest), copy=True)
        compact.setflags(write=False)
        object.__setattr__(self, "spikes", compact)
        if self.labels is not None:
            labels = np.asarray(self.labels)
            _check_labels(labels, self.spikes.shape[0])
            object.__setattr__(self, "labels", labels.astype(np.int64))

    @property
    def n_samples(self) -> int:
        """N."""
        return int(self.spikes.shape[0])

    @property
    def n_steps(self) -> int:
        """T."""
        return int(self.spikes.shape[-1])

    def first(self, samples: int | None) -> SpikeInput:
        """Return the first samples only; all of them for None."""
        if samples is None or samples >= self.n_samples:
            return self
        labels = None if self.labels is None else self.labels[:samples]
        return SpikeInput(spikes=self.spikes[:samples], labels=labels)

    def sha256(self) -> str:
        """Return a hash of shape and spikes, the same for every integer type they come in."""
        digest = hashlib.sha256(repr(self.spikes.shape).encode("ascii"))
        digest.update(np.ascontiguousarray(self.spikes).tobytes())
        return digest.hexdigest()


def load_spike_input(path: str | Path) -> SpikeInput:
    """Read input spikes from an ``.npz`` file.

    Parameters
    ----------
    path : str or Path
        A file with ``spikes`` (see `SpikeInput`) and optionally ``labels``.

    Raises
    ------
    SpikeInputError
        When the file is missing, not ``.npz``, lacks ``spikes``, or these have the wrong shape,
        type or sign.
    """
    path = Path(path)
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "no such file"
            raise SpikeInputError(f"'{path}': {what}; an .npz file with 'spikes' was expected.")
        spikes, labels = _read_arrays(path)
    except SpikeInputError:
        raise
    except Exception as error:  # a damaged archive or header raises nearly anything
        raise SpikeInputError(f"'{path}': is not a readable .npz file ({error}).") from error
    try:
        return SpikeInput(spikes=spikes, labels=labels)
    except SpikeInputError as error:
        raise SpikeInputError(f"'{path}': {error}") from error


def _read_arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    with path.open("rb") as handle:
        begin = handle.read(8)  # magic and version
        if len(begin) == 8 and begin.startswith(NPY_MAGIC):
            raise SpikeInputError(
                f"'{path}': is a single array; save it with np.savez(path, spikes=..., labels=...)."
            )
        handle.seek(0)
        if not zipfile.is_zipfile(handle):
            raise zipfile.BadZipFile("it is no archive of arrays")
        handle.seek(0)
        file = np.load(handle, allow_pickle=False)
        if "spikes" not in file.files:
            held = ", ".join(f"'{name}'" for name in file.files) or "nothing"
            raise SpikeInputError(f"'{path}': has no array 'spikes' (it holds {held}).")
        spikes = cast(NDArray[Any], file["spikes"])
        has_labels = "labels" in file.files
        return spikes, cast(NDArray[Any], file["labels"]) if has_labels else None


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
        where = tuple(int(i) for i in np.argwhere(inputs.spikes < 0)[0])
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


def _check_spikes(spikes: NDArray[Any]) -> None:
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
    if max(int(spikes.max()), -int(spikes.min())) > np.iinfo(np.int32).max:
        raise SpikeInputError("spikes holds values beyond 32 bits.")


def _check_labels(labels: NDArray[Any], samples: int) -> None:
    if labels.dtype.kind not in "iu" or labels.shape != (samples,):
        raise SpikeInputError(
            f"labels has type {labels.dtype} and shape {labels.shape}; whole numbers of shape "
            f"({samples},) were expected."
        )


def _narrowest(least: int, largest: int) -> type[np.uint8 | np.int32]:
    """Keep counts below 256 in a byte: a data set of binary spikes is large enough as it is."""
    return np.uint8 if least >= 0 and largest <= 255 else np.int32
