"""The table of backends, Lava's failures, and Loihi where there is none."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights, random_spikes

from lavadeploy.netx import (
    NEVER_FIRES,
    BackendError,
    BackendUnavailableError,
    OptionError,
    UnsupportedNetworkError,
    repair_lava,
)
from lavadeploy.sim import BACKENDS, RunOptions, SpikeInput, diagnose, open_backend
from lavadeploy.sim.loihi import run_on_chip

NO_EXTENSION = (
    "backend 'loihi' needs Lava's Loihi extension (lava-loihi), which is not installed here; Intel "
    "gives it to members of its Neuromorphic Research Community."
)


def test_every_backend_of_the_table_opens_and_knows_its_name() -> None:
    assert [open_backend(name).name for name in BACKENDS] == list(BACKENDS)


def test_an_unknown_backend_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(OptionError) as raised:
        open_backend("lawa")
    assert str(raised.value) == (
        "unknown backend 'lawa'; did you mean 'lava'? "
        "Valid: 'engine', 'lava', 'loihi', 'reference'."
    )


def test_loihi_refuses_before_any_work() -> None:
    backend = open_backend("loihi")
    assert backend.unavailable() == NO_EXTENSION
    with pytest.raises(BackendUnavailableError) as raised:
        backend.run(None, None)  # pyright: ignore[reportArgumentType] - not looked at
    assert str(raised.value) == NO_EXTENSION


def test_without_lava_the_backend_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def find_all_but_asteval(name: str) -> object:
        return None if name == "asteval" else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_all_but_asteval)
    network = compiled(dense([[10]]))
    with pytest.raises(BackendUnavailableError) as raised:
        open_backend("lava").run(network, SpikeInput(spikes=np.ones((1, 1, 1), dtype=np.uint8)))
    assert str(raised.value) == (
        "backend 'lava' needs asteval, not installed here. Run: "
        "pip install asteval 'networkx<2.8.8' scipy && "
        "pip install --no-deps --ignore-requires-python lava-nc==0.10.0"
    )


def test_doctor_looks_at_every_backend() -> None:
    subjects = {finding.subject: finding for finding in diagnose()}
    assert {f"backend {name}" for name in BACKENDS} <= set(subjects)
    assert subjects["backend lava"].good
    assert subjects["backend loihi"].detail == NO_EXTENSION
    assert subjects["Python"].good


def test_reading_compiling_and_reference_runs_need_neither_torch_nor_lava() -> None:
    script = """
    import sys
    for name in ("torch", "lava", "scipy", "sklearn", "matplotlib"):
        sys.modules[name] = None  # importing it fails
    import numpy as np
    from lavadeploy.compile import compile_network
    from lavadeploy.hw_profiles import load_profile
    from lavadeploy.netx import CubaNeuron, DenseLayer, Network, NeuronKind
    from lavadeploy.sim import SpikeInput, open_backend
    neuron = CubaNeuron(kind=NeuronKind.CUBA, vth_mantissa=1, current_decay=np.array(0),
                        voltage_decay=np.array(0))
    layer = DenseLayer(name="a", shape=(1,), weight=np.array([[2]]), neuron=neuron)
    network = compile_network(Network(layers=(layer,)), load_profile("loihi1"))
    run = open_backend("reference").run(network, SpikeInput(spikes=np.ones((1, 1, 3), dtype=int)))
    print(len(run.spikes))
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("3\n", "")


@pytest.mark.lava
def test_progress_counts_samples() -> None:
    network = compiled(dense([[10]]))
    inputs = SpikeInput(spikes=np.ones((3, 1, 4), dtype=np.uint8))
    seen: list[int] = []
    open_backend("lava").run(network, inputs, RunOptions(on_progress=seen.append))
    assert seen[0] == 1
    assert seen[-1] == 3
    assert seen == sorted(set(seen))


@pytest.mark.lava
def test_lavas_processes_end_with_the_run() -> None:
    network = compiled(dense([[10]]))
    open_backend("lava").run(network, SpikeInput(spikes=np.ones((3, 1, 4), dtype=np.uint8)))
    assert multiprocessing.active_children() == []


@pytest.fixture
def shared_memory(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where the kernel shows the shared memory that Lava makes during a test."""
    repair_lava()
    from lava.magma.runtime.message_infrastructure.shared_memory_manager import (
        SharedMemoryManager,
    )

    made: list[Path] = []
    create = SharedMemoryManager.create_shared_memory

    def create_and_note(manager: Any, size: int) -> Any:
        handle = create(manager, size)
        made.append(Path("/dev/shm") / handle.name)
        return handle

    monkeypatch.setattr(SharedMemoryManager, "create_shared_memory", create_and_note)
    return made


def run_with_a_fault(
    shared_memory: list[Path], on_progress: Callable[[int], None] = lambda _done: None
) -> str:
    """Run a small network that fails; return the sentence and check that nothing is left."""
    network = compiled(dense([[10]]), dense([[10]], name="layer1"))
    inputs = SpikeInput(spikes=np.ones((50, 1, 4), dtype=np.uint8))
    with pytest.raises(BackendError) as raised:
        open_backend("lava").run(network, inputs, RunOptions(on_progress=on_progress))
    assert multiprocessing.active_children() == []
    assert_none_is_left(shared_memory)
    return str(raised.value)


def assert_none_is_left(shared_memory: list[Path]) -> None:
    assert shared_memory, "Lava made none, so nothing was looked at"
    assert [path for path in shared_memory if path.exists()] == []


@pytest.mark.lava
def test_what_a_lava_process_raises_is_the_cause(
    shared_memory: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    repair_lava()
    from lavadeploy.sim.lava_processes.sample_processes import PySampleSource

    send = PySampleSource.run_spk

    def send_until_step_30(model: Any) -> None:
        if model.time_step == 30:
            raise ValueError("planted")
        send(model)

    monkeypatch.setattr(PySampleSource, "run_spk", send_until_step_30)
    assert run_with_a_fault(shared_memory) == (
        "backend 'lava' failed: a Lava process raised ValueError: planted."
    )


@pytest.mark.lava
def test_a_killed_lava_process_ends_the_run(shared_memory: list[Path]) -> None:
    def kill_one(done: int) -> None:
        if done == 1:
            victims = [c for c in multiprocessing.active_children() if "System" in c.name]
            os.kill(victims[2].ident or 0, signal.SIGKILL)

    assert run_with_a_fault(shared_memory, kill_one) == (
        "backend 'lava' failed: a Lava process ended with exit code -9."
    )


@pytest.mark.lava
def test_an_interrupt_ends_the_run_and_leaves_nothing(shared_memory: list[Path]) -> None:
    def interrupt(done: int) -> None:
        if done == 1:
            os.kill(os.getpid(), signal.SIGINT)

    network = compiled(dense([[10]]))
    inputs = SpikeInput(spikes=np.ones((50, 1, 4), dtype=np.uint8))
    with pytest.raises(KeyboardInterrupt):
        open_backend("lava").run(network, inputs, RunOptions(on_progress=interrupt))
    assert multiprocessing.active_children() == []
    assert_none_is_left(shared_memory)


@pytest.mark.lava
def test_the_loihi_path_runs_on_the_simulator_with_adapters_that_pass_spikes_on() -> None:
    # No board is here. The chain for the chip, with stand-ins for the extension's adapters and
    # Lava's simulator in the chip's place, must give what the reference gives.
    repair_lava()
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava_stand_ins.pass_through import PassThrough

    adapters = types.SimpleNamespace(PyToNxAdapter=PassThrough, NxToPyAdapter=PassThrough)
    config = Loihi2SimCfg(select_tag="fixed_pt", loglevel=logging.ERROR)
    rng = np.random.default_rng(0)
    network = compiled(
        conv(even_weights(rng, 3, 2, 2, 2), (3, 3, 4)),
        dense(even_weights(rng, 5, 36), name="layer1"),
    )
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 2, 4, 5, 8, rate=0.5))
    log = run_on_chip(network, inputs, RunOptions(), adapters=adapters, run_config=config)
    expected = open_backend("reference").run(network, inputs)
    assert len(expected.spikes) > 10
    for column in ("sample", "step", "layer", "neuron", "value"):
        assert np.array_equal(getattr(log, column), getattr(expected.spikes, column)), column


@pytest.mark.loihi
def test_a_board_gives_what_the_reference_gives(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--target") != "loihi":
        pytest.skip("needs a Loihi 2 board; run with --target loihi -m loihi")
    rng = np.random.default_rng(0)
    network = compiled(dense(even_weights(rng, 8, 12)), dense(even_weights(rng, 4, 8), name="b"))
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 12, 16))
    on_board = open_backend("loihi").run(network, inputs)
    expected = open_backend("reference").run(network, inputs)
    assert np.array_equal(on_board.spikes.neuron, expected.spikes.neuron)
    assert np.array_equal(on_board.spikes.step, expected.spikes.step)


def test_delays_biases_readouts_and_states_are_refused_on_loihi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = open_backend("loihi")

    def nothing_is_missing(_backend: object) -> None:
        return None

    monkeypatch.setattr(type(backend), "unavailable", nothing_is_missing)
    inputs = SpikeInput(spikes=np.ones((1, 1, 1), dtype=np.uint8))
    delayed = compiled(dense([[10]], delay=np.array([1], dtype=np.int32)))
    with pytest.raises(UnsupportedNetworkError) as raised:
        backend.run(delayed, inputs)
    assert str(raised.value) == ("layer0: axonal delays cannot be loaded by backend 'loihi' yet.")
    biased = compiled(dense([[10]], bias=np.array([1], dtype=np.int32)))
    with pytest.raises(UnsupportedNetworkError) as raised:
        backend.run(biased, inputs)
    assert str(raised.value) == (
        "layer0: on the chip its bias would act before the sample begins; backend 'loihi' cannot "
        "hold it back yet."
    )
    readout = compiled(dense([[10]], neuron=cuba(NEVER_FIRES)))
    with pytest.raises(UnsupportedNetworkError) as raised:
        backend.run(readout, inputs)
    assert str(raised.value) == (
        "layer0: it never fires, and backend 'loihi' cannot read voltages yet; use lava."
    )
    with pytest.raises(OptionError) as refused:
        backend.run(compiled(dense([[10]])), inputs, RunOptions(record=("all",)))
    assert str(refused.value) == ("backend 'loihi' cannot record states; use lava or reference.")
