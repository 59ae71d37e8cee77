"""Networks of real numbers in few words, and Hypothesis strategies for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from builders import conv, cuba, dense
from hypothesis import strategies as st

from lavadeploy.netx import (
    ConvLayer,
    DenseLayer,
    Layer,
    Network,
    Neuron,
    RealNetwork,
    RealValues,
    SynapticLayer,
)
from lavadeploy.netx.real_network import real_values

DU, DV = 1000.3, 120.7


def whole(values: Any) -> Any:
    return None if values is None else np.rint(values).astype(np.int32)


def real_dense(
    weight: Any,
    *,
    name: str = "layer0",
    vth: float = 80.0,
    du: Any = DU,
    dv: Any = DV,
    bias: Any = None,
    delay: Any = None,
    **fields: Any,
) -> tuple[DenseLayer, RealValues]:
    """A dense layer of CUBA neurons, and its real numbers."""
    neuron = cuba(round(vth), whole(np.asarray(du)), whole(np.asarray(dv)))
    layer = dense(
        whole(weight), name=name, neuron=neuron, bias=whole(bias), delay=whole(delay), **fields
    )
    return layer, _values(weight, vth, du, dv, bias, delay)


def real_conv(
    weight: Any,
    shape: tuple[int, int, int],
    *,
    name: str = "layer0",
    vth: float = 80.0,
    du: Any = DU,
    dv: Any = DV,
    bias: Any = None,
    **fields: Any,
) -> tuple[ConvLayer, RealValues]:
    """A convolution with CUBA neurons, and its real numbers."""
    neuron = cuba(round(vth), whole(np.asarray(du)), whole(np.asarray(dv)))
    layer = conv(whole(weight), shape, name=name, neuron=neuron, bias=whole(bias), **fields)
    return layer, _values(weight, vth, du, dv, bias, None)


def _values(weight: Any, vth: float, du: Any, dv: Any, bias: Any, delay: Any) -> RealValues:
    return RealValues(
        weight=np.asarray(weight, dtype=np.float64),
        vth=vth,
        decays={"current_decay": np.asarray(du, float), "voltage_decay": np.asarray(dv, float)},
        bias=None if bias is None else np.asarray(bias, dtype=np.float64),
        delay=None if delay is None else np.asarray(delay, dtype=np.float64),
    )


def real_network(*layers: tuple[SynapticLayer, RealValues] | Layer) -> RealNetwork:
    """A network of layers with their numbers, and of layers that have none."""
    kept: list[Any] = []
    values: dict[str, RealValues] = {}
    for entry in layers:
        layer = entry[0] if isinstance(entry, tuple) else entry
        kept.append(layer)
        if isinstance(entry, tuple):
            values[layer.name] = entry[1]
    return RealNetwork(nearest=Network(layers=tuple(kept)), values=values)


def as_real(network: Network, stated: Mapping[str, Any] | None = None) -> RealNetwork:
    """A network of whole numbers as one of real numbers, which happen to be whole."""
    return RealNetwork(
        nearest=network,
        values={
            layer.name: real_values(layer, stated or {})
            for layer in network.layers
            if isinstance(layer, SynapticLayer)
        },
    )


def with_neuron(layer: tuple[DenseLayer, RealValues], neuron: Neuron, **values: Any) -> Any:
    """The same layer with another neuron, and other numbers of it."""
    return dataclasses.replace(layer[0], neuron=neuron), dataclasses.replace(layer[1], **values)


@st.composite
def real_networks(draw: st.DrawFn, most_layers: int = 2) -> RealNetwork:
    """One or more dense layers of all sorts: sizes, signs, outliers, biases, thresholds, decays."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_in = draw(st.integers(1, 9))
    layers: list[tuple[SynapticLayer, RealValues]] = []
    for index in range(draw(st.integers(1, most_layers))):
        n_out = draw(st.integers(1, 7))
        weight = rng.normal(0, 10 ** draw(st.floats(-2, 2.2)), (n_out, n_in))
        match draw(st.sampled_from(["mixed", "excitatory", "inhibitory", "zero", "outlier"])):
            case "excitatory":
                weight = np.abs(weight)
            case "inhibitory":
                weight = -np.abs(weight)
            case "zero":
                weight = np.zeros_like(weight)
            case "outlier":
                weight[0, 0] *= 30
            case _:
                pass
        layers.append(
            real_dense(
                np.clip(weight, -30000, 30000),
                name=f"layer{index}",
                vth=draw(st.sampled_from([0.3, 1.0, 80.0]) | st.floats(0.01, 5000)),
                du=draw(st.floats(0, 4096)),
                dv=draw(st.sampled_from([0.0, 4096.0]) | st.floats(0, 4096)),
                bias=rng.normal(0, 20, n_out) if draw(st.booleans()) else None,
                delay=rng.uniform(0, 5, n_out) if draw(st.booleans()) else None,
            )
        )
        n_in = n_out
    return real_network(*layers)
