"""Blocks hold the neurons of a box and hear exactly the inputs that reach it."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from placing import QUICK, chip, reached_by_brute_force
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import ChipLayer, neuron_count
from lavadeploy.compile.blocks import Block, Cut, block_of, box_shape


def box(draw: st.DrawFn, layer: ChipLayer) -> Block:
    ranges: list[range] = []
    for size in box_shape(layer):
        start = draw(st.integers(0, size - 1))
        ranges.append(range(start, draw(st.integers(start + 1, size))))
    return Block(channels=ranges[0], rows=ranges[1], columns=ranges[2])


@QUICK
@given(data=st.data(), case=st.one_of(conv_cases(), dense_cases()))
def test_a_blocks_inputs_are_those_that_reach_it(data: st.DataObject, case: Case) -> None:
    for layer in chip(case).layers:
        block = data.draw(st.composite(box)(layer))
        numbers = np.arange(neuron_count(layer)).reshape(box_shape(layer))
        expected = [
            numbers[place] for place in itertools.product(block.channels, block.rows, block.columns)
        ]
        neurons = block.neurons(layer)
        assert np.array_equal(neurons, expected)
        assert neurons.dtype == np.int32
        assert block.size == neurons.size
        reached = reached_by_brute_force(layer, neurons)
        assert np.array_equal(block.inputs(layer), reached)
        assert np.array_equal(block.heard(layer), np.flatnonzero(reached))


@QUICK
@given(data=st.data(), case=st.one_of(conv_cases(), dense_cases()))
def test_a_block_is_found_again_from_its_neurons(data: st.DataObject, case: Case) -> None:
    for layer in chip(case).layers:
        block = data.draw(st.composite(box)(layer))
        assert block_of(layer, block.neurons(layer)) == block


def test_the_blocks_of_a_cut_come_channels_slowest() -> None:
    cut = Cut(channels=(range(2), range(2, 3)), rows=(range(4),), columns=(range(5), range(5, 6)))
    assert cut.parts == 4
    assert [(b.channels.start, b.columns.start) for b in cut.blocks()] == [
        (0, 0),
        (0, 5),
        (2, 0),
        (2, 5),
    ]
