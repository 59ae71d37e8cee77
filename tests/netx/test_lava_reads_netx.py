"""lava-dl's own loader builds what we write, for every kind that it knows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense, even_weights
from hdf5_files import write_layers
from lava_blocks import check_lif, conv_weights, dense_weights, load_with_lava
from netx_examples import number

from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    NeuronKind,
    RecurrentLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    read_netx,
    write_netx,
)

pytestmark = pytest.mark.lava

RNG = np.random.default_rng(0)
# What lava-dl does not know: ours, and anybody else's.
UNKNOWN: dict[str, Any] = {
    "delay_shift": False,
    "extra": {"alpha": number(3), "neuron/tauRho": np.array(0.5), "notes/a": "text"},
}


def lavas(path: Path, *layers: Layer) -> Any:
    extra = {"simulation/Ts": number(1), "note": "text"}
    network = Network(layers=layers, extra=extra, extra_attributes={"author": "she"})
    write_netx(network, path / "a.net")
    return load_with_lava(path / "a.net")


def delta(vth: int, **fields: Any) -> SigmaDeltaNeuron:
    return SigmaDeltaNeuron(vth_mantissa=vth, vth_fraction=9, **fields)


def test_cuba_neurons_of_every_kind_of_layer(tmp_path: Path) -> None:
    neuron = dataclasses.replace(cuba(90, 1000, 200), refractory_delay=2, graded_spike=True)
    bias = np.array([2, -4], dtype=np.int32)
    image = even_weights(RNG, 2, 1, 2, 3)
    recurrent = RecurrentLayer(
        name="layer4",
        shape=(4,),
        weight=even_weights(RNG, 4, 3),
        weight_rec=even_weights(RNG, 4, 4),
        neuron=neuron,
        **UNKNOWN,
    )
    flat = even_weights(RNG, 3, 24)
    network = lavas(
        tmp_path,
        InputLayer(name="layer0", shape=(1, 4, 6), weight=64, bias=-2, neuron=neuron, **UNKNOWN),
        conv(image, (2, 3, 4), name="layer1", neuron=neuron, bias=bias, **UNKNOWN),
        FlattenLayer(name="layer2", shape=(24, 1, 1)),
        dense(flat, name="layer3", neuron=neuron, delay=np.array([0, 1, 62]), **UNKNOWN),
        recurrent,
    )
    assert [block.block for block in network.layers] == ["Input", "Conv", "Dense", "RecurrentDense"]
    first, second, third, fourth = network.layers
    assert first.transform == {"weight": 64, "bias": -2}
    check_lif(first.neuron, neuron)
    assert np.array_equal(conv_weights(second.synapse), image)
    check_lif(second.neuron, neuron, np.broadcast_to(bias, (4, 3, 2)))
    assert np.array_equal(dense_weights(third.synapse), flat)
    assert np.array_equal(third.synapse.delays.init[:, 0], [0, 1, 62])
    check_lif(third.neuron, neuron)
    assert np.array_equal(dense_weights(fourth.synapse), recurrent.weight)
    assert np.array_equal(dense_weights(fourth.synapse_rec), recurrent.weight_rec)
    check_lif(fourth.neuron, neuron)


def test_the_readout_of_an_affine_block(tmp_path: Path) -> None:
    neuron = cuba((1 << 18) - 1, 0, 4096)
    block = lavas(tmp_path, dense([[2, 4]], neuron=neuron)).layers[0]
    check_lif(block.neuron, neuron)


def test_a_file_without_neurons_means_to_lava_dl_what_we_write_for_it(tmp_path: Path) -> None:
    write_layers(tmp_path / "bare.net", {"type": b"dense", "shape": [1], "weight": [[2, 4]]})
    write_netx(read_netx(tmp_path / "bare.net"), tmp_path / "full.net")
    bare, full = (load_with_lava(tmp_path / name).layers[0] for name in ("bare.net", "full.net"))
    assert int(bare.neuron.vth.init) == int(full.neuron.vth.init) == 131072
    for state in ("du", "dv"):
        assert np.array_equal(getattr(bare.neuron, state).init, getattr(full.neuron, state).init)


@pytest.mark.parametrize(("kind", "process"), [(NeuronKind.RF, "RF"), (NeuronKind.RF_IZ, "RF_IZ")])
def test_resonators(kind: NeuronKind, process: str, tmp_path: Path) -> None:
    neuron = ResonatorNeuron(
        kind=kind, vth_mantissa=90, sin_decay=number(2287), cos_decay=number(3148)
    )
    real, imag = even_weights(RNG, 3, 5), even_weights(RNG, 3, 5)
    one = np.array([2, 4, 6], dtype=np.int32)
    fields: dict[str, Any] = UNKNOWN | {
        "weight_imag": imag,
        "bias": one,
        "bias_imag": one,
        "delay": one,
    }
    block = lavas(tmp_path, dense(real, neuron=neuron, **fields)).layers[0]
    assert (block.block, type(block.neuron).__name__) == ("ComplexDense", process)
    assert np.array_equal(dense_weights(block.real_synapse), real)
    assert np.array_equal(dense_weights(block.imag_synapse), imag)
    assert int(block.neuron.vth.init) == 90 << 6
    # lava-dl makes period and decay of the two numbers and Lava these again, one less at times
    assert int(block.neuron.sin_decay.init) in (2286, 2287)
    assert int(block.neuron.cos_decay.init) in (3147, 3148)


def test_sigma_delta_neurons(tmp_path: Path) -> None:
    bias = np.array([2, -4], dtype=np.int32)
    image, flat = even_weights(RNG, 2, 1, 2, 3), even_weights(RNG, 2, 24)
    last = even_weights(RNG, 1, 2)
    network = lavas(
        tmp_path,
        InputLayer(name="layer0", shape=(1, 4, 6), neuron=delta(3), **UNKNOWN),
        conv(image, (2, 3, 4), name="layer1", neuron=delta(4), bias=bias, **UNKNOWN),
        FlattenLayer(name="layer2", shape=(24, 1, 1)),
        dense(flat, name="layer3", neuron=delta(5), bias=bias, **UNKNOWN),
        dense(last, name="layer4", neuron=delta(6, sigma_output=True), **UNKNOWN),
    )
    assert [type(block.neuron).__name__ for block in network.layers] == [
        "Delta",
        "SigmaDelta",
        "SigmaDelta",
        "Sigma",
    ]
    unit = 1 << 12  # spike_exp + state_exp
    assert [int(block.neuron.vth.init) for block in network.layers[:3]] == [
        3 * unit,
        4 * unit,
        5 * unit,
    ]
    assert np.array_equal(network.layers[1].neuron.bias.init[0, 0], bias * unit)
    assert np.array_equal(network.layers[2].neuron.bias.init, bias * unit)
    assert np.array_equal(conv_weights(network.layers[1].synapse), image)
    assert np.array_equal(dense_weights(network.layers[2].synapse), flat)
    assert np.array_equal(dense_weights(network.layers[3].synapse), last)
    assert [block.output_message_bits for block in network.layers] == [16] * 4
