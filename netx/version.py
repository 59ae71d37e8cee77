"""Version of lavadeploy, written into every file it produces."""

from __future__ import annotations

__version__ = "0.1.0"  # equals pyproject.toml's; tests/test_packaging.py compares them
PRODUCER = f"lavadeploy {__version__}"
