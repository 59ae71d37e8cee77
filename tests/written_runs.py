"""Runs of a small network on the reference, written portion by portion, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from builders import compiled, dense, even_weights, random_spikes

from lavadeploy.compile import CompiledNetwork
from lavadeploy.sim import (
    Destination,
    RunOptions,
    RunSummary,
    RunWriter,
    SpikeInput,
    open_backend,
)

REFERENCE = open_backend("reference")
EVERYTHING = RunOptions(record=("all",))


def network_of_three_layers() -> CompiledNetwork:
    rng = np.random.default_rng(0)
    return compiled(
        dense(even_weights(rng, 20, 12), name="a/b.c"),
        dense(even_weights(rng, 9, 20), name="layer1"),
        dense(even_weights(rng, 4, 9), name="layer2"),
    )


def labelled_samples() -> SpikeInput:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 23)
    return SpikeInput(spikes=random_spikes(rng, 23, 12, 15), labels=labels)


def written(
    network: CompiledNetwork, inputs: SpikeInput, folder: Path, ends: Sequence[int], **to: Any
) -> RunSummary:
    options: dict[str, Any] = {"checkpoint_s": 0.0, **to}
    given = Destination(folder=folder, **options)
    with RunWriter(network, inputs, "reference", EVERYTHING, given) as writer:
        start = writer.done
        for end in ends:
            writer.add(REFERENCE.run(network, inputs.part(start, end), EVERYTHING))
            start = end
        return writer.finish()
