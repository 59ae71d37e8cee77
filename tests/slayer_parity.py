"""Comparing the reference with SLAYER's own forward pass, for tests."""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    Network,
    SynapticLayer,
    export_slayer,
    is_readout,
    read_netx,
)
from lavadeploy.sim import LayerRun, run_network
from lavadeploy.sim.slayer_run import slayer_outputs


def quantized(analog: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return input of neurons in units of 1/64, as SLAYER's ``quantize_8bit`` rounds it."""
    return np.clip(2 * np.round(analog * 32), -256, 254).astype(np.int64)


def output_of(run: LayerRun, layer: Any) -> NDArray[np.float64]:
    if isinstance(layer, SynapticLayer) and is_readout(layer.neuron):
        return run.states["voltage"].astype(np.float64) / 4096
    return run.output.astype(np.float64) * float(run.unit)


def assert_reference_equals_slayer(
    model: Any,
    inputs: NDArray[np.float32],
    folder: Path,
    input_shape: tuple[int, ...] | None = None,
) -> Network:
    export_slayer(model, folder / "model.net", input_shape)
    network = read_netx(folder / "model.net")
    trained = slayer_outputs(model, inputs)
    first = network.layers[0]
    analog = isinstance(first, InputLayer) and first.neuron is not None
    runs = run_network(network, quantized(inputs) if analog else inputs.astype(np.int64))
    # the layer that says the image's size, and flatten layers before a Dense over images, are ours
    blocks = [
        (run, layer)
        for run, layer in zip(runs, network.layers, strict=True)
        if not isinstance(layer, FlattenLayer)
        and not (isinstance(layer, InputLayer) and layer.neuron is None)
    ]
    ours = [
        out for out, part in zip(trained, model, strict=True) if type(part).__name__ != "Flatten"
    ]
    assert len(ours) == len(blocks)
    assert all(run.overflows == 0 for run in runs)
    for (run, layer), expected in zip(blocks, ours, strict=True):
        found = output_of(run, layer)
        assert np.array_equal(found, expected), (
            f"{layer.name}: {np.count_nonzero(found != expected)} of {found.size} differ"
        )
    assert np.count_nonzero(ours[-1]) > 10, "a silent network proves nothing"
    return network
