"""The arrays of a network are checked, copied and frozen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import sentence

from lavadeploy.netx import (
    CubaNeuron,
    FlattenLayer,
    InputLayer,
    LayerKind,
    NeuronKind,
    layer_kind,
    size_of,
)

TWO = np.array([2, 4], dtype=np.int32)


def arrays() -> dict[str, Any]:
    layer = dense([[2, 4], [6, 8]], neuron=cuba(du=TWO, dv=TWO), bias=TWO, delay=TWO)
    image = conv([[[[2]]], [[[4]]]], (2, 1, 1), bias=TWO, delay=TWO)
    return {
        "dense weight": layer.weight,
        "dense bias": layer.bias,
        "dense delay": layer.delay,
        "conv weight": image.weight,
        "conv bias": image.bias,
        "conv delay": image.delay,
        "current decay": layer.neuron.current_decay,
        "voltage decay": layer.neuron.voltage_decay,
    }


@pytest.mark.parametrize("name", arrays())
def test_later_writes_raise(name: str) -> None:
    array = arrays()[name]
    assert array.dtype == np.int32
    with pytest.raises(ValueError, match="assignment destination is read-only"):
        array.reshape(-1)[0] = 1


def test_the_callers_array_stays_his_own() -> None:
    weight = np.array([[2, 4]], dtype=np.int32)
    layer = dense(weight)
    weight[0, 0] = 100
    assert np.array_equal(layer.weight, [[2, 4]])
    assert weight.flags.writeable


def test_weights_must_be_integers() -> None:
    assert sentence(TypeError, neuron_with, np.array(0.5)) == (
        "current_decay must be an integer array, not float64"
    )


def neuron_with(decay: Any) -> CubaNeuron:
    return CubaNeuron(
        kind=NeuronKind.CUBA, vth_mantissa=1, current_decay=decay, voltage_decay=np.array(0)
    )


def test_dimensions_are_checked() -> None:
    assert sentence(ValueError, neuron_with, np.zeros((1, 1), dtype=np.int32)) == (
        "current_decay must have (0, 1) dimensions, not 2"
    )
    assert sentence(ValueError, dense, [[2]], bias=np.zeros((), dtype=np.int32)) == (
        "bias must have (1,) dimensions, not 0"
    )
    assert sentence(ValueError, conv, np.zeros((1, 1, 1)), (1, 1, 1)) == (
        "weight must have (4,) dimensions, not 3"
    )


def test_numbers_beyond_32_bits_do_not_wrap_in_silence() -> None:
    for value in (2**31, -(2**31) - 1):
        with pytest.raises((ValueError, OverflowError)):
            neuron_with(np.array(value, dtype=np.int64))


def test_every_layer_knows_its_kind() -> None:
    layers = {
        LayerKind.INPUT: InputLayer(name="layer0", shape=(1,)),
        LayerKind.DENSE: dense([[2]]),
        LayerKind.CONV: conv([[[[2]]]], (1, 1, 1)),
        LayerKind.FLATTEN: FlattenLayer(name="layer0", shape=(1,)),
    }
    assert {kind: layer_kind(layer) for kind, layer in layers.items()} == {k: k for k in LayerKind}


@pytest.mark.parametrize(
    ("shape", "size"), [((7,), 7), ((2, 3, 4), 24), ((1 << 20, 1 << 20, 4), 1 << 42)]
)
def test_the_size_of_a_shape_is_a_python_integer(shape: tuple[int, ...], size: int) -> None:
    assert size_of(shape) == size
