"""Repairs that make the archived lava-nc 0.10 and lava-dl 0.6 work on today's Python and NumPy.

Both packages declare Python 3.10 and NumPy 1 only, and nobody maintains them. Four places break;
each repair here says which, for which versions, and has a test that fails when it is no longer
needed (``tests/netx/test_lava_repairs.py``). No file of the two packages is changed.
"""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import multiprocessing
import sys
import types
from typing import Any

import numpy as np
from numpy.typing import NDArray

VAR_MODEL = "lava.magma.compiler.var_model"
MESSAGES = "lava.magma.runtime.message_infrastructure.multiprocessing"
OBJECT_DETECTION = "lava.lib.dl.slayer.object_detection"


def repair_lava() -> None:
    """Apply every repair; call it before the first ``import lava...`` of a program.

    Calling it again does nothing. Where lava is not installed it does nothing either, so that the
    import which follows fails with Python's own words.

    Examples
    --------
    >>> from lavadeploy.netx import repair_lava
    >>> repair_lava()
    """
    if importlib.util.find_spec("lava") is None:
        return
    _make_encoder_defaults_hashable()
    _reshape_by_position()
    _fork_even_if_settled()
    _stand_in_for_object_detection()


def _make_encoder_defaults_hashable() -> None:
    """Let ``var_model`` use instances of its dataclass ``ByteEncoder`` as field defaults.

    Python 3.11 and later refuse defaults that are not hashable. Giving the dataclasses of that one
    module a hash is enough: they are never used as keys.
    """
    if VAR_MODEL in sys.modules:
        return  # it could be imported, so this Python needs no repair
    plain = dataclasses.dataclass

    def dataclass(cls: Any = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)  # pyright: ignore[reportUnknownLambdaType]
        if cls.__module__ == VAR_MODEL:
            options.setdefault("unsafe_hash", True)
        return plain(cls, **options)

    dataclasses.dataclass = dataclass
    try:
        importlib.import_module(VAR_MODEL)
    finally:
        dataclasses.dataclass = plain


def _reshape_by_position() -> None:
    """Let ``ReshapePort`` reshape without the keyword ``newshape``.

    NumPy 2.1 deprecated the keyword and NumPy 2.4 removed it; every network with a convolution
    before a dense layer needs that port.
    """
    ports = importlib.import_module("lava.magma.core.process.ports.ports")
    ports.ReshapePort.get_transform_func_fwd = _to_new_shape
    ports.ReshapePort.get_transform_func_bwd = _to_old_shape


def _to_new_shape(port: Any) -> functools.partial[NDArray[Any]]:
    return functools.partial(_reshape, shape=port.shape)


def _to_old_shape(port: Any) -> functools.partial[NDArray[Any]]:
    return functools.partial(_reshape, shape=port.old_shape)


def _reshape(data: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.reshape(data, shape)


def _fork_even_if_settled() -> None:
    """Let Lava choose ``fork`` where Python has settled how processes start.

    The module sets the method when it is imported and needs ``fork``. Python settles one as soon as
    a program starts any process, and refuses another.
    """
    if MESSAGES in sys.modules:
        return
    multiprocessing.set_start_method(None, force=True)
    importlib.import_module(MESSAGES)


def _stand_in_for_object_detection() -> None:
    """Let SLAYER be imported without OpenCV and torchvision.

    ``lava.lib.dl.slayer`` imports its object detection helpers, which nothing here uses, and they
    import both. Where OpenCV is installed the real module is left alone.
    """
    if importlib.util.find_spec("cv2") is not None or OBJECT_DETECTION in sys.modules:
        return
    stand_in = types.ModuleType(OBJECT_DETECTION, "Empty stand-in made by lavadeploy.")
    stand_in.__file__ = __file__  # lava's process discovery looks at the file of every module
    sys.modules[OBJECT_DETECTION] = stand_in
