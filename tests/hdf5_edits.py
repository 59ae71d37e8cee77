"""Changes to the datasets, groups and attributes of an HDF5 file, valid HDF5 each, for fuzzing."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import h5py
import numpy as np

NUMBERS = (0, 1, 2, -1, 0.5, np.nan, np.inf, 127, 1 << 15, (1 << 31) - 1, 1 << 31, -(1 << 63))
TYPES: Mapping[str, Any] = {
    **{name: np.dtype(name) for name in ("i1", ">i4", "u8", ">f2", "f4", ">f8", "?", "S3", "V4")},
    "long double": np.dtype(np.longdouble),
    "complex": np.dtype(np.complex64),
    "record": np.dtype([("real", "f4"), ("imag", "f4")]),
    "array": np.dtype(("i4", (2,))),
    "enumeration": h5py.enum_dtype({"RED": 0, "BLUE": 1}, basetype="i2"),
    "text": h5py.string_dtype(),
    "sequence": h5py.vlen_dtype(np.dtype("i4")),
    "reference": h5py.ref_dtype,
    "region": h5py.regionref_dtype,
}
# Beyond what a network may have; with an axis of 0 there is nothing at all, however long the other.
HUGE = (((1 << 24) + 1,), (1 << 31, 1), (1 << 40,), (1 << 32, 1 << 31), (0, 1 << 40))
TEXTS = (b"", b"\xff\xfe", b"conv", b"SDNN", b"CUBA\0RF", "µ".encode(), b"x" * 5000, b"\x1b[2J\n")
NAMES = ("0", "00", "-1", "7", "1e1", "µ", "a\nb", "\x1b[31m", " ", "x" * 300, "weight", "neuron")
FILTERS: tuple[Mapping[str, Any], ...] = (
    {"chunks": True},
    {"compression": "gzip", "shuffle": True},
    {"compression": "lzf", "fletcher32": True},
    {"scaleoffset": 4},
)


def edited(content: bytes, edit: str, dice: random.Random) -> bytes:
    """Return a file after one of `EDITS`; as it was where h5py refuses to do that."""
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file, suppress(OSError, ValueError, TypeError, RuntimeError):
        names: list[str] = []
        file.visit(names.append)
        EDITS[edit](file, dice.choice(names), dice)
    return memory.getvalue()


def _remove(file: Any, name: str, dice: random.Random) -> None:
    del file[name]


def _rename(file: Any, name: str, dice: random.Random) -> None:
    parent = name.rpartition("/")[0]
    file.move(name, f"{parent}/{dice.choice(NAMES)}")


def _exchange(file: Any, name: str, dice: random.Random) -> None:
    other = dice.choice(sorted(file["layer/0"]))
    file.move(f"layer/0/{other}", "other")
    file.move(name, f"layer/0/{other}")
    file.move("other", name)


def _retype(file: Any, name: str, dice: random.Random) -> None:
    value = _numbers(file, name)
    dtype = TYPES[dice.choice(list(TYPES))]
    del file[name]
    dataset = file.create_dataset(name, shape=value.shape, dtype=dtype)
    if dtype.kind in "biuf":
        dataset[()] = value.astype(dtype)
    elif dtype.kind != "O":
        dataset[()] = np.zeros(value.shape, dtype)


def _reshape(file: Any, name: str, dice: random.Random) -> None:
    value = _numbers(file, name)
    shapes = ((-1,), (*value.shape, 1), (1, *value.shape), value.shape[::-1], (1,) * 31 + (-1,))
    _replace(
        file,
        name,
        dice.choice((value.reshape(dice.choice(shapes)), np.atleast_1d(value)[:0], value.T)),
    )


def _renumber(file: Any, name: str, dice: random.Random) -> None:
    value = np.atleast_1d(_numbers(file, name).astype(np.float64))
    value.reshape(-1)[dice.randrange(value.size)] = dice.choice(NUMBERS)
    _replace(file, name, value)


def _retext(file: Any, name: str, dice: random.Random) -> None:
    text = dice.choice(TEXTS)
    stored: tuple[Any, ...] = (np.bytes_(text), np.array([text, text]), text.decode("latin-1"))
    _replace(file, name, dice.choice(stored))


def _nest(file: Any, name: str, dice: random.Random) -> None:
    file.create_group(f"{name.rpartition('/')[0]}/" + "g/" * dice.choice((1, 7, 50)))


def _crowd(file: Any, name: str, dice: random.Random) -> None:
    for index in range(100):
        file[f"{name.rpartition('/')[0]}/{index}"] = index


def _cycle(file: Any, name: str, dice: random.Random) -> None:
    target = dice.choice((name, name.rpartition("/")[0] or "/", "/"))
    file[f"{name.rpartition('/')[0]}/zz"] = file[target]


def _soft_link(file: Any, name: str, dice: random.Random) -> None:
    file[f"{name}_"] = h5py.SoftLink(dice.choice((f"/{name}", "/nowhere", ".", "..")))


def _attribute(file: Any, name: str, dice: random.Random) -> None:
    values = (
        0,
        -1,
        1 << 31,
        0.5,
        np.inf,
        *TEXTS,
        "text",
        np.zeros((2, 2)),
        h5py.Empty("f4"),
        file.ref,
    )
    holder = dice.choice((file, file[name]))
    holder.attrs[dice.choice(("format", "format_version", "µ"))] = dice.choice(values)


def _huge(file: Any, name: str, dice: random.Random) -> None:
    del file[name]
    shape = dice.choice(HUGE)
    file.create_dataset(
        name, shape=shape, dtype=dice.choice("bfd"), chunks=dice.choice((True, None))
    )


def _filter(file: Any, name: str, dice: random.Random) -> None:
    value = np.atleast_1d(_numbers(file, name))
    del file[name]
    file.create_dataset(name, data=value, **dice.choice(FILTERS))


def _external_link(file: Any, name: str, dice: random.Random) -> None:
    file[f"{name}_"] = h5py.ExternalLink(dice.choice(("/dev/zero", "other.net", ".")), "/layer")


def _external_data(file: Any, name: str, dice: random.Random) -> None:
    value = _numbers(file, name)
    del file[name]
    source = dice.choice(("/dev/zero", "/etc/hostname", "nowhere"))
    external = [(source, 0, value.nbytes)]
    file.create_dataset(name, shape=value.shape, dtype=value.dtype, external=external)


def _virtual(file: Any, name: str, dice: random.Random) -> None:
    shape = _numbers(file, name).shape
    layout = h5py.VirtualLayout(shape, dtype="f4")
    layout[...] = h5py.VirtualSource(dice.choice(("other.net", ".")), name, shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def _named_type(file: Any, name: str, dice: random.Random) -> None:
    value = _numbers(file, name)
    file["type"] = value.dtype
    del file[name]
    file.create_dataset(name, data=value, dtype=file["type"])


def _empty(file: Any, name: str, dice: random.Random) -> None:
    _replace(file, name, h5py.Empty("f4"))


def _numbers(file: Any, name: str) -> Any:
    """Return a dataset of numbers, or raise, which leaves the file as it was."""
    value = np.asarray(file[name][()])
    return value.astype(value.dtype.newbyteorder("="))


def _replace(file: Any, name: str, value: Any) -> None:
    del file[name]
    file[name] = value


EDITS: Mapping[str, Callable[[Any, str, random.Random], None]] = {
    "remove": _remove,
    "rename": _rename,
    "exchange": _exchange,
    "retype": _retype,
    "reshape": _reshape,
    "renumber": _renumber,
    "retext": _retext,
    "nest": _nest,
    "crowd": _crowd,
    "cycle": _cycle,
    "soft link": _soft_link,
    "attribute": _attribute,
    "huge": _huge,
    "filter": _filter,
    "external link": _external_link,
    "external data": _external_data,
    "virtual": _virtual,
    "named type": _named_type,
    "empty": _empty,
}
