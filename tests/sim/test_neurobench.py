"""NeuroBench's metrics: against its definitions, and against what its package said once."""

# torch's type information is partial.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import numpy as np
import pytest
import torch
from builders import compiled, conv, dense, even_weights, random_spikes

from lavadeploy.compile import ChipConv, ChipInput, ChipLayer, CompiledNetwork
from lavadeploy.sim import (
    SpikeInput,
    count_activity,
    neurobench_metrics,
    open_backend,
    summarize_run,
)


def network_and_input(payload: int) -> tuple[CompiledNetwork, SpikeInput]:
    rng = np.random.default_rng(0)
    network = compiled(
        conv(even_weights(rng, 6, 2, 3, 3), (6, 5, 6), padding=(1, 2), stride=(2, 2)),
        conv(
            even_weights(rng, 4, 3, 2, 3) * (rng.random((4, 3, 2, 3)) < 0.6),
            (4, 3, 4),
            name="layer1",
            groups=2,
            dilation=(2, 1),
        ),
        dense(even_weights(rng, 5, 48) * (rng.random((5, 48)) < 0.5), name="layer2"),
        input_shape=(2, 10, 9),
    )
    return network, SpikeInput(spikes=payload * random_spikes(rng, 5, 2, 10, 9, 7))


def masked(layer: ChipLayer, inputs: torch.Tensor, weights: torch.Tensor) -> float:
    """The sum of a layer's outputs, (samples and steps, ...) by weights of 0 and 1, no bias."""
    assert not isinstance(layer, ChipInput)
    if isinstance(layer, ChipConv):
        image = inputs.reshape(-1, *layer.shape_in)
        out = torch.nn.functional.conv2d(
            image, weights, None, layer.stride, layer.padding, layer.dilation, layer.groups
        )
    else:
        out = torch.nn.functional.linear(inputs.reshape(len(inputs), -1), weights)
    return float(out.double().sum())


@pytest.mark.parametrize("payload", [1, 3])
def test_operations_are_those_of_masks_of_0_and_1(payload: int) -> None:
    network, inputs = network_and_input(payload)
    run = open_backend("reference").run(network, inputs)
    metrics = neurobench_metrics(network, count_activity(network, inputs, run.spikes))
    flat = inputs.spikes.reshape(5, -1, 7)
    sent = [flat, *(run.spikes.dense(index) for index in range(2))]
    found = {"Effective_ACs": 0.0, "Effective_MACs": 0.0, "Dense": 0.0}
    for layer, values in zip(network.network.layers, sent, strict=True):
        assert not isinstance(layer, ChipInput)
        events = torch.from_numpy((values != 0).astype(np.float32)).permute(0, 2, 1)
        events = events.reshape(35, -1)
        weights = torch.from_numpy((layer.weights.mantissa != 0).astype(np.float32))
        kind = "Effective_ACs" if np.isin(values, (-1, 0, 1)).all() else "Effective_MACs"
        found[kind] += masked(layer, events, weights)
        found["Dense"] += masked(layer, torch.ones_like(events), torch.ones_like(weights))
    assert metrics["SynapticOperations"] == {name: n / 5 for name, n in found.items()}


@pytest.mark.parametrize(
    ("payload", "macs", "acs", "activation_sparsity"),
    [(1, 0.0, 6608.4, 0.5980380134886573), (3, 4923.0, 1793.6, 0.5692213366033109)],
)
def test_metrics_are_those_of_the_package(
    payload: int, macs: float, acs: float, activation_sparsity: float
) -> None:
    """Said by neurobench 2.3.0 (torch 2.13) of this network as Conv2d, Conv2d and Linear modules.

    Between them stood a module that replays the run's spikes. The package is no requirement of the
    tests: it asks for torchaudio, tonic and snnTorch.
    """
    network, inputs = network_and_input(payload)
    run = open_backend("reference").run(network, inputs)
    metrics = neurobench_metrics(network, count_activity(network, inputs, run.spikes))
    assert metrics == {
        "Footprint": 420.0,  # 420 weights of 8 bits
        "ParameterCount": 420,
        "ConnectionSparsity": 0.4024,
        "ActivationSparsity": activation_sparsity,
        "SynapticOperations": {"Effective_MACs": macs, "Effective_ACs": acs, "Dense": 24192.0},
    }


def test_footprint_is_in_the_bits_that_are_stored() -> None:
    network = compiled(
        dense(
            np.array([[2, 4, 6], [6, 4, 2]]) * 32,  # two bits
            bias=np.array([1, 2], dtype=np.int32),
            delay=np.array([0, 5], dtype=np.int32),
        )
    )
    inputs = SpikeInput(spikes=np.ones((2, 3, 4), dtype=np.uint8), labels=np.array([0, 1]))
    summary = summarize_run(network, inputs, open_backend("reference").run(network, inputs))
    (layer,) = network.network.layers
    assert not isinstance(layer, ChipInput)
    bits = layer.weights.bits
    assert bits < 8
    # loihi2: bias mantissas of 13 bits with sign; delays up to 5 take 3
    assert summary.neurobench["Footprint"] == (6 * bits + 2 * 13 + 2 * 3) / 8
    assert summary.neurobench["ParameterCount"] == 10
    assert summary.neurobench["ClassificationAccuracy"] == summary.accuracy
