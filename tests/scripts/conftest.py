"""The command line, in this process and through its real entry point, on a network of a few words.

The network relays: inputs 0, 1 and 2 each make one neuron of layer0 fire in the same step; neurons
0 and 1 of layer0 vote for class 0, neuron 2 for class 1. Nothing is kept from step to step, so
every spike and count can be told by hand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from every_kind import network_of_every_kind

from lavadeploy.netx import FlattenLayer, InputLayer, Network, write_netx
from lavadeploy.scripts import cli as command_line

ENTRY_POINT = Path(sys.executable).with_name("lavadeploy")
# What decides how rich and click write: without them a test says the same in every terminal.
TERMINAL_VARIABLES = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
PATIENCE_S = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that sentences name short paths."""
    monkeypatch.chdir(tmp_path)
    for name in TERMINAL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def cli(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``lavadeploy`` in this process; what its children print is captured too."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = ["lavadeploy", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        capfd.readouterr()
        handler = signal.getsignal(signal.SIGTERM)  # which a program sets for itself
        try:
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        finally:
            signal.signal(signal.SIGTERM, handler)
        code = ended.value.code
        assert isinstance(code, int)
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


@pytest.fixture
def spawn(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a session of its own; kill all of it when it does not end."""

    def run(*words: str | Path, **popen: Any) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            [str(word) for word in words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **popen,
        )
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            pytest.fail(f"{words} did not end in {PATIENCE_S} s:\n{out}\n{err}")
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    return run


@pytest.fixture
def entry_point(
    spawn: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed command ``lavadeploy``, as users do."""
    return lambda *words, **popen: spawn(ENTRY_POINT, *words, **popen)


@pytest.fixture
def net(folder: Path) -> Path:
    """``net.net``: the relaying network, 4 inputs, 3 and 2 neurons."""
    forgetful = cuba(vth=10, du=4096, dv=4096)
    first = [[20, 0, 0, -2], [0, 20, 0, -2], [0, 0, 20, -2]]
    second = [[20, 20, -4], [-4, -4, 20]]
    layers = (
        dense(first, name="layer0", neuron=forgetful),
        dense(second, name="layer1", neuron=forgetful),
    )
    write_netx(Network(layers=layers), folder / "net.net")
    return Path("net.net")


@pytest.fixture
def conv_net(folder: Path) -> Path:
    """``conv.net``: input, convolution with bias and delays, flatten, dense; 2×34×34 to 10."""
    kernel = np.arange(8 * 2 * 3 * 3).reshape(8, 2, 3, 3) % 40 - 20
    layers = (
        InputLayer(name="layer0", shape=(2, 34, 34)),
        conv(
            2 * kernel,
            (8, 32, 32),
            name="layer1",
            neuron=cuba(vth=80, du=np.arange(1000, 1008), dv=128),
            bias=np.arange(8, dtype=np.int32),
            delay=np.arange(8, dtype=np.int32),
        ),
        FlattenLayer(name="layer2", shape=(8 * 32 * 32,)),
        dense(np.full((10, 8 * 32 * 32), 2), name="layer3"),
    )
    write_netx(Network(layers=layers), folder / "conv.net")
    return Path("conv.net")


@pytest.fixture
def every_net(folder: Path) -> Path:
    """``every.net``: every kind of layer and of neuron."""
    write_netx(network_of_every_kind(), folder / "every.net")
    return Path("every.net")


@pytest.fixture
def artifact(net: Path, cli: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """``net.ldc``: the network compiled for loihi2."""
    assert cli("compile", net, "-o", "net.ldc").returncode == 0
    return Path("net.ldc")


@pytest.fixture
def spikes(folder: Path) -> Path:
    """``test.npz``: four samples of six steps; a network that works is right on three of them."""
    values = np.zeros((4, 4, 6), dtype=np.uint8)
    values[0, 0, [0, 2, 4]] = 1
    values[1, 1, 1] = 1
    values[2, 2, [3, 5]] = 1
    np.savez(folder / "test.npz", spikes=values, labels=np.array([0, 0, 1, 1]))
    return Path("test.npz")
