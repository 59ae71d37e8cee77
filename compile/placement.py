"""Where the neurons of a network sit: cores, and how much of each core is taken."""

from __future__ import annotations

from dataclasses import dataclass

from ..netx import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much of a core's resource is taken; available is None where there is no limit."""

    resource: str
    used: int
    available: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Core:
    """A neurocore and the neurons on it.

    Attributes
    ----------
    index : int
        Number of the core on the chip.
    layer : str
        Name of the layer whose neurons it holds.
    neurons : int32 array, shape (n,)
        Their numbers in the layer, channel slowest, ascending.
    usage : tuple of Usage
        One entry for each resource.
    """

    index: int
    layer: str
    neurons: IntArray
    usage: tuple[Usage, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Which neurons sit on which core; every neuron on exactly one."""

    cores: tuple[Core, ...]

    def cores_of(self, layer: str) -> tuple[Core, ...]:
        """Return the cores of one layer, in order of their neurons."""
        return tuple(c for c in self.cores if c.layer == layer)
