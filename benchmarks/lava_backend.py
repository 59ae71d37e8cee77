"""What a run on the Lava backend costs beyond stepping Lava, in one run (``make bench``).

* bare: Lava's own source, Dense and LIF processes stepped and never read, start-up excluded
* backend: `LavaBackend.run`, all of it: building, starting, stepping, reading, stopping
* parts: where that time goes
* tiny: a network of one neuron, one sample of four steps
* first: the same in a new process, beyond what importing lavadeploy takes

For the network of ``run.py`` (784-128-64-10, 5 % activity) and, where ``../shared/data`` is here,
lava-dl's MNIST network on test images; 100 samples of 20 steps. Writes
``benchmarks/lava_backend_results.json`` with machine, versions and commit.
"""
# lava has no type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import run as peers

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import read_netx
from lavadeploy.scripts.console import print_table, say
from lavadeploy.sim import SpikeInput, installed_versions, open_backend
from lavadeploy.sim.lava_chain import LavaChain

SAMPLES, STEPS, REPEATS = 100, 20, 7
RESULTS = Path(__file__).parent / "lava_backend_results.json"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
IMPORTS = """
import numpy as np
from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import CubaNeuron, DenseLayer, Network
from lavadeploy.sim import SpikeInput, open_backend
neuron = CubaNeuron(vth_mantissa=80, current_decay=np.array(9), voltage_decay=np.array(9))
layer = DenseLayer(name="a", shape=(1,), weight=np.array([[10]]), neuron=neuron)
network = compile_network(Network(layers=(layer,)), load_profile("loihi2"))
"""
FIRST_RUN = """
open_backend("lava").run(network, SpikeInput(spikes=np.ones((1, 1, 4), dtype=np.uint8)))
"""


def random_work() -> tuple[CompiledNetwork, SpikeInput]:
    rng = np.random.default_rng(1)
    spikes = rng.random((SAMPLES, peers.SIZES[0], STEPS)) < peers.ACTIVITY
    return peers.network(), SpikeInput(spikes=spikes.astype(np.uint8))


def mnist_work() -> tuple[CompiledNetwork, SpikeInput]:
    network = read_netx(DATA / "netx" / "mnist" / "network.net")
    with gzip.open(DATA / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        content = file.read(16 + SAMPLES * 784)  # 16 bytes say how many and how large
    images = np.frombuffer(content[16:], dtype=np.uint8).reshape(SAMPLES, 784)
    # evenly spaced spikes, as many as the pixel is bright
    risen = np.floor(images[:, :, np.newaxis] / 255 * np.arange(STEPS + 1))
    inputs = SpikeInput(spikes=np.diff(risen, axis=-1).astype(np.uint8))
    return compile_network(network, load_profile("loihi2")), inputs


def seconds_of(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def parts_of(work: Callable[[], Any]) -> dict[str, float]:
    """Return seconds of the parts of a run: starting, stepping, ending, and the rest."""
    parts: dict[str, float] = {"start": 0.0, "run": 0.0, "abort": 0.0}
    own = {name: getattr(LavaChain, name) for name in ("start", "run", "abort")}

    def timed(name: str) -> Callable[..., None]:
        def method(chain: LavaChain, *steps: int) -> None:
            parts[name] += seconds_of(lambda: own[name](chain, *steps))

        return method

    for name in own:
        setattr(LavaChain, name, timed(name))
    try:
        whole = seconds_of(work)
    finally:
        for name, method in own.items():
            setattr(LavaChain, name, method)
    return parts | {"build and read": whole - sum(parts.values())}


def work_figures(compiled: CompiledNetwork, inputs: SpikeInput) -> dict[str, float]:
    """Return seconds, and the ratio of the whole run to bare stepping."""
    backend = open_backend("lava")

    def run() -> None:
        backend.run(compiled, inputs)

    run()
    # in turn, so that a drift of the machine's speed meets both
    turns = [
        (peers.bare_lava(compiled, inputs, read=False), seconds_of(run)) for _ in range(REPEATS)
    ]
    bare, whole = (float(np.median(column)) for column in zip(*turns, strict=True))
    found = {
        "bare stepping, s": bare,
        "backend, all of it, s": whole,
        "all of it / bare stepping": float(np.median([b / a for a, b in turns])),
    }
    parts = [parts_of(run) for _ in range(REPEATS)]
    for name in parts[0]:
        found[f"of it {name}, s"] = float(np.median([each[name] for each in parts]))
    return found


def start_figures() -> dict[str, float]:
    """Return milliseconds of a tiny run, in this process and in a new one."""
    compiled = peers.compile_network(
        peers.Network(
            layers=(
                peers.DenseLayer(
                    name="a", shape=(1,), weight=np.array([[10]]), neuron=peers.cuba()
                ),
            )
        ),
        load_profile("loihi2"),
    )
    inputs = SpikeInput(spikes=np.ones((1, 1, 4), dtype=np.uint8))
    backend = open_backend("lava")
    warm = [seconds_of(lambda: backend.run(compiled, inputs)) for _ in range(3 * REPEATS)]

    def process(code: str) -> float:
        return seconds_of(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    process(IMPORTS + FIRST_RUN)
    first = [process(IMPORTS + FIRST_RUN) - process(IMPORTS) for _ in range(REPEATS)]
    return {
        "tiny network, ms": 1e3 * float(np.median(warm)),
        "the first in a process, with Lava's imports, ms": 1e3 * float(np.median(first)),
    }


def main() -> None:
    """Measure, print and write."""
    figures = {"784-128-64-10": work_figures(*random_work()), "start": start_figures()}
    if DATA.is_dir():
        figures["mnist"] = work_figures(*mnist_work())
    else:
        say("../shared/data is not here: no MNIST.")
    for name, found in figures.items():
        print_table((name, "figure"), [(key, f"{value:.3f}") for key, value in found.items()])
    record = {
        "work": f"{SAMPLES} samples of {STEPS} steps",
        "figures": {
            name: {key: round(value, 4) for key, value in found.items()}
            for name, found in figures.items()
        },
        "cores": os.cpu_count(),
        "commit": peers.commit(),
        "versions": installed_versions(),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    say(f"Written: {RESULTS.name}")


if __name__ == "__main__":
    main()
