"""Lava's own synapses in wider registers, for spikes that carry payloads and for large geometries.

The code that runs is that of Lava's models; what differs is the type of a few of their arrays.
"""
# lava has no type information, and its models declare ports and variables as class attributes.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingParameterType=false, reportUntypedFunctionDecorator=false
# pyright: reportUntypedClassDecorator=false, reportUntypedBaseClass=false, reportPrivateUsage=false
# pyright: reportIncompatibleVariableOverride=false, reportGeneralTypeIssues=false
# pyright: reportAssignmentType=false, reportIndexIssue=false, reportAttributeAccessIssue=false
# pyright: reportOptionalSubscript=false, reportArgumentType=false, reportOptionalMemberAccess=false

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import Dense


class WideDense(Dense):
    """Lava's `Dense` for payloads, whose sums do not fit 32 bits."""


@implements(proc=WideDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyWideDense(PyDenseModelBitAcc):
    """Lava's bit-accurate model with sums of 64 bits."""

    implements_process = None
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int64)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int64)
    a_buff: np.ndarray = LavaPyType(np.ndarray, np.int64)
