"""How the engine's functions are compiled; the only module that knows Numba's decorators."""
# numba has no type information
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportPrivateUsage=false

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def inlined(function: _Function) -> _Function:
    """Put a function into those that call it.

    A call of its own would count references to every array it is given, 5 ns each: more than a
    small layer takes for a step.
    """
    return cast(_Function, numba.njit(inline="always", error_model="numpy")(function))


def inner(function: _Function) -> _Function:
    """Compile a function that only compiled functions call, for what few networks need."""
    return cast(_Function, numba.njit(error_model="numpy", nogil=True)(function))


def kernel(function: _Function) -> _Function:
    """Compile a function at its first call, once for this machine where a cache can be written."""
    try:
        made: Any = numba.njit(error_model="numpy", nogil=True, cache=True)(function)
        # Numba looks at the function's own file only, and only at its date and length
        made._cache._cache_file._source_stamp = SOURCES
    except (RuntimeError, AttributeError):  # no folder to write to, or another Numba
        made = numba.njit(error_model="numpy", nogil=True)(function)
    return cast(_Function, made)


def _hash_of_sources() -> str:
    """Return a hash of all that compiled code is made from."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


SOURCES = _hash_of_sources()
