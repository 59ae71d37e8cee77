"""Sites of a chip form a path, and distances are those of dimension-order routing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from profiles import SHIPPED

from lavadeploy.compile.mesh import Site, chip_sites, cost_table, crossing_table, hop_table


@pytest.mark.parametrize(("name", "cores"), [("loihi1", 128), ("loihi2", 120)])
def test_a_chip_has_its_usable_cores_on_a_path_of_neighboring_tiles(name: str, cores: int) -> None:
    sites = chip_sites(SHIPPED[name], 3, 1)
    assert len(set(sites)) == cores
    assert {site.chip for site in sites} == {3}
    for a, b in itertools.pairwise(sites):
        assert abs(a.column - b.column) + abs(a.row - b.row) <= 1
    assert max(site.column for site in sites) < 8
    assert max(site.row for site in sites) < 4
    assert max(site.core for site in sites) < 4


def test_without_a_mesh_all_cores_are_in_one_place() -> None:
    sites = chip_sites(SHIPPED["ideal"], 0, 3)
    assert sites == tuple(Site(chip=0, column=0, row=0, core=k) for k in range(3))
    assert hop_table(None, sites, sites).tolist() == [[0] * 3] * 3
    far = (Site(chip=1, column=0, row=0, core=0),)
    assert crossing_table(None, sites, far).tolist() == [[1]] * 3
    assert cost_table(None, sites, far).tolist() == [[0]] * 3


def site(chip: int, column: int, row: int, core: int = 0) -> Site:
    return Site(chip=chip, column=column, row=row, core=core)


@pytest.mark.parametrize(
    ("here", "there", "hops", "crossings"),
    [
        (site(0, 2, 1, 0), site(0, 2, 1, 3), 0, 0),  # cores of a tile share a router
        (site(0, 2, 1), site(0, 5, 3), 3 + 2, 0),
        (site(0, 7, 0), site(1, 0, 0), 1, 1),  # neighbors across the border
        (site(0, 0, 0), site(3, 7, 3), 3 * 8 + 7 + 3, 3),
        (site(3, 0, 0), site(4, 0, 0), 4, 1),  # rows of chips run to and fro: 4 lies below 3
        (site(0, 0, 3), site(7, 0, 0), 1, 1),
    ],
)
def test_messages_go_along_rows_and_columns_of_the_board(
    here: Site, there: Site, hops: int, crossings: int
) -> None:
    mesh = SHIPPED["loihi2"].mesh  # chips 0 to 3 over chips 7 to 4, of 8 x 4 tiles
    for a, b in ((here, there), (there, here)):
        assert hop_table(mesh, (a,), (b,)).tolist() == [[hops]]
        assert crossing_table(mesh, (a,), (b,)).tolist() == [[crossings]]
        assert cost_table(mesh, (a,), (b,)).tolist() == [[hops + 6 * crossings]]
    assert hop_table(mesh, (here, there), (here,)).dtype == np.int32
