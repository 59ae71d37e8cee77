"""A process of its own for libhdf5, which trusts files too much.

Damaged files send libhdf5 into endless loops and wild reads and writes: of 120,000 mutants of six
files, 36 looped, 2 crashed and one took 1.6 GiB (h5py 3.16). So it reads in a child, with limits on
time and memory. The child is started for the first file, which takes 0.15 to 0.2 s, and answers
further ones in 4 to 10 ms; one that fails is replaced.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .hdf5_child import DAMAGED, LENGTH_BYTES, MAX_NUMBERS, OK, READY, REFUSED, RefusedFileError

RawArray: TypeAlias = NDArray[Any]

# Far above what the largest file takes (2 s), so that only a loop reaches it.
TIME_LIMIT_S = 20.0
# The most that a part of an answer may have.
MOST_BYTES = 8 * MAX_NUMBERS
# The child finds packages where this process does. With -m or -c alone it would look into the
# working folder first, where files may lie that came with the network.
START = (
    "import sys; sys.path[:] = sys.argv[1:]; from lavadeploy.netx.hdf5_child import main; main()"
)
# One thread: NumPy's threads reserve memory that counts against the child's limit. No plugins:
# HDF5 would load a library that a file's filter names.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}


class DamagedFileError(ValueError):
    """libhdf5 cannot read the file; the message says why, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything in an HDF5 file: numbers and strings by full path, groups, root attributes.

    `dropped` names in words what was not taken over; `unread` has the datasets among that, with
    what they hold.
    """

    arrays: dict[str, RawArray]
    texts: dict[str, str]
    groups: tuple[str, ...]
    attributes: dict[str, str | int | float]
    dropped: tuple[str, ...]
    unread: dict[str, str]


class Hdf5Worker:
    """Reads HDF5 files in a child process; one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def read(self, content: bytes) -> Content:
        """Return what is in a file.

        Parameters
        ----------
        content : bytes
            The whole file.

        Raises
        ------
        RefusedFileError
            When it holds what NetX may not: links and data elsewhere, too much. Also when the child
            cannot be started, or memory is short here.
        DamagedFileError
            When libhdf5 cannot read it, crashes, or does not come to an end in 20 s.
        """
        with self._lock:
            child = self._running_child()
            too_late = threading.Event()
            try:
                with _time_limit(child, too_late):
                    return _exchange(child, content)
            except (RefusedFileError, DamagedFileError):
                raise
            except MemoryError as error:  # the rest of the answer is on its way
                self._end_child()
                raise RefusedFileError("needs more memory than this process may take.") from error
            except (OSError, EOFError, ValueError, TypeError, LookupError) as error:
                # it may be ending by itself, with its own code
                code = self._end_child(patience_s=1)
                reason = "did not end" if too_late.is_set() else f"ended with code {code}"
                raise DamagedFileError(f"libhdf5 {reason} reading it") from error
            except BaseException:  # Ctrl-C: an answer that nobody waits for is on its way
                self._end_child()
                raise

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end_child()

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            # a fork: the child is the other process's; its pipes must not be shared
            self._child, self._owner = None, os.getpid()
        if self._child is None or self._child.poll() is not None:
            try:
                self._child = subprocess.Popen(
                    [sys.executable, "-c", START, *sys.path],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | ENVIRONMENT,
                )
            except OSError as error:
                raise _not_started(str(error)) from error
            self._await_ready(self._child)
        return self._child

    def _await_ready(self, child: subprocess.Popen[bytes]) -> None:
        """Wait until the child listens, so that its failing to is not blamed on the file."""
        assert child.stdout is not None
        too_late = threading.Event()
        try:
            with _time_limit(child, too_late):
                is_ready = child.stdout.read(1) == READY
        except BaseException:  # Ctrl-C
            self._end_child()
            raise
        if not is_ready:
            code = self._end_child(patience_s=1)
            raise _not_started("no answer" if too_late.is_set() else f"it ended with code {code}")

    def _end_child(self, patience_s: float = 0) -> int | None:
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return None
        with suppress(subprocess.TimeoutExpired):
            child.wait(patience_s)
        child.kill()
        with suppress(OSError):  # closing writes what the child never took
            child.communicate()
        return child.returncode


@contextmanager
def _time_limit(child: subprocess.Popen[bytes], too_late: threading.Event) -> Generator[None]:
    """Kill the child when the block takes too long, and set the event then."""

    def give_up() -> None:
        too_late.set()
        child.kill()

    timer = threading.Timer(TIME_LIMIT_S, give_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a thread that lives on would be copied by a fork


def _not_started(reason: str) -> RefusedFileError:
    return RefusedFileError(
        f"needs libhdf5 in a process of its own, which did not start ({reason})."
    )


def _exchange(child: subprocess.Popen[bytes], content: bytes) -> Content:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(len(content).to_bytes(LENGTH_BYTES, "little"))
    child.stdin.write(content)
    child.stdin.flush()
    kind = _exactly(child.stdout, 1)
    length = int.from_bytes(_exactly(child.stdout, LENGTH_BYTES), "little")
    payload = _exactly(child.stdout, length)
    if kind == REFUSED:
        raise RefusedFileError(payload.decode())
    if kind == DAMAGED:
        raise DamagedFileError(payload.decode())
    if kind != OK:
        raise EOFError
    header = json.loads(payload)
    arrays = {
        name: _array(child.stdout, np.dtype(kind), tuple(shape))
        for name, kind, shape in header["arrays"]
    }
    return Content(
        arrays=arrays,
        texts=header["texts"],
        groups=tuple(header["groups"]),
        attributes=header["attributes"],
        dropped=tuple(header["dropped"]),
        unread=header["unread"],
    )


def _array(stream: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]) -> RawArray:
    """Return the next array of an answer; read-only, as it lies in the bytes received."""
    return np.frombuffer(_exactly(stream, math.prod(shape) * kind.itemsize), kind).reshape(shape)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    if count > MOST_BYTES:  # a child whose memory was overwritten may say anything
        raise EOFError
    held = stream.read(count)
    if len(held) < count:
        raise EOFError
    return held


WORKER = Hdf5Worker()
atexit.register(WORKER.close)
