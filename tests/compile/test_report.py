"""The compile report is plain numbers about every layer."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
from builders import compiled, conv, dense

from lavadeploy.compile import CompileReport, LayerReport, report_compilation
from lavadeploy.netx import AverageLayer


def test_every_layer_has_its_row() -> None:
    image = conv(np.array([-6, 2]).reshape(2, 1, 1, 1), (2, 2, 3))
    flat = dense(np.full((4096, 12), 4), name="layer1")
    found = report_compilation(compiled(image, flat))
    assert isinstance(found, CompileReport)
    assert found.profile == "loihi2"
    assert found.layers == (
        LayerReport(
            name="layer0",
            kind="conv",
            neuron="CUBA",
            shape_out=(2, 2, 3),
            neurons=12,
            weights=2,
            weight_bits=3,
            weight_exponent=-5,
            sign_mode="mixed",
            cores=1,
            fullest="neurons 12 of 4095 (0 %)",
        ),
        LayerReport(
            name="layer1",
            kind="dense",
            neuron="CUBA",
            shape_out=(4096,),
            neurons=4096,
            weights=4096 * 12,
            weight_bits=1,
            weight_exponent=-5,
            sign_mode="excitatory",
            cores=2,
            fullest="neurons 4095 of 4095 (100 %)",
        ),
    )
    assert found.cores == len(found.placement.cores) == 3
    assert found.synapse_words == 1 + 12 * -(-(10 + 4095 * 13) // 64) + 12
    assert found.near_limits == (
        "layer1: neurons 4095 of 4095 (100 %) on its fullest core.",
        "layer1: entries in total 18187 of 20000 (91 %) on its fullest core.",
    )
    assert {state.layer for state in found.states} == {"layer0", "layer1"}
    assert found.warnings == ()


def test_what_was_lowered_is_reported() -> None:
    average = AverageLayer(name="layer1", shape=(2, 1, 1))
    found = report_compilation(compiled(dense(np.full((4, 3), 2)), average))
    assert [(row.layer, row.before, row.exact) for row in found.lowerings] == [
        ("layer1", "average", True)
    ]


def test_the_report_becomes_json() -> None:
    found = report_compilation(compiled(dense([[2, -4]])))
    again = json.loads(json.dumps(dataclasses.asdict(found)))
    assert again["layers"][0]["name"] == "layer0"
    assert again["cores"] == 1
    assert again["placement"]["cores"][0]["resources"][0]["resource"] == "neurons"


def test_the_fullest_resource_is_the_nearest_to_its_limit() -> None:
    rows = report_compilation(compiled(dense(np.full((1, 8000), 2)))).layers
    # 8000 words and 8000 axons; a neuron, its group, its map entry
    assert rows[0].fullest == "entries in total 16003 of 20000 (80 %)"


def test_a_profile_without_limits_has_no_fullest() -> None:
    rows = report_compilation(compiled(dense([[2]]), profile="ideal")).layers
    assert rows[0].fullest == "no limits"
