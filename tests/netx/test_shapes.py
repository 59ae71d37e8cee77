"""Shapes follow torch's formula, and layers that do not fit each other are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import sentence
from netx_examples import layer_of

from lavadeploy.netx import (
    AverageLayer,
    ConcatLayer,
    ConvTransposeLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    LayerKind,
    LayerShapes,
    Network,
    NetxFormatError,
    PoolLayer,
    Shape,
    Source,
    UnpoolLayer,
    infer_shapes,
)
from lavadeploy.netx.shapes import MAX_NEURONS

PATCH = np.full((1, 1, 2, 2), 64, dtype=np.int32)


def shapes_of(*layers: Layer, input_shape: Shape | None = None) -> list[tuple[Shape, Shape]]:
    found = infer_shapes(Network(layers=layers), input_shape)
    assert all(isinstance(shape, LayerShapes) for shape in found)
    return [(shape.shape_in, shape.shape_out) for shape in found]


def refused(*layers: Layer, input_shape: Shape | None = None) -> str:
    return sentence(NetxFormatError, infer_shapes, Network(layers=layers), input_shape)


def entrance(*shape: int) -> InputLayer:
    return InputLayer(name="layer0", shape=shape)


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


def pool(shape: Shape, *, name: str = "layer1", **geometry: Any) -> PoolLayer:
    fields: dict[str, Any] = {"stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)} | geometry
    return PoolLayer(name=name, shape=shape, weight=PATCH, neuron=cuba(), **fields)


def unpool(shape: Shape, *, name: str = "layer1", **geometry: Any) -> UnpoolLayer:
    fields: dict[str, Any] = {"stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)} | geometry
    return UnpoolLayer(name=name, shape=shape, weight=PATCH, neuron=cuba(), **fields)


def conv_transpose(weight: Any, shape: Shape, *, groups: int = 1) -> ConvTransposeLayer:
    fields: dict[str, Any] = {"stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}
    return ConvTransposeLayer(
        name="layer1", shape=shape, weight=weight, neuron=cuba(), groups=groups, **fields
    )


def test_poolings_keep_the_channels() -> None:
    layers = (entrance(3, 4, 6), pool((3, 2, 3)), unpool((3, 4, 6), name="layer2"))
    assert shapes_of(*layers)[1:] == [((3, 4, 6), (3, 2, 3)), ((3, 2, 3), (3, 4, 6))]
    for layer in (pool((2, 2, 3)), unpool((2, 8, 12))):
        assert refused(layers[0], layer) == (
            "layer1: expects (2, H, W) as input, but (3, 4, 6) comes in."
        )


def test_an_odd_image_is_pooled_with_empty_rows_and_columns_more() -> None:
    assert shapes_of(entrance(2, 5, 3), pool((2, 3, 2)))[1][1] == (2, 3, 2)


def test_a_pooling_whose_rows_cannot_be_cut_is_refused() -> None:
    # two channels of 4 rows below each other, with a row of padding above and below: 10 rows
    layer = pool((2, 2, 3), padding=(1, 0))
    assert refused(entrance(2, 4, 6), layer) == (
        "layer1: kernel (2, 2), stride (2, 2), padding (1, 0) and dilation (1, 1) make of "
        "(2, 4, 6) an image whose 5 rows cannot be cut into 2 channels."
    )


def test_a_pooling_larger_than_the_image_is_refused() -> None:
    layer = pool((1, 1, 1), dilation=(4, 1))
    assert refused(entrance(1, 2, 2), layer) == (
        "layer1: kernel (2, 2), stride (2, 2), padding (0, 0) and dilation (4, 1) make "
        "(1, -1, 1) of (1, 2, 2)."
    )


def test_a_transposed_convolution_has_its_input_channels_first() -> None:
    weight = np.zeros((4, 3, 2, 2), dtype=np.int32)
    layer = conv_transpose(weight, (6, 4, 6), groups=2)
    assert shapes_of(entrance(4, 2, 3), layer)[1] == ((4, 2, 3), (6, 4, 6))
    assert refused(entrance(6, 2, 3), layer) == (
        "layer1: expects (4, H, W) as input, but (6, 2, 3) comes in."
    )
    assert refused(entrance(4, 2, 3), conv_transpose(weight, (6, 4, 5), groups=2)) == (
        "layer1: stores output shape (6, 4, 5), but kernel (2, 2), stride (2, 2), padding (0, 0) "
        "and dilation (1, 1) make (6, 4, 6) of (4, 2, 3)."
    )


@pytest.mark.parametrize(
    "layer",
    [
        pool((2, 2, 2), name="layer0"),
        unpool((2, 2, 2), name="layer0"),
        AverageLayer(name="layer0", shape=(2, 1, 1)),
    ],
)
def test_no_other_first_layer_tells_the_input_shape(layer: Layer) -> None:
    assert refused(layer) == (
        "layer0: NetX does not store its input shape; the output shape does not tell it. Give it "
        "(--input-shape C,H,W, or input_shape=)."
    )


def test_an_average_makes_equal_groups() -> None:
    average = AverageLayer(name="layer1", shape=(3, 1, 1))
    assert shapes_of(entrance(12), average)[1] == ((12,), (3,))
    assert refused(entrance(13), average) == ("layer1: cannot make 3 equal groups of 13 neurons.")


def concat(shape: Shape, *sources: int) -> ConcatLayer:
    return ConcatLayer(name="layer2", shape=shape, sources=sources)


def test_a_concat_layer_joins_channels_or_neurons() -> None:
    image, kernel = entrance(1, 4, 4), np.zeros((2, 1, 1, 1))
    same = conv(kernel, (2, 4, 4), name="layer1")
    assert shapes_of(image, same, concat((3, 4, 4), 0, 1))[2][1] == (3, 4, 4)
    flat = FlattenLayer(name="layer1", shape=(16, 1, 1))
    assert shapes_of(image, flat, concat((32,), 1, 1))[2][1] == (32,)
    assert refused(image, flat, concat((32,), 0, 1)) == (
        "layer2: joins layers of different sizes: [(1, 4, 4), (16,)]."
    )
    assert refused(image, same, concat((2, 4, 4), 0, 1)) == (
        "layer2: stores output shape (2, 4, 4), but makes (3, 4, 4)."
    )


def test_a_recurrent_layer_takes_what_a_dense_layer_does() -> None:
    layer = layer_of(LayerKind.RECURRENT)
    assert shapes_of(layer) == [((3,), (2,))]
    assert refused(layer, input_shape=(4,)) == (
        "layer0: its weight has 3 inputs, but 4 neurons (4,) come in."
    )


def test_more_neurons_than_any_chip_has_are_refused() -> None:
    many = MAX_NEURONS // 4
    layers = (entrance(many, 1, 1), unpool((many, 2, 2)))
    assert shapes_of(*layers)[1][1] == (many, 2, 2)
    layers = (entrance(many + 1, 1, 1), unpool((many + 1, 2, 2)))
    assert refused(*layers) == f"layer1: has {MAX_NEURONS + 4} neurons; {MAX_NEURONS} at most."
