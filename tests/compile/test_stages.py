"""Registers hold what they say they hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, dense
from netx_examples import neuron_of

from lavadeploy.compile import (
    Core,
    Placement,
    SignMode,
    Site,
    WeightRegisters,
    bias_leads,
    neuron_count,
    per_neuron,
)
from lavadeploy.netx import NeuronKind


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [(-7, [[-2, 1]]), (-6, [[-4, 2]]), (0, [[-256, 128]]), (1, [[-512, 256]])],
)
def test_effective_weights_are_mantissas_times_a_power_of_two(
    exponent: int, expected: list[list[int]]
) -> None:
    registers = WeightRegisters(
        mantissa=np.array([[-256, 128]], dtype=np.int16),
        exponent=exponent,
        bits=2,
        sign_mode=SignMode.MIXED,
    )
    effective = registers.effective()
    assert effective.dtype == np.int32
    assert np.array_equal(effective, expected)


def test_values_of_a_channel_are_those_of_all_its_neurons() -> None:
    layer = compiled(conv(np.full((3, 1, 1, 1), 2), (3, 2, 2))).network.layers[0]
    assert neuron_count(layer) == 12
    values = per_neuron(np.array([5, 6, 7], dtype=np.int32), layer)
    assert np.array_equal(values, [5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7])
    assert values.dtype == np.int32


def test_values_of_a_dense_layer_are_one_a_neuron() -> None:
    layer = compiled(dense([[2], [2], [2]])).network.layers[0]
    assert neuron_count(layer) == 3
    assert np.array_equal(per_neuron(np.array([5, 6, 7], dtype=np.int32), layer), [5, 6, 7])


def test_one_value_is_that_of_every_neuron() -> None:
    layer = compiled(conv(np.full((3, 1, 1, 1), 2), (3, 2, 2))).network.layers[0]
    values = per_neuron(np.array(9, dtype=np.int32), layer)
    assert np.array_equal(values, np.full(12, 9))
    assert values.dtype == np.int32


@pytest.mark.parametrize("kind", [NeuronKind.ALIF, NeuronKind.RF_IZ, NeuronKind.ADRF_IZ])
def test_neurons_that_fire_at_rest_do_so_before_the_input_comes(kind: NeuronKind) -> None:
    for threshold, leads in ((0, (0, 1)), (1, (0, 0))):
        neuron: Any = dataclasses.replace(neuron_of(kind), vth_mantissa=threshold)
        if kind is NeuronKind.ALIF:
            neuron = dataclasses.replace(neuron, refractory_delay=1)
        imag = None if kind is NeuronKind.ALIF else np.array([[2], [2]], dtype=np.int32)
        late = dense([[2], [2]], name="layer1", neuron=neuron, weight_imag=imag)
        network = compiled(dense([[2]], delay_shift=True), late).network
        assert bias_leads(network) == leads


def test_the_cores_of_a_layer_are_found_by_its_name() -> None:
    cores = tuple(
        Core(
            index=i,
            site=Site(chip=0, column=0, row=0, core=i),
            layer=name,
            neurons=np.array([i // 2], dtype=np.int32),
            usage=(),
        )
        for i, name in enumerate(["a", "b", "a"])
    )
    placement = Placement(cores=cores)
    assert placement.cores_of("a") == (cores[0], cores[2])
    assert placement.cores_of("c") == ()
    assert placement.core_of_neurons("a").tolist() == [0, 2]
    assert placement.core_of_neurons("b").tolist() == [1]
    assert placement.chips == 1
