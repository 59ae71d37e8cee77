"""What changed between two networks: every change is found, and nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import cuba, dense
from every_kind import ints, network_of_every_kind
from hypothesis import HealthCheck, given, settings
from netx_strategies import networks

from lavadeploy.netx import (
    Change,
    ElementChanges,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    NeuronKind,
    SynapticLayer,
    diff_networks,
    read_netx,
    write_netx,
)
from lavadeploy.netx.value_changes import compare_values

QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def change(layer: str | None, field: str, before: Any, after: Any, **more: Any) -> Change:
    places: dict[str, Any] = {"layer": layer, "other_layer": layer, "elements": None} | more
    return Change(field=field, before=before, after=after, **places)


def with_layer(network: Network, index: int, **fields: Any) -> Network:
    layers = list(network.layers)
    layers[index] = dataclasses.replace(layers[index], **fields)
    return dataclasses.replace(network, layers=tuple(layers))


def with_neuron(network: Network, index: int, **fields: Any) -> Network:
    layer = network.layers[index]
    assert isinstance(layer, InputLayer | SynapticLayer)
    assert layer.neuron is not None
    return with_layer(network, index, neuron=dataclasses.replace(layer.neuron, **fields))


@QUICK
@given(network=networks())
def test_a_network_does_not_differ_from_what_was_written_and_read(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "same.net"
    write_netx(network, path)
    assert diff_networks(network, read_netx(path)) == ()


@QUICK
@given(network=networks(), other=networks())
def test_differences_go_both_ways_and_into_strict_json(network: Network, other: Network) -> None:
    changes, back = diff_networks(network, other), diff_networks(other, network)
    assert bool(changes) == bool(back)
    if len(network.layers) == len(other.layers):
        assert [(c.before, c.after) for c in changes if "extra" in c.field] == [
            (c.after, c.before) for c in back if "extra" in c.field
        ]
    json.dumps([dataclasses.asdict(c) for c in changes], allow_nan=False)


def test_a_single_changed_weight_is_found() -> None:
    network = network_of_every_kind()
    layer = network.layers[1]
    assert isinstance(layer, SynapticLayer)
    weight = layer.weight.copy()
    weight[2, 0, 1, 1] += 7
    found = ElementChanges(differing=1, size=24, largest=7, first=(2, 0, 1, 1))
    # (2, 0, 1, 1) is the 16th of 24 even numbers from -24 on
    assert diff_networks(network, with_layer(network, 1, weight=weight)) == (
        change("layer1", "weight", 6, 13, elements=found),
    )


@pytest.mark.parametrize(
    ("index", "field"), [(2, "weight_imag"), (7, "weight_rec"), (1, "bias"), (2, "bias_imag")]
)
def test_every_set_of_numbers_is_compared(index: int, field: str) -> None:
    network = network_of_every_kind()
    old = getattr(network.layers[index], field)
    (found,) = diff_networks(network, with_layer(network, index, **{field: old + 1}))
    assert (found.layer, found.field) == (f"layer{index}", field)
    assert found.elements == ElementChanges(
        differing=old.size, size=old.size, largest=1, first=(0,) * old.ndim
    )


def test_the_largest_difference_of_the_widest_numbers_is_exact() -> None:
    ends = (dense([[-(2**31), 0]]), dense([[2**31 - 1, 1]]))
    (found,) = diff_networks(*(Network(layers=(layer,)) for layer in ends))
    assert found.elements == ElementChanges(differing=2, size=2, largest=2**32 - 1, first=(0, 0))


def test_a_bias_or_delay_that_comes_or_goes_is_a_change() -> None:
    network = network_of_every_kind()
    changed = with_layer(network, 1, bias=None, delay=None)
    assert diff_networks(network, changed) == (
        change("layer1", "bias", "4 values", None),
        change("layer1", "delay", "4 values", None),
    )
    assert diff_networks(changed, network) == (
        change("layer1", "bias", None, "4 values"),
        change("layer1", "delay", None, "4 values"),
    )


def test_changed_geometry_and_shape_are_found() -> None:
    network = network_of_every_kind()
    changed = with_layer(
        network, 1, stride=(2, 2), padding=(0, 1), dilation=(1, 2), groups=1, shape=(4, 2, 2)
    )
    assert diff_networks(network, changed) == (
        change("layer1", "shape", (4, 2, 3), (4, 2, 2)),
        change("layer1", "stride", (2, 1), (2, 2)),
        change("layer1", "padding", (1, 0), (0, 1)),
        change("layer1", "dilation", (1, 1), (1, 2)),
        change("layer1", "groups", 2, 1),
    )


def test_a_wider_layer_is_the_same_layer() -> None:
    before = Network(layers=(dense(np.ones((3, 2))), dense(np.ones((1, 3)), name="layer1")))
    after = Network(layers=(dense(np.ones((4, 2))), dense(np.ones((1, 4)), name="layer1")))
    assert diff_networks(before, after) == (
        change("layer0", "shape", (3,), (4,)),
        change("layer0", "weight", "3×2 values", "4×2 values"),
        change("layer1", "weight", "1×3 values", "1×4 values"),
    )


def other_value(value: Any) -> Any:
    """Return a value of the same type that differs."""
    match value:
        case None:
            return 3
        case bool():
            return not value
        case str():
            return value + "6"
        case _:
            return value + 1


@pytest.mark.parametrize("index", [0, 1, 2, 3, 4, 6, 7, 10, 11])
def test_every_parameter_of_a_neuron_is_compared(index: int) -> None:
    network = network_of_every_kind()
    neuron: Any = getattr(network.layers[index], "neuron", None)
    for field in dataclasses.fields(neuron):
        if field.name == "kind":
            continue
        old = getattr(neuron, field.name)
        new = other_value(old)
        (found,) = diff_networks(network, with_neuron(network, index, **{field.name: new}))
        assert (found.layer, found.field) == (f"layer{index}", f"neuron.{field.name}")
        if np.ndim(old) == 0:
            assert (found.before, found.after, found.elements) == (old, new, None)


def test_one_decay_for_all_and_one_for_each_are_not_the_same_statement() -> None:
    network = network_of_every_kind()
    same = with_neuron(network, 1, voltage_decay=ints(410, 410, 410, 410))
    assert diff_networks(network, same) == (
        change("layer1", "neuron.voltage_decay", 410, "4 values"),
    )
    other = with_neuron(network, 1, voltage_decay=ints(410, 411, 400, 410))
    found = ElementChanges(differing=2, size=4, largest=10, first=(1,))
    assert diff_networks(network, other) == (
        change("layer1", "neuron.voltage_decay", 410, "4 values", elements=found),
    )


def test_another_kind_of_neuron_is_named_and_what_both_have_compared() -> None:
    network = network_of_every_kind()
    changed = with_layer(network, 1, neuron=cuba(vth=90, du=ints(0, 1024, 2048, 4096), dv=410))
    assert diff_networks(network, changed) == (
        change("layer1", "neuron.kind", "ALIF", "CUBA"),
        change("layer1", "neuron.vth_mantissa", 80, 90),
        change("layer1", "neuron.graded_spike", True, False),
    )
    assert diff_networks(network, with_layer(network, 0, neuron=None)) == (
        change("layer0", "neuron.kind", "CUBA", None),
    )


def test_the_two_spellings_of_cuba_differ() -> None:
    network = network_of_every_kind()
    assert diff_networks(network, with_neuron(network, 7, kind=NeuronKind.CUBA)) == (
        change("layer7", "neuron.kind", "LOIHI", "CUBA"),
    )


def test_another_kind_of_layer_is_named() -> None:
    network = network_of_every_kind()
    layers: list[Layer] = list(network.layers)
    layers[8] = FlattenLayer(name="layer8", shape=(3,))
    changed = dataclasses.replace(network, layers=tuple(layers))
    assert diff_networks(network, changed) == (change("layer8", "kind", "average", "flatten"),)


def test_an_added_layer_moves_the_others_without_changing_them() -> None:
    network = network_of_every_kind()
    flatten = FlattenLayer(name="layer0", shape=(2, 4, 4))
    moved = tuple(
        dataclasses.replace(layer, name=f"layer{i + 1}") for i, layer in enumerate(network.layers)
    )
    longer = dataclasses.replace(network, layers=(flatten, *moved))
    assert diff_networks(network, longer) == (
        change(None, "layer", None, "flatten 2×4×4", other_layer="layer0"),
    )
    assert diff_networks(longer, network) == (
        change("layer0", "layer", "flatten 2×4×4", None, other_layer=None),
    )
    changed = with_neuron(longer, 8, vth_mantissa=81)
    assert diff_networks(network, changed)[1:] == (
        change("layer7", "neuron.vth_mantissa", 80, 81, other_layer="layer8"),
    )


def test_hundreds_of_like_layers_are_paired_too() -> None:
    alike = [FlattenLayer(name=f"layer{i}", shape=(4,)) for i in range(300)]
    more = [FlattenLayer(name="layer0", shape=(2, 2, 1)), *alike]
    (found,) = diff_networks(Network(layers=tuple(alike)), Network(layers=tuple(more)))
    assert (found.other_layer, found.field) == ("layer0", "layer")


def test_extras_of_layers_files_and_roots_are_compared() -> None:
    network = dataclasses.replace(
        with_layer(network_of_every_kind(), 5, extra={"a": np.array([1.0, np.nan]), "b": "x"}),
        extra={"simulation/Ts": np.array(1), "old": np.array([1, 2])},
        extra_attributes={"author": "me", "version": 1, "nothing": float("nan")},
    )
    changed = dataclasses.replace(
        with_layer(network, 5, extra={"a": np.array([np.inf, np.nan]), "b": "y"}),
        extra={"simulation/Ts": np.array(2), "new": "text"},
        extra_attributes={"author": "you", "version": 1, "nothing": float("nan")},
    )
    assert diff_networks(network, network) == ()
    found = ElementChanges(differing=1, size=2, largest=None, first=(0,))
    assert diff_networks(network, changed) == (
        change("layer5", "extra.a", 1.0, "inf", elements=found),
        change("layer5", "extra.b", "x", "y"),
        change(None, "extra.new", None, "text"),
        change(None, "extra.old", "2 values", None),
        change(None, "extra.simulation/Ts", 1, 2),
        change(None, "extra_attributes.author", "me", "you"),
    )


def test_names_source_and_warnings_are_not_compared(tmp_path: Path) -> None:
    network = network_of_every_kind()
    other = dataclasses.replace(with_layer(network, 3, name="pool"), warnings=("Look out.",))
    assert diff_networks(network, other) == ()


def test_differences_beyond_64_bits_do_not_wrap() -> None:
    found = compare_values(np.array([-(2**63), 0]), np.array([2**63 - 1, 0]))
    assert found is not None
    assert found.elements is not None
    assert found.elements.largest == 2.0**64


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array(3), np.array([3])),
        (np.array([1, 2], dtype=np.int8), np.array([1.0, 2.0])),
        (np.array([True, False]), np.array([1, 0])),
        (np.zeros((0, 2)), np.zeros((0, 2))),
        (float("nan"), np.array(np.nan)),
        (None, None),
    ],
)
def test_values_are_compared_and_not_types(a: Any, b: Any) -> None:
    assert compare_values(a, b) is None


def test_strings_are_compared_by_element() -> None:
    found = compare_values(np.array([b"up", b"down"]), np.array([b"up", b"left"]))
    assert found is not None
    assert found.elements == ElementChanges(differing=1, size=2, largest=None, first=(1,))
    assert (found.before, found.after) == (b"down".decode(), b"left".decode())
    found = compare_values(np.array([b"up", b"down"]), np.array([1, 2]))
    assert found is not None
    assert (found.before, found.after, found.elements) == ("2 strings", "2 values", None)


@pytest.mark.parametrize(
    ("a", "b", "before", "after"),
    [
        (np.zeros((0, 2)), np.zeros(0), "0×2 values", "0 values"),
        (np.array(3), np.array([[4]]), 3, 4),
        (np.array([1.5, 2]), "text", "2 values", "text"),
        (np.array(-np.inf), None, "-inf", None),
        ("", None, "", None),
    ],
)
def test_values_of_other_shape_or_type_are_described(
    a: Any, b: Any, before: Any, after: Any
) -> None:
    found = compare_values(a, b)
    assert found is not None
    assert (found.before, found.after, found.elements) == (before, after, None)
