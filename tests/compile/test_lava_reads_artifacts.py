"""lava-dl's own loader builds the network that we compiled, weight for weight."""
# lava has no type information.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights
from lava_blocks import check_lif, conv_weights, dense_weights, load_with_lava

from lavadeploy.compile import ChipConv, CompiledNetwork, save_artifact, synaptic_layers

pytestmark = pytest.mark.lava


def lavas(compiled_network: CompiledNetwork, path: Path) -> Any:
    save_artifact(compiled_network, path)
    return load_with_lava(path)


def test_a_dense_network_is_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bias = np.array([2, -4, 6, 8], dtype=np.int32)
    ours = compiled(
        dense(even_weights(rng, 5, 7), neuron=cuba(90, np.arange(5) * 1024, 5)),
        dense(even_weights(rng, 4, 5, most=30), name="layer1", bias=bias),
        dense(np.abs(even_weights(rng, 2, 4)).clip(0, 254), name="layer2"),
    )
    theirs = lavas(ours, tmp_path / "a.ldc")
    assert len(theirs.layers) == 3
    for block, layer in zip(theirs.layers, synaptic_layers(ours.network), strict=True):
        assert block.block == "Dense"
        assert block.shape == layer.shape_out
        assert np.array_equal(dense_weights(block.synapse), layer.weights.effective())
        assert np.array_equal(block.synapse.weights.init, layer.weights.mantissa)
        mantissa = layer.bias
        check_lif(block.neuron, layer.neuron, 0 if mantissa is None else mantissa)
    assert theirs.inp.shape == (7,)
    assert theirs.out.shape == (2,)


def test_delays_are_loaded(tmp_path: Path) -> None:
    delay = np.array([0, 62, 5], dtype=np.int32)
    ours = compiled(dense(np.full((3, 2), 4), delay=delay))
    block = lavas(ours, tmp_path / "a.ldc").layers[0]
    assert np.array_equal(block.synapse.delays.init, np.repeat(delay[:, None], 2, axis=1))
    assert np.array_equal(dense_weights(block.synapse), np.full((3, 2), 4))


def test_a_convolution_before_a_dense_layer_is_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bias = np.array([2, -4, 6, 8], dtype=np.int32)
    geometry: dict[str, Any] = {
        "stride": (1, 2),
        "padding": (2, 1),
        "dilation": (2, 1),
        "groups": 2,
    }
    image = conv(
        even_weights(rng, 4, 1, 2, 3),
        (4, 8, 3),
        neuron=cuba(du=np.arange(4)),
        bias=bias,
        **geometry,
    )
    ours = compiled(image, dense(even_weights(rng, 5, 96), name="layer1"), input_shape=(2, 6, 6))
    theirs = lavas(ours, tmp_path / "a.ldc")
    assert [block.block for block in theirs.layers] == ["Conv", "Dense"]
    first, second = theirs.layers
    layer = synaptic_layers(ours.network)[0]
    assert isinstance(layer, ChipConv)
    assert theirs.inp.shape == (6, 6, 2)  # (W, H, C)
    assert first.shape == (3, 8, 4)
    assert np.array_equal(conv_weights(first.synapse), layer.weights.effective())
    for name, pair in geometry.items():
        found = getattr(first.synapse, name).init
        assert np.array_equal(found, pair[::-1] if isinstance(pair, tuple) else pair), name
    check_lif(first.neuron, layer.neuron, np.broadcast_to(bias, (3, 8, 4)))
    assert np.array_equal(
        dense_weights(second.synapse), synaptic_layers(ours.network)[1].weights.effective()
    )
