"""Only dense layers and convolutions are left, as they were; what a chip lacks is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import assert_same, sentence

from lavadeploy.compile import LegalNetwork
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    LayerShapes,
    Network,
    NetxFormatError,
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
    assert legal.layers == (CONV, DENSE)  # the same objects, so names and numbers are kept
    assert legal.shapes == (
        LayerShapes(shape_in=(1, 4, 3), shape_out=(2, 3, 2)),
        LayerShapes(shape_in=(2, 3, 2), shape_out=(5,)),
    )


def test_a_legal_network_passes_unchanged() -> None:
    second = dense(np.full((1, 5), 2), name="layer4")
    legal = Legalize().run(Network(layers=(DENSE, second)))
    assert legal.layers == (DENSE, second)
    assert legal.input_shape == (12,)
    assert [shape.shape_in for shape in legal.shapes] == [(12,), (5,)]


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


def test_an_input_layer_with_neurons_is_refused() -> None:
    layers = (InputLayer(name="layer0", shape=(12,), neuron=cuba()), DENSE)
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=layers)) == (
        "layer0: an input layer with neurons cannot be compiled by this version. "
        "Feed the spikes of that layer as input and export without it."
    )


@pytest.mark.parametrize("delay", [0, 2, 63])
def test_a_refractory_period_is_refused(delay: int) -> None:
    neuron = dataclasses.replace(cuba(), refractory_delay=delay)
    layer = dense([[2]], neuron=neuron)
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=(layer,))) == (
        f"layer0: refractory delay {delay}; only 1 (none) can be compiled by this version. "
        "Train without a refractory period."
    )


def test_graded_spikes_are_refused() -> None:
    layer = conv([[[[2]]]], (1, 1, 1), neuron=dataclasses.replace(cuba(), graded_spike=True))
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=(layer,))) == (
        "layer0: CUBA neurons with graded spikes cannot be compiled by this version. "
        "Train with graded_spike=False."
    )


@pytest.mark.parametrize("layers", [(IMAGE,), (IMAGE, dataclasses.replace(FLAT, name="layer1"))])
def test_a_network_without_neurons_is_refused(
    layers: tuple[InputLayer | FlattenLayer, ...],
) -> None:
    assert sentence(UnsupportedNetworkError, Legalize().run, Network(layers=layers)) == (
        "the network has no dense or convolution layer, so there is no neuron."
    )


def test_all_problems_are_raised_at_once() -> None:
    neuron = dataclasses.replace(cuba(), refractory_delay=3, graded_spike=True)
    layers = (
        InputLayer(name="layer0", shape=(2,), neuron=cuba()),
        dense([[2, 2]], name="layer1", neuron=neuron),
        dense([[2]], name="layer2", neuron=neuron),
    )
    with pytest.raises(UnsupportedNetworkError) as caught:
        Legalize().run(Network(layers=layers))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "layer0",
        "layer1",
        "layer1",
        "layer2",
        "layer2",
    ]
