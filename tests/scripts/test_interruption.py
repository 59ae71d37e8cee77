"""Ctrl-C: exit code 130, one sentence, nothing left behind, no process left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from process_sessions import PATIENCE_S, members, wait_until

from lavadeploy.sim.interpreter import LayerRun, run_network

Cli = Callable[..., subprocess.CompletedProcess[str]]

INTERRUPTED = "interrupted; nothing half-written was left behind.\n"
LAVA_PROCESSES = 6  # memory manager, service, source, two synapses, two layers: at least


@pytest.fixture
def long_run(artifact: Path, folder: Path) -> list[str]:
    """The words of a run on Lava that takes minutes."""
    np.savez(folder / "long.npz", spikes=np.zeros((400, 4, 1000), dtype=np.uint8))
    entry = Path(sys.executable).with_name("lavadeploy")
    return [str(entry), "run", str(artifact), "--input", "long.npz", "-o", "runs/x"]


def end_by_signal(
    words: list[str], folder: Path, end: Callable[[int], None]
) -> subprocess.CompletedProcess[str]:
    """Start a run, end it when Lava's processes are at work, and look for what is left."""
    temporary = folder / "temporary"
    temporary.mkdir()
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    ) as process:
        try:
            assert wait_until(lambda: len(members(process.pid)) > LAVA_PROCESSES)
            time.sleep(0.3)
            end(process.pid)
            out, err = process.communicate(timeout=PATIENCE_S)
            assert wait_until(lambda: not members(process.pid)), "processes were left behind"
        finally:
            for pid in members(process.pid):
                os.kill(pid, signal.SIGKILL)
    assert list(temporary.iterdir()) == []
    assert not (folder / "runs").exists()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.mark.lava
def test_ctrl_c_in_a_terminal_reaches_all_processes_and_ends_them(
    long_run: list[str], folder: Path
) -> None:
    found = end_by_signal(long_run, folder, lambda pid: os.killpg(pid, signal.SIGINT))
    assert (found.returncode, found.stdout, found.stderr) == (130, "", INTERRUPTED)


@pytest.mark.lava
def test_interrupt_of_the_command_alone_ends_lava_too(long_run: list[str], folder: Path) -> None:
    found = end_by_signal(long_run, folder, lambda pid: os.kill(pid, signal.SIGINT))
    assert (found.returncode, found.stdout, found.stderr) == (130, "", INTERRUPTED)


@pytest.mark.lava
def test_impatient_ctrl_c_leaves_no_process_behind(long_run: list[str], folder: Path) -> None:
    def end(pid: int) -> None:
        for _ in range(10):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGINT)
            time.sleep(0.015)

    found = end_by_signal(long_run, folder, end)
    assert (found.returncode, found.stdout, found.stderr) == (130, "", INTERRUPTED)


@pytest.mark.lava
def test_termination_leaves_no_process_behind(long_run: list[str], folder: Path) -> None:
    # what timeout(1), a cluster's scheduler and a closed terminal send
    found = end_by_signal(long_run, folder, lambda pid: os.kill(pid, signal.SIGTERM))
    assert found.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM)


@pytest.mark.parametrize("moment", ["read_any_netx", "load_profile", "save_artifact"])
def test_ctrl_c_at_any_moment_of_compile(
    cli: Cli, net: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupt(*_anything: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"lavadeploy.scripts.commands.compile.{moment}", interrupt)
    found = cli("compile", net, "-o", "net.ldc")
    assert (found.returncode, found.stdout) == (130, "")
    assert found.stderr.lstrip("\n") == INTERRUPTED
    assert [path.name for path in Path().iterdir()] == ["net.net"]


def test_ctrl_c_in_a_run_keeps_what_is_finished(
    cli: Cli, artifact: Path, spikes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = 0

    def interrupt_the_third(*given: Any, **options: Any) -> tuple[LayerRun, ...]:
        nonlocal samples
        samples += 1
        if samples == 3:
            raise KeyboardInterrupt
        return run_network(*given, **options)

    monkeypatch.setattr("lavadeploy.sim.reference.SAMPLES_AT_ONCE", 1)
    monkeypatch.setattr("lavadeploy.sim.reference.run_network", interrupt_the_third)
    run = ("run", artifact, "--input", spikes, "--backend", "reference")
    found = cli(*run, "-o", "runs/x")
    assert (found.returncode, found.stdout) == (130, "")
    assert found.stderr.replace("\n", " ").strip() == (
        "2 of 4 samples are finished and kept; the same command with --resume goes on after them. "
        + INTERRUPTED.strip()
    )
    found = cli(*run, "-o", "runs/x", "--resume")
    assert (found.returncode, found.stderr) == (0, "going on after 2 of 4 samples\n")
    assert cli(*run, "-o", "runs/y").returncode == 0
    log = Path("runs/x/spikes.parquet").read_bytes()
    assert log == Path("runs/y/spikes.parquet").read_bytes()
    assert sorted(path.name for path in Path("runs").iterdir()) == ["x", "y"]


def test_ctrl_c_while_a_run_is_written(
    cli: Cli, artifact: Path, spikes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_anything: object) -> None:
        raise KeyboardInterrupt

    run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", "runs/x")
    with monkeypatch.context() as patched:
        patched.setattr("lavadeploy.sim.run_folder.markdown_report", interrupt)
        found = cli(*run)
    assert found.returncode == 130
    assert found.stderr.startswith("4 of 4 samples are finished and kept; ")
    assert [path.name for path in Path("runs").iterdir()] == [".x.unfinished"]
    assert cli(*run, "--resume").returncode == 0
    assert [path.name for path in Path("runs").iterdir()] == ["x"]
