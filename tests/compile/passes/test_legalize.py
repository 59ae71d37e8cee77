"""Only dense layers and convolutions are left, as they were; what a chip lacks is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import assert_same, sentence

from lavadeploy.compile import NETWORK_INPUT, LegalNetwork, as_netx
from lavadeploy.compile.passes.encode import Encode
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.compile.stages import neuron_of
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    NEVER_FIRES,
    AverageLayer,
    ConcatLayer,
    FlattenLayer,
    InputLayer,
    LayerShapes,
    Network,
    NetxFormatError,
    NeuronKind,
    RecurrentLayer,
    ResonatorNeuron,
    UnsupportedNetworkError,
)

IMAGE = InputLayer(name="layer0", shape=(1, 4, 3))
CONV = conv(np.full((2, 1, 2, 2), 2), (2, 3, 2), name="layer1")
FLAT = FlattenLayer(name="layer2", shape=(12, 1, 1))
DENSE = dense(np.full((5, 12), 2), name="layer3")


def test_layers_without_neurons_are_taken_out() -> None:
    legal = Legalize().run(Network(layers=(IMAGE, CONV, FLAT, DENSE)))
    assert isinstance(legal, LegalNetwork)
    assert legal.input_shape == (1, 4, 3)
    # the same objects, so names and numbers are kept
    assert [x.layer for x in legal.layers] == [CONV, DENSE]
    assert [x.shapes for x in legal.layers] == [
        LayerShapes(shape_in=(1, 4, 3), shape_out=(2, 3, 2)),
        LayerShapes(shape_in=(2, 3, 2), shape_out=(5,)),
    ]
    assert [x.sources for x in legal.layers] == [(NETWORK_INPUT,), (0,)]


def test_a_legal_network_passes_unchanged() -> None:
    second = dense(np.full((1, 5), 2), name="layer4")
    legal = Legalize().run(Network(layers=(DENSE, second)))
    assert [x.layer for x in legal.layers] == [DENSE, second]
    assert legal.input_shape == (12,)
    assert [x.shapes.shape_in for x in legal.layers] == [(12,), (5,)]
    assert legal.lowerings == ()


def test_the_input_is_untouched() -> None:
    network = Network(layers=(IMAGE, CONV, FLAT, DENSE), warnings=("a.",))
    copy = dataclasses.replace(network)
    Legalize().run(network)
    assert_same(network, copy)


def test_a_given_input_shape_is_used() -> None:
    strided = conv(np.full((2, 1, 2, 2), 2), (2, 2, 2), stride=(2, 2))
    legal = Legalize(input_shape=(1, 5, 4)).run(Network(layers=(strided,)))
    assert legal.input_shape == (1, 5, 4)


def test_layers_that_do_not_fit_are_a_format_error() -> None:
    wide = dense(np.full((5, 13), 2), name="layer1")
    assert sentence(NetxFormatError, Legalize().run, Network(layers=(IMAGE, wide))) == (
        "layer1: its weight has 13 inputs, but 12 neurons (1, 4, 3) come in."
    )


def test_neurons_at_the_input_are_kept() -> None:
    first = InputLayer(name="layer0", shape=(12,), weight=32, bias=-3, neuron=cuba())
    legal = Legalize().run(Network(layers=(first, DENSE)))
    assert [x.layer for x in legal.layers] == [first, DENSE]
    assert [x.sources for x in legal.layers] == [(NETWORK_INPUT,), (0,)]


def test_joined_layers_are_several_sources() -> None:
    first = dense(np.full((5, 12), 2), name="layer0")
    second = dense(np.full((3, 5), 2), name="layer1")
    joined = ConcatLayer(name="layer2", shape=(11,), sources=(1, 0, 1))
    last = dense(np.full((2, 11), 2), name="layer3")
    legal = Legalize().run(Network(layers=(first, second, joined, last)))
    assert [x.sources for x in legal.layers] == [(NETWORK_INPUT,), (0,), (1, 0, 1)]


def test_flattened_images_of_several_sizes_are_joined() -> None:
    small = conv(np.full((3, 2, 3, 2), 2), (3, 1, 1), name="layer3")
    layers = (
        IMAGE,
        CONV,
        FLAT,
        ConcatLayer(name="layer3", shape=(2, 3, 2), sources=(1,)),
        dataclasses.replace(small, name="layer4"),
        FlattenLayer(name="layer5", shape=(3, 1, 1)),
        ConcatLayer(name="layer6", shape=(15,), sources=(5, 2)),
        dense(np.full((2, 15), 2), name="layer7"),
    )
    legal = Legalize().run(Network(layers=layers))
    assert [x.sources for x in legal.layers] == [(NETWORK_INPUT,), (0,), (1, 0)]
    assert legal.layers[2].shapes.shape_in == (15,)
    chip = Encode(profile=load_profile("ideal")).run(legal)
    again = Encode(profile=load_profile("ideal")).run(Legalize().run(as_netx(chip)))
    assert [x.sources for x in again.layers] == [(NETWORK_INPUT,), (0,), (1, 0)]


@pytest.mark.parametrize("layers", [(IMAGE,), (IMAGE, dataclasses.replace(FLAT, name="layer1"))])
def test_a_network_without_neurons_is_refused(
    layers: tuple[InputLayer | FlattenLayer, ...],
) -> None:
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=layers)) == (
        "network: no layer with neurons; a chip computes with neurons. "
        "Add a dense or convolution layer. [network_has_neurons]"
    )


def test_all_problems_are_raised_at_once() -> None:
    twice = dense([[2, 2]], name="layer1")
    layers = (
        twice,
        dataclasses.replace(twice, weight=np.array([[3]])),
        AverageLayer(name="layer2", shape=(1, 1, 1)),
        conv(np.full((1, 1, 1, 1), 2), (1, 1, 1), name="layer3"),
    )
    with pytest.raises(NetxFormatError):  # an image is needed for a convolution
        Legalize().run(Network(layers=layers))
    averaged = (
        IMAGE,
        CONV,
        AverageLayer(name="layer2", shape=(6, 1, 1)),
        dense([[3, 3, 3, 3, 3, 3]], name="layer1"),
    )
    with pytest.raises(UnsupportedNetworkError) as caught:
        Legalize().run(Network(layers=averaged))
    assert [problem.rpartition(" [")[2] for problem in caught.value.problems] == [
        "means_are_exact]",
        "names_are_unique]",
    ]


def test_means_before_a_last_flatten_layer_are_read_too() -> None:
    means = AverageLayer(name="layer1", shape=(2, 1, 1))
    last = FlattenLayer(name="layer2", shape=(2, 1, 1))
    legal = Legalize().run(Network(layers=(dense(np.full((4, 3), 2)), means, last)))
    assert [x.layer.name for x in legal.layers] == ["layer0", "layer1"]


def test_a_readout_before_a_last_flatten_layer_gets_the_largest_threshold() -> None:
    readout = dense(np.full((4, 3), 2), neuron=cuba(NEVER_FIRES + 1))
    last = FlattenLayer(name="layer1", shape=(4, 1, 1))
    neuron = neuron_of(Legalize().run(Network(layers=(readout, last))).layers[0])
    assert neuron.vth_mantissa == NEVER_FIRES


def test_layers_joined_at_the_end_are_refused() -> None:
    # the last layer with neurons would answer alone
    second = dense(np.full((2, 5), 2), name="layer1")
    first = dense(np.full((5, 3), 2))
    for sources, shape in (((0, 1), (7,)), ((0,), (5,))):
        joined = ConcatLayer(name="layer2", shape=shape, sources=sources)
        assert sentence(
            UnsupportedNetworkError, Legalize().run, Network(layers=(first, second, joined))
        ) == (
            "layer2: joins layers, and nothing stands behind it; the last layer with neurons "
            "answers alone. Put a dense layer behind it, or leave it out and read the spikes of "
            "its sources. [joined_layers_are_heard]"
        )
    alone = ConcatLayer(name="layer2", shape=(2,), sources=(1,))
    assert len(Legalize().run(Network(layers=(first, second, alone))).layers) == 2


def test_the_shape_that_the_input_layer_declares_holds() -> None:
    for given in ((12,), (4, 3, 1)):
        legal = Legalize(input_shape=given).run(Network(layers=(IMAGE, CONV)))
        assert legal.input_shape == (1, 4, 3)
        assert legal.layers[0].shapes.shape_in == (1, 4, 3)


def test_an_input_layer_that_makes_an_image_of_neurons_is_refused() -> None:
    layers = (
        dense(np.full((12, 3), 2)),
        dataclasses.replace(IMAGE, name="layer1"),
        dataclasses.replace(CONV, name="layer2"),
    )
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=layers)) == (
        "layer1: an input layer declares (1, 4, 3) where (12,) comes in; only the first layer "
        "declares a shape. Leave it out. [input_layers_are_first]"
    )


def test_means_of_very_many_neurons_are_refused_before_a_matrix_is_made() -> None:
    image = InputLayer(name="layer0", shape=(1 << 20,))
    means = AverageLayer(name="layer1", shape=(1 << 19, 1, 1))
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=(image, means))) == (
        "layer1: means of 1048576 neurons as a dense layer have 1048576 x 524288 weights; no chip "
        "holds as many. Use a pooling or a strided convolution before. [means_fit]"
    )
    means = AverageLayer(name="layer1", shape=(1 << 4, 1, 1))
    behind = dense(np.full((40, 16), 2), name="layer2")
    layers = (image, means, behind)
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=layers)) == (
        "layer2: means of 1048576 neurons as a dense layer have 1048576 x 40 weights; no chip "
        "holds as many. Use a pooling or a strided convolution before. [means_fit]"
    )


@pytest.mark.parametrize("name", ["", "a\nb", "tab\t"])
def test_names_that_artifacts_cannot_hold_are_refused(name: str) -> None:
    layer = dataclasses.replace(DENSE, name=name)
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=(layer,))) == (
        f"{name!r}: its name is empty or cannot be printed; names stand in artifacts and reports. "
        "Give it another, such as layer0. [names_are_printable]"
    )


def test_recurrent_layers_with_an_imaginary_part_are_refused() -> None:
    square = np.array([[2, 4], [6, 8]], dtype=np.int32)
    neuron = ResonatorNeuron(
        kind=NeuronKind.RF,
        vth_mantissa=80,
        sin_decay=np.array(2048, dtype=np.int32),
        cos_decay=np.array(0, dtype=np.int32),
    )
    layer = RecurrentLayer(
        name="layer0",
        shape=(2,),
        weight=square,
        weight_imag=square,
        weight_rec=square,
        neuron=neuron,
    )
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=(layer,))) == (
        "layer0: a recurrent layer with weights or biases to the imaginary part; neither SLAYER "
        "nor Lava have one. Use a recurrent layer of CUBA or ALIF neurons, or resonators without "
        "recurrence. [recurrent_neurons_are_real]"
    )
