"""Results appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from expect import sentence

from lavadeploy.netx import OutputError
from lavadeploy.netx.atomic_write import (
    file_written_atomically,
    folder_written_atomically,
    write_bytes_atomically,
)

# Makes the operating system refuse files of more than 1000 bytes, as a full disk would; works for
# root too. Prints what was raised.
LIMITED = """
import json, resource, signal, sys
from pathlib import Path
import numpy as np
from lavadeploy.netx import DenseLayer, CubaNeuron, Network, NeuronKind, write_netx
from lavadeploy.netx.atomic_write import folder_written_atomically, write_bytes_atomically

def write_network(path):
    decay = np.array(0)
    neuron = CubaNeuron(
        kind=NeuronKind.CUBA, vth_mantissa=1, current_decay=decay, voltage_decay=decay
    )
    weight = np.zeros((8, 8), dtype=np.int32)
    layer = DenseLayer(name="layer0", shape=(8,), weight=weight, neuron=neuron)
    write_netx(Network(layers=(layer,)), path)

def write_folder(path):
    with folder_written_atomically(path, marker="run.json") as folder:
        (folder / "run.json").write_bytes(b"new")
        (folder / "large").write_bytes(b"x" * 1001)

def at_limit(path):
    write_bytes_atomically(path, b"x" * 1000)

def beyond_limit(path):
    write_bytes_atomically(path, b"x" * 1001)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    globals()[sys.argv[1]](Path(sys.argv[2]))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
else:
    print(json.dumps(["", ""]))
"""


def with_small_files_only(call: str, path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, call, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_writes_and_replaces_a_file(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    write_bytes_atomically(target, b"first, and longer")
    write_bytes_atomically(target, b"second")
    assert target.read_bytes() == b"second"
    assert names(tmp_path) == ["out.bin"]


def test_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes_atomically(tmp_path / "out.bin", b"x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.bin").stat().st_mode) == 0o640


def test_a_folder_is_no_target_for_a_file(tmp_path: Path) -> None:
    assert sentence(OutputError, write_bytes_atomically, tmp_path, b"x") == (
        f"cannot write '{tmp_path}': it is a folder. Name a file."
    )
    assert names(tmp_path) == []


def test_a_missing_parent_folder_is_not_made_for_a_file(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "out.bin"
    assert sentence(OutputError, write_bytes_atomically, target, b"x") == (
        f"cannot write '{target}': No such file or directory. Nothing was left behind."
    )
    assert names(tmp_path) == []


def test_a_file_is_no_parent(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    target = tmp_path / "file" / "out.bin"
    assert sentence(OutputError, write_bytes_atomically, target, b"x") == (
        f"cannot write '{target}': Not a directory. Nothing was left behind."
    )


def test_a_file_that_fits_is_written_under_the_limit(tmp_path: Path) -> None:
    assert with_small_files_only("at_limit", tmp_path / "out.bin") == ["", ""]
    assert (tmp_path / "out.bin").read_bytes() == b"x" * 1000


@pytest.mark.parametrize("call", ["beyond_limit", "write_network"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(call: str, tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    assert with_small_files_only(call, target) == [
        "OutputError",
        f"cannot write '{target}': File too large. Nothing was left behind.",
    ]
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.bin"]


def test_a_failed_write_leaves_no_file_where_none_was(tmp_path: Path) -> None:
    with_small_files_only("beyond_limit", tmp_path / "out.bin")
    assert names(tmp_path) == []


def test_a_failed_folder_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "run.json").write_bytes(b"old")
    assert with_small_files_only("write_folder", target) == [
        "OutputError",
        f"cannot write '{target}': File too large. Nothing was left behind.",
    ]
    assert names(tmp_path) == ["run"]
    assert (target / "run.json").read_bytes() == b"old"


def write_run(path: Path, *files: str) -> None:
    with folder_written_atomically(path, marker="run.json") as folder:
        assert folder.parent == path.parent
        assert names(folder) == []
        for name in files:
            (folder / name).write_text(name)


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    write_run(tmp_path / "a" / "b" / "run", "run.json")
    assert names(tmp_path / "a" / "b") == ["run"]
    assert names(tmp_path / "a" / "b" / "run") == ["run.json"]


def test_folders_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_run(tmp_path / "run", "run.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o750


def test_an_old_run_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "run.json", "old.txt")
    write_run(tmp_path / "run", "run.json", "new.txt")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["new.txt", "run.json"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_run(tmp_path / "run", "run.json")
    assert names(tmp_path / "run") == ["run.json"]


def test_somebody_elses_folder_is_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter1.tex").write_text("mine")
    assert sentence(OutputError, write_run, target, "run.json") == (
        f"cannot write folder '{target}': it exists, is not empty and holds no 'run.json', "
        "so it is not ours to replace. Choose another name."
    )
    assert names(tmp_path) == ["thesis"]
    assert names(target) == ["chapter1.tex"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.write_text("mine")
    assert sentence(OutputError, write_run, target, "run.json") == (
        f"cannot write folder '{target}': a file of that name is there."
    )
    assert target.read_text() == "mine"


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    target = tmp_path / "file" / "run"
    assert sentence(OutputError, write_run, target, "run.json") == (
        f"cannot write folder '{target}': '{tmp_path / 'file'}' is a file."
    )


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_the_block_passes_and_leaves_the_old_folder(
    error: type[BaseException], tmp_path: Path
) -> None:
    def block() -> None:
        with folder_written_atomically(tmp_path / "run", marker="run.json") as folder:
            (folder / "half.txt").write_text("half")
            raise error

    write_run(tmp_path / "run", "run.json", "old.txt")
    with pytest.raises(error):
        block()
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["old.txt", "run.json"]


def test_an_os_error_in_the_block_is_an_output_error(tmp_path: Path) -> None:
    def block() -> None:
        with folder_written_atomically(tmp_path / "run", marker="run.json"):
            raise OSError(28, "No space left on device")

    assert sentence(OutputError, block) == (
        f"cannot write '{tmp_path / 'run'}': No space left on device. Nothing was left behind."
    )
    assert names(tmp_path) == []


def test_parents_made_for_a_failed_folder_are_not_left_behind(tmp_path: Path) -> None:
    def block() -> None:
        with folder_written_atomically(tmp_path / "a" / "b" / "run", marker="run.json"):
            raise OSError(28, "No space left on device")

    sentence(OutputError, block)
    assert names(tmp_path) == []


def test_an_old_run_survives_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_run(tmp_path / "run", "run.json", "old.txt")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        assert sentence(OutputError, write_run, tmp_path / "run", "run.json") == (
            f"cannot write '{tmp_path / 'run'}': No space left on device. Nothing was left behind."
        )
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["old.txt", "run.json"]


def test_an_old_run_survives_an_interruption_of_the_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    write_run(tmp_path / "run", "run.json", "old.txt")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_run(tmp_path / "run", "run.json")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["old.txt", "run.json"]


def test_an_old_run_that_cannot_be_moved_stays_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    write_run(tmp_path / "run", "run.json", "old.txt")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        patch.setattr(os, "replace", refuse)
        assert sentence(OutputError, write_run, tmp_path / "run", "run.json") == (
            f"cannot write '{tmp_path / 'run'}': Device or resource busy. Nothing was left behind."
        )
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["old.txt", "run.json"]


def test_parents_that_others_use_by_now_stay_and_the_error_passes(tmp_path: Path) -> None:
    def block() -> None:
        with folder_written_atomically(tmp_path / "a" / "run", marker="run.json"):
            (tmp_path / "a" / "other").write_text("somebody else's")
            raise ValueError("wrong")

    assert sentence(ValueError, block) == "wrong"
    assert names(tmp_path / "a") == ["other"]


def test_a_run_in_the_current_folder_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run", "run.json")
    monkeypatch.chdir(tmp_path / "run")
    with (
        contextlib.suppress(OutputError),
        folder_written_atomically(Path(), marker="run.json") as folder,
    ):
        (folder / "run.json").write_text("new")
    assert (tmp_path / "run" / "run.json").exists()


def test_an_output_error_in_the_block_keeps_its_sentence(tmp_path: Path) -> None:
    def block() -> None:
        with folder_written_atomically(tmp_path / "run", marker="run.json"):
            raise OutputError("cannot write 'x': disk on fire.")

    assert sentence(OutputError, block) == "cannot write 'x': disk on fire."
    assert names(tmp_path) == []


def test_a_file_given_to_write_becomes_the_target_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "log.csv"
    target.write_bytes(b"old")
    with file_written_atomically(target) as temporary:
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["log.csv"]


def fail_in_a_file(target: Path, error: Exception) -> None:
    with file_written_atomically(target) as temporary:
        temporary.write_bytes(b"ne")
        raise error


@pytest.mark.parametrize("error", [ValueError("bad log"), OSError(28, "No space left on device")])
def test_a_failure_in_a_file_given_to_write_keeps_the_old_one(
    tmp_path: Path, error: Exception
) -> None:
    target = tmp_path / "log.csv"
    target.write_bytes(b"old")
    expected = OutputError if isinstance(error, OSError) else ValueError
    with pytest.raises(expected):
        fail_in_a_file(target, error)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["log.csv"]
