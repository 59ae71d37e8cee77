"""``lavadeploy convert-log``: the spikes of a run for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from builders import dense

from lavadeploy.netx import FlattenLayer, InputLayer, Network, SigmaDeltaNeuron, write_netx
from lavadeploy.sim import CONVERTERS

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def finished(cli: Cli, artifact: Path, spikes: Path) -> str:
    run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", "x")
    assert cli(*run).returncode == 0
    return "x"


@pytest.mark.parametrize("to", list(CONVERTERS))
def test_every_kind_of_file_is_written(cli: Cli, finished: str, to: str) -> None:
    found = cli("convert-log", finished, "--to", to, "-o", "out")
    assert (found.returncode, found.stdout, found.stderr) == (0, "Written: out\n", "")
    assert Path("out").stat().st_size > 0


def test_csv_is_what_one_expects(cli: Cli, finished: str) -> None:
    assert cli("convert-log", finished, "--to", "csv", "--layer", "layer1", "-o", "x.csv")
    assert Path("x.csv").read_text(encoding="utf-8").splitlines() == [
        '"sample","step","layer","neuron","value"',
        *(f'{s},{t},"layer1",{n},1' for s, t, n in ((0, 0, 0), (0, 2, 0), (0, 4, 0), (1, 1, 0))),
        *(f'{s},{t},"layer1",{n},1' for s, t, n in ((2, 3, 1), (2, 5, 1))),
    ]


def test_the_output_of_one_network_is_the_input_of_another(
    cli: Cli, finished: str, artifact: Path
) -> None:
    found = cli("convert-log", finished, "--to", "slayer", "--layer", "layer0", "-o", "y.npz")
    assert found.returncode == 0
    with np.load("y.npz") as file:
        assert file.files == ["spikes"]
        assert file["spikes"].shape == (4, 3, 6)
        assert file["spikes"].sum() == 6
    write_netx(Network(layers=(dense([[20, 20, -4], [-4, -4, 20]]),)), Path("next.net"))
    assert cli("compile", "next.net", "-o", "next.ldc").returncode == 0
    run = ("run", "next.ldc", "--input", "y.npz", "--backend", "reference", "-o", "next")
    assert cli(*run).returncode == 0
    figures = json.loads(Path("next/run.json").read_text(encoding="utf-8"))
    assert figures["activity"]["input_spikes"] == 6


def test_values_that_a_file_cannot_hold_are_warned_of(cli: Cli, folder: Path) -> None:
    """Sigma-delta neurons at the input send graded spikes, here of an image."""
    layers = (
        InputLayer(name="layer0", shape=(1, 2, 2), neuron=SigmaDeltaNeuron(vth_mantissa=1)),
        FlattenLayer(name="layer1", shape=(4,)),
        dense(np.full((2, 4), 2), name="layer2"),
    )
    write_netx(Network(layers=layers), folder / "s.net")
    assert cli("compile", "s.net", "-o", "s.ldc").returncode == 0
    np.savez("in.npz", spikes=np.arange(0, 320, 10).reshape(2, 1, 2, 2, 4))
    run = ("run", "s.ldc", "--input", "in.npz", "--backend", "reference", "-o", "x")
    assert cli(*run).returncode == 0
    for to in CONVERTERS:
        found = cli("convert-log", "x", "--to", to, "-o", "out")
        assert found.returncode == 0
        assert found.stderr.replace("\n", " ").strip() == (
            "warning: layer0: its graded spikes lose their values, which events of images in "
            "tonic's form do not have. Take npz, slayer, csv or nirdata for them."
            if to == "tonic"
            else ""
        )


def test_json_says_what_was_written(cli: Cli, finished: str) -> None:
    found = cli("convert-log", finished, "--to", "npz", "--layer", "layer1", "-o", "y", "--json")
    assert (found.returncode, found.stderr) == (0, "")
    assert json.loads(found.stdout) == {"written": "y", "to": "npz", "layers": ["layer1"]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("x", "--to", "cvs", "-o", "y"), "cannot convert to 'cvs'; did you mean 'csv'? Valid: "),
        (("x", "--to", "csv", "-o", "y", "--layer", "layer5"), "no layer 'layer5'; did you mean "),
        (("x", "--to", "csv", "-o", "y", "--step-us", "0"), "--step-us is 0; at least 1 was "),
        (("z", "--to", "csv", "-o", "y"), "'z': no such run folder."),
        (("x", "--to", "csv", "-o", "no/y"), "cannot write 'no/y': No such file or directory."),
    ],
)
def test_what_cannot_be_converted_is_said(
    cli: Cli, finished: str, words: tuple[str, ...], sentence: str
) -> None:
    before = sorted(Path().iterdir())
    found = cli("convert-log", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"error: {sentence}")
    assert sorted(Path().iterdir()) == before
