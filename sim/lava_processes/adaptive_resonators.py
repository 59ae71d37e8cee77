"""ADRF and ADRF_IZ, which Lava has no models of: written from SLAYER's quantized dynamics."""
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

from .leaky_states import AdaptiveThreshold, clipped
from .sample_model import OwnComplexNeurons, OwnModel, SampleModel


class AdaptiveResonators(OwnComplexNeurons):
    """Resonators whose threshold adapts and whose state is never reset.

    Parameters
    ----------
    fires_at_phase : bool
        ADRF: fires where the imaginary part rises past 0 while the real one is large enough.
        Otherwise ADRF_IZ: fires where the imaginary part is large enough.
    sin_decay, cos_decay, threshold_decay, refractory_decay : int array
        Parts of 4096 (the first two of what is kept), broadcastable to the shape.
    bias, bias_imag : int array, broadcastable to the shape
        In state units.
    threshold, threshold_step : int
        In state units.
    graded_spike : bool
        Whether spikes carry the part of the state that is compared with the threshold.
    """


def _times(state: NDArray[np.int64], part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a product with a part of 4096, cut toward zero."""
    product = state * part
    return np.where(product < 0, -(-product >> 12), product >> 12)


@implements(proc=AdaptiveResonators, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyAdaptiveResonators(SampleModel, OwnModel):
    """Both kinds.

    Sources: ``slayer/neuron/dynamics/resonator.py``, ``adaptive_phase_th.py`` and
    ``adaptive_resonator.py``.
    """

    implements_process = None
    inputs: ClassVar[tuple[str, ...]] = ("a_real_in", "a_imag_in")
    states: ClassVar[dict[str, str]] = {
        "real": "real",
        "imag": "imag",
        "threshold": "threshold",
        "refractory": "refractory",
    }
    a_real_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_imag_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        shape = proc_params["shape"]
        self.real = np.zeros(shape, dtype=np.int64)
        self.imag = np.zeros(shape, dtype=np.int64)
        self._adaptive = AdaptiveThreshold(proc_params)
        self.threshold, self.refractory = self._adaptive.threshold, self._adaptive.refractory

    def rest(self) -> None:
        """Bring all states to rest."""
        super().rest()
        self._adaptive.rest()

    def step(self, real: NDArray[np.int32], imag: NDArray[np.int32]) -> NDArray[np.int64]:
        """Take one step."""
        parameters = self.proc_params
        sine, cosine = parameters["sin_decay"], parameters["cos_decay"]
        turned_real = _times(self.real, cosine) - _times(self.imag, sine)
        turned_imag = _times(self.real, sine) + _times(self.imag, cosine)
        was_below = self.imag < 0
        self.real[:] = clipped(turned_real + real + parameters["bias"])
        self.imag[:] = clipped(turned_imag + imag + parameters["bias_imag"])
        limit = self._adaptive.decay()
        if parameters["fires_at_phase"]:
            compared = self.real
            fires = (compared >= limit) & (self.imag >= 0) & was_below
        else:
            compared = self.imag
            fires = compared >= limit
        self._adaptive.adapt(fires)
        return np.where(fires, compared if parameters["graded_spike"] else 1, 0)
