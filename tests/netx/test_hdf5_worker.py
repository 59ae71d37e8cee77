"""The process that reads HDF5 files gives every form the same tree, and can always be given up."""
# h5py has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from expect import sentence
from hdf5_files import SPELLINGS

from lavadeploy.netx import NetxFormatError, hdf5_store, hdf5_worker
from lavadeploy.netx.hdf5_store import StoredTree, read_tree
from lavadeploy.netx.hdf5_worker import Hdf5Worker

VALUES: Mapping[str, Any] = {
    "layer/0/weight": np.arange(12, dtype=">i2").reshape(3, 4),
    "layer/0/shape": np.array([3]),
    "layer/0/on": np.array([True, False]),
    "layer/0/half": np.float16(0.5),
    "layer/0/none": np.zeros((0, 2), np.float32),
    **{f"text/{name}": spell("CUBA") for name, spell in SPELLINGS.items()},
}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hdf5Worker]:
    """A worker of the test's own, which it may harm."""
    own = Hdf5Worker()
    monkeypatch.setattr(hdf5_store, "WORKER", own)
    yield own
    own.close()


def write(path: Path, filters: Mapping[str, Any], **file_options: Any) -> Path:
    with h5py.File(path, "w", **file_options) as file:
        file.create_group("empty/group")
        for name, value in VALUES.items():
            chunked = filters if np.ndim(value) > 1 and np.size(value) else {}
            file.create_dataset(name, data=value, **chunked)
        file.attrs["version"] = 3
        file.attrs["format"] = "µ"
    return path


def assert_same_tree(read: StoredTree, expected: StoredTree) -> None:
    assert sorted(read.values) == sorted(expected.values)
    assert read.groups == expected.groups
    assert read.attributes == expected.attributes
    for name, value in expected.values.items():
        found = read.values[name]
        assert np.asarray(found).dtype == np.asarray(value).dtype, name
        assert np.array_equal(found, value), name


FORMS: Mapping[str, Callable[[Path], Path]] = {
    "newest": lambda path: write(path, {}, libver="latest"),
    "order kept": lambda path: write(path, {}, track_order=True),
    "user block": lambda path: write(path, {}, userblock_size=1024),
    "chunks": lambda path: write(path, {"chunks": (2, 3)}),
    "growing": lambda path: write(path, {"maxshape": (None, None)}, libver="latest"),
    "packed": lambda path: write(
        path, {"compression": "gzip", "shuffle": True, "fletcher32": True}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_tree(form: str, tmp_path: Path) -> None:
    path = FORMS[form](tmp_path / "f")
    assert_same_tree(read_tree(path), read_tree(write(tmp_path / "plain", {})))


def test_data_never_written_is_what_the_file_says_it_is(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f", "w") as file:
        file.create_dataset("x", shape=(2,), dtype="i4", fillvalue=7)
    assert np.array_equal(np.asarray(read_tree(tmp_path / "f").values["x"]), [7, 7])


LISTEN = "import os, sys; os.write(1, b'>'); sys.stdin.buffer.read(1); "


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("\nwhile True: pass", "did not end"),
        ("os.kill(os.getpid(), 11)", "ended with code -11"),
        ("sys.exit(1)", "ended with code 1"),
        ("print('no answer')", "ended with code 0"),
    ],
)
def test_whatever_becomes_of_the_child_is_one_sentence_and_the_next_file_is_read(
    start: str,
    found: str,
    tmp_path: Path,
    worker: Hdf5Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(tmp_path / "f", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_worker, "START", LISTEN + start)
        patch.setattr(hdf5_worker, "TIME_LIMIT_S", 1)
        assert sentence(NetxFormatError, read_tree, path) == (
            f"'{path}': damaged or truncated HDF5 file (libhdf5 {found} reading it)."
        )
    assert "layer/0/weight" in read_tree(path).values


def test_a_child_that_cannot_start_is_one_sentence(
    tmp_path: Path, worker: Hdf5Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "f", {})
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    assert re.fullmatch(
        rf"'{path}': needs libhdf5 in a process of its own, which did not start \(.+\)\.",
        sentence(NetxFormatError, read_tree, path),
    )


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("import nowhere_to_be_found", "it ended with code 1"),
        ("import os; os.kill(os.getpid(), 11)", "it ended with code -11"),
        ("while True: pass", "no answer"),
    ],
)
def test_a_child_that_does_not_listen_is_not_the_files_fault(
    start: str,
    reason: str,
    tmp_path: Path,
    worker: Hdf5Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(tmp_path / "f", {})
    with monkeypatch.context() as patch:
        patch.setattr(hdf5_worker, "START", start)
        patch.setattr(hdf5_worker, "TIME_LIMIT_S", 1)
        assert sentence(NetxFormatError, read_tree, path) == (
            f"'{path}': needs libhdf5 in a process of its own, which did not start ({reason})."
        )
    assert "layer/0/weight" in read_tree(path).values


def test_memory_that_is_short_is_one_sentence_and_the_next_file_is_read(
    tmp_path: Path, worker: Hdf5Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    path = write(tmp_path / "f", {})
    for place in ((hdf5_worker, "_array"), (Path, "read_bytes")):
        with monkeypatch.context() as patch:
            patch.setattr(*place, no_memory)
            assert sentence(NetxFormatError, read_tree, path) == (
                f"'{path}': needs more memory than this process may take."
            )
        assert "layer/0/weight" in read_tree(path).values


def test_the_child_takes_no_modules_from_the_working_folder(
    tmp_path: Path, worker: Hdf5Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "h5py.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    assert "layer/0/weight" in read_tree(write(tmp_path / "f", {})).values


def test_what_does_not_fit_the_childs_memory_is_refused(tmp_path: Path) -> None:
    """One chunk that unpacks to 1.5 GiB, of which the dataset would take two numbers."""
    path, chunk = tmp_path / "f", 3 << 26
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            "x", (2,), "f8", chunks=(chunk,), maxshape=(None,), compression="gzip"
        )
        packer, zeros = zlib.compressobj(), bytes(1 << 20)
        # after a full flush the same block may be repeated
        first, block = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
        dataset.id.write_direct_chunk((0,), first + block * (8 * chunk >> 20))
    assert path.stat().st_size < 4 << 20
    assert re.fullmatch(
        rf"'{path}': damaged or truncated HDF5 file \(.+\)\.",
        sentence(NetxFormatError, read_tree, path),
    )


def test_threads_read_one_after_the_other(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}", {}) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(read_tree, paths))
    for tree in trees:
        assert_same_tree(tree, trees[0])


def _groups(path: Path) -> int:
    return len(read_tree(path).groups)


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_process_has_a_child_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "f", {})
    here = _groups(path)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_groups, [path] * 6) == [here] * 6
    assert _groups(path) == here


@pytest.mark.parametrize("begin", ["", LISTEN], ids=["starting", "reading"])
def test_ctrl_c_ends_the_read_and_the_next_starts_afresh(
    begin: str, tmp_path: Path, worker: Hdf5Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "f", {})
    with monkeypatch.context() as patch:
        patch.setattr(hdf5_worker, "START", begin + "import time; time.sleep(60)")
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            read_tree(path)
        assert time.monotonic() - started < 10
    assert "layer/0/weight" in read_tree(path).values


def test_the_child_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    path = write(tmp_path / "f", {})
    script = (
        "import os, sys; from pathlib import Path\n"
        "from lavadeploy.netx.hdf5_store import WORKER, read_tree\n"
        f"read_tree(Path({str(path)!r}))\n"
        "print(WORKER._child.pid, flush=True)\n"
        "os.kill(os.getpid(), int(sys.argv[1])) if sys.argv[1] != '0' else None\n"
    )
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script, str(int(number))],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -number, done.stderr
        assert _is_gone(int(done.stdout), within_s=5)


def _is_gone(pid: int, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False
