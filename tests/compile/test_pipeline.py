"""The compiler runs its passes in order and hands on what each of them says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import assert_same, sentence
from hdf5_files import DENSE, write_layers
from profiles import SHIPPED, limited

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    LavaDeployError,
    Network,
    NetxFormatError,
    UnsupportedNetworkError,
    read_netx,
)

LOIHI2 = SHIPPED["loihi2"]


def test_a_network_in_memory_is_compiled() -> None:
    found = compile_network(Network(layers=(dense([[2, -4]]),)), LOIHI2)
    assert isinstance(found, CompiledNetwork)
    assert [record.name for record in found.passes] == ["legalize", "check", "encode", "place"]
    assert found.profile is LOIHI2
    assert found.source_sha256 == ""
    assert found.warnings == ()
    assert [layer.name for layer in found.network.layers] == ["layer0"]
    assert [core.layer for core in found.placement.cores] == ["layer0"]


def test_the_source_is_remembered_and_warnings_are_joined(tmp_path: Path) -> None:
    fields = {**DENSE, "neuron/vThMant": 4096, "extra": 1}
    network = read_netx(write_layers(tmp_path / "a.net", fields))
    assert network.source is not None
    found = compile_network(network, LOIHI2)
    assert found.source_sha256 == network.source.sha256
    assert found.warnings == (
        "layer0: not understood, kept as it is: extra.",
        (
            "layer0: threshold 4096 is 4096 or more; there SLAYER fires when the voltage equals "
            "the threshold, Lava only above it."
        ),
    )


def test_layers_keep_the_names_of_the_file(tmp_path: Path) -> None:
    image = {"type": b"input", "shape": [3, 1, 1]}
    flat = {"type": b"flatten", "shape": [3, 1, 1]}
    network = read_netx(write_layers(tmp_path / "a.net", image, flat, DENSE))
    assert [layer.name for layer in compile_network(network, LOIHI2).network.layers] == ["layer2"]


def test_the_same_network_compiles_to_the_same() -> None:
    network = Network(
        layers=(
            InputLayer(name="layer0", shape=(1, 9, 9)),
            conv(np.full((3, 1, 3, 3), -6), (3, 7, 7), name="layer1"),
            FlattenLayer(name="layer2", shape=(147, 1, 1)),
            dense(np.full((200, 147), 2), name="layer3"),
        )
    )
    profile = limited("loihi2", neurons_per_core=50)
    first, second = (compile_network(network, profile) for _ in range(2))
    assert_same(first, second)
    assert len(first.placement.cores) == 4 + 4


def test_the_network_given_is_untouched() -> None:
    weight = np.array([[2, -4]])
    network = Network(layers=(dense(weight),))
    compile_network(network, LOIHI2)
    assert_same(network, Network(layers=(dense(weight),)))


def test_a_given_input_shape_is_used() -> None:
    network = Network(layers=(conv(np.full((2, 1, 2, 2), 2), (2, 2, 2), stride=(2, 2)),))
    assert compile_network(network, LOIHI2, input_shape=(1, 5, 4)).network.input_shape == (1, 5, 4)
    assert sentence(NetxFormatError, compile_network, network, LOIHI2) == (
        "layer0: NetX does not store its input shape, and with stride (2, 2) the output shape does "
        "not tell it. Give it (--input-shape C,H,W, or input_shape=)."
    )


def test_layers_of_one_name_are_refused() -> None:
    # cores and registers are found by the layer's name
    network = Network(layers=(dense([[2]]), dense([[2]])))
    with pytest.raises(LavaDeployError):
        compile_network(network, LOIHI2)


def test_formats_are_checked_before_registers_are_sought() -> None:
    network = Network(layers=(dense([[301, -2]]), dense([[2]], name="layer1", neuron=cuba(-1))))
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(network, LOIHI2)
    assert [problem.rsplit(" ", 1)[1] for problem in caught.value.problems] == [
        "[weights_in_range]",
        "[threshold_in_range]",
    ]
