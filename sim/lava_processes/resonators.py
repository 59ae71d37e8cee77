"""Resonators RF and RF_IZ: Lava's own models with a pen, exact decays and biases."""
# lava has no type information, and its models declare ports and variables as class attributes.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingParameterType=false, reportUntypedFunctionDecorator=false
# pyright: reportUntypedClassDecorator=false, reportUntypedBaseClass=false, reportPrivateUsage=false
# pyright: reportIncompatibleVariableOverride=false, reportGeneralTypeIssues=false
# pyright: reportAssignmentType=false, reportIndexIssue=false, reportAttributeAccessIssue=false
# pyright: reportOptionalSubscript=false, reportArgumentType=false, reportOptionalMemberAccess=false

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.rf.models import PyRFModelFixed
from lava.proc.rf.process import RF
from lava.proc.rf_iz.models import PyRF_IZModelFixed
from lava.proc.rf_iz.process import RF_IZ
from numpy.typing import NDArray

from .alignment import STATE_SHIFT, Alignment
from .recorder import RecordPlan
from .sample_model import SampleModel

DECAY_BITS = 12


def _set_parameters(process: RF, parameters: dict[str, Any]) -> None:
    """Replace what Lava derived from a period and a decay, which loses the last bit of a fourth."""
    for name in ("sin_decay", "cos_decay"):
        setattr(process, name, Var(shape=(1,), init=parameters[name]))
    process.vth = Var(shape=(1,), init=parameters["threshold"])
    aligns_itself = parameters["alignment"] is None
    process.state_exp = Var(shape=(1,), init=STATE_SHIFT if aligns_itself else 0)
    for name in ("plan", "alignment", "bias", "bias_imag", "graded_spike"):
        process.proc_params[name] = parameters[name]


class RecordedRF(RF):
    """Lava's `RF` from stored decays.

    Parameters
    ----------
    shape : tuple of int
        In Lava's order.
    plan : RecordPlan
        When it works, and what it writes.
    alignment : Alignment or None
        None where Lava's shift by 6 aligns sums with states.
    **parameters : Any
        ``sin_decay`` and ``cos_decay``, int arrays, parts of 4096 kept; ``threshold``,
        ``bias`` and ``bias_imag`` in state units; ``graded_spike``.
    """

    def __init__(self, *, shape, plan: RecordPlan, alignment: Alignment | None, **parameters):
        super().__init__(shape=shape, period=4, alpha=0, decay_bits=DECAY_BITS)
        _set_parameters(self, {"plan": plan, "alignment": alignment} | parameters)


class RecordedRFIZ(RF_IZ):
    """Lava's `RF_IZ` from stored decays; see `RecordedRF`."""

    def __init__(self, *, shape, plan: RecordPlan, alignment: Alignment | None, **parameters):
        super().__init__(shape=shape, period=4, alpha=0, decay_bits=DECAY_BITS)
        _set_parameters(self, {"plan": plan, "alignment": alignment} | parameters)


class RecordedResonator(SampleModel):
    """What both models have: aligned inputs, biases, graded spikes."""

    inputs: ClassVar[tuple[str, ...]] = ("a_real_in", "a_imag_in")
    states: ClassVar[dict[str, str]] = {"real": "real", "imag": "imag"}

    def resonator_dynamics(self, a_real_in_data, a_imag_in_data, real, imag):
        """Run Lava's dynamics on what arrives and the biases, which Lava lacks."""
        if self._alignment is not None:
            a_real_in_data = self._alignment(a_real_in_data)
            a_imag_in_data = self._alignment(a_imag_in_data)
        arriving_real = a_real_in_data.astype(np.int64) + self.proc_params["bias"]
        arriving_imag = a_imag_in_data.astype(np.int64) + self.proc_params["bias_imag"]
        self._turned = super().resonator_dynamics(arriving_real, arriving_imag, real, imag)
        return self._turned

    def payload(self, sent: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return spikes, or where they are graded the part of the state that made them."""
        if not self.proc_params["graded_spike"]:
            return sent
        made = np.clip(
            self._turned[self.firing_part], self.neg_voltage_limit, self.pos_voltage_limit
        )
        return np.where(sent, made, 0)


@implements(proc=RecordedRF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedRF(RecordedResonator, PyRFModelFixed):
    """Lava's fixed-point model."""

    implements_process = None
    firing_part = 0  # the real one


@implements(proc=RecordedRFIZ, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedRFIZ(RecordedResonator, PyRF_IZModelFixed):
    """Lava's fixed-point model."""

    implements_process = None
    firing_part = 1  # the imaginary one, before its reset
