"""A disk that fills up during a write, by a limit on the size of files (EFBIG, as ENOSPC).

One sentence, exit code 2, nothing left behind, in the output folder and in the temporary one.
"""

from __future__ import annotations

import os
import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from hdf5_files import edit_hdf5

Cli = Callable[..., CompletedProcess[str]]
Full = Callable[..., CompletedProcess[str]]


@pytest.fixture
def full(entry_point: Cli, folder: Path) -> Full:
    """Run the real command where no file can grow beyond `most` bytes."""
    temporary = folder / "temporary"
    temporary.mkdir()

    def limit(most: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that write() fails instead of killing
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    def run(most: int, *arguments: str | Path) -> CompletedProcess[str]:
        environment = os.environ | {"TMPDIR": str(temporary)}
        before = names()
        found = entry_point(*arguments, env=environment, preexec_fn=lambda: limit(most))
        left = {name for name in names() - before if name != "runs"}
        assert left == set()
        return found

    return run


def names() -> set[str]:
    return {str(path) for path in Path().rglob("*")}


@pytest.fixture
def long_spikes(folder: Path) -> Path:
    """``long.npz``: three samples of 2000 steps, of which a spike log takes tens of kilobytes."""
    generator = np.random.default_rng(0)
    np.savez(folder / "long.npz", spikes=(generator.random((3, 4, 2000)) < 0.3).astype(np.uint8))
    return Path("long.npz")


def test_compile_leaves_nothing(full: Full, net: Path) -> None:
    found = full(4096, "compile", net, "-o", "net.ldc")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: cannot write 'net.ldc': File too large. Nothing was left behind.\n"
    )


def test_compile_keeps_the_artifact_that_was_there(full: Full, artifact: Path, net: Path) -> None:
    before = artifact.read_bytes()
    assert full(4096, "compile", net, "-o", artifact).returncode == 2
    assert artifact.read_bytes() == before


def test_inspect_leaves_nothing(full: Full, net: Path) -> None:
    found = full(100, "inspect", net, "-o", "net.json")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: cannot write 'net.json': File too large. Nothing was left behind.\n"
    )


@pytest.mark.parametrize(
    "most",
    [1_000, 20_000],
    ids=["spike log", "artifact"],
)
def test_run_leaves_nothing(full: Full, artifact: Path, spikes: Path, most: int) -> None:
    found = full(most, "run", artifact, "--input", spikes, "--backend", "reference", "-o", "runs/x")
    assert (found.returncode, found.stdout) == (2, "")
    assert re.fullmatch(
        r"error: cannot write 'runs/x': (.*)File too large(.*)\. Nothing was left behind\.\n",
        found.stderr,
    )


def test_run_leaves_nothing_of_recorded_states(full: Full, cli: Cli, net: Path) -> None:
    # a threshold that is never reached and input of many values: no spikes, and states that do
    # not compress
    edit_hdf5(net, {"layer/0/neuron/vThMant": 131071})
    assert cli("compile", net, "-o", "net.ldc").returncode == 0
    np.savez("payloads.npz", spikes=np.random.default_rng(0).integers(0, 200, (3, 4, 6000)))
    run = ("run", "net.ldc", "--input", "payloads.npz", "--backend", "reference")
    found = full(40_000, *run, "--record", "all", "-o", "runs/x")
    assert (found.returncode, found.stdout) == (2, "")
    assert re.fullmatch(
        r"error: cannot write 'runs/x': (.*)File too large(.*)\. Nothing was left behind\.\n",
        found.stderr,
    )


def test_run_keeps_the_earlier_run(full: Full, cli: Cli, artifact: Path, spikes: Path) -> None:
    run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", "runs/x")
    assert cli(*run).returncode == 0
    before = {path.name: path.read_bytes() for path in Path("runs/x").iterdir()}
    assert full(20_000, *run).returncode == 2
    assert {path.name: path.read_bytes() for path in Path("runs/x").iterdir()} == before


def test_run_leaves_no_empty_folders_on_the_way(full: Full, artifact: Path, spikes: Path) -> None:
    run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", "runs/x")
    found = full(1_000, *run)
    assert found.returncode == 2
    assert not Path("runs").exists()


@pytest.mark.lava
def test_lava_ends_when_its_temporary_folder_is_full(
    full: Full, artifact: Path, long_spikes: Path
) -> None:
    run = ("run", artifact, "--input", long_spikes)  # writes nothing of its own
    found = full(20_000, *run)
    assert (found.returncode, found.stdout) == (2, "")
    assert re.fullmatch(
        r"error: backend 'lava' failed: (.*)File too large\.\n",
        found.stderr,
    )
