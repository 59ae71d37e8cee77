"""Shapes follow torch's formula, and layers that do not fit each other are refused."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, dense
from expect import sentence
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    Layer,
    LayerShapes,
    Network,
    NetxFormatError,
    Shape,
    Source,
    infer_shapes,
)
from lavadeploy.netx.shapes import kernel_output_size

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=200)
SIDES = st.integers(1, 12)
SMALL = st.integers(1, 4)


def shapes_of(*layers: Layer, input_shape: Shape | None = None) -> list[tuple[Shape, Shape]]:
    found = infer_shapes(Network(layers=layers), input_shape)
    assert all(isinstance(shape, LayerShapes) for shape in found)
    return [(shape.shape_in, shape.shape_out) for shape in found]


def refused(*layers: Layer, input_shape: Shape | None = None) -> str:
    return sentence(NetxFormatError, infer_shapes, Network(layers=layers), input_shape)


def entrance(*shape: int) -> InputLayer:
    return InputLayer(name="layer0", shape=shape)


@QUICK
@given(
    side=st.tuples(SIDES, SIDES),
    kernel=st.tuples(SMALL, SMALL),
    stride=st.tuples(SMALL, SMALL),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(SMALL, SMALL),
    groups=st.integers(1, 2),
)
def test_the_output_of_a_convolution_has_torchs_shape(
    side: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> None:
    torch = importlib.import_module("torch")
    weight = np.zeros((2 * groups, 3, *kernel), dtype=np.int32)
    geometry: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    height, width = kernel_output_size(conv(weight, (2 * groups, 1, 1), **geometry), *side)
    assume(height > 0 and width > 0)  # torch refuses kernels larger than the padded image
    expected = torch.nn.functional.conv2d(
        torch.zeros((1, 3 * groups, *side)), torch.zeros(weight.shape), **geometry
    )
    layer = conv(weight, (2 * groups, height, width), **geometry)
    shape = tuple(int(n) for n in expected.shape[1:])
    assert shapes_of(layer, input_shape=(3 * groups, *side)) == [((3 * groups, *side), shape)]


@QUICK
@given(
    side=st.tuples(SIDES, SIDES),
    kernel=st.tuples(SMALL, SMALL),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(SMALL, SMALL),
)
def test_stride_one_tells_the_input_shape(
    side: tuple[int, int],
    kernel: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> None:
    weight = np.zeros((4, 3, *kernel), dtype=np.int32)
    geometry: dict[str, Any] = {"padding": padding, "dilation": dilation, "groups": 2}
    size = kernel_output_size(conv(weight, (4, 1, 1), **geometry), *side)
    assume(min(size) > 0)
    layer = conv(weight, (4, *size), **geometry)
    assert shapes_of(layer) == [((6, *side), (4, *size))]


@pytest.mark.parametrize("stride", [(1, 2), (2, 1), (2, 2)])
def test_another_stride_needs_the_input_shape(stride: tuple[int, int]) -> None:
    layer = conv(np.zeros((2, 1, 3, 3)), (2, 3, 3), stride=stride)
    assert refused(layer) == (
        "layer0: NetX does not store its input shape, and with stride "
        f"{stride} the output shape does not tell it. Give it "
        "(--input-shape C,H,W, or input_shape=)."
    )
    side = tuple(2 + s * 2 + 1 for s in stride)
    given_shape = (1, side[0], side[1])
    assert shapes_of(layer, input_shape=given_shape) == [(given_shape, (2, 3, 3))]


def test_an_input_layer_tells_the_shape_too() -> None:
    layer = conv(np.zeros((2, 1, 3, 3)), (2, 2, 2), stride=(2, 2), name="layer1")
    assert shapes_of(entrance(1, 6, 5), layer) == [((1, 6, 5),) * 2, ((1, 6, 5), (2, 2, 2))]


def test_shapes_flow_from_image_to_dense() -> None:
    flat = FlattenLayer(name="layer2", shape=(12, 1, 1))
    layers = (
        entrance(1, 4, 3),
        conv(np.zeros((2, 1, 2, 2)), (2, 3, 2), name="layer1"),
        flat,
        dense(np.zeros((5, 12)), name="layer3"),
        dense(np.zeros((1, 5)), name="layer4"),
    )
    assert shapes_of(*layers) == [
        ((1, 4, 3), (1, 4, 3)),
        ((1, 4, 3), (2, 3, 2)),
        ((2, 3, 2), (12,)),
        ((12,), (5,)),
        ((5,), (1,)),
    ]


def test_a_dense_layer_takes_an_image_without_flatten() -> None:
    layers = (entrance(2, 3, 2), dense(np.zeros((5, 12)), name="layer1"))
    assert shapes_of(*layers)[1] == ((2, 3, 2), (5,))


def test_first_dense_and_flatten_layers_tell_their_input() -> None:
    assert shapes_of(dense(np.zeros((5, 12)))) == [((12,), (5,))]
    assert shapes_of(FlattenLayer(name="layer0", shape=(3, 2, 1))) == [((6,), (6,))]


def test_a_given_shape_must_fit_the_input_layer() -> None:
    assert refused(entrance(1, 4, 3), input_shape=(1, 4, 4)) == (
        "layer0: declares input (1, 4, 3), not (1, 4, 4)."
    )
    assert shapes_of(entrance(12), input_shape=(1, 4, 3)) == [((1, 4, 3), (12,))]


def test_dense_inputs_must_match_the_neurons_before() -> None:
    layers = (dense(np.zeros((5, 12))), dense(np.zeros((2, 4)), name="layer1"))
    assert refused(*layers) == "layer1: its weight has 4 inputs, but 5 neurons (5,) come in."
    assert refused(layers[0], input_shape=(1, 3, 5)) == (
        "layer0: its weight has 12 inputs, but 15 neurons (1, 3, 5) come in."
    )


def test_a_flatten_layer_keeps_the_number_of_neurons() -> None:
    layers = (entrance(1, 4, 3), FlattenLayer(name="layer1", shape=(13, 1, 1)))
    assert refused(*layers) == "layer1: flattens (1, 4, 3) to (13, 1, 1): sizes differ."


def test_channels_must_match() -> None:
    layer = conv(np.zeros((2, 3, 1, 1)), (2, 4, 4), name="layer1")
    assert refused(entrance(2, 4, 4), layer) == (
        "layer1: expects (3, H, W) as input, but (2, 4, 4) comes in."
    )
    grouped = conv(np.zeros((4, 3, 1, 1)), (4, 4, 4), name="layer1", groups=2)
    assert refused(entrance(3, 4, 4), grouped) == (
        "layer1: expects (6, H, W) as input, but (3, 4, 4) comes in."
    )


def test_a_convolution_needs_an_image() -> None:
    layer = conv(np.zeros((2, 4, 1, 1)), (2, 1, 1), name="layer1")
    assert refused(dense(np.zeros((4, 4))), layer) == (
        "layer1: expects (4, H, W) as input, but (4,) comes in."
    )


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_groups_must_divide_the_output_channels(groups: int) -> None:
    layer = conv(np.zeros((5, 1, 1, 1)), (5, 4, 4), groups=groups)
    assert refused(layer) == f"layer0: groups is {groups}; it must divide its 5 output channels."


@pytest.mark.parametrize("groups", [0, -1])
def test_groups_are_positive_whatever_comes_in(groups: int) -> None:
    layer = conv(np.zeros((5, 1, 1, 1)), (5, 4, 4), groups=groups, name="layer1")
    expected = f"layer1: groups is {groups}; it must divide its 5 output channels."
    assert refused(entrance(1, 4, 4), layer) == expected


def test_the_stored_output_shape_must_be_what_the_geometry_makes() -> None:
    layer = conv(np.zeros((2, 1, 3, 3)), (2, 3, 4), name="layer1", padding=(1, 0))
    assert refused(entrance(1, 4, 5), layer) == (
        "layer1: stores output shape (2, 3, 4), but kernel (3, 3), stride (1, 1), padding (1, 0) "
        "and dilation (1, 1) make (2, 4, 3) of (1, 4, 5)."
    )


@pytest.mark.parametrize(("padding", "side"), [(5, 1), (1, 2), (1, 1)])
def test_an_input_of_no_size_is_refused(padding: int, side: int) -> None:
    # a kernel of 1 makes side of side - 2 * padding rows and columns, here none or fewer
    layer = conv([[[[2]]]], (1, side, side), padding=(padding, padding))
    assert refused(layer) == (
        f"layer0: stores output shape {(1, side, side)}, but with kernel (1, 1), padding "
        f"{(padding, padding)} and dilation (1, 1) its input would be "
        f"{(1, side - 2 * padding, side - 2 * padding)}."
    )


def test_sentences_name_the_file_when_there_is_one() -> None:
    layers = (dense(np.zeros((5, 12))), dense(np.zeros((2, 4)), name="layer1"))
    network = Network(layers=layers, source=Source(path=Path("a/b.net"), sha256="0"))
    assert sentence(NetxFormatError, infer_shapes, network) == (
        "'a/b.net', layer1: its weight has 4 inputs, but 5 neurons (5,) come in."
    )


def test_a_network_without_layers_is_refused() -> None:
    assert refused() == "the network has no layers."
