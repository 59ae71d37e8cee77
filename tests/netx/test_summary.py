"""A summary is the table of `lavadeploy inspect`, as data."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import conv, cuba, dense
from expect import sentence

from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    LayerSummary,
    Network,
    NetxFormatError,
    summarize_network,
)


def test_every_layer_has_its_row() -> None:
    delay = np.array([0, 3], dtype=np.int32)
    network = Network(
        layers=(
            InputLayer(name="layer0", shape=(1, 2, 3)),
            conv(np.array([-4, 0]).reshape(2, 1, 1, 1), (2, 2, 3), name="layer1", bias=delay),
            FlattenLayer(name="layer2", shape=(12, 1, 1)),
            dense(
                np.arange(24).reshape(2, 12),
                name="layer3",
                neuron=cuba(du=np.array([5, 2]), dv=7),
                delay=delay,
            ),
        )
    )
    nothing: dict[str, Any] = {
        "weights": 0,
        "weight_min": None,
        "weight_max": None,
        "zero_weights": 0,
        "vth_mantissa": None,
        "current_decay": None,
        "voltage_decay": None,
        "delay_max": None,
        "bias": False,
        "neurons": 0,
    }
    image: dict[str, Any] = {"shape_in": (1, 2, 3), "shape_out": (1, 2, 3)}
    flat: dict[str, Any] = {"shape_in": (2, 2, 3), "shape_out": (12,)}
    assert summarize_network(network) == [
        LayerSummary(name="layer0", kind="input", **image, **nothing),
        LayerSummary(
            name="layer1",
            kind="conv",
            shape_in=(1, 2, 3),
            shape_out=(2, 2, 3),
            neurons=12,
            weights=2,
            weight_min=-4,
            weight_max=0,
            zero_weights=1,
            vth_mantissa=80,
            current_decay=(1024, 1024),
            voltage_decay=(128, 128),
            delay_max=None,
            bias=True,
        ),
        LayerSummary(name="layer2", kind="flatten", **flat, **nothing),
        LayerSummary(
            name="layer3",
            kind="dense",
            shape_in=(12,),
            shape_out=(2,),
            neurons=2,
            weights=24,
            weight_min=0,
            weight_max=23,
            zero_weights=1,
            vth_mantissa=80,
            current_decay=(2, 5),
            voltage_decay=(7, 7),
            delay_max=3,
            bias=False,
        ),
    ]


def test_neurons_of_an_input_layer_count() -> None:
    row = summarize_network(Network(layers=(InputLayer(name="layer0", shape=(6,), neuron=cuba()),)))
    assert (row[0].neurons, row[0].vth_mantissa) == (6, 80)


def test_a_given_input_shape_is_used() -> None:
    network = Network(layers=(conv(np.zeros((2, 1, 1, 1)), (2, 2, 2), stride=(2, 2)),))
    assert summarize_network(network, (1, 3, 4))[0].shape_in == (1, 3, 4)


def test_layers_that_do_not_fit_are_refused() -> None:
    network = Network(layers=(dense([[2]]), dense([[2, 4]], name="layer1")))
    assert sentence(NetxFormatError, summarize_network, network) == (
        "layer1: its weight has 2 inputs, but 1 neurons (1,) come in."
    )
