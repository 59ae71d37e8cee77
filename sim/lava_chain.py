"""Driving a chain of Lava processes so that an interruption or a crash ends it cleanly.

Lava gives every process an operating system process of its own and waits for them without a limit:
after Ctrl-C, or when one of them dies, it waits for ever (lava issue 236). Here the children do not
see Ctrl-C, the parent waits with an eye on them, and `abort` ends what is left.
"""
# lava has no type information, and its runtime keeps what is needed here in private attributes.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal

from ..netx import BackendError

LOOK_AT_CHILDREN_EVERY_S = 0.1
WAIT_FOR_THE_CAUSE_S = 2.0


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

    def run(self, steps: int) -> None:
        """Run some steps; the first call compiles the chain and starts its processes.

        Raises
        ------
        BackendError
            When a Lava process fails; what it raised is the cause.
        """
        with _quiet_fork(), _children_ignore_interrupts():
            if self.last.runtime is None:
                # no step yet: only processes that start here may miss an interrupt
                self.last.create_runtime(run_cfg=self.run_config)
        condition = RunSteps(num_steps=steps, blocking=False)
        self.last.run(condition=condition, run_cfg=self.run_config)
        self._wait()

    def stop(self) -> None:
        """End all processes in order."""
        self.last.stop()

    def abort(self) -> None:
        """End all processes at once, whatever state they are in, and free their shared memory."""
        runtime = self.last.runtime
        if runtime is None:
            return
        infrastructure = runtime._messaging_infrastructure
        # a stop that was begun has joined and closed some
        open_children = [child for child in infrastructure.actors if not child._is_done]
        for child in open_children:
            child.kill()
        for child in open_children:
            multiprocessing.Process.join(child)
        infrastructure.smm.shutdown()
        # keeps Lava's destructors from talking to processes that are gone
        runtime._is_running = runtime._is_started = False

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
            raised = child._pconn.recv() if child._pconn.poll(WAIT_FOR_THE_CAUSE_S) else None
            if raised is not None:
                error, _ = raised
                return f"a Lava process raised {type(error).__name__}: {error}"
            return f"a Lava process ended with exit code {child.exitcode}"
        return "a Lava process reported an error and gave no cause"


def explicit_models(models: Mapping[Any, type]) -> Loihi2SimCfg:
    """Return a configuration for Lava's simulator that names the model of every process.

    Left to itself Lava executes every module beside a process, takes the first model that it finds
    for its tag, and without a tag silently one in floating point.
    """
    return Loihi2SimCfg(
        select_tag="fixed_pt", exception_proc_model_map=dict(models), loglevel=logging.ERROR
    )


@contextmanager
def _children_ignore_interrupts() -> Generator[None]:
    """Let processes started in this block ignore Ctrl-C, which a terminal sends to all of them.

    The parent takes it and ends them; without this each would die by itself with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers can only be set in the main thread, and only it gets the signal
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def _quiet_fork() -> Generator[None]:
    """Silence Python 3.12's warning about forking with threads.

    Lava forks its processes and cannot do otherwise. The children run Lava's NumPy models only,
    none of the libraries whose threads the warning is about.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        yield
