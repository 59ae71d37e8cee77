"""Convolutions and poolings make images of the size that torch and SLAYER make."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lavadeploy.netx import (
    ConvTransposeLayer,
    KernelLayer,
    Network,
    PoolLayer,
    Shape,
    UnpoolLayer,
    infer_shapes,
    repair_lava,
)
from lavadeploy.netx.kernel_sizes import kernel_output_size

torch = importlib.import_module("torch")

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=200)
SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))
PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))
PADDINGS = st.tuples(st.integers(0, 3), st.integers(0, 3))
CHANNELS = st.integers(1, 4)
GEOMETRY = st.fixed_dictionaries({"stride": PAIRS, "padding": PADDINGS, "dilation": PAIRS})
Geometry = dict[str, tuple[int, int]]


def zeros(*shape: int) -> Any:
    return np.zeros(shape, dtype=np.int32)


def kernel_layer(
    kind: type[KernelLayer], shape: Shape, weight: Any, geometry: Geometry, **fields: Any
) -> Any:
    return kind(name="layer0", shape=shape, weight=weight, neuron=cuba(), **geometry, **fields)


def shape_after(layer: Any, shape_in: Shape) -> Shape:
    return infer_shapes(Network(layers=(layer,)), shape_in)[0].shape_out


@QUICK
@given(side=SIDES, kernel=PAIRS, geometry=GEOMETRY, groups=st.integers(1, 2))
def test_a_convolution_has_torchs_shape(
    side: tuple[int, int], kernel: tuple[int, int], geometry: Geometry, groups: int
) -> None:
    fields: dict[str, Any] = {**geometry, "groups": groups}
    weight = zeros(2 * groups, 3, *kernel)
    size = kernel_output_size(conv(weight, (2 * groups, 1, 1), **fields), *side)
    assume(min(size) > 0)  # torch refuses kernels larger than the padded image
    image = torch.zeros((1, 3 * groups, *side))
    expected = torch.nn.functional.conv2d(image, torch.zeros(weight.shape), **fields)
    layer = conv(weight, (2 * groups, *size), **fields)
    assert shape_after(layer, (3 * groups, *side)) == tuple(expected.shape[1:])


@QUICK
@given(side=SIDES, kernel=PAIRS, padding=PADDINGS, dilation=PAIRS)
def test_stride_one_tells_the_input_shape(
    side: tuple[int, int],
    kernel: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> None:
    fields: dict[str, Any] = {"padding": padding, "dilation": dilation, "groups": 2}
    size = kernel_output_size(conv(zeros(4, 3, *kernel), (4, 1, 1), **fields), *side)
    assume(min(size) > 0)
    layer = conv(zeros(4, 3, *kernel), (4, *size), **fields)
    shapes = infer_shapes(Network(layers=(layer,)))[0]
    assert (shapes.shape_in, shapes.shape_out) == ((6, *side), (4, *size))


@QUICK
@given(side=SIDES, kernel=PAIRS, geometry=GEOMETRY, groups=st.integers(1, 2))
def test_a_transposed_convolution_has_torchs_shape(
    side: tuple[int, int], kernel: tuple[int, int], geometry: Geometry, groups: int
) -> None:
    weight = zeros(3 * groups, 2, *kernel)
    sketch = kernel_layer(ConvTransposeLayer, (2 * groups, 1, 1), weight, geometry, groups=groups)
    size = kernel_output_size(sketch, *side)
    assume(min(size) > 0)
    image = torch.zeros((1, 3 * groups, *side))
    expected = torch.nn.functional.conv_transpose2d(
        image, torch.zeros(weight.shape), **geometry, groups=groups
    )
    layer = kernel_layer(ConvTransposeLayer, (2 * groups, *size), weight, geometry, groups=groups)
    assert shape_after(layer, (3 * groups, *side)) == tuple(expected.shape[1:])


@pytest.mark.lava
@pytest.mark.parametrize("kind", [PoolLayer, UnpoolLayer])
@QUICK
@given(channels=CHANNELS, side=SIDES, kernel=PAIRS, geometry=GEOMETRY)
def test_a_pooling_has_slayers_shape(
    kind: type[KernelLayer],
    channels: int,
    side: tuple[int, int],
    kernel: tuple[int, int],
    geometry: Geometry,
) -> None:
    sketch = kernel_layer(kind, (channels, 1, 1), zeros(1, 1, *kernel), geometry)
    size = size_or_nothing(sketch, side)
    if min(size) < 1:
        with pytest.raises(RuntimeError):
            slayers_output(kind, channels, side, kernel, geometry)
        return
    layer = kernel_layer(kind, (channels, *size), zeros(1, 1, *kernel), geometry)
    shape = slayers_output(kind, channels, side, kernel, geometry)
    assert shape_after(layer, (channels, *side)) == shape


def size_or_nothing(layer: KernelLayer, side: tuple[int, int]) -> tuple[int, int]:
    try:
        return kernel_output_size(layer, *side)
    except ValueError:  # rows that cannot be cut into channels
        return (0, 0)


def slayers_output(
    kind: type[KernelLayer],
    channels: int,
    side: tuple[int, int],
    kernel: tuple[int, int],
    geometry: Geometry,
) -> Shape:
    repair_lava()
    synapse = importlib.import_module("lava.lib.dl.slayer").synapse
    pooling = (synapse.Pool if kind is PoolLayer else synapse.Unpool)(kernel, **geometry)
    return tuple(pooling(torch.zeros((1, channels, *side, 1))).shape[1:4])
