"""Figures as JSON that every reader takes."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
from pydantic import BaseModel


def to_json(data: Any) -> str:
    """Return dataclasses, profiles and plain values as JSON.

    Infinite numbers and NaN, which JSON does not have, are null: a state that is always 0 has head-
    room without bound.
    """
    return json.dumps(_plain(data), indent=1, ensure_ascii=False, allow_nan=False)


def _plain(data: Any) -> Any:
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if is_dataclass(data) and not isinstance(data, type):
        # what is too large for JSON says so in its field
        shown = (each for each in fields(data) if each.metadata.get("json", True))
        return {each.name: _plain(getattr(data, each.name)) for each in shown}
    if isinstance(data, Enum):
        return data.value
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(data, np.ndarray):
        return _plain(data.tolist())  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data
