"""However a run on Lava ends: with its cause, after what was finished, leaving nothing behind."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
from builders import assert_runs_are_identical, compiled, dense, even_weights, random_spikes

from lavadeploy.compile import CompiledNetwork
from lavadeploy.netx import BackendError, repair_lava
from lavadeploy.sim import RunOptions, RunResult, SpikeInput, join_portions, open_backend
from lavadeploy.sim.lava_parts import DirectSharedMemory, tell_of_every_message

pytestmark = pytest.mark.lava

EVERYTHING = RunOptions(record=("all",))
# Prints how many samples are finished after each portion; the run takes minutes if nobody ends it.
LONG_RUN = textwrap.dedent(
    """
    import sys
    import numpy as np
    from lavadeploy.compile import compile_network
    from lavadeploy.hw_profiles import load_profile
    from lavadeploy.netx import CubaNeuron, DenseLayer, Network
    from lavadeploy.sim import SpikeInput, open_backend
    neuron = CubaNeuron(vth_mantissa=1, current_decay=np.array(0), voltage_decay=np.array(0))
    layer = DenseLayer(name="a", shape=(1,), weight=np.array([[2]]), neuron=neuron)
    network = compile_network(Network(layers=(layer,)), load_profile("loihi1"))
    inputs = SpikeInput(spikes=np.ones((10_000, 1, 100), dtype=np.uint8))
    done = 0
    try:
        for portion in open_backend("lava").portions(network, inputs):
            done += portion.spikes.n_samples
            print(done, flush=True)
    except KeyboardInterrupt:
        print("interrupted after", done, flush=True)
    """
)


@pytest.fixture
def shared_memory(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where the kernel shows the shared memory that Lava makes during a test."""
    made: list[Path] = []
    create = DirectSharedMemory.create_shared_memory

    def create_and_note(memory: DirectSharedMemory, size: int) -> SharedMemory:
        piece = create(memory, size)
        made.append(Path("/dev/shm") / piece.name.lstrip("/"))
        return piece

    monkeypatch.setattr(DirectSharedMemory, "create_shared_memory", create_and_note)
    return made


def assert_nothing_is_left(shared_memory: list[Path]) -> None:
    assert multiprocessing.active_children() == []
    assert shared_memory, "Lava made none, so nothing was looked at"
    assert [path for path in shared_memory if path.exists()] == []


class OneMessage:
    """A semaphore that is released once; its second wait is the end of the channel."""

    def __init__(self) -> None:
        self._left = 1

    def acquire(self) -> bool:
        if self._left == 0:
            raise EOFError
        self._left -= 1
        return True


@pytest.mark.parametrize("whose", ["ours", "lavas"])
def test_a_message_behind_one_that_is_just_taken_wakes_who_waits(whose: str) -> None:
    repair_lava()
    from lava.magma.compiler.channels.pypychannel import CspRecvPort

    found: list[str] = []
    queue = Queue[int]()
    queue.put(0)

    def take_and_wait() -> bool:  # between Lava's look at the queue and its next message
        queue.get()
        return True

    port: Any = types.SimpleNamespace(
        _done=False, _queue=queue, probe=take_and_wait, observer=lambda: found.append("woken")
    )
    listen = tell_of_every_message if whose == "ours" else CspRecvPort._req_callback
    listen(port, OneMessage())
    assert len(found) == (1 if whose == "ours" else 0)  # once Lava's wakes, too, drop ours


def small_network() -> tuple[CompiledNetwork, SpikeInput]:
    rng = np.random.default_rng(0)
    network = compiled(
        dense(even_weights(rng, 5, 6)), dense(even_weights(rng, 4, 5), name="layer1")
    )
    return network, SpikeInput(spikes=random_spikes(rng, 50, 6, 4))


def portions_before(error: type[BaseException], disturb: Callable[[], None]) -> list[RunResult]:
    """Run the small network, disturbed after its second portion; return those before the error."""
    network, inputs = small_network()
    finished: list[RunResult] = []
    with pytest.raises(error) as raised:  # noqa: PT012 - the loop is what raises
        for portion in open_backend("lava").portions(network, inputs, EVERYTHING):
            finished.append(portion)
            if len(finished) == 2:
                disturb()
    if error is BackendError:
        assert str(raised.value) == "backend 'lava' failed: a Lava process ended with exit code -9."
    return finished


def assert_are_the_first_samples(finished: list[RunResult]) -> None:
    network, inputs = small_network()
    samples = sum(portion.spikes.n_samples for portion in finished)
    assert len(finished) == 2
    assert samples < inputs.n_samples
    expected = open_backend("reference").run(network, inputs.first(samples), EVERYTHING)
    assert_runs_are_identical(join_portions(finished), expected)


def test_processes_and_shared_memory_end_with_the_run(shared_memory: list[Path]) -> None:
    network, inputs = small_network()
    open_backend("lava").run(network, inputs)
    assert_nothing_is_left(shared_memory)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the kernel shows no open files")
def test_runs_leave_no_file_open_and_no_thread_behind() -> None:
    network, inputs = small_network()
    left: list[tuple[int, int]] = []
    for _ in range(3):
        open_backend("lava").run(network, inputs)
        left.append((len(list(Path("/proc/self/fd").iterdir())), threading.active_count()))
    assert left[1] == left[2]


def test_a_run_that_nobody_finishes_leaves_nothing(shared_memory: list[Path]) -> None:
    network, inputs = small_network()
    portions = open_backend("lava").portions(network, inputs)
    next(portions)
    assert multiprocessing.active_children() != []
    portions.close()  # pyright: ignore[reportAttributeAccessIssue] - an iterator that is a generator
    assert_nothing_is_left(shared_memory)


def test_what_a_lava_process_raises_is_the_cause(
    shared_memory: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    repair_lava()
    from lavadeploy.sim.lava_processes.axons import PySampleSource

    send = PySampleSource.run_spk

    def send_until_step_30(model: Any) -> None:
        if model.time_step == 30:
            raise ValueError("planted")
        send(model)

    monkeypatch.setattr(PySampleSource, "run_spk", send_until_step_30)
    network, inputs = small_network()
    with pytest.raises(BackendError) as raised:
        open_backend("lava").run(network, inputs)
    assert str(raised.value) == "backend 'lava' failed: a Lava process raised ValueError: planted."
    assert_nothing_is_left(shared_memory)


def test_a_process_that_cannot_start_is_the_cause_and_prints_nothing(
    shared_memory: list[Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    repair_lava()
    from lavadeploy.sim.lava_processes.cuba import PyRecordedLIF

    def raise_it(_model: Any, _parameters: Any) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(PyRecordedLIF, "__init__", raise_it)
    network, inputs = small_network()
    with pytest.raises(BackendError) as raised:
        open_backend("lava").run(network, inputs)
    assert str(raised.value) == "backend 'lava' failed to start: ValueError: planted."
    assert_nothing_is_left(shared_memory)
    assert capfd.readouterr() == ("", "")


def test_a_process_that_is_killed_while_it_starts_ends_the_run(
    shared_memory: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    repair_lava()
    from lavadeploy.sim.lava_processes.cuba import PyRecordedLIF

    def die(_model: Any, _parameters: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(PyRecordedLIF, "__init__", die)
    network, inputs = small_network()
    with pytest.raises(BackendError) as raised:
        open_backend("lava").run(network, inputs)
    assert str(raised.value) == "backend 'lava' failed: a Lava process ended with exit code -9."
    assert_nothing_is_left(shared_memory)


@pytest.mark.parametrize("which", range(6), ids=["source", "W0", "L0", "W1", "L1", "runtime"])
def test_a_killed_process_ends_the_run_after_what_was_finished(
    shared_memory: list[Path], which: int
) -> None:
    def kill_one() -> None:
        children = [c for c in multiprocessing.active_children() if "System" in c.name]
        children.sort(key=lambda child: int(child.name.rpartition("-")[2]))
        assert len(children) == 6
        os.kill(children[which].ident or 0, signal.SIGKILL)

    finished = portions_before(BackendError, kill_one)
    assert_are_the_first_samples(finished)
    assert_nothing_is_left(shared_memory)


def test_an_interrupt_ends_the_run_after_what_was_finished(shared_memory: list[Path]) -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    finished = portions_before(KeyboardInterrupt, interrupt)
    assert_are_the_first_samples(finished)
    assert_nothing_is_left(shared_memory)


@contextmanager
def long_run() -> Generator[tuple[subprocess.Popen[str], list[Path]]]:
    """Start a run in a process group of its own; give it in its midst, and its shared memory."""
    run = subprocess.Popen(
        [sys.executable, "-c", LONG_RUN],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert run.stdout is not None
        assert run.stdout.readline() == "1\n"
        maps = Path(f"/proc/{run.pid}/maps").read_text(encoding="utf-8")
        made = [Path(path) for path in set(re.findall(r"/dev/shm/psm_\w+", maps))]
        assert made
        yield run, made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def wait_until_all_are_gone(group: int, shared_memory: list[Path]) -> None:
    deadline = time.monotonic() + 20
    while members_of(group) or any(path.exists() for path in shared_memory):
        assert time.monotonic() < deadline, (members_of(group), shared_memory)
        time.sleep(0.05)


def members_of(group: int) -> list[str]:
    """Return the processes of a group that have not ended."""
    members: list[str] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text(encoding="utf-8").rpartition(")")
        except OSError:  # it ended
            continue
        state, _, its_group = rest.split()[:3]
        if int(its_group) == group and state != "Z":
            members.append(name)
    return members


def test_control_c_in_a_terminal_gives_no_traceback_of_children() -> None:
    with long_run() as (run, shared_memory):
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does, to all of the group
        said, complaints = run.communicate(timeout=60)
        assert said.splitlines()[-1].startswith("interrupted after ")
        assert complaints == ""
        wait_until_all_are_gone(run.pid, shared_memory)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_a_parent_that_is_killed(end: signal.Signals) -> None:
    with long_run() as (run, shared_memory):
        os.kill(run.pid, end)
        run.communicate(timeout=60)
        wait_until_all_are_gone(run.pid, shared_memory)
