"""The mesh: where the cores of a board lie, and how far a message travels.

A chip is a grid of tiles with some cores each, a board a grid of chips. Messages go along the row
first and then along the column (dimension order), so a path is as long as both distances together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..hw_profiles import HardwareProfile, Mesh
from ..netx import IntArray


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Site:
    """The place of a core on a board.

    Attributes
    ----------
    chip : int
        Number of the chip.
    column, row : int
        Of the tile on the chip.
    core : int
        Number of the core on the tile.
    """

    chip: int
    column: int
    row: int
    core: int


def chip_sites(profile: HardwareProfile, chip: int, cores: int) -> tuple[Site, ...]:
    """Return the usable sites of a chip along a path that goes from tile to neighboring tile.

    Parameters
    ----------
    profile : HardwareProfile
        Gives grid and cores; without a mesh the sites are one tile.
    chip : int
        Number of the chip.
    cores : int
        How many are asked for where the profile has no limit.
    """
    mesh, limit = profile.mesh, profile.limits.cores_per_chip
    usable = cores if limit is None else limit.value
    if mesh is None:
        return tuple(Site(chip=chip, column=0, row=0, core=core) for core in range(usable))
    tiles = [
        (column, row if column % 2 == 0 else mesh.rows.value - 1 - row)
        for column in range(mesh.columns.value)
        for row in range(mesh.rows.value)
    ]
    sites = (
        Site(chip=chip, column=column, row=row, core=core)
        for column, row in tiles
        for core in range(mesh.cores_per_tile.value)
    )
    return tuple(sites)[:usable]


def hop_table(mesh: Mesh | None, here: tuple[Site, ...], there: tuple[Site, ...]) -> IntArray:
    """Return the hops from each site to each other, int32 array of shape (here, there).

    A hop leads from one router to the next, on the same chip or the neighboring one.
    """
    if mesh is None:
        return np.zeros((len(here), len(there)), dtype=np.int32)
    return _distances(_routers(mesh, here), _routers(mesh, there))


def crossing_table(mesh: Mesh | None, here: tuple[Site, ...], there: tuple[Site, ...]) -> IntArray:
    """Return how often a message goes from chip to chip, int32 array of shape (here, there)."""
    if mesh is None:
        other = [[a.chip != b.chip for b in there] for a in here]
        return np.array(other, dtype=np.int32).reshape(len(here), len(there))
    return _distances(_chips(mesh, here), _chips(mesh, there))


def cost_table(mesh: Mesh | None, here: tuple[Site, ...], there: tuple[Site, ...]) -> IntArray:
    """Return what a message costs in hops, a crossing taken as the profile's number of hops."""
    hops = hop_table(mesh, here, there)
    crossing = 0 if mesh is None else mesh.crossing.value
    return hops + crossing * crossing_table(mesh, here, there)


def _chips(mesh: Mesh, sites: tuple[Site, ...]) -> IntArray:
    """Return (column, row) of each site's chip; every other row of chips runs backward."""
    wide = mesh.chip_columns.value
    chips = np.array([site.chip for site in sites], dtype=np.int32)
    row, along = np.divmod(chips, wide)
    column = np.where(row % 2 == 0, along, wide - 1 - along)
    return np.stack([column, row], axis=-1).astype(np.int32)


def _routers(mesh: Mesh, sites: tuple[Site, ...]) -> IntArray:
    """Return (column, row) of each site's router on the board."""
    tiles = np.array([(site.column, site.row) for site in sites], dtype=np.int32).reshape(-1, 2)
    size = np.array([mesh.columns.value, mesh.rows.value], dtype=np.int32)
    return _chips(mesh, sites) * size + tiles


def _distances(here: IntArray, there: IntArray) -> IntArray:
    return np.abs(here[:, None, :] - there[None, :, :]).sum(axis=-1, dtype=np.int32)
