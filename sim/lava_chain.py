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

import ctypes
import io
import logging
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from typing import Any

from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.runtime import runtime as lava_runtime
from lava.magma.runtime.message_infrastructure import multiprocessing as lava_multiprocessing
from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal

from ..netx import BackendError
from .lava_shared_memory import DirectSharedMemory

LOOK_AT_CHILDREN_EVERY_S = 0.1
WAIT_FOR_THE_CAUSE_S = 2.0
PR_SET_PDEATHSIG = 1  # of linux/prctl.h


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
        said = io.StringIO()  # Lava prints what processes raise
        with _children_of_ours(), redirect_stdout(said), self._plain_parts():
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
        """Let Lava's runtime take two parts of ours: `DirectSharedMemory` and `StartReport`."""
        lavas = lava_multiprocessing.SharedMemoryManager, lava_runtime.Queue
        lava_multiprocessing.SharedMemoryManager = DirectSharedMemory
        lava_runtime.Queue = partial(StartReport, self._raise_if_a_child_died)
        try:
            yield
        finally:
            lava_multiprocessing.SharedMemoryManager, lava_runtime.Queue = lavas

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
        for child in self.last.runtime._messaging_infrastructure.actors:
            multiprocessing.Process.join(child, timeout=0 if child.is_alive() else None)
            if child.is_alive():
                continue
            # those that a signal ended say nothing more
            patience = WAIT_FOR_THE_CAUSE_S if child.exitcode >= 0 else 0
            raised = child._pconn.recv() if child._pconn.poll(patience) else None
            if raised is not None:
                error, _ = raised
                return f"a Lava process raised {type(error).__name__}: {error}"
            return f"a Lava process ended with exit code {child.exitcode}"
        return "a Lava process reported an error and gave no cause"


class StartReport:
    """Takes the place of the queue in which a process says that it has started, or why not.

    Lava waits at it for ever where the process died before it could; and a pipe needs no thread.

    Parameters
    ----------
    check : callable
        Raises when a process is dead.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._receiver, self._sender = multiprocessing.Pipe(duplex=False)
        self._check = check

    def put(self, report: Exception | None) -> None:
        """Say it, in the process."""
        self._sender.send(report)

    def get(self) -> Exception | None:
        """Wait for it, in the parent."""
        while not self._receiver.poll(LOOK_AT_CHILDREN_EVERY_S):
            self._check()
        report = self._receiver.recv()
        self._receiver.close()
        self._sender.close()
        return report


def explicit_models(models: Mapping[Any, type]) -> Loihi2SimCfg:
    """Return a configuration for Lava's simulator that names the model of every process.

    Left to itself Lava executes every module beside a process, takes the first model that it finds
    for its tag, and without a tag silently one in floating point.
    """
    return Loihi2SimCfg(
        select_tag="fixed_pt", exception_proc_model_map=dict(models), loglevel=logging.ERROR
    )


@contextmanager
def _children_of_ours() -> Generator[None]:
    """Start processes in this block that neither see Ctrl-C nor outlive this process.

    A terminal sends Ctrl-C to all of them; the parent takes it and ends them, where without this
    each would die by itself with a traceback. An interrupt in this block comes at its end.
    """
    resource_tracker.ensure_running()  # when it starts later it lets interrupts through again
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    _Forks.are_ours = True
    # Linux ties the children to the thread that starts them; the main one lives as long as we do
    _Forks.by_main_thread = threading.current_thread() is threading.main_thread()
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of forking with threads. Lava cannot do otherwise, and its children
            # run none of the libraries whose threads the warning is about.
            warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
            yield
    finally:
        _Forks.are_ours = False
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


class _Forks:
    """What processes that are forked now are to know."""

    are_ours = False
    by_main_thread = False


def _begin_child() -> None:
    """Ignore Ctrl-C, and let Linux kill this process when its parent ends, however that ends."""
    if not _Forks.are_ours:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _Forks.by_main_thread and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# children of others see that the flag is not set
os.register_at_fork(after_in_child=_begin_child)
