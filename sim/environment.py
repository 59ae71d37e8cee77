"""What is installed here, what works, and what to do about the rest."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib import metadata

from ..netx import __version__
from .backend import BACKENDS, open_backend
from .lava_backend import INSTALL_LAVA

SUPPORTED_PYTHON = ((3, 10), (3, 13))
INSTALL_LAVA_DL = (
    "pip install torch==2.13.0 matplotlib scikit-learn && "
    "pip install --no-deps --ignore-requires-python lava-dl==0.6.0"
)
# Distribution, what it is for, how to get it.
PACKAGES = (
    ("numpy", "everything", "pip install numpy"),
    ("numba", "backend engine", "pip install numba"),
    ("h5py", "NetX files", "pip install h5py"),
    ("pyarrow", "spike logs", "pip install pyarrow"),
    ("lava-nc", "backend lava", INSTALL_LAVA),
    ("lava-dl", "training and export only", INSTALL_LAVA_DL),
    ("torch", "training and export only", INSTALL_LAVA_DL),
    ("scikit-learn", "the demo's digits only", "pip install scikit-learn"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of ``lavadeploy doctor``.

    Attributes
    ----------
    subject : str
        What was looked at.
    good : bool
        Whether it can be used.
    detail : str
        Version, purpose or what is missing.
    remedy : str
        The command that mends it; empty when nothing is to be done or nothing can.
    """

    subject: str
    good: bool
    detail: str
    remedy: str = ""


def installed_versions() -> dict[str, str]:
    """Return versions of everything that can influence a result, for ``run.json``."""
    versions = {"lavadeploy": __version__, "python": platform.python_version()}
    versions |= {name: _version(name) or "not installed" for name, _, _ in PACKAGES}
    return versions | {"platform": platform.platform(), "machine": platform.machine()}


def diagnose() -> tuple[Finding, ...]:
    """Look at Python, packages and backends.

    Returns
    -------
    tuple of Finding
        In the order of the pipeline.
    """
    return (_python(), *(_package(*row) for row in PACKAGES), *map(_backend, BACKENDS))


def _python() -> Finding:
    low, high = SUPPORTED_PYTHON
    good = low <= sys.version_info[:2] <= high
    wanted = f"{low[0]}.{low[1]} to {high[0]}.{high[1]}"
    return Finding(
        subject="Python",
        good=good,
        detail=f"{platform.python_version()} (supported: {wanted})",
        remedy="" if good else f"make env PYTHON=python{high[0]}.{high[1]}",
    )


def _package(name: str, purpose: str, remedy: str) -> Finding:
    version = _version(name)
    if version is None:
        return Finding(
            subject=name, good=False, detail=f"not installed; for {purpose}", remedy=remedy
        )
    return Finding(subject=name, good=True, detail=f"{version}; for {purpose}")


def _backend(name: str) -> Finding:
    reason = open_backend(name).unavailable()
    if reason is None:
        return Finding(subject=f"backend {name}", good=True, detail="ready")
    return Finding(
        subject=f"backend {name}",
        good=False,
        detail=reason,
        remedy=INSTALL_LAVA if name == "lava" else "",
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
