"""Speed of the engine against peers, measured in one run (``make bench``).

* mlp: 784-128-64-10, random input of 1, 5 and 20 % activity, on one thread and on two; layers that
  fire as trained ones do (some 15 %), and the network of ``run.py``, whose neurons nearly all fire
  in every step. Beside it Lava's CPU simulator, SLAYER's forward pass and a loop in NumPy.
* start: a process that runs that network and a convolution for the first time on a machine, and the
  next one, against one that only imports what they need
* kinds: the same network of resonators and of adaptive neurons, against the reference
* mnist, pilotnet: networks trained by others, with real input, where ``../shared/data`` is here

Writes ``benchmarks/engine_results.json`` with machine, versions and commit.
"""
# lava has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import run as peers
from numpy.typing import NDArray

from lavadeploy.compile import CompiledNetwork, compile_network, synaptic_layers
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    AlifNeuron,
    DenseLayer,
    Network,
    NeuronKind,
    ResonatorNeuron,
    is_complex,
    read_netx,
)
from lavadeploy.scripts.console import print_table, say
from lavadeploy.scripts.train_mnist import read_idx
from lavadeploy.sim import RunOptions, SpikeInput, count_activity, installed_versions, open_backend

SAMPLES, STEPS, REPEATS = 10_000, 20, 5
VTH_OF_SPARSE = 8000
RESULTS = Path(__file__).parent / "engine_results.json"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
OTHER_NEURONS = {
    "resonators": ResonatorNeuron(
        kind=NeuronKind.RF,
        vth_mantissa=900,
        sin_decay=np.array(2287, dtype=np.int32),
        cos_decay=np.array(3148, dtype=np.int32),
    ),
    "adaptive": AlifNeuron(
        vth_mantissa=900,
        vth_step=7,
        current_decay=np.array(1024, dtype=np.int32),
        voltage_decay=np.array(128, dtype=np.int32),
        threshold_decay=np.array(300, dtype=np.int32),
        refractory_decay=np.array(400, dtype=np.int32),
    ),
}
IMPORTS = "import lavadeploy.sim, lavadeploy.compile, numba, numpy"
FIRST_USE = """
import numpy as np
from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import ConvLayer, CubaNeuron, DenseLayer, Network
from lavadeploy.sim import SpikeInput, open_backend
neuron = CubaNeuron(vth_mantissa=80, current_decay=np.array(9), voltage_decay=np.array(9))
rng = np.random.default_rng(0)
kernel = 2 * rng.integers(-99, 99, (8, 1, 3, 3), dtype=np.int32)
weight = 2 * rng.integers(-99, 99, (10, 288), dtype=np.int32)
conv = ConvLayer(name="a", shape=(8, 6, 6), weight=kernel, neuron=neuron, stride=(1, 1),
                 padding=(0, 0), dilation=(1, 1), groups=1)
dense = DenseLayer(name="b", shape=(10,), weight=weight, neuron=neuron)
network = compile_network(Network(layers=(conv, dense)), load_profile("loihi2"))
spikes = SpikeInput(spikes=np.ones((2, 1, 8, 8, 5), dtype=np.uint8))
open_backend("engine").run(network, spikes)
"""


def seconds(compiled: CompiledNetwork, inputs: SpikeInput, threads: int) -> float:
    """Return the median duration of a whole run: conversion, all layers, the sorted log.

    Portions are dropped, as by the command, which writes them one by one.
    """
    options, backend = RunOptions(threads=threads), open_backend("engine")
    times: list[float] = []
    for _ in range(1 + REPEATS):
        started = time.perf_counter()
        for _portion in backend.portions(compiled, inputs, options):
            del _portion
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:]))


@numba.njit
def add_again_and_again(sums: NDArray[np.int32], weights: NDArray[np.int32], times: int) -> None:
    """Add numbers that lie in the first-level cache, by the vectors that the compiler chooses."""
    for _ in range(times):
        for i in range(sums.size):
            sums[i] += weights[i]


def additions_a_second() -> float:
    """Return how many int32 additions one core makes in a second, from and to its nearest cache."""
    sums, weights, times = np.zeros(2048, np.int32), np.ones(2048, np.int32), 20_000
    add_again_and_again(sums, weights, 1)
    best = float("inf")
    for _ in range(9):
        started = time.perf_counter()
        add_again_and_again(sums, weights, times)
        best = min(best, time.perf_counter() - started)
    return sums.size * times / best


def mlp(vth: int) -> CompiledNetwork:
    """Return the network of ``run.py`` with another threshold."""
    before, peers.VTH = peers.VTH, vth
    made = peers.network()
    peers.VTH = before
    return made


def random_input(activity: float, samples: int) -> SpikeInput:
    rng = np.random.default_rng(1)
    spikes = rng.random((samples, peers.SIZES[0], STEPS), dtype=np.float32) < activity
    return SpikeInput(spikes=spikes.astype(np.uint8))


def numpy_loop(compiled: CompiledNetwork, inputs: SpikeInput) -> float:
    """Return seconds of the loop that one writes: int32 arrays, a sample and step at a time."""
    weights = [layer.weights.effective() for layer in synaptic_layers(compiled.network)]
    limits = [layer.neuron.vth_mantissa << 6 for layer in synaptic_layers(compiled.network)]
    kept = 4096 - peers.CURRENT_DECAY, 4096 - peers.VOLTAGE_DECAY
    started = time.perf_counter()
    for sample in inputs.spikes:
        current = [np.zeros(len(weight), dtype=np.int64) for weight in weights]
        voltage = [np.zeros(len(weight), dtype=np.int64) for weight in weights]
        for step in range(sample.shape[-1]):
            spikes: NDArray[Any] = np.flatnonzero(sample[:, step])
            for k, weight in enumerate(weights):
                arriving = weight[:, spikes].sum(axis=1) << 6
                current[k] = (np.sign(current[k]) * (abs(current[k]) * kept[0] >> 12)) + arriving
                voltage[k] = np.sign(voltage[k]) * (abs(voltage[k]) * kept[1] >> 12) + current[k]
                fired = voltage[k] > limits[k]
                voltage[k][fired] = 0
                spikes = np.flatnonzero(fired)
    return time.perf_counter() - started


def mlp_figures() -> dict[str, float]:
    """Return microseconds for a sample and step."""
    found: dict[str, float] = {}
    sparse, full = mlp(VTH_OF_SPARSE), mlp(peers.VTH)
    for name, compiled in (("", sparse), (", all neurons firing", full)):
        for activity in (0.01, 0.05, 0.2):
            inputs = random_input(activity, SAMPLES)
            for threads in (1, 2):
                key = f"engine, {100 * activity:.0f} % input, {threads} threads{name}"
                found[key] = 1e6 * seconds(compiled, inputs, threads) / (SAMPLES * STEPS)
    found |= operations_figures(sparse)
    few = random_input(0.05, peers.SAMPLES)
    each = 1e6 / (peers.SAMPLES * STEPS)
    found["lava bare, stepping only"] = each * peers.bare_lava(full, few, read=False)
    found["slayer forward, one batch, all threads"] = each * peers.time_of(
        peers.slayer_forward(few)
    )
    found["numpy loop"] = each * numpy_loop(sparse, few)
    return found


def operations_figures(compiled: CompiledNetwork) -> dict[str, float]:
    """Return synaptic operations a second of one thread, and what the core could add."""
    peak = additions_a_second()
    found = {"int32 additions of one core, in its first-level cache, 10^9/s": peak / 1e9}
    idle = seconds(compiled, random_input(0.0, SAMPLES), 1)
    for activity in (0.01, 0.05, 0.2):
        inputs = random_input(activity, SAMPLES)
        spikes = open_backend("engine").run(compiled, inputs).spikes
        counts = count_activity(compiled, inputs, spikes)
        operations = sum(layer.synaptic_operations for layer in counts.layers)
        took = seconds(compiled, inputs, 1)
        name = f"{100 * activity:.0f} % input, 1 thread"
        found[f"synaptic operations, {name}, 10^9/s"] = operations / took / 1e9
        found[f"the same beyond a silent run, {name}, 10^9/s"] = operations / (took - idle) / 1e9
    return found


def kinds_figures() -> dict[str, float]:
    """Return microseconds for a sample and step, on one thread and on the reference."""
    found: dict[str, float] = {}
    rng = np.random.default_rng(2)
    inputs = random_input(0.05, SAMPLES)
    few = inputs.first(64)
    for kind, neuron in OTHER_NEURONS.items():
        weights = [
            2 * rng.integers(-30, 30, (2, after, before), dtype=np.int32)
            for before, after in itertools.pairwise(peers.SIZES)
        ]
        layers = [
            DenseLayer(
                name=f"layer{index}",
                shape=(len(real),),
                weight=real,
                weight_imag=imag if is_complex(neuron) else None,
                neuron=neuron,
            )
            for index, (real, imag) in enumerate(weights)
        ]
        compiled = compile_network(Network(layers=tuple(layers)), load_profile("loihi2"))
        found[f"engine, {kind}"] = 1e6 * seconds(compiled, inputs, 1) / (SAMPLES * STEPS)
        wall_s = open_backend("reference").run(compiled, few).wall_s
        found[f"reference, {kind}"] = 1e6 * wall_s / (few.n_samples * STEPS)
    return found


def start_figures() -> dict[str, float]:
    """Return seconds that processes take."""

    def process(code: str, cache: str) -> float:
        started = time.perf_counter()
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as cache:
        process(IMPORTS, cache)  # fills the file system's cache
        imports = process(IMPORTS, cache)
        return {
            "first run, beyond imports": process(FIRST_USE, cache) - imports,
            "second run, beyond imports": process(FIRST_USE, cache) - imports,
        }


def mnist_figures() -> dict[str, float]:
    """Return seconds for all test images, accuracy, and how many of 200 are as the reference."""
    network = read_netx(DATA / "netx" / "mnist" / "network.net")
    compiled = compile_network(network, load_profile("loihi2"))
    images = read_idx(DATA / "mnist" / "t10k-images-idx3-ubyte.gz").reshape(-1, 784)
    labels = read_idx(DATA / "mnist" / "t10k-labels-idx1-ubyte.gz").astype(np.int64)
    spikes = np.zeros((len(images), 784, STEPS), dtype=np.uint8)
    for first in range(0, len(images), 500):  # evenly spaced spikes, as many as the pixel is bright
        risen = np.floor(images[first : first + 500, :, np.newaxis] / 255 * np.arange(STEPS + 1))
        spikes[first : first + 500] = np.diff(risen, axis=-1)
    inputs = SpikeInput(spikes=spikes, labels=labels)
    result = open_backend("engine").run(compiled, inputs, RunOptions(threads=2))
    chosen = np.random.default_rng(0).choice(len(images), 200, replace=False)
    some = SpikeInput(spikes=spikes[chosen])
    expected = open_backend("reference").run(compiled, some).predictions()
    return {
        "all 10 000 images of 20 steps, 2 threads, s": seconds(compiled, inputs, 2),
        "us a sample-step, 1 thread": 1e6 * seconds(compiled, inputs, 1) / (len(images) * STEPS),
        "spikes a sample-step": len(result.spikes) / (len(images) * STEPS),
        "accuracy": float(np.mean(result.predictions() == labels)),
        "of 200 predictions as the reference": int(
            np.count_nonzero(result.predictions()[chosen] == expected)
        ),
    }


def sigma_delta_figures() -> dict[str, float]:
    """Return milliseconds for a sample and step of PilotNet's sigma-delta form; input changes."""
    folder = DATA / "netx" / "pilotnet_sdnn"
    compiled = compile_network(read_netx(folder / "network.net"), load_profile("loihi2"))
    rng, samples = np.random.default_rng(3), 8
    shape = (samples, *compiled.network.input_shape, STEPS)
    changes = rng.integers(-20, 21, shape) * (rng.random(shape) < 0.05)
    changes[..., 0] = rng.integers(-60, 60, shape[:-1])
    inputs = SpikeInput(spikes=np.cumsum(changes, axis=-1))
    result = open_backend("engine").run(compiled, inputs)
    wall_s = open_backend("reference").run(compiled, inputs.first(1)).wall_s
    return {
        "ms a sample-step, 1 thread": 1e3 * seconds(compiled, inputs, 1) / (samples * STEPS),
        "ms a sample-step, reference": 1e3 * wall_s / STEPS,
        "messages a sample-step": len(result.spikes) / (samples * STEPS),
    }


def pilotnet_figures() -> dict[str, float]:
    """Return milliseconds for a sample and step of PilotNet, on the picture of lava-dl's test."""
    folder = DATA / "netx" / "pilotnet_lif"
    compiled = compile_network(read_netx(folder / "network.net"), load_profile("loihi2"))
    # the picture's brightness is the current; the input layer scales by 40/64 and adds 36/64
    picture = np.round((64 * np.load(folder / "image.npy").T - 2304) / 40).astype(np.int32)
    samples, steps = 32, 25
    shape = (samples, *picture.shape, steps)
    same = np.broadcast_to(picture[np.newaxis, ..., np.newaxis], shape)
    inputs = SpikeInput(spikes=np.ascontiguousarray(same))
    spikes = len(open_backend("engine").run(compiled, inputs).spikes)
    few = inputs.first(1)
    started = time.perf_counter()
    open_backend("reference").run(compiled, few)
    reference = time.perf_counter() - started
    each = 1e3 / (samples * steps)
    return {
        "ms a sample-step, 1 thread": each * seconds(compiled, inputs, 1),
        "ms a sample-step, 2 threads": each * seconds(compiled, inputs, 2),
        "ms a sample-step, reference": 1e3 * reference / steps,
        "spikes a sample-step, those of the input layer too": spikes / (samples * steps),
    }


def main() -> None:
    """Measure, print and write."""
    figures = {
        "mlp, us a sample-step": mlp_figures(),
        "kinds, us a sample-step": kinds_figures(),
        "start, s": start_figures(),
    }
    if DATA.is_dir():
        figures |= {
            "mnist": mnist_figures(),
            "pilotnet": pilotnet_figures(),
            "pilotnet, sigma-delta": sigma_delta_figures(),
        }
    else:
        say("../shared/data is not here: no MNIST and no PilotNet.")
    for name, found in figures.items():
        print_table((name, "figure"), [(key, f"{value:.3f}") for key, value in found.items()])
    record = {
        "figures": {
            name: {key: round(value, 4) for key, value in found.items()}
            for name, found in figures.items()
        },
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cores": os.cpu_count(),
        "commit": peers.commit(),
        "versions": installed_versions(),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    say(f"Written: {RESULTS.name}")


if __name__ == "__main__":
    main()
