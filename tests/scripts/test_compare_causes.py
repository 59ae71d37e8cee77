"""``lavadeploy compare`` on two backends, against SLAYER, and on runs whose input differs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from lavadeploy.sim import RunOptions, SpikeInput, SpikeLog, read_spike_log, write_spike_log
from lavadeploy.sim.engine_backend import EngineBackend

Cli = Callable[..., CompletedProcess[str]]


def test_two_backends_that_are_equal(cli: Cli, artifact: Path, spikes: Path) -> None:
    found = cli("compare", artifact, "--backends", "reference,engine", "--input", spikes)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "Equal: all 12 spikes and all states.\n"


def test_only_some_samples_are_run(cli: Cli, artifact: Path, spikes: Path) -> None:
    run = ("compare", artifact, "--backends", "reference,engine", "--input", spikes)
    found = cli(*run, "--samples", "1", "--json")
    assert found.returncode == 0
    whole = cli(*run, "--json")
    few, all_of_them = (json.loads(x.stdout)["total_spikes"] for x in (found, whole))
    assert 0 < few < all_of_them


def test_a_backend_that_loses_an_event(
    cli: Cli, artifact: Path, spikes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = EngineBackend.run

    def losing(self: EngineBackend, compiled: Any, inputs: SpikeInput, options: RunOptions) -> Any:
        fewer = inputs.spikes.copy()
        sample, neuron, step = np.argwhere(fewer)[2]
        fewer[sample, neuron, step] = 0
        return own(self, compiled, SpikeInput(spikes=fewer), options)

    monkeypatch.setattr(EngineBackend, "run", losing)
    found = cli("compare", artifact, "--backends", "reference,engine", "--input", spikes)
    assert (found.returncode, found.stderr) == (1, "")
    assert "Cause: lost event\n  In engine the layer does not get the event of neuron " in (
        found.stdout
    )
    assert "  All other layers do what follows from what reached them.\n" in found.stdout


def test_a_layer_whose_sources_are_not_logged_cannot_be_run_again(
    cli: Cli, artifact: Path, spikes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("run", artifact, "--input", spikes, "--log", "output")
    assert cli(*run, "--backend", "reference", "-o", "a").returncode == 0
    own = EngineBackend.portions

    def silent(self: EngineBackend, compiled: Any, inputs: SpikeInput, options: RunOptions) -> Any:
        return own(self, compiled, SpikeInput(spikes=0 * inputs.spikes), options)

    monkeypatch.setattr(EngineBackend, "portions", silent)
    assert cli(*run, "--backend", "engine", "-o", "b").returncode == 0
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("Not in the logs, so not compared: spikes of layer0.\n")
    assert found.stdout.endswith(
        "Cause: not explained\n"
        "  Spikes of layer0 are not in the logs, and telling the cause takes what layer1 "
        "took and sent.\n"
        "  Remedy: Run with --log all.\n"
    )


@pytest.fixture
def of_other_input(cli: Cli, artifact: Path, spikes: Path) -> None:
    """Runs ``a`` and ``b`` of one artifact; what b was fed has its first two inputs swapped."""
    with np.load(spikes) as file:
        swapped = file["spikes"][:, [1, 0, 2, 3]]
        swapped[0, 3, 0] = 1
        np.savez("other.npz", spikes=swapped)
    for name, file in (("a", spikes), ("b", Path("other.npz"))):
        run = ("run", artifact, "--input", file, "--backend", "reference", "-o", name)
        assert cli(*run).returncode == 0


def test_runs_of_other_input_of_the_same_size(cli: Cli, spikes: Path, of_other_input: None) -> None:
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stderr) == (1, "")
    assert "Cause: input encoded differently\n  b is fed its input with other numbers: " in (
        found.stdout
    )
    assert ", first in sample 0, step " in found.stdout


def test_runs_of_other_input_that_is_gone(cli: Cli, of_other_input: None) -> None:
    hashes = [
        json.loads(Path(name, "run.json").read_text(encoding="utf-8"))["hashes"]["input"][:12]
        for name in ("a", "b")
    ]
    Path("other.npz").unlink()
    found = cli("compare", "a", "b")
    assert found.returncode == 1
    assert found.stdout.endswith(
        "Cause: input encoded differently\n"
        f"  The runs were fed different input (hashes {hashes[0]}, {hashes[1]}).\n"
        "  Remedy: Run both with the same --input, or keep both files to see how they differ.\n"
    )


def changed_spikes(run: str, change: Callable[[SpikeLog], SpikeLog]) -> None:
    """Write a run's spike log anew."""
    path = Path(run, "spikes.parquet")
    write_spike_log(change(read_spike_log(path)), path)


def test_a_place_that_no_cause_explains_is_shown(cli: Cli, artifact: Path, spikes: Path) -> None:
    for name in ("a", "b"):
        run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", name)
        assert cli(*run).returncode == 0

    # payloads that no CUBA neuron sends
    def more(log: SpikeLog) -> SpikeLog:
        values = log.value.copy()
        values[log.layer == 1] = 3
        return dataclasses.replace(log, value=values)

    changed_spikes("b", more)
    found = cli("compare", "a", "b")
    assert (found.returncode, found.stderr) == (1, "")
    assert "Cause: not explained\n  b is not what the registers define, and none of " in (
        found.stdout
    )
    assert " step  input  current  voltage  reached  threshold  sent  A  B" in found.stdout
    table = [line for line in found.stdout.splitlines() if line.strip()[:1].isdecimal()]
    assert len(table) > 1
    assert all(len(line) <= 80 for line in table)


def test_moved_input_can_be_given(cli: Cli, artifact: Path, spikes: Path) -> None:
    for name in ("a", "b"):
        run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", name)
        assert cli(*run).returncode == 0

    def first_layer_silent(log: SpikeLog) -> SpikeLog:
        kept = (log.layer != 0) | (log.neuron != 0)
        columns = ("sample", "step", "layer", "neuron", "value")
        return dataclasses.replace(log, **{name: getattr(log, name)[kept] for name in columns})

    changed_spikes("b", first_layer_silent)
    spikes.rename("moved.npz")
    found = cli("compare", "a", "b")
    assert "  What the network was fed is not known, and this layer takes it.\n" in found.stdout
    assert found.stdout.endswith("  Remedy: Give --input.\n")
    found = cli("compare", "a", "b", "--input", "moved.npz")
    assert "is not known" not in found.stdout
    np.savez("wrong.npz", spikes=np.zeros((4, 4, 6), dtype=np.uint8))
    found = cli("compare", "a", "b", "--input", "wrong.npz")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: 'wrong.npz': is not what the runs were fed (input hash")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("a",),
            (
                "1 run folders given; 2 were expected, or an artifact with --backends lava,engine "
                "or --against model.pt."
            ),
        ),
        (
            ("a", "b", "--samples", "3"),
            "--samples and --model are for artifacts that are to be run.",
        ),
        (
            ("net.ldc", "b", "--backends", "lava,engine"),
            "2 files given; with --backends or --against, one artifact.",
        ),
        (
            ("net.ldc", "--backends", "lava,engine"),
            "--backends and --against run the artifact: give --input.",
        ),
        (
            ("net.ldc", "--backends", "lava", "--input", "x.npz"),
            "--backends 'lava': two were expected, say lava,engine.",
        ),
        (
            ("net.ldc", "--backends", "a,b", "--against", "x.pt", "--input", "x.npz"),
            "--backends 'a,b': one was expected beside --against.",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    cli: Cli, words: tuple[str, ...], sentence: str
) -> None:
    found = cli("compare", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"error: {sentence}\n"


WEIGHTS = np.array([[20, 0, 0, -2], [0, 20, 0, -2], [0, 0, 20, -2]], dtype=np.float32)
BUILD = """
import torch
from lavadeploy.netx import repair_lava
repair_lava()
from lava.lib.dl import slayer

def build():
    neuron = {"threshold": 10 / 64, "current_decay": 1.0, "voltage_decay": 1.0}
    return torch.nn.Sequential(
        slayer.block.cuba.Dense(neuron, 4, 3), slayer.block.cuba.Dense(neuron, 3, 2)
    )
"""


@pytest.fixture
def state(folder: Path) -> Path:
    """``model.pt``, the relaying network's weights, and ``model.py`` that builds the model."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("lava.lib.dl")
    Path("model.py").write_text(BUILD, encoding="utf-8")
    second = np.array([[20, 20, -4], [-4, -4, 20]], dtype=np.float32)
    state = {
        f"{k}.{name}": torch.tensor([4096.0])
        for k in (0, 1)
        for name in ("neuron.current_decay", "neuron.voltage_decay")
    }
    for k, weight in enumerate((WEIGHTS, second)):
        state[f"{k}.synapse.weight"] = torch.from_numpy(weight[..., None, None, None] / 64)
    torch.save(state, "model.pt")
    return Path("model.pt")


@pytest.mark.lava
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
def test_a_model_of_slayer_that_is_equal(
    cli: Cli, artifact: Path, spikes: Path, state: Path
) -> None:
    run = ("compare", artifact, "--against", state, "--model", "model.py:build", "--input", spikes)
    found = cli(*run)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "Equal: all 12 spikes.\n"


@pytest.mark.lava
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
def test_a_model_of_slayer_with_other_weights(
    cli: Cli, artifact: Path, spikes: Path, state: Path
) -> None:
    import torch

    held = torch.load(state, weights_only=True)
    held["0.synapse.weight"] = held["0.synapse.weight"] * 0
    torch.save(held, state)
    run = ("compare", artifact, "--against", state, "--model", "model.py:build", "--input", spikes)
    found = cli(*run, "--json")
    assert found.returncode == 1
    comparison = json.loads(found.stdout)
    assert comparison["differing_spikes"]["layer0"] > 0
    assert comparison["cause"]["side"] == "a"


@pytest.mark.lava
def test_whole_pickled_models_are_not_loaded(
    cli: Cli, artifact: Path, spikes: Path, state: Path
) -> None:
    import torch

    torch.save(torch.nn.Linear(2, 2), "whole.pt")
    found = cli("compare", artifact, "--against", "whole.pt", "--input", spikes)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'whole.pt': holds more than numbers, a whole model perhaps, and reading that would "
        "run whatever code it holds. Save model.state_dict() instead, and name the function that "
        "builds the model: --model my_code.py:build.\n"
    )


@pytest.mark.lava
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--against", "none.pt"), "'none.pt': No such file or directory."),
        (
            ("--against", "model.pt"),
            (
                "'model.pt': is not the state of a model of the training scripts. Name the "
                "function that builds yours: --model my_code.py:build."
            ),
        ),
        (
            ("--against", "model.pt", "--model", "build"),
            "--model 'build'; file.py:function was expected.",
        ),
        (
            ("--against", "model.pt", "--model", "model.py:other"),
            (
                "--model 'model.py:other': 'model.py' has no function 'other'. Name one that "
                "returns the model and takes no arguments."
            ),
        ),
    ],
)
def test_models_that_cannot_be_loaded(
    cli: Cli, artifact: Path, spikes: Path, state: Path, words: tuple[str, ...], sentence: str
) -> None:
    found = cli("compare", artifact, "--input", spikes, *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"error: {sentence}\n"
