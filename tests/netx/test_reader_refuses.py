"""Layers that are not NetX are refused, with file, layer and field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from expect import sentence
from hdf5_files import CONV, DENSE, without, write_hdf5, write_layers

from lavadeploy.netx import NetxFormatError, read_netx
from lavadeploy.netx.hdf5_store import tree_bytes

INPUT: Mapping[str, Any] = {"type": b"input", "shape": [3]}
FLATTEN: Mapping[str, Any] = {"type": b"flatten", "shape": [3, 1, 1]}
WEIGHT = np.array([[2, -4, 6], [0, 254, -256]], dtype=np.float64)


KINDS = (
    "Valid: 'average', 'concat', 'conv', 'convT', 'dense', 'dense_rec', 'flatten', 'input', "
    "'pool', 'unpool'"
)


def changed(where: tuple[int, ...], value: float) -> Any:
    weight = WEIGHT.copy()
    weight[where] = value
    return weight


def not_whole(field: str, number: str, where: str) -> str:
    return (
        f"{field} is {number} at {where}; whole numbers (in units of 1/64) were expected. Quantize "
        "the network with `lavadeploy compile --bits 8`, or export quantized values, as "
        "export_slayer does."
    )


def out_of_range(field: str, number: str, where: str) -> str:
    return (
        f"{field} is {number} at {where}; numbers between -2147483648 and 2147483647 were expected."
    )


BAD_LAYERS: list[tuple[str, Mapping[str, Any], str]] = [
    ("no type", without(DENSE, "type"), "field 'type' is missing or not a string."),
    ("type is a number", {**DENSE, "type": 3}, "field 'type' is missing or not a string."),
    ("negative delay", {**DENSE, "delay": [-1]}, "delay is -1; no spike leaves before it is made."),
    ("empty type", {**DENSE, "type": b""}, f"unknown layer kind ''; {KINDS}."),
    *(
        (
            kind,
            {**DENSE, "type": kind.encode()},
            f"unknown layer kind '{kind}'; did you mean '{meant}'? {KINDS}.",
        )
        # lava-dl's loader names the second, which nothing writes
        for kind, meant in (("desne", "dense"), ("dense_comp", "dense_rec"), ("Conv", "conv"))
    ),
    ("nonsense", {**DENSE, "type": b"Q"}, f"unknown layer kind 'Q'; {KINDS}."),
    (
        "concat of nothing known",
        {"type": b"concat", "shape": [4]},
        (
            "layer kind 'concat' does not say which layers it joins: field 'sources' (their "
            "numbers) is missing. No version of lava-dl writes or reads this kind."
        ),
    ),
    *(
        (
            f"concat of {sources}",
            {"type": b"concat", "shape": [4], "sources": np.array(sources)},
            f"sources is {sources}; numbers of earlier layers expected.",
        )
        for sources in ((), (1,), (0, 2), (-1, 0))
    ),
    (
        "NaN weight",
        {**DENSE, "weight": changed((1, 2), np.nan)},
        out_of_range("weight", "nan", "(1, 2)"),
    ),
    (
        "infinite",
        {**DENSE, "weight": changed((0, 0), np.inf)},
        out_of_range("weight", "inf", "(0, 0)"),
    ),
    ("fraction", {**DENSE, "weight": changed((0, 1), 0.5)}, not_whole("weight", "0.5", "(0, 1)")),
    (
        "beyond 32 bits",
        {**DENSE, "weight": changed((0, 1), 2**31)},
        out_of_range("weight", "2147483648.0", "(0, 1)"),
    ),
    (
        "below 32 bits",
        {**DENSE, "weight": changed((0, 1), -(2**31) - 1)},
        out_of_range("weight", "-2147483649.0", "(0, 1)"),
    ),
    (
        "fractional threshold",
        {**DENSE, "neuron/vThMant": 1.25},
        not_whole("neuron/vThMant", "1.25", "()"),
    ),
    ("weight is text", {**DENSE, "weight": b"x"}, "field 'weight' is missing or not a number."),
    *(
        (f"no {field}", without(DENSE, field), f"field '{field}' is missing or not a number.")
        for field in ("shape", "weight", "neuron/vThMant", "neuron/iDecay", "neuron/vDecay")
    ),
    *(
        (f"conv: no {field}", without(CONV, field), f"field '{field}' is missing or not a number.")
        for field in ("shape", "weight", "neuron/vThMant")
    ),
    (
        "conv without neurons",
        without(CONV, "neuron/type", "neuron/vThMant", "neuron/iDecay", "neuron/vDecay"),
        "field 'neuron/type' is missing or not a string.",
    ),
    # lava-dl raises KeyError here; an integrator in place of the neuron described is no reading
    (
        "neuron group without type",
        without(DENSE, "neuron/type"),
        "field 'neuron/type' is missing or not a string.",
    ),
    (
        "input's neuron group without type",
        {**INPUT, "neuron/vThMant": 80, "neuron/iDecay": 1, "neuron/vDecay": 1},
        "field 'neuron/type' is missing or not a string.",
    ),
    (
        "two thresholds",
        {**DENSE, "neuron/vThMant": [1, 2]},
        "neuron/vThMant has 2 values; 1 was expected.",
    ),
    (
        "step late, or two",
        {**DENSE, "delayShift": 2},
        "delayShift is 2; 0 or 1 was expected.",
    ),
    (
        "group in place of a bias",
        {**DENSE, "bias/a": [1]},
        "'bias' is a group; a dataset was expected.",
    ),
    ("empty shape", {**DENSE, "shape": np.zeros(0)}, "shape is (); positive sizes were expected."),
    ("zero shape", {**DENSE, "shape": [2, 0]}, "shape is (2, 0); positive sizes were expected."),
    ("negative", {**FLATTEN, "shape": [-3, 1]}, "shape is (-3, 1); positive sizes were expected."),
    (
        "rows do not fit the shape",
        {**DENSE, "shape": [3]},
        "weight has shape (2, 3); (neurons, inputs) = (3, inputs) was expected.",
    ),
    (
        "flat weight that does not divide",
        {**DENSE, "weight": np.zeros(5)},
        "weight has shape (5,); (neurons, inputs) = (2, inputs) was expected.",
    ),
    (
        "no inputs",
        {**DENSE, "weight": np.zeros((2, 0))},
        "weight has shape (2, 0); (neurons, inputs) = (2, inputs) was expected.",
    ),
    (
        "three-dimensional dense weight",
        {**DENSE, "weight": np.zeros((2, 3, 1))},
        "weight has shape (2, 3, 1); (neurons, inputs) = (2, inputs) was expected.",
    ),
    (
        "conv of a flat shape",
        {**CONV, "shape": [2]},
        "shape is (2,); that of a conv layer is (C, H, W).",
    ),
    (
        "convT of a flat shape",
        {**CONV, "type": b"convT", "shape": [2, 3]},
        "shape is (2, 3); that of a convT layer is (C, H, W).",
    ),
    *(
        (
            f"{kind} of four axes",
            {**CONV, "type": kind.encode(), "shape": [2, 3, 4, 5]},
            "shape is (2, 3, 4, 5); that of a pooling layer is (C, H, W).",
        )
        for kind in ("pool", "unpool")
    ),
    *(
        (
            f"{kind} weight {shape}",
            {**CONV, "type": kind.encode(), "weight": np.zeros(shape)},
            f"weight has shape {shape}; a kernel has four dimensions.",
        )
        for kind in ("conv", "convT", "pool", "unpool")
        # kernels without elements are no kernels
        for shape in [(2, 1, 2), (2, 1, 2, 2, 2), (2, 0, 2, 2), (2, 1, 0, 2)]
    ),
    *(
        (
            f"conv weight {shape} in {groups} groups",
            {**CONV, "weight": np.zeros(shape), "groups": groups},
            (
                f"weight has shape {shape}; (C_out, C_in / groups, height, width) with C_out = 2 "
                f"and {groups} groups was expected."
            ),
        )
        for shape, groups in [((3, 1, 2, 2), 1), ((2, 1, 2, 2), 3)]
    ),
    *(
        (
            f"convT weight {shape} in {groups} groups",
            {**CONV, "type": b"convT", "weight": np.zeros(shape), "groups": groups},
            (
                f"weight has shape {shape}; (C_in, C_out / groups, height, width) with C_out = 2 "
                f"and {groups} groups was expected."
            ),
        )
        for shape, groups in [((3, 1, 2, 2), 1), ((3, 1, 2, 2), 2), ((3, 2, 2, 2), 2)]
    ),
    *(
        (
            f"{kind} weight {shape}",
            {**CONV, "type": kind.encode(), "weight": np.zeros(shape)},
            f"weight has shape {shape}; (1, 1, height, width) was expected.",
        )
        for kind in ("pool", "unpool")
        for shape in [(2, 1, 2, 2), (1, 2, 2, 2)]
    ),
    (
        "recurrent weights are missing",
        {**DENSE, "type": b"dense_rec"},
        "field 'weight_rec' is missing or not a number.",
    ),
    (
        "recurrent weights of another layer",
        {**DENSE, "type": b"dense_rec", "weight_rec": WEIGHT},
        "weight_rec has shape (2, 3); (2, 2) expected.",
    ),
    (
        "recurrent weights of more neurons",
        {**DENSE, "type": b"dense_rec", "weight_rec": np.zeros((3, 3))},
        "weight_rec has shape (3, 3); (neurons, inputs) = (2, inputs) was expected.",
    ),
    (
        "no groups",
        {**CONV, "groups": 0},
        "groups is 0; at least 1 was expected.",
    ),
    *(
        (
            f"{field} {stated}",
            {**DENSE, field: stated},
            f"{field} is {stated}, but the weights make it {follows}.",
        )
        for field, stated, follows in [("inFeatures", (2,), (3,)), ("outFeatures", (3,), (2,))]
    ),
    *(
        (
            f"{field} {stated}",
            {**CONV, field: stated},
            f"{field} is {stated}, but {source} make it {follows}.",
        )
        for field, stated, source, follows in [
            ("inChannels", (2,), "weights and groups", (1,)),
            ("outChannels", (1,), "weights and groups", (2,)),
            ("kernelSize", (2, 3), "the weights", (2, 2)),
            ("kernelSize", (3,), "the weights", (2, 2)),
        ]
    ),
    (
        "pool's kernel size",
        {**CONV, "type": b"pool", "weight": np.zeros((1, 1, 2, 3)), "kernelSize": 2},
        "kernelSize is (2,), but the weights make it (2, 3).",
    ),
    (
        "a channel for everyone",
        {**CONV, "type": b"pool", "weight": [[[[2]]]], "shape": [2**31 - 1, 1, 1], "bias": 1},
        "has 2147483647 channels; 16777216 at most.",
    ),
    ("zero stride", {**CONV, "stride": [1, 0]}, "stride is (1, 0); at least 1 was expected."),
    ("negative pad", {**CONV, "padding": -1}, "padding is (-1, -1); at least 0 was expected."),
    ("no dilation", {**CONV, "dilation": 0}, "dilation is (0, 0); at least 1 was expected."),
    (
        "three strides",
        {**CONV, "stride": [1, 1, 1]},
        "stride has 3 values; (height, width) was expected.",
    ),
    ("two groups", {**CONV, "groups": [1, 1]}, "groups has 2 values; 1 was expected."),
    ("biases", {**DENSE, "bias": [1, 2, 3]}, "bias has 3 values; 1 or 2 was expected."),
    ("delays", {**CONV, "delay": [1, 2, 3]}, "delay has 3 values; 1 or 2 was expected."),
    (
        "decays",
        {**DENSE, "neuron/iDecay": [1, 2, 3]},
        "neuron/iDecay has 3 values; 1 or 2 was expected.",
    ),
    (
        "decays of a conv",
        {**CONV, "neuron/vDecay": [1, 2, 3]},
        "neuron/vDecay has 3 values; 1 or 2 was expected.",
    ),
    ("input weights", {**INPUT, "weight": [1, 2]}, "weight has 2 values; 1 was expected."),
]


@pytest.mark.parametrize(
    ("layer", "expected"), [pytest.param(layer, text, id=name) for name, layer, text in BAD_LAYERS]
)
def test_bad_layers_are_refused(layer: Mapping[str, Any], expected: str, tmp_path: Path) -> None:
    path = write_layers(tmp_path / "bad.net", INPUT, layer)
    assert sentence(NetxFormatError, read_netx, path) == f"'{path}', layer1: {expected}"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "has no group 'layer', so it is not a NetX file (found: nothing)."),
        (
            {"weights/a": [1], "b": [2]},
            "has no group 'layer', so it is not a NetX file (found: b, weights, weights/a).",
        ),
        (
            {"layer": [1]},
            "has no group 'layer', so it is not a NetX file (found: layer).",
        ),
        ({"layer": None}, "group 'layer' is empty; the network has no layers."),
        ({"layer/type": b"dense"}, "group 'layer' is empty; the network has no layers."),
        ({"layer/0": None, "layer/first": None}, "layer 'first' is not numbered."),
        ({"layer/0": None, "layer/-1": None}, "layer '-1' is not numbered."),
        ({"layer/0": None, "layer/01": None}, "layer '01' is not numbered."),
        ({"layer/0": None, "layer/+1": None}, "layer '+1' is not numbered."),
        ({f"layer/{'9' * 30}": None}, f"layer '{'9' * 30}' is not numbered."),
        ({"layer/1": None}, "layers are numbered [1]; one is missing."),
        ({"layer/0": None, "layer/2": None}, "layers are numbered [0, 2]; one is missing."),
    ],
)
def test_files_without_a_chain_of_layers_are_refused(
    values: Mapping[str, Any], expected: str, tmp_path: Path
) -> None:
    path = write_hdf5(tmp_path / "bad.net", values)
    assert sentence(NetxFormatError, read_netx, path) == f"'{path}': {expected}"


def test_a_missing_file_is_refused_under_the_name_given(tmp_path: Path) -> None:
    path = str(tmp_path / "missing.net")
    assert sentence(NetxFormatError, read_netx, path) == f"'{path}': no such file."


def test_files_of_a_later_lavadeploy_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "later.net"
    attributes = {"format": "lavadeploy-netx", "format_version": 3}
    path.write_bytes(tree_bytes({"layer/0/type": "dense"}, attributes))
    assert sentence(NetxFormatError, read_netx, path) == (
        f"'{path}': has format version 3; this lavadeploy reads versions 1, 2. Update lavadeploy."
    )
