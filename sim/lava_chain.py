"""Driving a chain of Lava processes so that an interruption or a crash ends it cleanly.

Lava gives every process an operating system process of its own and waits for them without a limit:
after Ctrl-C, or when one of them dies, it waits for ever (lava issue 236). Here the children do not
see Ctrl-C, the parent waits with an eye on them, `abort` ends what is left, and where the parent
itself is killed Linux ends its children.
"""
# lava has no type information, and its runtime keeps what is needed here in private attributes.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from __future__ import annotations

import io
import logging
import multiprocessing
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from typing import Any

from lava.magma.compiler.channels.pypychannel import CspRecvPort
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.runtime import runtime as lava_runtime
from lava.magma.runtime.message_infrastructure import multiprocessing as lava_multiprocessing
from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal

from ..netx import BackendError
from .lava_children import children_of_ours
from .lava_parts import (
    LOOK_AT_CHILDREN_EVERY_S,
    DirectSharedMemory,
    StartReport,
    tell_of_every_message,
)

WAIT_FOR_THE_CAUSE_S = 2.0
_ONE_AT_A_TIME = threading.Lock()  # what starts a chain changes modules of Lava for a while


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LavaChain:
    """A connected chain of Lava processes and how to run it.

    Attributes
    ----------
    last : lava process
        Any process of the chain runs all of it; this is the last.
    run_config : lava RunConfig
        Where and with which models.
    sinks : tuple of lava processes
        One for each layer where spikes are read through sinks; else empty.
    """

    last: Any
    run_config: Any
    sinks: tuple[Any, ...] = ()

    def start(self) -> None:
        """Compile the chain and start its processes.

        Raises
        ------
        BackendError
            When a process cannot be started; what it raised is the cause.
        """
        said = io.StringIO()  # Lava prints what processes raise; the cause comes by other ways
        with _ONE_AT_A_TIME, children_of_ours(), redirect_stdout(said), self._plain_parts():
            try:
                self.last.create_runtime(run_cfg=self.run_config)
            except BackendError:
                raise
            except Exception as error:
                raise BackendError(
                    f"backend 'lava' failed to start: {type(error).__name__}: {error}."
                ) from error

    def run(self, steps: int) -> None:
        """Run some steps; the first call starts the processes if they are not.

        Raises
        ------
        BackendError
            When a Lava process fails; what it raised is the cause.
        """
        if self.last.runtime is None:
            self.start()
        condition = RunSteps(num_steps=steps, blocking=False)
        self.last.run(condition=condition, run_cfg=self.run_config)
        self._wait()

    def stop(self) -> None:
        """End all processes in order."""
        self.last.stop()

    def abort(self) -> None:
        """End all processes at once, whatever state they are in, and free their shared memory.

        Calling it again does nothing. Nothing is lost by it when steps are done: what Lava's own
        way of stopping does beyond it is to ask each process first, and to wait for ever for those
        that died.
        """
        runtime = self.last.runtime
        if runtime is None:
            return
        # keeps Lava's destructors from talking to processes that are gone
        runtime._is_running = runtime._is_started = False
        infrastructure = runtime._messaging_infrastructure
        # a stop that was begun has joined and closed some
        open_children = [child for child in infrastructure.actors if not child._is_done]
        for child in open_children:
            child.kill()
        for child in open_children:
            multiprocessing.Process.join(child)
            child.close()
            child._is_done = True
            child._cconn.close()
            child._pconn.close()
        runtime.join()  # tells the threads of the ports on our side to end
        for port in (*runtime.runtime_to_service, *runtime.service_to_runtime):
            if port.thread is not None:
                port.thread.join()
        infrastructure.smm.shutdown()

    @contextmanager
    def _plain_parts(self) -> Generator[None]:
        """Let Lava's runtime, and the processes that it starts, take the parts of `lava_parts`."""
        lavas = lava_multiprocessing.SharedMemoryManager, lava_runtime.Queue
        callback = CspRecvPort._req_callback
        CspRecvPort._req_callback = tell_of_every_message  # pyright: ignore[reportAttributeAccessIssue]
        lava_multiprocessing.SharedMemoryManager = DirectSharedMemory
        lava_runtime.Queue = partial(StartReport, self._raise_if_a_child_died)
        try:
            yield
        finally:
            lava_multiprocessing.SharedMemoryManager, lava_runtime.Queue = lavas
            CspRecvPort._req_callback = callback

    def _wait(self) -> None:
        """Wait until all steps are done, or a process died."""
        runtime = self.last.runtime
        changed = threading.Condition()

        def notify() -> None:
            with changed:
                changed.notify_all()

        for port in runtime.service_to_runtime:
            port.observer = notify
            with changed:
                while not port.probe():
                    changed.wait(timeout=LOOK_AT_CHILDREN_EVERY_S)
                    self._raise_if_a_child_died()
            port.observer = None
            if not enum_equal(port.recv(), MGMT_RESPONSE.DONE):
                raise BackendError(f"backend 'lava' failed: {self._cause()}.")
        runtime._is_running = False

    def _raise_if_a_child_died(self) -> None:
        children = self.last.runtime._messaging_infrastructure.actors
        if not all(child.is_alive() for child in children):
            raise BackendError(f"backend 'lava' failed: {self._cause()}.")

    def _cause(self) -> str:
        """Return what the first failed child raised, or how it ended."""
        children = self.last.runtime._messaging_infrastructure.actors
        # The report of an error comes before the end of the process that raised it, and others
        # end in order then.
        deadline = time.monotonic() + WAIT_FOR_THE_CAUSE_S
        while True:
            ended = [child for child in children if not child.is_alive()]
            for child in ended:
                raised = child._pconn.recv() if child._pconn.poll() else None
                if raised is not None:
                    error, _ = raised
                    return f"a Lava process raised {type(error).__name__}: {error}"
                if child.exitcode < 0:  # a signal ended it, so it says nothing more
                    return f"a Lava process ended with exit code {child.exitcode}"
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_AT_CHILDREN_EVERY_S / 10)
        if ended:
            return f"a Lava process ended with exit code {ended[0].exitcode}"
        return "a Lava process reported an error and gave no cause"


def explicit_models(models: Mapping[Any, type]) -> Loihi2SimCfg:
    """Return a configuration for Lava's simulator that names the model of every process.

    Left to itself Lava executes every module beside a process, takes the first model that it finds
    for its tag, and without a tag silently one in floating point.
    """
    return Loihi2SimCfg(
        select_tag="fixed_pt", exception_proc_model_map=dict(models), loglevel=logging.ERROR
    )
