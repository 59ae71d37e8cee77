"""Writing profiles: of boards whose coefficients were fitted."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ..netx.atomic_write import write_bytes_atomically
from .schema import HardwareProfile

HEADER = "# Written by lavadeploy; every number says where it is from.\n"


def save_profile(profile: HardwareProfile, path: str | Path) -> None:
    """Write a profile as YAML that `load_profile` reads.

    Raises
    ------
    OutputError
        When it cannot be written; nothing is left behind.
    """
    text = yaml.safe_dump(
        profile.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
    )
    write_bytes_atomically(Path(path), (HEADER + text).encode("utf-8"))


def profile_name(path: str | Path) -> str:
    """Return the name of a profile that is written to a file.

    Examples
    --------
    >>> profile_name("boards/My board-7.yaml"), profile_name("7.yaml")
    ('my_board_7', 'board_7')
    """
    name = re.sub(r"[^a-z0-9_]", "_", Path(path).stem.lower())
    return name if re.match("[a-z]", name) else f"board_{name}"
