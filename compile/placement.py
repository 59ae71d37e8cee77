"""Where the neurons of a network sit: cores of a board, and how much of each core is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..netx import IntArray
from .mesh import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a core's resource is taken; available is None where there is no limit."""

    resource: str
    used: int
    available: int | None

    @property
    def percent(self) -> float | None:
        """Share of what is available; None where there is no limit."""
        return 100.0 * self.used / self.available if self.available else None

    @property
    def exceeds(self) -> bool:
        """Whether more is taken than there is."""
        return self.available is not None and self.used > self.available

    @property
    def is_full(self) -> bool:
        """Whether exactly what there is is taken."""
        return self.used == self.available


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Core:
    """A neurocore and the neurons on it.

    Attributes
    ----------
    index : int
        Number of the core in the placement, in forward order of the layers.
    site : Site
        Its place on the board.
    layer : str
        Name of the layer whose neurons it holds.
    neurons : int32 array, shape (n,)
        Their numbers in the layer, channel slowest, ascending; they fill a box of the layer.
    usage : tuple of Usage
        One entry for each resource.
    """

    index: int
    site: Site
    layer: str
    neurons: IntArray
    usage: tuple[Usage, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Which neurons sit on which core; every neuron on exactly one."""

    cores: tuple[Core, ...]

    @property
    def chips(self) -> int:
        """Number of chips in use."""
        return len({core.site.chip for core in self.cores})

    def cores_of(self, layer: str) -> tuple[Core, ...]:
        """Return the cores of one layer, in order of their neurons."""
        return tuple(c for c in self.cores if c.layer == layer)

    def core_of_neurons(self, layer: str) -> IntArray:
        """Return the index of the core of each neuron of a layer, int32 array of shape (n,)."""
        cores = self.cores_of(layer)
        found = np.full(sum(core.neurons.size for core in cores), -1, dtype=np.int32)
        for core in cores:
            found[core.neurons] = core.index
        return found
