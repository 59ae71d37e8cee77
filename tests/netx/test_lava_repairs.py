"""Each repair of lava is needed here and works; a test fails when one is needed no longer.

Lava is imported in processes of its own, since a repair cannot be taken back.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from lavadeploy.netx import repair_lava
from lavadeploy.netx.lava_repairs import MESSAGES, OBJECT_DETECTION, VAR_MODEL

pytestmark = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="lava-nc is not installed"),
]

REPAIR = "from lavadeploy.netx import repair_lava; repair_lava(); "
# As var_model does it; the other repairs need lava imported first.
HASHABLE_DEFAULTS_ONLY = (
    "from lavadeploy.netx import lava_repairs; lava_repairs._make_encoder_defaults_hashable(); "
)
RESHAPE = """
import numpy as np
from lava.magma.core.process.ports.ports import OutPort
flat = OutPort(shape=(2, 3)).reshape(new_shape=(6,))
forward, backward = flat.get_transform_func_fwd(), flat.get_transform_func_bwd()
assert np.array_equal(forward(np.arange(6).reshape(2, 3)), np.arange(6))
assert np.array_equal(backward(np.arange(6)), np.arange(6).reshape(2, 3))
"""

NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])
OPENCV = importlib.util.find_spec("cv2") is not None


def last_line_of_error(code: str) -> str:
    """Run code in a process of its own; return what it ended with, empty for success."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 takes unhashable defaults")
def test_hashable_defaults_are_needed_from_python_3_11_on() -> None:
    assert last_line_of_error(f"import {VAR_MODEL}") == (
        "ValueError: mutable default <class 'lava.magma.compiler.var_model.ByteEncoder'> for "
        "field x is not allowed: use default_factory"
    )


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="needed from Python 3.11 on")
def test_hashable_defaults_are_not_needed_on_python_3_10() -> None:
    assert last_line_of_error(f"import {VAR_MODEL}") == ""


def test_hashable_defaults_are_repaired() -> None:
    assert last_line_of_error(f"{REPAIR}import {VAR_MODEL}") == ""


def test_dataclasses_are_left_as_they_were() -> None:
    code = "import dataclasses; before = dataclasses.dataclass; "
    assert last_line_of_error(f"{code}{REPAIR}assert dataclasses.dataclass is before") == ""


@pytest.mark.skipif(NUMPY < (2, 4), reason="NumPy has the keyword newshape before 2.4")
def test_reshape_by_position_is_needed_from_numpy_2_4_on() -> None:
    assert last_line_of_error(HASHABLE_DEFAULTS_ONLY + RESHAPE) == (
        "TypeError: reshape() got an unexpected keyword argument 'newshape'"
    )


@pytest.mark.skipif(NUMPY >= (2, 4), reason="NumPy 2.4 dropped the keyword newshape")
def test_reshape_by_position_is_not_needed_before_numpy_2_4() -> None:
    assert last_line_of_error(HASHABLE_DEFAULTS_ONLY + RESHAPE) == ""


def test_reshape_is_repaired() -> None:
    assert last_line_of_error(REPAIR + RESHAPE) == ""


SETTLED = "import multiprocessing; multiprocessing.get_context().Lock(); "


def test_forking_is_needed_where_processes_were_started() -> None:
    assert last_line_of_error(f"{SETTLED}{HASHABLE_DEFAULTS_ONLY}import {MESSAGES}") == (
        "RuntimeError: context has already been set"
    )


@pytest.mark.parametrize("method", ["spawn", "fork", None])
def test_lava_forks_however_processes_were_started(method: str | None) -> None:
    settled = f"import multiprocessing; multiprocessing.set_start_method({method!r}, force=True); "
    check = "assert multiprocessing.get_start_method() == 'fork'"
    assert last_line_of_error(f"{settled}{REPAIR}import {MESSAGES}; {check}") == ""


@pytest.mark.skipif(OPENCV, reason="OpenCV is installed, so the real module is imported")
def test_the_stand_in_is_needed_without_opencv() -> None:
    importlib.import_module("torch")
    code = f"{HASHABLE_DEFAULTS_ONLY}import lava.lib.dl.slayer"
    assert last_line_of_error(code) == "ModuleNotFoundError: No module named 'cv2'"


def test_slayer_is_imported_after_the_repair() -> None:
    importlib.import_module("torch")
    code = f"""
import sys
import lava.lib.dl.slayer as slayer
detection = sys.modules["{OBJECT_DETECTION}"]
assert slayer.block.cuba.Dense
assert detection.__file__
assert ("lavadeploy" in detection.__doc__) is {not OPENCV}
"""
    assert last_line_of_error(REPAIR + code) == ""


def test_repairing_twice_changes_nothing() -> None:
    code = """
import sys
from lava.magma.core.process.ports.ports import ReshapePort
modules, forward = dict(sys.modules), ReshapePort.get_transform_func_fwd
repair_lava()
assert dict(sys.modules) == modules
assert ReshapePort.get_transform_func_fwd is forward
"""
    assert last_line_of_error(REPAIR + code) == ""
    repair_lava()
    repair_lava()


def test_lava_imported_before_the_repair_gets_the_other_repairs() -> None:
    # as on Python 3.10, where lava imports by itself
    code = HASHABLE_DEFAULTS_ONLY + REPAIR + RESHAPE
    assert last_line_of_error(code) == ""


def test_without_lava_nothing_happens() -> None:
    code = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "lava" else find(name, *rest)
"""
    check = "assert not any(name.split('.')[0] == 'lava' for name in sys.modules)"
    assert last_line_of_error(f"{code}\n{REPAIR}{check}") == ""
