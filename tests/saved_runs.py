"""Run folders of small networks, for tests of what reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from builders import compiled, cuba, dense, even_weights, random_spikes

from lavadeploy.compile import CompiledNetwork
from lavadeploy.sim import (
    Destination,
    RunOptions,
    RunSummary,
    RunWriter,
    SpikeInput,
    open_backend,
    run_into,
)

SAMPLES, STEPS, INPUTS, HIDDEN, CLASSES = 12, 10, 6, 40, 4


def classifier(profile: str = "loihi2", name: str = "hidden") -> CompiledNetwork:
    rng = np.random.default_rng(7)
    return compiled(
        dense(even_weights(rng, HIDDEN, INPUTS), name=name, neuron=cuba(vth=60)),
        dense(even_weights(rng, CLASSES, HIDDEN), name="classes", neuron=cuba(vth=200)),
        profile=profile,
    )


def labelled_input(samples: int = SAMPLES, *, with_labels: bool = True) -> SpikeInput:
    rng = np.random.default_rng(8)
    spikes = random_spikes(rng, samples, INPUTS, STEPS)
    labels = rng.integers(0, CLASSES, samples) if with_labels else None
    return SpikeInput(spikes=spikes, labels=labels)


def save_small_run(
    folder: Path,
    network: CompiledNetwork | None = None,
    inputs: SpikeInput | None = None,
    log: str = "all",
) -> RunSummary:
    """Run on the reference and write the folder."""
    network, inputs = network or classifier(), inputs or labelled_input()
    backend, options = open_backend("reference"), RunOptions()
    to = Destination(folder=folder, log=log)
    with RunWriter(network, inputs, backend.name, options, to) as writer:
        run_into(backend, network, inputs, options, writer)
        return writer.finish({"input": "x.npz", "seed": 3})
