"""The network as a typed description: what a NetX file says. Nothing here knows a chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .hdf5_store import AttributeValue, RawValue
from .layers import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a network came from.

    Attributes
    ----------
    path : Path
        The file read.
    sha256 : str
        Hash of its bytes.
    """

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A spiking network as NetX describes it: a chain of layers.

    Attributes
    ----------
    layers : tuple of layers
        In forward order.
    source : Source or None
        The file it was read from; None for a network made in memory.
    warnings : tuple of str
        What the user should know about how it was read or exported, one sentence each.
    extra : mapping of str to array or str
        Datasets outside of layers, by full path; written back as they are.
    extra_attributes : mapping of str to str, int or float
        Root attributes that are not ours; written back as they are.
    """

    layers: tuple[Layer, ...]
    source: Source | None = None
    warnings: tuple[str, ...] = ()
    extra: Mapping[str, RawValue] = field(default_factory=dict[str, RawValue])
    extra_attributes: Mapping[str, AttributeValue] = field(
        default_factory=dict[str, AttributeValue]
    )
