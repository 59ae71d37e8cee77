"""Hypothesis strategies: networks of every layer and neuron kind, and files that state them.

These networks need not fit together: what is tested with them is reading and writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hdf5_files import SPELLINGS
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lavadeploy.netx import (
    AdaptiveResonatorNeuron,
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
    ResonatorNeuron,
    SigmaDeltaNeuron,
    UnpoolLayer,
    is_complex,
)
from lavadeploy.netx.hdf5_store import RawValue
from lavadeploy.netx.writer import netx_values

INT32 = st.integers(-(2**31), 2**31 - 1)
NUMBERS = st.integers(-256, 254) | INT32  # float32, SLAYER's type for weights, holds few of these
SIZES = st.integers(1, 3)
PAIRS = st.tuples(st.integers(1, 5), st.integers(1, 5))
PADDINGS = st.tuples(st.integers(0, 5), st.integers(0, 5))
MAYBE_INT32 = st.none() | INT32
MAYBE_FLAG = st.none() | st.booleans()

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
RAW_ARRAYS = hnp.arrays(
    st.sampled_from(["bool", "int8", "int64", "uint64", "float16", "float32", "float64"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=2),
)
RAW_VALUES: st.SearchStrategy[RawValue] = RAW_ARRAYS | TEXTS
ATTRIBUTES = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)


def whole(*shape: int) -> st.SearchStrategy[Any]:
    return hnp.arrays(np.int32, shape, elements=NUMBERS)


def per_channel(channels: int) -> st.SearchStrategy[Any]:
    return whole() | whole(channels)


def neurons(channels: int) -> st.SearchStrategy[Neuron]:
    decays = per_channel(channels)
    common: dict[str, Any] = {"vth_mantissa": INT32, "message_bits": MAYBE_INT32}
    leaky = common | {
        "current_decay": decays,
        "voltage_decay": decays,
        "refractory_delay": st.integers(1, 2**31 - 1),
        "graded_spike": st.booleans(),
        "current_exponent": st.integers(-3, 3),
    }
    resonator = common | {
        "sin_decay": decays,
        "cos_decay": decays,
        "graded_spike": st.booleans(),
    }
    adaptive: dict[str, Any] = {
        "vth_step": INT32,
        "threshold_decay": decays,
        "refractory_decay": decays,
    }
    return st.one_of(
        st.builds(CubaNeuron, kind=st.sampled_from([NeuronKind.CUBA, NeuronKind.LOIHI]), **leaky),
        st.builds(AlifNeuron, **leaky, **adaptive),
        st.builds(
            ResonatorNeuron, kind=st.sampled_from([NeuronKind.RF, NeuronKind.RF_IZ]), **resonator
        ),
        st.builds(
            AdaptiveResonatorNeuron,
            kind=st.sampled_from([NeuronKind.ADRF, NeuronKind.ADRF_IZ]),
            **resonator,
            **adaptive,
        ),
        st.builds(
            SigmaDeltaNeuron,
            vth_fraction=st.integers(0, 4095),
            activation=TEXTS,
            sigma_output=st.booleans(),
            **common,
        ),
    )


def raw_values(*names: str) -> st.SearchStrategy[Mapping[str, RawValue]]:
    """Some of these names, each with a dataset that no reader of NetX knows."""
    return st.dictionaries(st.sampled_from(names), RAW_VALUES, max_size=2)


def _synapses(
    draw: st.DrawFn, channels: int, weight: tuple[int, ...], neuron: Neuron | None = None
) -> dict[str, Any]:
    neuron = draw(neurons(channels)) if neuron is None else neuron
    numbers = st.none() | whole(channels)
    fields: dict[str, Any] = {
        "neuron": neuron,
        "weight": draw(whole(*weight)),
        "bias": draw(numbers),
        "delay": draw(
            st.none() | hnp.arrays(np.int32, channels, elements=st.integers(0, 2**31 - 1))
        ),
        "delay_shift": draw(MAYBE_FLAG),
        "extra": draw(raw_values("alpha", "neuron/tauRho", "notes/a/b", "µ")),
    }
    if is_complex(neuron):
        fields |= {"weight_imag": draw(whole(*weight)), "bias_imag": draw(numbers)}
    return fields


@st.composite
def input_layers(draw: st.DrawFn, name: str) -> InputLayer:
    shape = tuple(draw(st.lists(SIZES, min_size=1, max_size=3)))
    return InputLayer(
        name=name,
        shape=shape,
        weight=draw(MAYBE_INT32),
        bias=draw(MAYBE_INT32),
        neuron=draw(st.none() | neurons(shape[0])),
        delay_shift=draw(MAYBE_FLAG),
        extra=draw(raw_values("alpha", "synapse/b")),
    )


@st.composite
def dense_layers(draw: st.DrawFn, name: str) -> DenseLayer | RecurrentLayer:
    n_out = draw(SIZES)
    shape = draw(st.sampled_from([(n_out,), (n_out, 1, 1), (1, 1, n_out)]))
    fields = _synapses(draw, n_out, (n_out, draw(SIZES)))
    if not is_complex(fields["neuron"]) and draw(st.booleans()):
        weight_rec = draw(whole(n_out, n_out))
        return RecurrentLayer(name=name, shape=shape, weight_rec=weight_rec, **fields)
    return DenseLayer(name=name, shape=shape, **fields)


@st.composite
def kernel_layers(
    draw: st.DrawFn, name: str
) -> ConvLayer | ConvTransposeLayer | PoolLayer | UnpoolLayer:
    groups, per_group, other, *kernel = draw(st.tuples(SIZES, SIZES, SIZES, SIZES, SIZES))
    channels = groups * per_group
    fields: dict[str, Any] = {
        "name": name,
        "shape": (channels, draw(SIZES), draw(SIZES)),
        "stride": draw(PAIRS),
        "padding": draw(PADDINGS),
        "dilation": draw(PAIRS),
    }
    kind = draw(st.sampled_from([ConvLayer, ConvTransposeLayer, PoolLayer, UnpoolLayer]))
    if kind is ConvLayer:
        fields |= _synapses(draw, channels, (channels, other, *kernel))
        return ConvLayer(groups=groups, **fields)
    if kind is ConvTransposeLayer:
        fields |= _synapses(draw, channels, (groups * other, per_group, *kernel))
        return ConvTransposeLayer(groups=groups, **fields)
    return kind(**fields, **_synapses(draw, channels, (1, 1, *kernel)))


@st.composite
def other_layers(draw: st.DrawFn, index: int) -> Layer:
    fields: dict[str, Any] = {
        "name": f"layer{index}",
        "shape": draw(st.tuples(SIZES) | st.tuples(SIZES, SIZES, SIZES)),
        "extra": draw(raw_values("alpha", "neuron/tauRho")),
    }
    if index and draw(st.booleans()):
        sources = draw(st.lists(st.integers(0, index - 1), min_size=1, max_size=3))
        return ConcatLayer(sources=tuple(sources), **fields)
    return draw(st.sampled_from([FlattenLayer, AverageLayer]))(**fields)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """One to four layers of any kind, in any order."""
    layers = [
        draw(
            input_layers(f"layer{i}")
            | dense_layers(f"layer{i}")
            | kernel_layers(f"layer{i}")
            | other_layers(i)
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    return Network(
        layers=tuple(layers),
        extra=draw(raw_values("simulation/Ts", "notes", "layer/remark")),
        extra_attributes=draw(st.dictionaries(st.sampled_from(["author", "µ"]), ATTRIBUTES)),
    )


# Files need not state these.
OPTIONAL = (
    *("inFeatures", "outFeatures", "inChannels", "outChannels", "kernelSize", "stride", "padding"),
    *("dilation", "neuron/refDelay", "neuron/gradedSpike", "neuron/activation"),
)


@st.composite
def netx_files(draw: st.DrawFn) -> Mapping[str, Any]:
    """Datasets of a network as other programs state them: other types, shapes and spellings."""
    network = draw(networks())
    values: dict[str, RawValue] = netx_values(network) | dict(network.extra)
    for index, layer in enumerate(network.layers):
        prefix = f"layer/{index}/"
        for field in OPTIONAL:
            if f"{prefix}{field}" in values and draw(st.booleans()):
                del values[f"{prefix}{field}"]
        if isinstance(layer, DenseLayer) and layer.weight_imag is None and draw(st.booleans()):
            for field in [name for name in values if name.startswith(f"{prefix}neuron/")]:
                del values[field]
        elif f"{prefix}neuron/iDecay" in values:
            values[f"{prefix}neuron/weight_exp"] = np.array(draw(st.integers(-9, 9)))
        elif f"{prefix}neuron/activation" in values:
            values[f"{prefix}neuron/sigma_output"] = np.array(draw(st.booleans()))
            values[f"{prefix}neuron/vThFraction"] = np.array(draw(st.integers(0, 2)))
    like_lava_dl_0_2 = draw(st.booleans())
    return {
        name: _restated(draw, name.split("/", 2)[-1], value, like_lava_dl_0_2)
        for name, value in values.items()
    }


def _restated(draw: st.DrawFn, field: str, value: RawValue, like_lava_dl_0_2: bool) -> Any:
    if isinstance(value, str):
        spelling = draw(st.sampled_from(sorted(SPELLINGS)))
        return SPELLINGS[spelling if value.isascii() and value else "variable scalar"](value)
    if field.startswith("weight") and value.ndim in (2, 4):
        flat_or_with_time = value.reshape(-1) if value.ndim == 2 else value[..., np.newaxis]
        return flat_or_with_time if like_lava_dl_0_2 else value
    if value.size == 1:
        return value.reshape(draw(st.sampled_from([(), (1,), (1, 1)])))
    if field in ("stride", "padding", "dilation") and value[0] == value[1] and draw(st.booleans()):
        return value[0]
    if field.startswith(("neuron/", "bias", "delay")) and draw(st.booleans()):
        return value.reshape(-1, 1).astype(np.float64)
    return value
