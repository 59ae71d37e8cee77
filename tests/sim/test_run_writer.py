"""Runs written portion by portion: the same as at once, and gone on with after they were killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import assert_runs_are_identical, compiled, dense
from written_runs import (
    EVERYTHING,
    REFERENCE,
    labelled_samples,
    network_of_three_layers,
    written,
)

from lavadeploy.compile import CompiledNetwork, load_artifact, save_artifact
from lavadeploy.netx import OutputError, RunFolderError
from lavadeploy.sim import (
    Destination,
    RunOptions,
    RunWriter,
    SpikeInput,
    load_run,
    run_into,
    save_run,
    summarize_run,
)
from lavadeploy.sim.json_text import to_json
from lavadeploy.sim.spike_log_file import write_spike_log

# Runs by four samples and kills itself, as the system does when memory runs out, after `portions`.
KILLED = """
import os, signal, sys
from lavadeploy.compile import load_artifact
from lavadeploy.sim import *
from lavadeploy.sim import reference
reference.SAMPLES_AT_ONCE = 4
portions, folder = int(sys.argv[1]), sys.argv[2]
done = 0
def end(samples):
    global done
    done += 1
    if done > portions:
        os.kill(os.getpid(), signal.SIGKILL)
network, inputs = load_artifact("net.ldc"), load_spike_input("x.npz")
options = RunOptions(record=("all",), on_progress=end)
to = Destination(folder=folder, checkpoint_s=0, resume=True)
backend = open_backend("reference")
with RunWriter(network, inputs, "reference", options, to) as writer:
    run_into(backend, network, inputs, options, writer)
    writer.finish()
"""


@pytest.fixture
def network() -> CompiledNetwork:
    return network_of_three_layers()


@pytest.fixture
def inputs() -> SpikeInput:
    return labelled_samples()


def files(folder: Path) -> dict[str, bytes]:
    """The files of a run, without those that say when and how fast it was."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "report.md")
    }


def figures(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if name not in ("created", "wall_s")}


@pytest.mark.parametrize("ends", [[23], [1, 2, 20, 23], list(range(1, 24))])
@pytest.mark.parametrize("checkpoint_s", [0.0, 1e9])
def test_a_run_is_the_same_however_it_is_parted(
    network: CompiledNetwork,
    inputs: SpikeInput,
    tmp_path: Path,
    ends: list[int],
    checkpoint_s: float,
) -> None:
    whole = REFERENCE.run(network, inputs, EVERYTHING)
    save_run(tmp_path / "a", summarize_run(network, inputs, whole), whole, network)
    written(network, inputs, tmp_path / "b", ends, checkpoint_s=checkpoint_s)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert figures(tmp_path / "a") == figures(tmp_path / "b")
    assert_runs_are_identical(load_run(tmp_path / "b")[1], whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("portions", [0, 1, 3, 5])
def test_a_killed_run_is_gone_on_with_and_equals_one_that_was_not(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path, portions: int
) -> None:
    save_artifact(network, tmp_path / "net.ldc")
    assert inputs.labels is not None
    np.savez(tmp_path / "x.npz", spikes=inputs.spikes, labels=inputs.labels)

    def killed(after: int) -> int:
        words = [sys.executable, "-c", KILLED, str(after), "run"]
        return subprocess.run(words, cwd=tmp_path, check=False).returncode

    assert killed(portions) == -signal.SIGKILL
    assert not (tmp_path / "run").exists()
    # killed at once it leaves an empty lock only
    assert (tmp_path / ".run.unfinished" / "totals.npz").exists() == (portions > 0)
    if portions == 1:  # a second time, among the samples that came after
        assert killed(2) == -signal.SIGKILL
    network = load_artifact(tmp_path / "net.ldc")
    done = {0: 0, 1: 12, 3: 12, 5: 20}[portions]
    to = Destination(folder=tmp_path / "run", resume=True)
    with RunWriter(network, inputs, "reference", EVERYTHING, to) as writer:
        assert writer.done == done
        run_into(REFERENCE, network, inputs, EVERYTHING, writer)
        writer.finish()
    written(network, inputs, tmp_path / "at once", [23])
    assert files(tmp_path / "run") == files(tmp_path / "at once")
    assert figures(tmp_path / "run") == figures(tmp_path / "at once")
    assert not (tmp_path / ".run.unfinished").exists()


def interrupt(writer: RunWriter, network: CompiledNetwork, inputs: SpikeInput, at: int) -> None:
    with writer:
        for end in range(writer.done + 1, at + 1):
            writer.add(REFERENCE.run(network, inputs.part(end - 1, end), EVERYTHING))
        raise KeyboardInterrupt


def interrupted(
    network: CompiledNetwork, inputs: SpikeInput, folder: Path, at: int, **to: Any
) -> RunWriter:
    to_folder = Destination(folder=folder, **to)
    writer = RunWriter(network, inputs, "reference", EVERYTHING, to_folder)
    with pytest.raises(KeyboardInterrupt):
        interrupt(writer, network, inputs, at)
    return writer


def test_an_interruption_keeps_what_is_finished(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    assert interrupted(network, inputs, tmp_path / "x", 7).kept == 7
    with pytest.raises(RunFolderError) as raised:
        load_run(tmp_path / "x")
    assert str(raised.value) == (
        f"'{tmp_path / 'x'}': no such run folder. It is not finished: if nothing writes it any "
        "more, go on with --resume."
    )
    assert interrupted(network, inputs, tmp_path / "x", 9, resume=True).kept == 9
    found = written(network, inputs, tmp_path / "x", [23], resume=True)
    assert found.samples == 23
    written(network, inputs, tmp_path / "y", [23])
    assert files(tmp_path / "x") == files(tmp_path / "y")


def test_nothing_is_kept_where_no_sample_was_finished(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    assert interrupted(network, inputs, tmp_path / "runs" / "x", 0).kept == 0
    assert list(tmp_path.iterdir()) == []


def test_without_resume_a_run_starts_anew(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    interrupted(network, inputs, tmp_path / "x", 7)
    to = Destination(folder=tmp_path / "x")
    assert RunWriter(network, inputs, "reference", EVERYTHING, to).done == 0
    interrupted(network, inputs, tmp_path / "x", 3)
    to = Destination(folder=tmp_path / "x", resume=True)
    assert RunWriter(network, inputs, "reference", EVERYTHING, to).done == 3


def test_a_run_of_something_else_is_not_gone_on_with(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    interrupted(network, inputs, tmp_path / "x", 7)
    to = Destination(folder=tmp_path / "x", resume=True, log="output")
    other = compiled(dense(np.ones((4, 12))))
    for again, what in (
        (lambda: RunWriter(network, inputs.first(9), "reference", EVERYTHING, to), "input, log"),
        (lambda: RunWriter(network, inputs, "engine", RunOptions(), to), "backend, record, log"),
        (lambda: RunWriter(other, inputs, "reference", EVERYTHING, to), "artifact, log"),
    ):
        with pytest.raises(RunFolderError) as raised:
            again()
        assert str(raised.value) == (
            f"'{tmp_path / 'x'}': the unfinished run has another {what}. "
            "Run the same again, or run without --resume to start anew."
        )


def test_a_damaged_unfinished_run_is_refused(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    interrupted(network, inputs, tmp_path / "x", 7)
    (tmp_path / ".x.unfinished" / "totals.npz").write_bytes(b"PK")
    to = Destination(folder=tmp_path / "x", resume=True)
    with pytest.raises(RunFolderError, match=r"\.x\.unfinished': is damaged \("):
        RunWriter(network, inputs, "reference", EVERYTHING, to)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ({0: 3, 3: 0}, "part 3 has no samples"),
        ({0: 3, 3: 5}, "its parts hold 8 samples, and 7 are finished"),
        ({0: 7}, "part 0 is of another network or other steps"),
        ({0: 3}, "'{folder}/parts/3.parquet': is not a spike log ("),
    ],
    ids=["a part without samples", "too many", "of another network", "too few"],
)
def test_parts_that_are_not_the_finished_samples_are_refused(
    network: CompiledNetwork,
    inputs: SpikeInput,
    tmp_path: Path,
    found: dict[int, int],
    what: str,
) -> None:
    interrupted(network, inputs, tmp_path / "x", 7)
    folder = tmp_path / ".x.unfinished"
    (folder / "parts" / "0.parquet").unlink()
    other = compiled(dense(np.ones((4, 12)))) if "another" in what else network
    for first, samples in found.items():
        log = REFERENCE.run(other, inputs.first(max(samples, 1))).spikes
        write_spike_log(
            replace(log.of_layers(()), n_samples=samples, not_logged=()),
            folder / "parts" / f"{first}.parquet",
        )
    with pytest.raises(RunFolderError) as raised:
        RunWriter(
            network,
            inputs,
            "reference",
            EVERYTHING,
            Destination(folder=tmp_path / "x", resume=True),
        )
    start = f"'{folder}': is damaged ({what.format(folder=folder)}"
    assert str(raised.value).startswith(start)
    assert str(raised.value).endswith("Delete it, or run without --resume.")


def test_what_is_finished_outlives_a_disk_that_is_full(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_anything: object) -> None:
        raise OSError(28, "No space left on device")

    def fill_the_disk(writer: RunWriter) -> None:
        with writer:
            writer.add(REFERENCE.run(network, inputs.part(0, 5)))
            monkeypatch.setattr("lavadeploy.sim.unfinished_run.write_spike_log", is_full)
            writer.add(REFERENCE.run(network, inputs.part(5, 8)))

    to = Destination(folder=tmp_path / "x", checkpoint_s=0)
    with pytest.raises(OutputError) as raised:
        fill_the_disk(RunWriter(network, inputs, "reference", EVERYTHING, to))
    assert str(raised.value) == (
        f"cannot write '{tmp_path / 'x'}': No space left on device. "
        "5 finished samples are kept; make room and go on with --resume."
    )
    monkeypatch.undo()
    to = Destination(folder=tmp_path / "x", resume=True)
    assert RunWriter(network, inputs, "reference", EVERYTHING, to).done == 5


def test_without_a_folder_a_run_is_only_counted(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with RunWriter(network, inputs, "reference", RunOptions(), Destination()) as writer:
        run_into(REFERENCE, network, inputs, RunOptions(), writer)
        found = writer.finish({"seed": 3})
    expected = summarize_run(network, inputs, REFERENCE.run(network, inputs), {"seed": 3})
    left, right = (json.loads(to_json(each)) for each in (found, expected))
    for figure in ("created", "wall_s"):
        del left[figure], right[figure]
    assert left == right
    assert list(tmp_path.iterdir()) == []
