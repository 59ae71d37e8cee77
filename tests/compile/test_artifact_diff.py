"""A diff of two artifacts names every change, and nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import compiled, cuba, dense
from profiles import SHIPPED, limited

from lavadeploy.compile import (
    CompiledNetwork,
    compile_network,
    diff_artifacts,
    load_artifact,
    save_artifact,
)
from lavadeploy.netx import Network

WEIGHT = np.array([[2, -2, 4], [6, 8, -10]])


def layers(**changes: Any) -> tuple[Any, ...]:
    first = dense(WEIGHT, bias=np.array([1, 2]), delay=np.array([0, 3]))
    second = dense([[64, 32]], name="layer1")
    return dataclasses.replace(first, **changes), second


def found(a: CompiledNetwork, b: CompiledNetwork) -> list[tuple[str | None, str, Any, Any]]:
    return [(c.layer, c.field, c.before, c.after) for c in diff_artifacts(a, b)]


BEFORE = compiled(*layers())


def test_the_same_network_has_no_difference(tmp_path: Any) -> None:
    again = dataclasses.replace(compiled(*layers()), created="2026-11-22")
    save_artifact(again, tmp_path / "a.ldc")
    assert diff_artifacts(BEFORE, again) == ()
    assert diff_artifacts(BEFORE, load_artifact(tmp_path / "a.ldc")) == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"neuron": cuba(81)},
            [("layer0", "neuron.vth_mantissa", 80, 81)],
        ),
        ({"bias": np.array([1, 5])}, [("layer0", "bias", 2, 5)]),
        ({"delay": np.array([0, 62])}, [("layer0", "delay", 3, 62)]),
        ({"delay_shift": False}, [("layer0", "delay_shift", True, False)]),
        ({"weight": WEIGHT.copy()}, []),
    ],
)
def test_every_field_that_changed_is_named(changes: Any, expected: Any) -> None:
    assert found(BEFORE, compiled(*layers(**changes))) == expected


def test_weights_and_their_registers() -> None:
    coarser = np.array([[2, -2, 4], [6, 8, -12]])
    assert found(BEFORE, compiled(*layers(weight=coarser))) == [("layer0", "weights", -10, -12)]
    finer = np.array([[1, -2, 4], [6, 8, -10]])
    rows = found(BEFORE, compiled(*layers(weight=finer)))
    assert rows == [("layer0", "weights", 2, 1), ("layer0", "weights.bits", 4, 5)]


def test_a_layer_more() -> None:
    first, second = layers()
    third = dense([[2]], name="layer2")
    rows = found(BEFORE, compiled(first, second, third))
    assert (None, "layer", None, "ChipDense (1,)") in rows
    assert (None, "cores", 2, 3) in rows
    backwards = found(compiled(first, second, third), BEFORE)
    assert ("layer2", "layer", "ChipDense (1,)", None) in backwards


def test_another_chip_is_one_change_and_another_number_of_a_chip_too() -> None:
    rows = found(BEFORE, compiled(*layers(), profile="ideal"))
    assert (None, "profile", "loihi2", "ideal") in rows
    assert not any(field.startswith("profile.") for _, field, _, _ in rows)
    network = Network(layers=layers())
    smaller = compile_network(network, limited("loihi2", neurons_per_core=1))
    rows = found(BEFORE, smaller)
    assert (None, "profile.limits.neurons_per_core.value", 4095, 1) in rows
    assert ("layer0", "cores", 1, 2) in rows
    assert ("layer0", "core of each neuron", 0, 1) in rows


def test_options_and_source() -> None:
    network = Network(layers=layers())
    other = compile_network(network, SHIPPED["loihi2"], allow_approximate=True)
    assert found(BEFORE, other) == [(None, "legalize.allow_approximate", False, True)]
    moved = dataclasses.replace(BEFORE, source_sha256="ab", calibration_sha256="cd")
    assert found(BEFORE, moved) == [
        (None, "source_sha256", "", "ab"),
        (None, "calibration_sha256", "", "cd"),
    ]


def test_a_core_at_another_place_is_named() -> None:
    first, second = BEFORE.placement.cores
    moved = dataclasses.replace(second, site=dataclasses.replace(second.site, chip=1, row=3))
    placement = dataclasses.replace(BEFORE.placement, cores=(first, moved))
    assert found(BEFORE, dataclasses.replace(BEFORE, placement=placement)) == [
        ("layer1", "chip of each neuron", second.site.chip, 1),
        ("layer1", "row of each neuron", second.site.row, 3),
    ]
