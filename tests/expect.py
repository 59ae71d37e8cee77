"""What tests say about errors and about equality, in one place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray


def sentence(error: type[Exception], call: Callable[..., object], *args: Any, **named: Any) -> str:
    """Return the message of the error that a call raises, whose type is exactly `error`."""
    with pytest.raises(error) as caught:
        call(*args, **named)
    assert type(caught.value) is error
    return str(caught.value)


def assert_same(a: Any, b: Any, where: str = "value", *, ignore: tuple[str, ...] = ()) -> None:
    """Two trees of dataclasses, tuples, mappings and arrays agree in types and content."""
    assert type(a) is type(b), f"{where}: {type(a).__name__} and {type(b).__name__}"
    if isinstance(a, np.ndarray):
        left, right = cast(NDArray[Any], a), cast(NDArray[Any], b)
        assert left.dtype == right.dtype, where
        assert left.shape == right.shape, where
        assert np.array_equal(left, right, equal_nan=left.dtype.kind == "f"), where
    elif dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            if field.name not in ignore:
                left, right = getattr(a, field.name), getattr(b, field.name)
                assert_same(left, right, f"{where}.{field.name}", ignore=ignore)
    elif isinstance(a, tuple):
        pair = cast(tuple[Any, ...], a), cast(tuple[Any, ...], b)
        assert len(pair[0]) == len(pair[1]), where
        for index, (left, right) in enumerate(zip(*pair, strict=True)):
            assert_same(left, right, f"{where}[{index}]", ignore=ignore)
    elif isinstance(a, Mapping):
        left, right = cast(Mapping[str, Any], a), cast(Mapping[str, Any], b)
        assert sorted(left) == sorted(right), where
        for key in left:
            assert_same(left[key], right[key], f"{where}[{key!r}]", ignore=ignore)
    else:
        assert a == b, where
