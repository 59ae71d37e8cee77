"""ALIF neurons, which Lava has no model of: written from SLAYER's quantized dynamics."""
# lava has no type information, and its models declare ports and variables as class attributes.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingParameterType=false, reportUntypedFunctionDecorator=false
# pyright: reportUntypedClassDecorator=false, reportUntypedBaseClass=false, reportPrivateUsage=false
# pyright: reportIncompatibleVariableOverride=false, reportGeneralTypeIssues=false
# pyright: reportAssignmentType=false, reportIndexIssue=false, reportAttributeAccessIssue=false
# pyright: reportOptionalSubscript=false, reportArgumentType=false, reportOptionalMemberAccess=false

from __future__ import annotations

from typing import ClassVar

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from .leaky_states import AdaptiveThreshold, LeakyStates, divided
from .sample_model import OwnModel, OwnNeurons, SampleModel


class Alif(OwnNeurons):
    """Adaptive neurons: a spike resets nothing, it raises threshold and refractory term.

    Parameters
    ----------
    current_decay, voltage_decay, threshold_decay, refractory_decay : int array
        Parts of 4096, broadcastable to the shape.
    bias : int array, broadcastable to the shape
        In state units.
    threshold, threshold_step : int
        In state units.
    current_shift : int
        Power of two that divides what arrives.
    graded_spike : bool
        Whether spikes carry the voltage.
    """


@implements(proc=Alif, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyAlif(SampleModel, OwnModel):
    """``slayer/neuron/alif.py``: the bias enters before the current, equality fires."""

    implements_process = None
    states: ClassVar[dict[str, str]] = {
        "current": "u",
        "voltage": "v",
        "threshold": "threshold",
        "refractory": "refractory",
    }
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._leaky = LeakyStates(proc_params)
        self._adaptive = AdaptiveThreshold(proc_params)
        self.u, self.v = self._leaky.u, self._leaky.v
        self.threshold, self.refractory = self._adaptive.threshold, self._adaptive.refractory

    def rest(self) -> None:
        """Bring all states to rest."""
        super().rest()
        self._adaptive.rest()

    def step(self, arriving: NDArray[np.int32]) -> NDArray[np.int64]:
        """Take one step."""
        parameters = self.proc_params
        rise = divided(arriving + parameters["bias"], parameters["current_shift"])
        self._leaky.integrate_current(rise)
        self._leaky.integrate_voltage(self.u)
        fires = self.v >= self._adaptive.decay()
        self._adaptive.adapt(fires)
        return np.where(fires, self.v if parameters["graded_spike"] else 1, 0)
