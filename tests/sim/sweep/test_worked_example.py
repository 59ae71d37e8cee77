"""SWEEP_MNIST.md: its figures are those of this program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lavadeploy.scripts.encode import rate_code
from lavadeploy.scripts.train_mnist import read_idx
from lavadeploy.sim.sweep import PointResult, SweepPlan, plan_sweep, run_point
from lavadeploy.sim.sweep.point_data import FileSpikes, PointData
from lavadeploy.sim.sweep.table import in_brackets

PAGE = Path(__file__).resolve().parents[3] / "SWEEP_MNIST.md"
STEPS = 8
ACCURACY_AS_STORED, ACCURACY_PLAIN, COST = 2, 6, 3  # columns of 8 steps

pytestmark = pytest.mark.shared_data


def row(start: str) -> list[str]:
    """Return the cells of the one row of the page that begins so."""
    (line,) = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[2:].startswith(start)
    ]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def plan(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepPlan:
    mnist, path = shared_data / "mnist", tmp_path_factory.mktemp("x") / "test.npz"
    images = read_idx(mnist / "t10k-images-idx3-ubyte.gz").reshape(-1, 784)
    labels = read_idx(mnist / "t10k-labels-idx1-ubyte.gz").astype(np.int64)
    np.savez(path, spikes=rate_code(images / 255, steps=STEPS, most=1.0), labels=labels)
    network = shared_data / "netx" / "mnist" / "network.net"
    return plan_sweep(network, path, bits=("file", 4), profiles=("loihi1", "loihi2"))


def run(plan: SweepPlan, name: str) -> PointResult:
    (point,) = [point for point in plan.points if point.name == name]
    assert isinstance(plan.input_file, FileSpikes)
    found = run_point(PointData(network=plan.network, spikes=plan.input_file), plan.task(point))
    assert isinstance(found, PointResult)
    return found


@pytest.mark.parametrize(
    ("name", "accuracy", "cost"),
    [
        ("loihi1-file-8steps", ("file (8)", ACCURACY_AS_STORED), "loihi1, all widths, 3 "),
        ("loihi2-file-8steps", ("file (8)", ACCURACY_AS_STORED), "loihi2, file (8), 5 "),
        ("loihi2-4bit-8steps", ("4 ", ACCURACY_PLAIN), "loihi2, 6 to 2, 5 "),
    ],
)
def test_its_figures_are_what_a_run_gives(
    plan: SweepPlan, name: str, accuracy: tuple[str, int], cost: str
) -> None:
    found = run(plan, name)
    start, column = accuracy
    assert found.accuracy is not None
    assert f"{100 * found.accuracy:.2f}" == row(start)[column]
    assert in_brackets(found.energies["neurocores"], 1e-3) == row(cost)[COST]
    assert cost.endswith(f" {found.cores} ")
