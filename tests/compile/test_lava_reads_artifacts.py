"""lava-dl's own loader builds the network that we compiled, weight for weight."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights
from numpy.typing import NDArray

from lavadeploy.compile import ChipConv, CompiledNetwork, save_artifact
from lavadeploy.netx import repair_lava

pytestmark = pytest.mark.lava

repair_lava()
netx = importlib.import_module("lava.lib.dl.netx")


def lavas(compiled_network: CompiledNetwork, path: Path) -> Any:
    save_artifact(compiled_network, path)
    network = netx.hdf5.Network(net_config=str(path))
    network.net_config.f.close()  # lava-dl leaves it open
    return network


def dense_weights(block: Any) -> NDArray[Any]:
    """Return stored mantissas, shifted by the exponent that lava-dl gave them."""
    mantissa = np.asarray(block.synapse.weights.init)
    exponent = int(block.synapse.proc_params["weight_exp"])
    return mantissa << exponent if exponent >= 0 else mantissa >> -exponent


def conv_weights(block: Any) -> NDArray[Any]:
    """Return torch's order of lava's (C_out, W, H, C_in), flipped in both image axes."""
    return np.asarray(block.synapse.weight.init).transpose(0, 3, 2, 1)[:, :, ::-1, ::-1]


def check_neurons(block: Any, neuron: Any, bias: Any = 0) -> None:
    assert int(block.neuron.vth.init) == neuron.vth_mantissa
    assert np.array_equal(block.neuron.du.init, neuron.current_decay - 1)
    assert np.array_equal(block.neuron.dv.init, neuron.voltage_decay)
    assert np.array_equal(block.neuron.bias_mant.init, bias)
    assert int(block.neuron.bias_exp.init) == 6


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
    for block, layer in zip(theirs.layers, ours.network.layers, strict=True):
        assert block.block == "Dense"
        assert block.shape == layer.shape_out
        assert np.array_equal(dense_weights(block), layer.weights.effective())
        assert np.array_equal(block.synapse.weights.init, layer.weights.mantissa)
        mantissa = layer.neuron.bias_mantissa
        check_neurons(block, layer.neuron, 0 if mantissa is None else mantissa)
    assert theirs.inp.shape == (7,)
    assert theirs.out.shape == (2,)


def test_delays_are_loaded(tmp_path: Path) -> None:
    delay = np.array([0, 62, 5], dtype=np.int32)
    ours = compiled(dense(np.full((3, 2), 4), delay=delay))
    block = lavas(ours, tmp_path / "a.ldc").layers[0]
    assert np.array_equal(block.synapse.delays.init, np.repeat(delay[:, None], 2, axis=1))
    assert np.array_equal(dense_weights(block), np.full((3, 2), 4))


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
    layer = ours.network.layers[0]
    assert isinstance(layer, ChipConv)
    assert theirs.inp.shape == (6, 6, 2)  # (W, H, C)
    assert first.shape == (3, 8, 4)
    assert np.array_equal(conv_weights(first), layer.weights.effective())
    for name, pair in geometry.items():
        found = getattr(first.synapse, name).init
        assert np.array_equal(found, pair[::-1] if isinstance(pair, tuple) else pair), name
    check_neurons(first, layer.neuron, np.broadcast_to(bias, (3, 8, 4)))
    assert np.array_equal(dense_weights(second), ours.network.layers[1].weights.effective())
