"""CUBA neurons: Lava's own ``LIFReset`` with a pen, and those forms that Lava lacks."""
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
from lava.proc.lif.models import PyLifResetModelBitAcc
from lava.proc.lif.process import LIFReset
from numpy.typing import NDArray

from .alignment import Alignment
from .leaky_states import LeakyStates, divided
from .recorder import RecordPlan
from .sample_model import OwnModel, OwnNeurons, SampleModel


class RecordedLIF(LIFReset):
    """Lava's `LIFReset` that writes its spikes, and if asked its states, to files.

    Parameters
    ----------
    plan : RecordPlan
        When it works, and what it writes.
    alignment : Alignment or None
        None where Lava's shift by 6 aligns sums with states: everywhere but behind graded spikes
        and at the input.
    **lif : Any
        What `LIFReset` takes, reset interval and offset excepted.
    """

    def __init__(self, *, plan: RecordPlan, alignment: Alignment | None, **lif) -> None:
        window = plan.window
        super().__init__(reset_interval=window.interval, reset_offset=window.first, **lif)
        self.proc_params["plan"] = plan
        self.proc_params["alignment"] = alignment


@implements(proc=RecordedLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedLIF(SampleModel, PyLifResetModelBitAcc):
    """Lava's bit-accurate model."""

    # Lava refuses to let a subclass implement another process unless this is cleared first
    implements_process = None
    states: ClassVar[dict[str, str]] = {"current": "u", "voltage": "v"}

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        if self._alignment is not None:
            self.act_shift = 0

    def rest(self) -> None:
        """Leave the reset to Lava's model."""

    def subthr_dynamics(self, activation_in: NDArray[np.integer]) -> None:
        """Align where Lava's shift does not, then run Lava's dynamics."""
        if self._alignment is not None:
            activation_in = self._alignment(activation_in)
        super().subthr_dynamics(activation_in)


class ExtendedCuba(OwnNeurons):
    """CUBA neurons with refractory periods, graded spikes or a divided current.

    Parameters
    ----------
    current_decay, voltage_decay : int array, broadcastable to the shape
        Parts of 4096.
    bias : int array, broadcastable to the shape
        In states units.
    threshold : int
        In state units.
    refractory_delay, current_shift : int
        As in `CubaNeuron`.
    graded_spike : bool
        Whether spikes carry the voltage.
    """


@implements(proc=ExtendedCuba, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyExtendedCuba(SampleModel, OwnModel):
    """Lava's LIF in our own words, and what SLAYER and Lava's ``LIFRefractory`` add to it.

    A divided current follows ``slayer/neuron/norm.py`` (WgtScaleBatchNorm), graded spikes
    ``slayer/spike/spike.py``, the refractory period ``PyLifRefractoryModelFloat``: the current goes
    on, the voltage rests at 0 until the period is over.
    """

    implements_process = None
    states: ClassVar[dict[str, str]] = {"current": "u", "voltage": "v"}
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._leaky = LeakyStates(proc_params)
        self.u, self.v = self._leaky.u, self._leaky.v
        self.refractory_left = np.zeros(proc_params["shape"], dtype=np.int64)

    def rest(self) -> None:
        """Bring all states to rest."""
        super().rest()
        self.refractory_left[:] = 0

    def step(self, arriving: NDArray[np.int32]) -> NDArray[np.int64]:
        """Take one step."""
        parameters, leaky = self.proc_params, self._leaky
        leaky.integrate_current(arriving)
        rise = divided(self.u + parameters["bias"], parameters["current_shift"])
        leaky.integrate_voltage(rise)
        waits = self.refractory_left > 0
        self.v[waits] = 0
        fires = (self.v > parameters["threshold"]) & ~waits
        self.refractory_left[waits] -= 1
        self.refractory_left[fires] = parameters["refractory_delay"] - 1
        sent = np.where(fires, self.v if parameters["graded_spike"] else 1, 0)
        self.v[fires] = 0
        return sent
