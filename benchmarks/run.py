"""Speed against peers, measured in one run (``make bench``).

The work: a 784-128-64-10 CUBA network with random weights, 5 % input activity, samples of 20 steps.

* lava bare: Lava's own source, Dense and LIF processes, stepped and never read
* lava backend: what users run; resets, samples streamed in, spikes of every layer streamed out;
  once its stepping alone, once with start-up and reading the log
* lava sink: the same network read the usual way, a sink for the last layer and `Var.get`
* slayer: SLAYER's forward pass of a network of that size, torch on all threads, in one batch
* reference: the interpreter that defines a run

Writes ``benchmarks/results.json`` with machine, versions and commit.
"""
# lava has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lavadeploy.compile import CompiledNetwork, compile_network, synaptic_layers
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import CubaNeuron, DenseLayer, Network, NeuronKind, repair_lava
from lavadeploy.scripts.console import print_table, say
from lavadeploy.sim import RunOptions, SpikeInput, installed_versions, open_backend

repair_lava()
from lava.magma.core.run_conditions import RunSteps  # noqa: E402 - after the repairs
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402 - after the repairs
from lava.proc.dense.process import Dense  # noqa: E402 - after the repairs
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402 - after the repairs
from lava.proc.io.source import RingBuffer as Source  # noqa: E402 - after the repairs
from lava.proc.lif.process import LIF  # noqa: E402 - after the repairs

from lavadeploy.sim.cuba_layers import cuba_neuron  # noqa: E402 - after the repairs
from lavadeploy.sim.lava_network import simulated_chain  # noqa: E402 - after the repairs
from lavadeploy.sim.lava_timing import lava_timing  # noqa: E402 - after the repairs

SIZES = (784, 128, 64, 10)
SAMPLES, STEPS = 100, 20
ACTIVITY = 0.05
REPEATS = 5
VTH, CURRENT_DECAY, VOLTAGE_DECAY = 640, 410, 410
RESULTS = Path(__file__).parent / "results.json"


def cuba() -> CubaNeuron:
    return CubaNeuron(
        kind=NeuronKind.CUBA,
        vth_mantissa=VTH,
        current_decay=np.array(CURRENT_DECAY),
        voltage_decay=np.array(VOLTAGE_DECAY),
    )


def network() -> CompiledNetwork:
    rng = np.random.default_rng(0)
    layers = tuple(
        DenseLayer(
            name=f"layer{k}",
            shape=(n_out,),
            weight=2 * rng.integers(-40, 50, (n_out, n_in), dtype=np.int32),
            neuron=cuba(),
        )
        for k, (n_in, n_out) in enumerate(pairwise(SIZES))
    )
    return compile_network(Network(layers=layers), load_profile("loihi2"))


def time_of(work: Callable[[], None]) -> float:
    """Return the median duration of some repeats, in seconds."""
    durations: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return float(np.median(durations))


def bare_lava(compiled: CompiledNetwork, inputs: SpikeInput, *, read: bool) -> float:
    """Return seconds for stepping Lava's own processes, without start-up; with `read`, read too."""
    steps = inputs.n_samples * inputs.n_steps
    data = inputs.spikes.transpose(1, 0, 2).reshape(SIZES[0], steps)
    source = Source(data=data.astype(np.int32))
    port: Any = source.s_out
    for layer in synaptic_layers(compiled.network):
        weights = layer.weights.mantissa.astype(np.int32)
        dense = Dense(weights=weights, num_weight_bits=8, weight_exp=layer.weights.exponent)
        neuron = cuba_neuron(layer)
        lif = LIF(
            shape=layer.shape_out,
            du=int(neuron.current_decay) - 1,
            dv=int(neuron.voltage_decay),
            vth=neuron.vth_mantissa,
            bias_exp=6,
        )
        port.connect(dense.s_in)
        dense.a_out.connect(lif.a_in)
        port = lif.s_out
    sink = Sink(shape=(SIZES[-1],), buffer=steps)
    last: Any = lif  # pyright: ignore[reportPossiblyUnboundVariable] - there are layers
    if read:
        port.connect(sink.a_in)
        last = sink
    config = Loihi2SimCfg(select_tag="fixed_pt", loglevel=logging.ERROR)
    last.run(condition=RunSteps(num_steps=1), run_cfg=config)
    started = time.perf_counter()
    last.run(condition=RunSteps(num_steps=steps - 1), run_cfg=config)
    if read:
        sink.data.get()
    duration = time.perf_counter() - started
    last.stop()
    return duration


def streaming_lava(compiled: CompiledNetwork, inputs: SpikeInput) -> float:
    """Return seconds for stepping the backend's chain, samples in and all spikes out."""
    with tempfile.TemporaryDirectory() as folder:
        timing = lava_timing(
            compiled.network, inputs.n_steps, inputs.n_samples, RunOptions().timeline
        )
        chain = simulated_chain(compiled.network, inputs, timing, Path(folder), {})
        chain.start()
        started = time.perf_counter()
        chain.run(timing.steps_until(inputs.n_samples))
        duration = time.perf_counter() - started
        chain.stop()
    return duration


def slayer_forward(inputs: SpikeInput) -> Callable[[], None]:
    # only here: with torch in memory Lava's processes take longer to start
    import torch
    from lava.lib.dl import slayer

    neuron = {
        "threshold": VTH / 64,
        "current_decay": CURRENT_DECAY / 4096,
        "voltage_decay": VOLTAGE_DECAY / 4096,
    }
    model = torch.nn.Sequential(
        *(slayer.block.cuba.Dense(neuron, n_in, n_out) for n_in, n_out in pairwise(SIZES))
    )
    spikes = torch.from_numpy(inputs.spikes.astype(np.float32))

    def forward() -> None:
        with torch.no_grad():
            model(spikes)

    forward()  # shapes are drawn in the first pass
    return forward


def commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Measure, print and write."""
    compiled = network()
    rng = np.random.default_rng(1)
    spikes = (rng.random((SAMPLES, SIZES[0], STEPS)) < ACTIVITY).astype(np.uint8)
    inputs = SpikeInput(spikes=spikes)
    # in turn, so that a drift of the machine's speed meets all three
    turns = [
        (
            bare_lava(compiled, inputs, read=False),
            streaming_lava(compiled, inputs),
            bare_lava(compiled, inputs, read=True),
        )
        for _ in range(REPEATS)
    ]
    bare, streaming, sink = (float(np.median(column)) for column in zip(*turns, strict=True))
    seconds = {
        "lava bare, stepping only": bare,
        "lava backend, stepping, spikes streamed out": streaming,
        "lava backend, all of it": time_of(lambda: _run("lava", compiled, inputs)),
        "lava sink of the last layer, Var.get": sink,
        "slayer forward, one batch": time_of(slayer_forward(inputs)),
        "reference": time_of(lambda: _run("reference", compiled, inputs)),
    }
    per_step = {name: 1e6 * s / (SAMPLES * STEPS) for name, s in seconds.items()}
    rows = [
        (name, f"{us:.1f}", f"{us / per_step['lava bare, stepping only']:.3f}")
        for name, us in per_step.items()
    ]
    print_table(("what", "µs a sample-step", "of lava bare"), rows)
    record = {
        "work": f"{'-'.join(map(str, SIZES))}, {SAMPLES} samples of {STEPS} steps, 5 % activity",
        "us_per_sample_step": {name: round(us, 2) for name, us in per_step.items()},
        "cores": os.cpu_count(),
        "commit": commit(),
        "versions": installed_versions(),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    say(f"Written: {RESULTS.name}")


def _run(backend: str, compiled: CompiledNetwork, inputs: SpikeInput) -> None:
    open_backend(backend).run(compiled, inputs)


if __name__ == "__main__":
    main()
