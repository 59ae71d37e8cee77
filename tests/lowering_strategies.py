"""Hypothesis strategy: networks of every layer and neuron kind whose layers fit each other."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from builders import even_weights
from hypothesis import assume
from hypothesis import strategies as st
from netx_examples import neuron_of

from lavadeploy.netx import (
    AlifNeuron,
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    Neuron,
    NeuronKind,
    PoolLayer,
    RecurrentLayer,
    Shape,
    SigmaDeltaNeuron,
    UnpoolLayer,
    is_complex,
    size_of,
)
from lavadeploy.netx.kernel_sizes import kernel_output_size

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
KINDS = st.just(NeuronKind.CUBA) | st.sampled_from(list(NeuronKind))


@st.composite
def fitting_networks(draw: st.DrawFn) -> Network:
    shape: Shape = (draw(st.integers(1, 3)), draw(st.integers(2, 6)), draw(st.integers(2, 6)))
    layers: list[Layer] = [InputLayer(name="layer0", shape=shape)]
    if draw(st.booleans()):
        neuron = _fitting(neuron_of(draw(KINDS)))
        layers = [InputLayer(name="layer0", shape=shape, weight=64, bias=2, neuron=neuron)]
    shapes: list[Shape] = [shape]
    for _ in range(draw(st.integers(1, 4))):
        layer, shape = draw(_next_layer(len(layers), shapes))
        assume(size_of(shape) <= 300)
        layers.append(layer)
        shapes.append(shape)
    return Network(layers=tuple(layers))


@st.composite
def _next_layer(draw: st.DrawFn, index: int, shapes: list[Shape]) -> tuple[Layer, Shape]:
    name, shape = f"layer{index}", shapes[-1]
    kinds = ["dense", "recurrent", "average", "concat"]
    if len(shape) == 3:
        kinds += ["flatten", "conv", "pool", "unpool", "convT"] * 2
    match draw(st.sampled_from(kinds)):
        case "dense":
            size = draw(st.integers(1, 6))
            weights = _synapses(draw, size, size_of(shape))
            return DenseLayer(name=name, shape=(size,), **weights), (size,)
        case "recurrent":
            size = draw(st.integers(1, 6))
            weights = _synapses(draw, size, size_of(shape), is_real=True)
            back = even_weights(_rng(draw), size, size, most=30)
            return RecurrentLayer(name=name, shape=(size,), weight_rec=back, **weights), (size,)
        case "average":
            parts = [n for n in range(1, size_of(shape) + 1) if size_of(shape) % n == 0]
            size = draw(st.sampled_from(parts))
            return AverageLayer(name=name, shape=(size, 1, 1)), (size,)
        case "concat":
            alike = [k for k, other in enumerate(shapes) if other[1:] == shape[1:]]
            sources = tuple(draw(st.lists(st.sampled_from(alike), min_size=1, max_size=3)))
            joined = (sum(shapes[k][0] for k in sources), *shape[1:])
            return ConcatLayer(name=name, shape=joined, sources=sources), joined
        case "flatten":
            return FlattenLayer(name=name, shape=(size_of(shape), 1, 1)), (size_of(shape),)
        case kind:
            return _kernel(draw, name, kind, shape)


def _kernel(draw: st.DrawFn, name: str, kind: str, shape: Shape) -> tuple[Layer, Shape]:
    kernel = draw(PAIRS)
    geometry: dict[str, Any] = {
        "stride": draw(st.just(kernel) | PAIRS),
        "padding": (draw(st.integers(0, 1)), draw(st.integers(0, 1))),
        "dilation": draw(st.just((1, 1)) | PAIRS),
    }
    groups = shape[0] if draw(st.booleans()) else 1
    channels = shape[0] if "pool" in kind else groups * draw(st.integers(1, 2))
    sizes = {
        "conv": (channels, shape[0] // groups, *kernel),
        "convT": (shape[0], channels // groups, *kernel),
    }.get(kind, (1, 1, *kernel))
    fields = geometry | _synapses(draw, *sizes, channels=channels)
    if "pool" not in kind:
        fields["groups"] = groups
    layer: Any = {
        "conv": ConvLayer,
        "convT": ConvTransposeLayer,
        "pool": PoolLayer,
        "unpool": UnpoolLayer,
    }[kind](
        name=name,
        shape=(channels, 1, 1),
        **fields,
    )
    try:
        size = kernel_output_size(layer, shape[1], shape[2])
    except ValueError:
        assume(False)
        raise
    assume(min(size) >= 1)
    out = (channels, *size)
    return dataclasses.replace(layer, shape=out), out


def _synapses(
    draw: st.DrawFn, *shape: int, channels: int | None = None, is_real: bool = False
) -> dict[str, Any]:
    channels = shape[0] if channels is None else channels
    rng = _rng(draw)
    neuron = _neuron(draw, rng, channels)
    if is_real and is_complex(neuron):
        neuron = _fitting(neuron_of(NeuronKind.CUBA))
    fields: dict[str, Any] = {
        "weight": even_weights(rng, *shape, most=60),
        "weight_imag": even_weights(rng, *shape, most=60) if is_complex(neuron) else None,
        "neuron": neuron,
        "delay_shift": draw(st.sampled_from([None, True, False])),
    }
    if draw(st.booleans()):
        fields["bias"] = rng.integers(-20, 20, channels, dtype=np.int32)
    if draw(st.booleans()):
        fields["delay"] = rng.integers(0, 3, channels, dtype=np.int32)
    return fields


def _neuron(draw: st.DrawFn, rng: np.random.Generator, channels: int) -> Neuron:
    neuron = _fitting(neuron_of(draw(KINDS)))
    if not isinstance(neuron, CubaNeuron):
        return neuron
    decays = rng.integers(0, 4097, channels, dtype=np.int32)
    return dataclasses.replace(
        neuron,
        vth_mantissa=draw(st.integers(10, 90)),
        voltage_decay=decays if draw(st.booleans()) else np.array(200, dtype=np.int32),
        refractory_delay=draw(st.integers(1, 3)),
        graded_spike=draw(st.booleans()),
    )


def _fitting(neuron: Neuron) -> Neuron:
    """One value for all channels of each parameter, and low thresholds, so that much happens."""
    changes: dict[str, Any] = {"vth_mantissa": 20}
    for field in dataclasses.fields(neuron):
        value = getattr(neuron, field.name)
        if isinstance(value, np.ndarray) and value.ndim == 1:
            changes[field.name] = value[0]
    if isinstance(neuron, AlifNeuron | CubaNeuron):
        changes |= {"refractory_delay": 1, "current_exponent": 1}
    if isinstance(neuron, SigmaDeltaNeuron):
        changes["activation"] = "relu"
    return dataclasses.replace(neuron, **changes)


def _rng(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 999)))
