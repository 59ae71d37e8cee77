"""How the engine's functions are compiled; the only module that knows Numba's decorators."""
# numba has no type information
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
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
        made = numba.njit(error_model="numpy", nogil=True, cache=True)(function)
    except RuntimeError:  # no folder to write to
        made = numba.njit(error_model="numpy", nogil=True)(function)
    return cast(_Function, made)
