"""Sigma-delta neurons: Lava's own ``Delta``, ``SigmaDelta`` and ``Sigma`` with a pen.

Lava never resets them; here they begin every sample at rest.
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

from typing import ClassVar

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.sdn.models import PyDeltaModelFixed, PySigmaDeltaModelFixed, PySigmaModelFixed
from lava.proc.sdn.process import Delta, Sigma, SigmaDelta
from numpy.typing import NDArray

from .alignment import Alignment
from .recorder import RecordPlan
from .sample_model import SampleModel

# States are in 2**-18, messages in 2**-12, thresholds and biases in weight units, 2**-6
SPIKE_EXP = 6
STATE_EXP = 6


class RecordedDelta(Delta):
    """Lava's `Delta` for neurons at the input, which take numbers in 2**-12 (`for_input`).

    Parameters
    ----------
    shape : tuple of int
        In Lava's order.
    threshold : float
        In weight units, with its fraction of 4096.
    plan : RecordPlan
        When it works, and what it writes.
    alignment : Alignment
        From input to 2**-12.
    """

    def __init__(self, *, shape, threshold: float, plan: RecordPlan, alignment: Alignment) -> None:
        # the input has the 6 bits of spike_exp already
        super().__init__(
            shape=shape, vth=threshold * (1 << SPIKE_EXP), spike_exp=0, state_exp=STATE_EXP
        )
        self.proc_params["plan"] = plan
        self.proc_params["alignment"] = alignment


class RecordedSigmaDelta(SigmaDelta):
    """Lava's `SigmaDelta`; `bias` in weight units, for the rest see `RecordedDelta`."""

    def __init__(
        self, *, shape, threshold: float, bias, plan: RecordPlan, alignment: Alignment
    ) -> None:
        super().__init__(
            shape=shape, vth=threshold, bias=bias, spike_exp=SPIKE_EXP, state_exp=STATE_EXP
        )
        self.proc_params["plan"] = plan
        self.proc_params["alignment"] = alignment


class RecordedSigma(Sigma):
    """Lava's `Sigma`; see `RecordedDelta`."""

    def __init__(self, *, shape, plan: RecordPlan, alignment: Alignment) -> None:
        super().__init__(shape=shape)
        self.proc_params["plan"] = plan
        self.proc_params["alignment"] = alignment


class RestingModel(SampleModel):
    """Lava's models replace their arrays in every step instead of writing into them."""

    def rest(self) -> None:
        """Bring all states to rest."""
        for attribute in self.states.values():
            setattr(self, attribute, np.zeros_like(getattr(self, attribute)))


class _AlignedPort:
    """Stands before an input port of `Delta`, whose model offers no place to align in."""

    def __init__(self, port, alignment: Alignment) -> None:
        self._port = port
        self._alignment = alignment

    def recv(self) -> NDArray[np.int32]:
        return self._alignment(self._port.recv())


@implements(proc=RecordedDelta, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedDelta(RestingModel, PyDeltaModelFixed):
    """Lava's fixed-point model."""

    implements_process = None
    states: ClassVar[dict[str, str]] = {"activation": "act", "residue": "residue"}

    def run_spk(self) -> None:
        """Run Lava's step on aligned input."""
        if self._port is None:  # the first step
            self.a_in = _AlignedPort(self.a_in, self._alignment)
        super().run_spk()


@implements(proc=RecordedSigmaDelta, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedSigmaDelta(RestingModel, PySigmaDeltaModelFixed):
    """Lava's fixed-point model."""

    implements_process = None
    states: ClassVar[dict[str, str]] = {
        "sigma": "sigma",
        "activation": "act",
        "residue": "residue",
    }

    def dynamics(self, a_in_data: NDArray[np.integer]) -> NDArray[np.integer]:
        """Align, then run Lava's dynamics."""
        return super().dynamics(self._alignment(a_in_data))


@implements(proc=RecordedSigma, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedSigma(RestingModel, PySigmaModelFixed):
    """Lava's fixed-point model."""

    implements_process = None
    states: ClassVar[dict[str, str]] = {"sigma": "sigma"}

    def sigma_dynamics(self, a_in_data: NDArray[np.integer]) -> NDArray[np.integer]:
        """Align, then run Lava's dynamics."""
        return super().sigma_dynamics(self._alignment(a_in_data))
