"""Writing results so that a failure leaves nothing behind: write beside the target, then rename."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
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
        When the folder is missing, not writable, full, or the target is a folder. A file that was
        there before is unchanged.
    """
    if path.is_dir():
        raise OutputError(f"cannot write '{path}': it is a folder. Name a file.")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner reads; results follow the user's umask
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def folder_written_atomically(path: Path, *, marker: str) -> Generator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an exception.

    Parameters
    ----------
    path : Path
        The folder to create. An earlier folder of the same kind is replaced as a whole.
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
        When `path` is a file or a folder of another kind, or when writing fails.
    """
    _check_replaceable(path, marker)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_replaceable(path: Path, marker: str) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"cannot write folder '{path}': a file of that name is there.")
    if not (path / marker).exists() and any(path.iterdir()):
        raise OutputError(
            f"cannot write folder '{path}': it exists, is not empty and holds no '{marker}', "
            "so it is not ours to replace. Choose another name."
        )


def _output_error(path: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(f"cannot write '{path}': {reason}. Nothing was left behind.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
