"""HDF5 files for tests, whole and broken, written dataset by dataset with h5py."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

NEURON: Mapping[str, Any] = {
    "neuron/type": b"CUBA",
    "neuron/vThMant": 80,
    "neuron/iDecay": 1024,
    "neuron/vDecay": 128,
}
DENSE: Mapping[str, Any] = {
    "type": b"dense",
    "shape": [2],
    "weight": np.array([[2, -4, 6], [0, 254, -256]], dtype=np.float32),
    **NEURON,
}
CONV: Mapping[str, Any] = {
    "type": b"conv",
    "shape": [2, 3, 4],
    "weight": np.arange(-8, 8, 2, dtype=np.float32).reshape(2, 1, 2, 2),
    **NEURON,
}


# How files in the wild spell a string.
SPELLINGS: Mapping[str, Callable[[str], Any]] = {
    "fixed scalar": lambda text: np.bytes_(text),
    "fixed array of one": lambda text: np.array([text.encode()]),
    "padded array of one": lambda text: np.array([text.encode()], dtype="S20"),
    "variable scalar": lambda text: text,
    "variable array of one": lambda text: np.array([text], dtype=h5py.string_dtype()),
}


def write_hdf5(
    path: Path, values: Mapping[str, Any], attributes: Mapping[str, Any] | None = None
) -> Path:
    """Write datasets by full path; a value of None makes an empty group, an h5py link a link."""
    with h5py.File(path, "w") as file:
        for name, value in values.items():
            if value is None:
                file.create_group(name)
            else:
                file[name] = value
        for name, value in (attributes or {}).items():
            file.attrs[name] = value
    return path


def write_layers(path: Path, *layers: Mapping[str, Any]) -> Path:
    """Write a NetX file of these layers, numbered from 0."""
    values = {f"layer/{i}/{name}": v for i, layer in enumerate(layers) for name, v in layer.items()}
    return write_hdf5(path, values)


def without(layer: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in layer.items() if name not in fields}


def edit_hdf5(path: Path, values: Mapping[str, Any]) -> None:
    """Replace datasets, or root attributes where the name starts with @; None deletes."""
    with h5py.File(path, "a") as file:
        for name, value in values.items():
            holder, key = (file.attrs, name[1:]) if name.startswith("@") else (file, name)
            if key in holder:
                del holder[key]
            if value is not None:
                holder[key] = value


def add_cycle(path: Path, group: str, link: str) -> Path:
    """Add a hard link that leads to a group of the same file."""
    with h5py.File(path, "a") as file:
        file[link] = file[group]
    return path


def declare(path: Path, name: str, shape: tuple[int, ...]) -> Path:
    """Declare a float32 dataset without storing any of its elements."""
    with h5py.File(path, "a") as file:
        file.create_dataset(name, shape=shape, dtype=np.float32, chunks=True)
    return path


def read_hdf5(path: Path) -> dict[str, Any]:
    """Return every dataset by full path, strings in any spelling as `str`."""
    values: dict[str, Any] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            value = item[()]
            text = np.asarray(value).reshape(-1)[:1].tolist()
            is_text = item.dtype.kind in "SO"
            values[name] = text[0].decode() if is_text else np.asarray(value)

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    return values


def assert_holds(path: Path, original: Path) -> None:
    """Every dataset of a file is in another, with equal text or numbers.

    Types and shapes may differ, and a number given once may be given for all.
    """
    found = read_hdf5(path)
    for name, value in read_hdf5(original).items():
        assert name in found, name
        if isinstance(value, str):
            assert found[name] == value, name
            continue
        numbers, kept = value.reshape(-1), found[name].reshape(-1)
        assert numbers.size in (1, kept.size), name
        # NaN and infinity, too, where nobody knows what a dataset means
        assert np.array_equal(
            np.broadcast_to(numbers, kept.shape), kept, equal_nan=numbers.dtype.kind == "f"
        ), name
