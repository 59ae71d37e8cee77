"""Processes that samples and spikes travel through: the source, and axons between layers.

Time: the source sends step n of a sample, each synapse adds one step of Lava and neurons none, so a
layer works on step n one step of Lava after the latest of its sources. What earlier sources send
waits on its way (`Axons`), so that all that arrives together belongs to the same step of the same
sample, and nothing of one sample reaches the window of the next.
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
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from .recorder import Recorder, RecordPlan
from .sample_window import SampleWindow


class SampleSource(AbstractProcess):
    """Sends the steps of all samples one after the other, with silence between and after them.

    Parameters
    ----------
    spikes : integer array, shape (N, ..., T)
        Kept as it is and shared with the child process, not copied into a Lava variable.
    window : SampleWindow
        When the samples are sent.
    """

    def __init__(self, *, spikes: np.ndarray, window: SampleWindow) -> None:
        super().__init__(spikes=spikes, window=window)
        self.s_out = OutPort(shape=spikes.shape[1:-1])


@implements(proc=SampleSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySampleSource(PyLoihiProcessModel):
    """Model of `SampleSource`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._spikes = proc_params["spikes"]
        self._window = proc_params["window"]

    def run_spk(self) -> None:
        """Send one step."""
        step = self._window.step_at(self.time_step)
        if step is None or step < 0:
            self.s_out.send(np.zeros(self._spikes.shape[1:-1], dtype=np.int32))
            return
        sample = (self.time_step - self._window.first) // self._window.interval
        self.s_out.send(self._spikes[sample, ..., step].astype(np.int32))


class Axons(AbstractProcess):
    """Brings what one source sends to its place among the inputs of a layer, on time and in unit.

    The inputs of a layer of several sources are the sum of what their axons send, each of which
    leaves the others' places empty.

    Parameters
    ----------
    places : int array, shape of the source
        Where each neuron of the source stands among the inputs, flat in Lava's order.
    shape_out : tuple of int
        Shape of the inputs, in Lava's order.
    wait : int
        Steps that the source is ahead of the latest one.
    factor : int
        What payloads are multiplied with to come into the unit that all sources share.
    """

    def __init__(self, *, places: np.ndarray, shape_out, wait: int, factor: int) -> None:
        super().__init__(places=places, shape_out=shape_out, wait=wait, factor=factor)
        self.s_in = InPort(shape=places.shape)
        self.s_out = OutPort(shape=shape_out)


@implements(proc=Axons, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyAxons(PyLoihiProcessModel):
    """Model of `Axons`: a ring of what is on its way."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    # payloads of 24 bits times the 18 bits that units can differ by
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int64)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._places = proc_params["places"].reshape(-1)
        self._factor = proc_params["factor"]
        self._shape = proc_params["shape_out"]
        self._ring = np.zeros((proc_params["wait"] + 1, self._places.size), dtype=np.int64)

    def run_spk(self) -> None:
        """Take what arrives and send what arrived `wait` steps ago."""
        last = len(self._ring)
        self._ring[self.time_step % last] = self.s_in.recv().reshape(-1)
        leaving = np.zeros(int(np.prod(self._shape)), dtype=np.int64)
        leaving[self._places] = self._ring[(self.time_step + 1) % last] * self._factor
        self.s_out.send(leaving.reshape(self._shape))


class AxonDelay(AbstractProcess):
    """Delays what each neuron sends by a fixed number of steps, within its sample.

    lava-dl moves axonal delays to the inputs of the layer, which differs at the end of samples, and
    ignores those of convolutions; Lava's own delayed synapses cost milliseconds a step.

    Parameters
    ----------
    delay : int array, shape of the layer
        Steps for each neuron.
    plan : RecordPlan
        When the layer works; the spikes that leave are written.
    """

    def __init__(self, *, delay: np.ndarray, plan: RecordPlan) -> None:
        super().__init__(delay=delay, plan=plan)
        self.s_in = InPort(shape=delay.shape)
        self.s_out = OutPort(shape=delay.shape)


@implements(proc=AxonDelay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyAxonDelay(PyLoihiProcessModel):
    """Model of `AxonDelay`: a ring of future spikes, emptied where a sample begins."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._delay = proc_params["delay"].reshape(-1)
        self._window = proc_params["plan"].window
        self._ring = np.zeros((int(self._delay.max()) + 1, self._delay.size), dtype=np.int32)
        self._recorder = Recorder(proc_params["plan"])

    def run_spk(self) -> None:
        """Take the spikes of a step and send those whose time has come."""
        arriving = self.s_in.recv()
        step = self._window.step_at(self.time_step)
        if step is None:
            self.s_out.send(np.zeros_like(arriving))
            return
        if step == -self._window.lead:
            self._ring[:] = 0
        sent = arriving.reshape(-1)
        neurons = np.flatnonzero(sent)
        due = step + self._delay[neurons]
        in_time = due < self._window.steps
        self._ring[due[in_time] % len(self._ring), neurons[in_time]] = sent[neurons[in_time]]
        slot = step % len(self._ring)
        leaving = self._ring[slot].reshape(arriving.shape).copy()
        self._ring[slot] = 0
        self._recorder.note_spikes(self.time_step, step, leaving)
        self._recorder.end_step(step)
        self.s_out.send(leaving)
