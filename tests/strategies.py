"""Hypothesis strategies: random networks that a chip accepts, with input for them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from builders import cuba, even_weights
from hypothesis import HealthCheck
from hypothesis import strategies as st
from numpy.typing import NDArray

from lavadeploy.netx import ConvLayer, CubaNeuron, DenseLayer, FlattenLayer, Layer, Network
from lavadeploy.netx.kernel_sizes import kernel_output_size
from lavadeploy.sim import SpikeInput

# Random networks take a while to draw, and fewer of the drawn are thrown away than it looks.
UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)

# Decays at their ends, and between.
DECAYS = st.one_of(st.sampled_from([0, 1, 4095, 4096]), st.integers(0, 4096))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A network, the shape of its input, and samples."""

    network: Network
    input_shape: tuple[int, ...]
    inputs: SpikeInput


def _maybe(draw: st.DrawFn, values: NDArray[np.int32]) -> NDArray[np.int32] | None:
    return values if draw(st.booleans()) else None


def _neuron(draw: st.DrawFn, rng: np.random.Generator, channels: int) -> CubaNeuron:
    # low thresholds fire often, high ones let states grow; 0 and the largest are legal too
    vth = draw(st.one_of(st.sampled_from([0, 1, 131071]), st.integers(1, 2000)))
    if draw(st.booleans()):
        return cuba(vth, draw(DECAYS), draw(DECAYS))
    by_channel: NDArray[Any] = rng.integers(0, 4097, (2, channels))
    by_channel[:, 0] = (0, 4096)
    return cuba(vth, by_channel[0], by_channel[1])


def _weight(draw: st.DrawFn, rng: np.random.Generator, *shape: int) -> NDArray[np.int32]:
    """Full range or small, mixed or of one sign, sometimes all zero."""
    kind = draw(st.sampled_from(["mixed", "small", "excitatory", "inhibitory", "zero"]))
    weight = even_weights(rng, *shape, most=30 if kind == "small" else 254)
    match kind:
        case "excitatory":
            return np.abs(weight).clip(0, 254)
        case "inhibitory":
            # down to -256, where Lava's own choice of sign mode loses bits
            return -np.abs(weight)
        case "zero":
            return np.zeros_like(weight)
        case _:
            return weight


def _dense(draw: st.DrawFn, rng: np.random.Generator, name: str, n_in: int) -> DenseLayer:
    n_out = draw(st.integers(1, 12))
    return DenseLayer(
        name=name,
        shape=(n_out,),
        weight=_weight(draw, rng, n_out, n_in),
        neuron=_neuron(draw, rng, n_out),
        bias=_maybe(draw, rng.integers(-254, 257, n_out, dtype=np.int32)),
        delay=_maybe(draw, rng.integers(0, 6, n_out, dtype=np.int32)),
    )


def _conv(
    draw: st.DrawFn, rng: np.random.Generator, name: str, shape: tuple[int, ...]
) -> ConvLayer:
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if shape[0] % g == 0]))
    channels = groups * draw(st.integers(1, 3))
    padding = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    kernel = tuple(
        draw(st.integers(1, max(1, min(3, (size + 2 * p - 1) // d + 1))))
        for size, p, d in zip(shape[1:], padding, dilation, strict=True)
    )
    without_shape = ConvLayer(
        name=name,
        shape=(channels, 1, 1),
        weight=_weight(draw, rng, channels, shape[0] // groups, *kernel),
        stride=(draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        padding=padding,
        dilation=dilation,
        groups=groups,
        neuron=_neuron(draw, rng, channels),
        bias=_maybe(draw, rng.integers(-254, 257, channels, dtype=np.int32)),
        delay=_maybe(draw, rng.integers(0, 6, channels, dtype=np.int32)),
    )
    size = kernel_output_size(without_shape, shape[1], shape[2])
    return dataclasses.replace(without_shape, shape=(channels, *size))


def _inputs(draw: st.DrawFn, rng: np.random.Generator, shape: tuple[int, ...]) -> SpikeInput:
    samples, steps = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    most = draw(st.sampled_from([1, 1, 3]))  # binary spikes mostly, counts sometimes
    spikes = rng.integers(1, most + 1, (samples, *shape, steps))
    quiet = rng.random(spikes.shape) > draw(st.sampled_from([0.05, 0.4, 1.0]))
    return SpikeInput(spikes=np.where(quiet, 0, spikes))


@st.composite
def dense_cases(draw: st.DrawFn) -> Case:
    """One to three dense layers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_in = draw(st.integers(1, 12))
    layers: list[Layer] = []
    width = n_in
    for index in range(draw(st.integers(1, 3))):
        layer = _dense(draw, rng, f"layer{index}", width)
        layers.append(layer)
        width = layer.shape[0]
    return Case(
        network=Network(layers=tuple(layers)),
        input_shape=(n_in,),
        inputs=_inputs(draw, rng, (n_in,)),
    )


@st.composite
def conv_cases(draw: st.DrawFn) -> Case:
    """One or two convolutions, and sometimes a dense layer after them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    input_shape = tuple(draw(st.integers(1, 6)) for _ in range(3))
    layers: list[Layer] = []
    shape = input_shape
    for index in range(draw(st.integers(1, 2))):
        layer = _conv(draw, rng, f"layer{index}", shape)
        layers.append(layer)
        shape = layer.shape
    if draw(st.booleans()):
        size = int(np.prod(shape))
        if draw(st.booleans()):  # a dense layer flattens by itself, too
            layers.append(FlattenLayer(name=f"layer{len(layers)}", shape=(size, 1, 1)))
        layers.append(_dense(draw, rng, f"layer{len(layers)}", size))
    return Case(
        network=Network(layers=tuple(layers)),
        input_shape=input_shape,
        inputs=_inputs(draw, rng, input_shape),
    )
