"""What all our neuron models have beyond their arithmetic: samples begin at rest, and a pen.

The arithmetic stays Lava's wherever Lava has a bit-accurate model: `SampleModel` stands before that
model in the order of resolution, calls its ``run_spk`` unchanged in the steps in which the process
works on a sample, and sees what it sends.
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
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from numpy.typing import NDArray

from .alignment import Alignment
from .recorder import Recorder, RecordPlan


class SampleModel:
    """Mixed into a model of neurons: it works in its window only, from rest, and writes.

    The process has `RecordPlan` ``plan`` and `Alignment` ``alignment`` (None where Lava's own shift
    by 6 aligns) among its parameters.
    """

    inputs: ClassVar[tuple[str, ...]] = ("a_in",)
    states: ClassVar[dict[str, str]]
    """Attributes that hold the states, by the names that runs report."""

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)  # pyright: ignore[reportCallIssue] - of Lava's model
        self._window = proc_params["plan"].window
        self._alignment = proc_params["alignment"]
        self._recorder = Recorder(proc_params["plan"])
        self._port = None
        self._step = 0

    def rest(self) -> None:
        """Bring all states to rest; called before the first step of a sample."""
        for attribute in self.states.values():
            getattr(self, attribute)[...] = 0

    def payload(self, sent: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return what leaves in place of what the model sends: the same, or graded spikes."""
        return sent

    def run_spk(self) -> None:
        """Run the model's step, or rest."""
        if self._port is None:
            # the model's own ``self.s_out.send`` comes to `send` below
            self._port, self.s_out = self.s_out, self
            self._silence = np.zeros(self._port._shape, dtype=np.int32)
        step = self._window.step_at(self.time_step)
        if step is None:
            for name in self.inputs:
                getattr(self, name).recv()
            self._port.send(self._silence)
            return
        self._step = step
        if step == -self._window.lead:
            self.rest()
        super().run_spk()
        self._recorder.note_states(step, self, self.states)
        self._recorder.end_step(step)

    def send(self, sent: NDArray[np.generic]) -> None:
        """Note what the model sends, and send it."""
        leaving = self.payload(sent)
        self._recorder.note_spikes(self.time_step, self._step, leaving)
        self._port.send(leaving)


class OwnNeurons(AbstractProcess):
    """Neurons that Lava has no fixed-point model of; the models stand in their own modules.

    Parameters
    ----------
    shape : tuple of int
        In Lava's order.
    plan : RecordPlan
        When it works, and what it writes.
    alignment : Alignment
        From sums to states.
    **parameters : Any
        Of the neurons, as their model names them.
    """

    def __init__(self, *, shape, plan: RecordPlan, alignment: Alignment, **parameters) -> None:
        super().__init__(shape=shape, plan=plan, alignment=alignment, **parameters)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)


class OwnComplexNeurons(AbstractProcess):
    """Neurons with a real and an imaginary input; see `OwnNeurons`."""

    def __init__(self, *, shape, plan: RecordPlan, alignment: Alignment, **parameters) -> None:
        super().__init__(shape=shape, plan=plan, alignment=alignment, **parameters)
        self.a_real_in = InPort(shape=shape)
        self.a_imag_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)


class OwnModel(PyLoihiProcessModel):
    """A model whose step is `step`: aligned inputs in, spikes or payloads out."""

    inputs: ClassVar[tuple[str, ...]] = ("a_in",)

    def run_spk(self) -> None:
        """Receive, take a step, send."""
        arriving = [self._alignment(getattr(self, name).recv()) for name in self.inputs]
        self.s_out.send(self.step(*arriving))
