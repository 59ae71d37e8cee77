"""Lava processes that feed samples in and stream spikes and states out.

The arithmetic stays Lava's own: `RecordedLIF` runs the model of Lava's `LIFReset` and only writes
down what it did. That costs no extra operating system process and no message, where reading a
Lava variable costs tens of microseconds an element.

Time: the source sends step n of sample s at Lava's step ``s * I + n + 1``, and each synapse adds
one step, so layer k (from 0) works on it at ``s * I + n + k + 2``. With a reset interval I of T and
an offset of k + 2 every layer sees exactly the T steps of each sample, with no gap between. Where
layers run before the input reaches them (biases after layers that SLAYER returned late), samples
are that much further apart, layer k begins ``lead`` steps earlier, and rests when it is done.
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
from lava.proc.lif.models import PyLifResetModelBitAcc
from lava.proc.lif.process import LIFReset

LAVA_STEPS_BEFORE_LAYER = 2  # the source's first step is 1, and each layer's synapse takes one


class SampleSource(AbstractProcess):
    """Sends the steps of all samples one after the other, with silence between and after them.

    Parameters
    ----------
    spikes : integer array, shape (N, ..., T)
        Kept as it is and shared with the child process, not copied into a Lava variable.
    interval : int
        Steps from the start of one sample to that of the next, T or more.
    """

    def __init__(self, *, spikes: np.ndarray, interval: int) -> None:
        super().__init__(spikes=spikes, interval=interval)
        self.s_out = OutPort(shape=spikes.shape[1:-1])


@implements(proc=SampleSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySampleSource(PyLoihiProcessModel):
    """Model of `SampleSource`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def run_spk(self) -> None:
        """Send one step."""
        spikes = self.proc_params["spikes"]
        sample, step = divmod(self.time_step - 1, self.proc_params["interval"])
        if sample < spikes.shape[0] and step < spikes.shape[-1]:
            self.s_out.send(spikes[sample, ..., step].astype(np.int32))
        else:
            self.s_out.send(np.zeros(spikes.shape[1:-1], dtype=np.int32))


class EventFile:
    """Appends (Lava step, neuron) pairs to a file, as int32; written out at the end of samples.

    Parameters
    ----------
    path : str
        The file.
    steps : int
        Steps of a sample.
    """

    def __init__(self, path: str, steps: int) -> None:
        self._file = open(path, "wb", buffering=1 << 16)  # noqa: SIM115 - open as long as the process
        self._steps = steps

    def append(self, time_step: int, fired: np.ndarray) -> None:
        """Write the events of a step; `fired` may have any shape, events count in C order."""
        neurons = np.flatnonzero(fired)
        if neurons.size:
            rows = np.empty((neurons.size, 2), dtype=np.int32)
            rows[:, 0] = time_step
            rows[:, 1] = neurons
            self._file.write(rows.tobytes())
        if time_step % self._steps == 0:
            self._file.flush()

    def flush(self) -> None:
        """Write out what is still in memory."""
        self._file.flush()


class RecordedLIF(LIFReset):
    """Lava's `LIFReset` that writes its spikes, and if asked its states, to files.

    Parameters
    ----------
    spike_path : str
        File for (step, neuron) pairs; empty for none.
    state_path : str
        File for current and voltage of every step, int32; empty for none.
    steps : int
        Steps that the layer works on a sample; the rest of the reset interval it is silent.
    last_step : int
        Lava's last step of the run.
    **lif : Any
        What `LIFReset` takes.
    """

    def __init__(
        self, *, spike_path: str, state_path: str, steps: int, last_step: int, **lif
    ) -> None:
        super().__init__(**lif)
        self.proc_params["spike_path"] = spike_path
        self.proc_params["state_path"] = state_path
        self.proc_params["steps"] = steps
        self.proc_params["last_step"] = last_step


@implements(proc=RecordedLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRecordedLIF(PyLifResetModelBitAcc):
    """Lava's bit-accurate model with a pen."""

    # Lava refuses to let a subclass implement another process unless this is cleared first
    implements_process = None

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._last_step = proc_params["last_step"]
        self._steps = proc_params["steps"]
        self._interval = proc_params["reset_interval"]
        self._offset = proc_params["reset_offset"]
        self._events = None
        if proc_params["spike_path"]:
            self._events = EventFile(proc_params["spike_path"], proc_params["steps"])
        self._states = None
        if proc_params["state_path"]:
            self._states = open(proc_params["state_path"], "wb")  # noqa: SIM115

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Reset as Lava does, and note who fired."""
        super().reset_voltage(spike_vector)
        if self._events is not None:
            self._events.append(self.time_step, spike_vector)

    def run_spk(self) -> None:
        """Run Lava's step, then write the states that it left."""
        since = self.time_step - self._offset
        if since >= 0 and since % self._interval < self._steps:
            super().run_spk()
        else:
            arriving = self.a_in.recv()
            self.s_out.send(np.zeros(arriving.shape, dtype=np.int32))
        if self._states is not None:
            self._states.write(np.ascontiguousarray(self.u, dtype=np.int32).tobytes())
            self._states.write(np.ascontiguousarray(self.v, dtype=np.int32).tobytes())
        if self.time_step == self._last_step:
            if self._events is not None:
                self._events.flush()
            if self._states is not None:
                self._states.flush()


class AxonDelay(AbstractProcess):
    """Delays the spikes of each neuron by a fixed number of steps, within its sample.

    lava-dl moves axonal delays to the inputs of the layer, which differs at the end of samples, and
    ignores those of convolutions; Lava's own delayed synapses cost milliseconds a step.

    Parameters
    ----------
    delay : int array, shape of the layer
        Steps for each neuron.
    steps, interval, offset : int
        Steps that the layer works on a sample, steps from one sample to the next, and the step of
        Lava at which the first begins.
    spike_path : str
        File for (step, neuron) pairs of the spikes that leave.
    last_step : int
        Lava's last step of the run.
    """

    def __init__(
        self,
        *,
        delay: np.ndarray,
        steps: int,
        interval: int,
        offset: int,
        spike_path: str,
        last_step: int,
    ) -> None:
        super().__init__(
            delay=delay,
            steps=steps,
            interval=interval,
            offset=offset,
            spike_path=spike_path,
            last_step=last_step,
        )
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
        self._steps = proc_params["steps"]
        self._interval = proc_params["interval"]
        self._offset = proc_params["offset"]
        self._last_step = proc_params["last_step"]
        self._ring = np.zeros((int(self._delay.max()) + 1, self._delay.size), dtype=np.int32)
        self._events = EventFile(proc_params["spike_path"], self._steps)

    def run_spk(self) -> None:
        """Take the spikes of a step and send those whose time has come."""
        arriving = self.s_in.recv()
        step = (self.time_step - self._offset) % self._interval
        if step == 0:
            self._ring[:] = 0
        neurons = np.flatnonzero(arriving)
        due = step + self._delay[neurons]
        in_time = due < self._steps
        self._ring[due[in_time] % len(self._ring), neurons[in_time]] = 1
        slot = step % len(self._ring)
        leaving = self._ring[slot].reshape(arriving.shape).copy()
        self._ring[slot] = 0
        self._events.append(self.time_step, leaving)
        if self.time_step == self._last_step:
            self._events.flush()
        self.s_out.send(leaving)
