"""The placement's report is plain numbers that add up."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from builders import dense
from profiles import limited

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.compile.placement_report import report_placement
from lavadeploy.netx import Network


@pytest.fixture
def example() -> CompiledNetwork:
    layers = (dense(np.full((10, 3), 2)), dense(np.full((4, 10), 2), name="layer1"))
    profile = limited("loihi2", neurons_per_core=4, cores_per_chip=2)
    return compile_network(Network(layers=layers), profile)


def test_every_core_has_its_place_layer_and_resources(example: CompiledNetwork) -> None:
    found = report_placement(example)
    assert found.chips == 2
    rows = [(c.core, c.chip, c.layer, c.neurons) for c in found.cores]
    assert [row[0] for row in rows] == [0, 1, 2, 3]
    assert [row[2:] for row in rows] == [("layer0", 4), ("layer0", 4), ("layer0", 2), ("layer1", 4)]
    assert sorted(row[1] for row in rows) == [0, 0, 1, 1]
    neurons = found.cores[2].resources[0]
    assert dataclasses.astuple(neurons) == ("neurons", 2, 4, 50.0)


def test_links_add_up_to_the_totals(example: CompiledNetwork) -> None:
    found = report_placement(example, {"layer0": np.arange(10), "layer1": np.array(3)})
    assert [(link.source, link.target, link.messages) for link in found.links] == [
        (0, 3, 0.0 + 1 + 2 + 3),
        (1, 3, 4.0 + 5 + 6 + 7),
        (2, 3, 8.0 + 9),
    ]
    assert found.messages == 45.0
    assert found.message_hops == sum(link.messages * link.hops for link in found.links)
    assert found.message_crossings == sum(link.messages * link.crossings for link in found.links)
    assert found.message_crossings == 6.0 + 22.0


def test_links_without_messages_are_left_out(example: CompiledNetwork) -> None:
    silent = {"layer0": np.zeros(10), "layer1": np.zeros(4)}
    assert report_placement(example, silent).links == ()


def test_the_report_becomes_json(example: CompiledNetwork) -> None:
    again = json.loads(json.dumps(dataclasses.asdict(report_placement(example))))
    assert again["cores"][0]["layer"] == "layer0"
    assert again["messages"] == 10.0
