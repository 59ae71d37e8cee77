"""A lowered layer answers as the layer it stands for, spike for spike and state for state."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import cuba, even_weights, random_spikes, recorded
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lavadeploy.compile import compile_network
from lavadeploy.compile.passes.lower import as_convolution
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    ConvTransposeLayer,
    InputLayer,
    Network,
    PoolLayer,
    UnpoolLayer,
)
from lavadeploy.netx.kernel_sizes import kernel_output_size
from lavadeploy.sim import SpikeInput, run_network

MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
IDEAL = load_profile("ideal")
Kernel = PoolLayer | UnpoolLayer | ConvTransposeLayer


def sized(layer: Kernel, shape_in: tuple[int, int, int]) -> Kernel:
    """Return the layer with the output shape that it makes, or give the example up."""
    try:
        size = kernel_output_size(layer, shape_in[1], shape_in[2])
    except ValueError:
        assume(False)
        raise
    assume(min(size) >= 1)
    return dataclasses.replace(layer, shape=(layer.shape[0], *size))


@st.composite
def poolings(draw: st.DrawFn) -> tuple[Kernel, tuple[int, int, int]]:
    shape_in = (draw(st.integers(1, 3)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    kernel = draw(PAIRS)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    layer = PoolLayer(
        name="layer1",
        shape=(shape_in[0], 1, 1),
        weight=even_weights(rng, 1, 1, *kernel),
        stride=draw(st.just(kernel) | PAIRS),
        padding=(0, draw(st.integers(0, 2))),
        dilation=draw(st.just((1, 1)) | PAIRS),
        neuron=cuba(100, 1000, 200),
        bias=rng.integers(-20, 20, shape_in[0], dtype=np.int32),
        delay=rng.integers(0, 4, shape_in[0], dtype=np.int32),
    )
    return sized(layer, shape_in), shape_in


@st.composite
def transposed(draw: st.DrawFn) -> tuple[Kernel, tuple[int, int, int]]:
    groups = draw(st.integers(1, 2))
    shape_in = (groups * draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    outputs = draw(st.integers(1, 3))
    layer = ConvTransposeLayer(
        name="layer1",
        shape=(outputs * groups, 1, 1),
        weight=even_weights(rng, shape_in[0], outputs, *draw(PAIRS)),
        stride=(1, 1),
        padding=(draw(st.integers(0, 2)), draw(st.integers(0, 2))),
        dilation=draw(PAIRS),
        groups=groups,
        neuron=cuba(100, 1000, 200),
    )
    return sized(layer, shape_in), shape_in


def check_lowered(layer: Kernel, shape_in: tuple[int, int, int], backends: tuple[str, ...]) -> None:
    network = Network(layers=(InputLayer(name="layer0", shape=shape_in), layer))
    spikes = random_spikes(np.random.default_rng(0), 2, *shape_in, 12, rate=0.5)
    expected = run_network(network, spikes)[-1]
    for backend in backends:
        found = recorded(backend, compile_network(network, IDEAL), SpikeInput(spikes=spikes))
        fired = np.zeros_like(expected.output)
        fired[found.spikes.sample, found.spikes.neuron, found.spikes.step] = 1
        assert np.array_equal(fired, expected.output)
        assert np.array_equal(found.states[0].current, expected.states["current"])
        assert np.array_equal(found.states[0].voltage, expected.states["voltage"])


@MANY
@given(poolings())
def test_poolings_as_convolutions(case: tuple[Kernel, tuple[int, int, int]]) -> None:
    layer, shape_in = case
    assume(as_convolution(layer, shape_in) is not None)
    check_lowered(layer, shape_in, ("reference",))


@MANY
@given(transposed())
def test_transposed_convolutions_as_convolutions(
    case: tuple[Kernel, tuple[int, int, int]],
) -> None:
    layer, shape_in = case
    assume(as_convolution(layer, shape_in) is not None)
    check_lowered(layer, shape_in, ("reference",))


def pool(kernel: int, height: int, **changes: Any) -> tuple[Kernel, tuple[int, int, int]]:
    """A pooling of two channels of six columns."""
    fields: dict[str, Any] = {
        "stride": (kernel, kernel),
        "padding": (0, 0),
        "dilation": (1, 1),
    }
    layer = PoolLayer(
        name="layer1",
        shape=(2, 1, 1),
        weight=np.full((1, 1, kernel, kernel), 64),
        neuron=cuba(100),
        **(fields | changes),
    )
    size = kernel_output_size(layer, height, 6)
    return dataclasses.replace(layer, shape=(2, *size)), (2, height, 6)


# 5 rows pooled by 2 get one more from SLAYER; 5 pooled by 3 get two, and 7 rows hold no whole
# number of windows, so that they reach from channel to channel
@pytest.mark.parametrize(
    ("kernel", "height", "can_be"), [(2, 6, True), (3, 6, True), (2, 5, True), (3, 5, False)]
)
def test_the_usual_poolings_are_lowered(kernel: int, height: int, can_be: bool) -> None:
    assert (as_convolution(*pool(kernel, height)) is not None) == can_be


@pytest.mark.lava
def test_lava_runs_them_too() -> None:
    check_lowered(*pool(2, 6), backends=("reference", "lava"))
    check_lowered(*pool(2, 5), backends=("reference", "lava"))


def test_what_is_no_convolution_becomes_dense() -> None:
    layer, shape_in = pool(2, 6, stride=(1, 2), padding=(1, 0), dilation=(2, 1))
    assert as_convolution(layer, shape_in) is None
    check_lowered(layer, shape_in, ("reference",))


@pytest.mark.lava
def test_lava_runs_dense_layers_between_images() -> None:
    unpool, shape_in = pool(2, 6)
    check_lowered(unpool_of(unpool), shape_in, backends=("reference", "lava"))


def unpool_of(layer: Kernel) -> Kernel:
    """The unpooling with the fields of a pooling."""
    fields: dict[str, Any] = {f.name: getattr(layer, f.name) for f in dataclasses.fields(layer)}
    fields["shape"] = (2, 12, 12)
    return UnpoolLayer(**fields)
