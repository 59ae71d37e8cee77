"""One writer for each unfinished run: a lock that its process holds and that ends with it.

The file ``lock`` in the folder of the unfinished run is locked by the system (`flock`), so a killed
process leaves a file but no lock. The folder comes with the lock and goes with it, unless something
is kept in it. A lock counts only where the file that is locked is the one that has the name: its
holder takes the name away before it lets go, and who waited for that file asks anew.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import weakref
from contextlib import suppress
from pathlib import Path

from ..netx import OutputError
from ..netx.atomic_write import make_parents, output_error

if sys.platform != "win32":
    import fcntl

LOCK = "lock"
# Of file systems that cannot lock, such as network mounts without a lock service.
CANNOT_LOCK = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
IS_LOCKED = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
ATTEMPTS = 1000  # each fails only when another process let go in that moment


class RunLock:
    """The right to write into the folder of an unfinished run, from now until `release`.

    Where the file system cannot lock, everybody has it. A lock that is forgotten is released.

    Parameters
    ----------
    folder : Path
        Absolute path of the folder; made where it is missing, with those above it.
    target : Path
        The run folder as the user named it, for the error.

    Raises
    ------
    OutputError
        When another process holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        made: list[Path] = []
        try:
            handle = _locked(folder, target, made)
        except OutputError:
            _remove_empty(folder, made)
            raise
        except OSError as error:
            _remove_empty(folder, made)
            raise output_error(target, error) from error
        self._finalizer = weakref.finalize(self, _release, handle, os.getpid(), folder, made)

    @property
    def is_held(self) -> bool:
        """Whether it has not been released."""
        return self._finalizer.alive

    def release(self) -> None:
        """Let go, and remove the folder where it is empty, with those made on the way to it."""
        self._finalizer()


def _locked(folder: Path, target: Path, made: list[Path]) -> int:
    """Return the handle of the locked file; the folders made for it are added to `made`."""
    for attempt in range(ATTEMPTS):
        try:
            made += make_parents(folder)
            folder.mkdir(exist_ok=True)
            # written to, since network file systems lock only such files for one writer
            handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except (FileNotFoundError, FileExistsError):
            if attempt == ATTEMPTS - 1:
                raise
            continue  # another process let go and removed the folder, or was about to
        try:
            _lock(handle, target)
            if _has_the_name(handle, folder / LOCK):
                _write_owner(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    raise OutputError(f"cannot write folder '{target}': other processes write it in turns.")


def _lock(handle: int, target: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in IS_LOCKED:
            raise OutputError(
                f"cannot write folder '{target}': {_owner(handle)} is writing this run. "
                "Wait until it has ended, end it, or name another folder."
            ) from None
        if error.errno not in CANNOT_LOCK:
            raise


def _has_the_name(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _write_owner(handle: int) -> None:
    with suppress(OSError):  # a full disk: the lock holds without a name on it
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)


def _owner(handle: int) -> str:
    """Name the process that holds a lock, as far as it has written who it is."""
    words = os.pread(handle, 1000, 0).decode(errors="replace").split()
    if len(words) != 2:
        return "another process"
    number, host = words
    if host != socket.gethostname():
        return f"process {number} on {host}"
    return f"process {number}" if number != str(os.getpid()) else f"this process ({number})"


def _release(handle: int, owner: int, folder: Path, made: list[Path]) -> None:
    if os.getpid() != owner:  # a child that was forked: the lock is its parent's
        os.close(handle)
        return
    with suppress(OSError):
        (folder / LOCK).unlink()
    if sys.platform != "win32":
        with suppress(OSError):  # children that were forked hold the handle, too
            fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)
    _remove_empty(folder, made)


def _remove_empty(folder: Path, made: list[Path]) -> None:
    with suppress(OSError):  # something is kept in it, or somebody else has it now
        folder.rmdir()
        for parent in made:
            parent.rmdir()
