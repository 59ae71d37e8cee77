from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

import lavadeploy.netx

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--installed",
        action="store_true",
        help="test an installed wheel instead of this tree",
    )
    parser.addoption(
        "--target",
        choices=("sim", "loihi"),
        default="sim",
        help="where tests marked loihi run: nowhere (sim) or on a board (loihi)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background jobs ignore Ctrl-C and so would all that they start; tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Two trees and one environment: the tests of one would silently test the other.
    here = Path(lavadeploy.netx.__file__).resolve().parents[1]
    if here != ROOT and not config.getoption("--installed"):
        pytest.exit(
            f"these tests stand in {ROOT}, but the installed lavadeploy is {here}; "
            "run make env in this tree, or pass --installed",
            returncode=4,
        )


def pytest_report_header(config: pytest.Config) -> str:
    data = "here" if SHARED_DATA.is_dir() else "absent: tests marked shared_data are skipped"
    return f"target: {config.getoption('--target')}, shared data: {data}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of networks and data that are not part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data (networks trained by others, MNIST) is not here")
    return SHARED_DATA


@pytest.fixture
def adrf_iz_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give ADRF_IZ the forward pass that its methods spell; lava-dl's forgets an argument."""
    from slayer_models import slayer

    def forward(neuron: Any, inputs: Any) -> Any:
        return neuron.spike(*neuron.dynamics(inputs))

    monkeypatch.setattr(slayer.neuron.adrf_iz.Neuron, "forward", forward)
