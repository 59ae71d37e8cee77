"""``lavadeploy doctor``: what is here, what is not, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

Cli = Callable[..., CompletedProcess[str]]

SUBJECTS = [
    "Python",
    "numpy",
    "numba",
    "h5py",
    "pyarrow",
    "lava-nc",
    "lava-dl",
    "torch",
    "scikit-learn",
    "backend engine",
    "backend lava",
    "backend loihi",
    "backend reference",
]


def hide(monkeypatch: pytest.MonkeyPatch, module: str, distribution: str) -> None:
    """Make a package look as if it were not installed."""
    find_spec, version = importlib.util.find_spec, importlib.metadata.version

    def no_spec(name: str, package: str | None = None) -> Any:
        return None if name == module else find_spec(name, package)

    def no_version(name: str) -> str:
        if name == distribution:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.util, "find_spec", no_spec)
    monkeypatch.setattr(importlib.metadata, "version", no_version)


def test_doctor_says_a_line_for_everything_that_is_needed(cli: Cli) -> None:
    found = cli("doctor")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert [line[9:].split(":")[0] for line in lines] == SUBJECTS
    assert lines[0] == f"ok       Python: {platform.python_version()} (supported: 3.10 to 3.13)"
    assert lines[1] == f"ok       numpy: {np.__version__}; for everything"
    assert lines[10] == "ok       backend lava: ready"
    assert lines[11] == (
        "missing  backend loihi: backend 'loihi' needs Lava's Loihi extension (lava-loihi), which "
        "is not installed here; Intel gives it to members of its Neuromorphic Research Community."
    )


def test_doctor_prints_the_same_as_json_and_writes_it_to_a_file(cli: Cli) -> None:
    found = cli("doctor", "--json", "-o", "doctor.json")
    assert (found.returncode, found.stderr) == (0, "")
    findings = json.loads(found.stdout)
    assert [finding["subject"] for finding in findings] == SUBJECTS
    assert [f["subject"] for f in findings if not f["good"]] == ["backend loihi"]
    assert set(findings[0]) == {"subject", "good", "detail", "remedy"}
    assert json.loads(Path("doctor.json").read_text(encoding="utf-8")) == findings


def test_missing_lava_is_exit_code_1_with_the_command_that_mends_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "lava", "lava-nc")
    found = cli("doctor")
    mend = (
        "pip install asteval 'networkx<2.8.8' scipy && "
        "pip install --no-deps --ignore-requires-python lava-nc==0.10.0"
    )
    assert (found.returncode, found.stderr) == (1, "")
    assert f"missing  lava-nc: not installed; for backend lava\n         mend with: {mend}\n" in (
        found.stdout
    )
    assert f"missing  backend lava: backend 'lava' needs lava, not installed here. Run: {mend}" in (
        found.stdout
    )


def test_missing_torch_is_named_but_hinders_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "torch", "torch")
    found = cli("doctor")
    assert (found.returncode, found.stderr) == (0, "")
    assert (
        "missing  torch: not installed; for training and export only\n"
        "         mend with: pip install torch==2.13.0 matplotlib scikit-learn && "
        "pip install --no-deps --ignore-requires-python lava-dl==0.6.0\n"
    ) in found.stdout
