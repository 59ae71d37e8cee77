"""Two writers of one run: the second is refused, and a writer that was killed locks nobody out."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from builders import compiled, dense, even_weights, random_spikes

from lavadeploy.compile import CompiledNetwork, load_artifact, save_artifact
from lavadeploy.netx import OutputError
from lavadeploy.sim import (
    Destination,
    RunOptions,
    RunWriter,
    SpikeInput,
    load_run,
    load_spike_input,
    open_backend,
    run_into,
)
from lavadeploy.sim.run_lock import RunLock

REFERENCE = open_backend("reference")
FINISHED = 5
# Finishes some samples, says so, and waits until it is told to go on.
FIRST = f"""
import sys
from lavadeploy.compile import load_artifact
from lavadeploy.sim import *
network, inputs = load_artifact("net.ldc"), load_spike_input("x.npz")
backend, options = open_backend("reference"), RunOptions()
to = Destination(folder="runs/x", checkpoint_s=0)
with RunWriter(network, inputs, "reference", options, to) as writer:
    writer.add(backend.run(network, inputs.first({FINISHED}), options))
    print("ready", flush=True)
    sys.stdin.readline()
    run_into(backend, network, inputs, options, writer)
    writer.finish()
"""


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledNetwork:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    save_artifact(compiled(dense(even_weights(rng, 20, 12))), Path("net.ldc"))
    np.savez("x.npz", spikes=random_spikes(rng, 9, 12, 15))
    return load_artifact(Path("net.ldc"))


@pytest.fixture
def inputs(network: CompiledNetwork) -> SpikeInput:
    assert network.network.layers
    return load_spike_input(Path("x.npz"))


@contextmanager
def first_writer() -> Generator[subprocess.Popen[str]]:
    """A process that has finished some samples of ``runs/x`` and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", FIRST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def write(network: CompiledNetwork, inputs: SpikeInput, *, resume: bool = False) -> int:
    """Write ``runs/x``; return after how many samples it went on."""
    to = Destination(folder="runs/x", resume=resume)
    with RunWriter(network, inputs, "reference", RunOptions(), to) as writer:
        done = writer.done
        run_into(REFERENCE, network, inputs, RunOptions(), writer)
        writer.finish()
    return done


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_process_is_refused_and_the_first_finishes(
    network: CompiledNetwork, inputs: SpikeInput, resume: bool
) -> None:
    with first_writer() as process:
        with pytest.raises(OutputError) as raised:
            write(network, inputs, resume=resume)
        assert str(raised.value) == (
            f"cannot write folder 'runs/x': process {process.pid} is writing this run. "
            "Wait until it has ended, end it, or name another folder."
        )
        process.communicate("go on\n")
        assert process.returncode == 0
    whole = REFERENCE.run(network, inputs).spikes
    found = load_run("runs/x")[1].spikes
    assert np.array_equal(found.dense(0), whole.dense(0))
    assert [path.name for path in Path("runs").iterdir()] == ["x"]


def test_the_lock_of_a_killed_process_is_gone_and_its_samples_are_kept(
    network: CompiledNetwork, inputs: SpikeInput
) -> None:
    with first_writer() as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert (Path("runs") / ".x.unfinished" / "lock").exists()
    assert write(network, inputs, resume=True) == FINISHED
    whole = REFERENCE.run(network, inputs).spikes
    assert np.array_equal(load_run("runs/x")[1].spikes.dense(0), whole.dense(0))
    assert [path.name for path in Path("runs").iterdir()] == ["x"]


def test_the_command_refuses_with_one_sentence(network: CompiledNetwork) -> None:
    entry_point = Path(sys.executable).with_name("lavadeploy")
    words = ["run", "net.ldc", "--input", "x.npz", "--backend", "reference", "-o", "runs/x"]
    assert network.network.layers
    with first_writer() as process:
        found = subprocess.run(
            [entry_point, *words, "--resume"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        sentence = (
            f"error: cannot write folder 'runs/x': process {process.pid} is writing this run. "
            "Wait until it has ended, end it, or name another folder.\n"
        )
        assert (found.returncode, found.stdout, found.stderr) == (2, "", sentence)


def test_a_writer_in_the_same_process_is_refused_until_the_first_has_ended(
    network: CompiledNetwork, inputs: SpikeInput
) -> None:
    to = Destination(folder="runs/x")
    refused = pytest.raises(OutputError, match=rf": this process \({os.getpid()}\) is writing")
    with RunWriter(network, inputs, "reference", RunOptions(), to), refused:
        write(network, inputs)
    assert write(network, inputs) == 0


def test_a_writer_that_is_forgotten_locks_nobody_out(
    network: CompiledNetwork, inputs: SpikeInput
) -> None:
    to = Destination(folder="runs/x")
    writer = RunWriter(network, inputs, "reference", RunOptions(), to)
    del writer
    assert not Path("runs").exists()
    assert write(network, inputs) == 0


def test_where_files_cannot_be_locked_runs_are_written_without(
    network: CompiledNetwork, inputs: SpikeInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def cannot(_handle: int, _operation: int) -> NoReturn:
        nonlocal asked
        asked += 1
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", cannot)
    assert write(network, inputs) == 0
    assert asked
    assert [path.name for path in Path("runs").iterdir()] == ["x"]


def test_a_lock_whose_file_was_removed_meanwhile_is_asked_for_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder lets go between the moments when another opens the file and locks it."""
    folder = tmp_path / "runs" / ".x.unfinished"
    first = RunLock(folder, Path("runs/x"))
    flock = fcntl.flock

    def after_release(handle: int, operation: int) -> None:
        if operation != fcntl.LOCK_UN and first.is_held:
            first.release()
            assert not folder.exists()
        flock(handle, operation)

    monkeypatch.setattr("fcntl.flock", after_release)
    second = RunLock(folder, Path("runs/x"))
    assert (folder / "lock").read_text(encoding="utf-8").startswith(f"{os.getpid()} ")
    with pytest.raises(OutputError, match="is writing this run"):
        RunLock(folder, Path("runs/x"))
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_child_that_was_forked_neither_holds_nor_releases_the_lock(tmp_path: Path) -> None:
    folder = tmp_path / ".x.unfinished"
    lock = RunLock(folder, Path("x"))
    child = os.fork()
    if child == 0:
        lock.release()
        signal.pause()
    try:
        with pytest.raises(OutputError):
            RunLock(folder, Path("x"))
        lock.release()
        RunLock(folder, Path("x")).release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_lock_that_does_not_say_whose_it_is_holds_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ".x.unfinished"
    lock = RunLock(folder, Path("x"))
    (folder / "lock").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="'x': another process is writing this run"):
        RunLock(folder, Path("x"))
    (folder / "lock").write_text("17 elsewhere\n", encoding="utf-8")
    with pytest.raises(OutputError, match="'x': process 17 on elsewhere is writing this run"):
        RunLock(folder, Path("x"))
    lock.release()
