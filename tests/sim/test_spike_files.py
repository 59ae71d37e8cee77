"""Files of input spikes: large ones are not read into memory, and all mean the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lavadeploy.sim import SpikeInput, load_spike_input

SPIKES = (np.arange(5 * 2 * 3 * 4 * 6) % 7 == 0).reshape(5, 2, 3, 4, 6)
LABELS = np.arange(5)


def saved(folder: Path, way: str, spikes: NDArray[Any]) -> Path:
    if way == "npy":
        np.save(folder / "x.npy", spikes)
        np.save(folder / "x.labels.npy", LABELS)
        return folder / "x.npy"
    write = np.savez if way == "npz" else np.savez_compressed
    write(folder / "x.npz", labels=LABELS, spikes=spikes)
    return folder / "x.npz"


def lies_in(array: NDArray[Any], inputs: SpikeInput) -> bool:
    return np.shares_memory(array, inputs.spikes)


@pytest.mark.parametrize("way", ["npz", "compressed", "npy"])
@pytest.mark.parametrize(
    "kind", [np.bool_, np.uint8, np.int8, np.int16, np.int32, np.int64, np.uint64, ">i4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_file_and_type_gives_the_same_input(
    tmp_path: Path, way: str, kind: Any, order: Any
) -> None:
    expected = SpikeInput(spikes=SPIKES.astype(np.uint8), labels=LABELS)
    spikes = np.asarray(SPIKES.astype(kind), order=order)
    found = load_spike_input(saved(tmp_path, way, spikes))
    assert np.array_equal(found.spikes, expected.spikes)
    assert found.labels is not None
    assert found.labels.tolist() == LABELS.tolist()
    assert (found.least, found.largest) == (0, 1)
    assert found.sha256() == expected.sha256()
    assert found.spikes.dtype in (np.uint8, np.int32)


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int8, np.int32])
@pytest.mark.parametrize("way", ["npz", "npy"])
def test_arrays_that_are_not_compressed_stay_in_their_file(
    tmp_path: Path, way: str, kind: Any
) -> None:
    path = saved(tmp_path, way, SPIKES.astype(kind))
    held = load_spike_input(path)
    assert held.spikes[4, 1, 2, 3, 0] == 1
    content = bytearray(path.read_bytes())
    end = content.rfind(SPIKES.astype(kind).tobytes()) + SPIKES.astype(kind).nbytes
    content[end - 6 * np.dtype(kind).itemsize] = 0  # that number
    with path.open("r+b") as file:  # the same file, not a new one of its name
        file.write(content)
    assert held.spikes[4, 1, 2, 3, 0] == 0


@pytest.mark.parametrize("way", ["npz", "compressed", "npy"])
def test_parts_are_views_and_cannot_be_changed(tmp_path: Path, way: str) -> None:
    inputs = load_spike_input(saved(tmp_path, way, SPIKES))
    for part, numbers in ((inputs.part(1, 4), [1, 2, 3]), (inputs.first(2), [0, 1])):
        assert lies_in(part.spikes, inputs)
        assert part.labels is not None
        assert part.labels.tolist() == numbers
        assert np.array_equal(part.spikes, SPIKES[numbers])
        again = SpikeInput(spikes=SPIKES[numbers].astype(np.int64))
        assert part.sha256() == again.sha256()
        with pytest.raises(ValueError, match="read-only"):
            part.spikes[0, 0, 0, 0, 0] = 0


def test_a_part_knows_its_own_extremes() -> None:
    inputs = SpikeInput(spikes=np.array([[[0, 1]], [[300, 2]]]))
    assert (inputs.least, inputs.largest) == (0, 300)
    part = inputs.part(0, 1)
    assert (part.least, part.largest) == (0, 1)
    # the numbers need a byte here, as they would if the array had been given alone
    assert part.sha256() == SpikeInput(spikes=np.array([[[0, 1]]])).sha256()


def test_labels_given_by_name_take_the_place_of_others(tmp_path: Path) -> None:
    path = saved(tmp_path, "npz", SPIKES)
    np.save(tmp_path / "other.npy", LABELS[::-1])
    found = load_spike_input(path, tmp_path / "other.npy").labels
    assert found is not None
    assert found.tolist() == LABELS[::-1].tolist()
    single = tmp_path / "y.npy"
    np.save(single, SPIKES)
    assert load_spike_input(single).labels is None


def test_what_was_read_of_a_file_can_be_given_back_and_is_read_again(tmp_path: Path) -> None:
    inputs = load_spike_input(saved(tmp_path, "npy", SPIKES))
    before = inputs.spikes.copy()
    inputs.forget()
    assert np.array_equal(inputs.spikes, before)
