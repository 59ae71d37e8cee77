"""Writing results so that a failure leaves nothing behind: write beside the target, then rename."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import OutputError


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write a file in one step: readers see the old content or the new one, never a part.

    Parameters
    ----------
    path : Path
        The file to create or replace.
    data : bytes
        Its whole content.

    Raises
    ------
    OutputError
        When the folder is missing, not writable, full, or the target is a folder or a device. A
        file that was there before is unchanged.
    """
    handle, temporary = _temporary_beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner reads; results follow the user's umask
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def file_written_atomically(path: Path) -> Generator[Path]:
    """Give a temporary file that becomes `path` when the block ends without an exception.

    Parameters
    ----------
    path : Path
        The file to create or replace.

    Yields
    ------
    Path
        An empty file beside it.

    Raises
    ------
    OutputError
        As `write_bytes_atomically` does.
    """
    handle, temporary = _temporary_beside(path)
    os.close(handle)
    try:
        yield Path(temporary)
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def folder_written_atomically(path: Path, *, marker: str) -> Generator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an exception.

    Parameters
    ----------
    path : Path
        The folder to create. An earlier folder of the same kind is replaced as a whole, once the
        new one is complete.
    marker : str
        Name of a file that every folder of this kind holds. A folder without it, unless empty, is
        somebody's own and is not touched.

    Yields
    ------
    Path
        An empty folder beside `path`.

    Raises
    ------
    OutputError
        When `path` is a file or a folder of another kind, or when writing fails; folders made on
        the way to it are taken away again.
    """
    target = Path(os.path.abspath(path))  # '.' has no parent to write beside
    check_replaceable(path, marker)
    made: list[Path] = []
    temporary: Path | None = None
    try:
        made = make_parents(target)
        temporary = Path(tempfile.mkdtemp(prefix=".lavadeploy-", dir=target.parent))
        yield temporary
        os.chmod(temporary, 0o777 & ~umask())
        move_into_place(temporary, target)
        made = []
    except OutputError as error:
        if isinstance(error.__cause__, OSError):  # a file inside: the user knows the folder only
            raise output_error(path, error.__cause__) from error
        raise
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):  # somebody put something there meanwhile
            for parent in made:
                parent.rmdir()


def check_replaceable(path: Path, marker: str) -> None:
    """Raise `OutputError` when a folder of that name may not be written or replaced.

    Parameters
    ----------
    path, marker
        As in `folder_written_atomically`; to be asked before long work, too.
    """
    try:
        blocking = next((p for p in (path, *path.parents) if p.exists()), None)
        if blocking is not None and not blocking.is_dir():
            where = (
                "a file of that name is there" if blocking == path else f"'{blocking}' is a file"
            )
            raise OutputError(f"cannot write folder '{path}': {where}.")
        is_other = path.exists() and not (path / marker).exists() and any(path.iterdir())
    except OutputError:
        raise
    except OSError as error:
        raise output_error(path, error) from error
    if is_other:
        raise OutputError(
            f"cannot write folder '{path}': it exists, is not empty and holds no '{marker}', "
            "so it is not ours to replace. Choose another name."
        )


def _temporary_beside(path: Path) -> tuple[int, str]:
    """Make a file that will take the place of `path`; return its handle and its name."""
    try:
        if path.is_dir():
            raise OutputError(f"cannot write '{path}': it is a folder. Name a file.")
        if path.exists() and not path.is_file():
            raise OutputError(f"cannot write '{path}': it is no ordinary file. Name a file.")
        return tempfile.mkstemp(prefix=".lavadeploy-", dir=path.parent)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(path, error) from error


def make_parents(target: Path) -> list[Path]:
    """Make the folders above an absolute path; return those made, innermost first."""
    missing = [p for p in target.parents if not p.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    return missing


def move_into_place(temporary: Path, target: Path) -> None:
    """Exchange a folder for a new one; the old one stays until the new one is in its place."""
    if not target.exists():
        os.replace(temporary, target)
        return
    keep = Path(tempfile.mkdtemp(prefix=".lavadeploy-", dir=target.parent))
    try:
        os.rename(target, keep / "old")
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C too must not cost the old one
        if (keep / "old").exists():
            os.rename(keep / "old", target)
        keep.rmdir()
        raise
    shutil.rmtree(keep, ignore_errors=True)


def output_error(path: Path, error: OSError, left: str = "Nothing was left behind.") -> OutputError:
    """Return the error to raise for a failed write, with a sentence on what is there now."""
    reason = error.strerror or str(error)
    return OutputError(f"cannot write '{path}': {reason}. {left}")


def umask() -> int:
    """Return the permissions that the user wants new files not to have."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
