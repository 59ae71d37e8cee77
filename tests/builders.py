"""Small networks in few words, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lavadeploy.compile import ChipConv, CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import ConvLayer, CubaNeuron, DenseLayer, Layer, Network, Neuron, NeuronKind
from lavadeploy.sim import RunOptions, RunResult, SpikeInput, open_backend
from lavadeploy.sim.synapses import correlate


def cuba(vth: int = 80, du: int | NDArray[Any] = 1024, dv: int | NDArray[Any] = 128) -> CubaNeuron:
    return CubaNeuron(
        kind=NeuronKind.CUBA,
        vth_mantissa=vth,
        current_decay=np.array(du, dtype=np.int32),
        voltage_decay=np.array(dv, dtype=np.int32),
    )


def dense(
    weight: Any, *, name: str = "layer0", neuron: Neuron | None = None, **fields: Any
) -> DenseLayer:
    array = np.asarray(weight, dtype=np.int32)
    return DenseLayer(
        name=name, shape=(array.shape[0],), weight=array, neuron=neuron or cuba(), **fields
    )


def conv(
    weight: Any,
    shape: tuple[int, int, int],
    *,
    name: str = "layer0",
    neuron: Neuron | None = None,
    **fields: Any,
) -> ConvLayer:
    geometry: dict[str, Any] = {
        "stride": (1, 1),
        "padding": (0, 0),
        "dilation": (1, 1),
        "groups": 1,
    }
    return ConvLayer(
        name=name,
        shape=shape,
        weight=np.asarray(weight, dtype=np.int32),
        neuron=neuron or cuba(),
        **(geometry | fields),
    )


def compiled(
    *layers: Layer, profile: str = "loihi2", input_shape: tuple[int, ...] | None = None
) -> CompiledNetwork:
    return compile_network(Network(layers=layers), load_profile(profile), input_shape=input_shape)


def even_weights(rng: np.random.Generator, *shape: int, most: int = 254) -> NDArray[np.int32]:
    """Random even weights in [-most - 2, most], as SLAYER's grid has them."""
    return (rng.integers(-(most // 2) - 1, most // 2 + 1, shape) * 2).astype(np.int32)


def random_spikes(rng: np.random.Generator, *shape: int, rate: float = 0.3) -> NDArray[np.uint8]:
    return (rng.random(shape) < rate).astype(np.uint8)


def recorded(backend: str, network: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    return open_backend(backend).run(network, inputs, RunOptions(record=("all",)))


def assert_runs_are_identical(a: RunResult, b: RunResult) -> None:
    """Every spike, current and voltage of every layer is the same, in the same order."""
    for column in ("sample", "step", "layer", "neuron", "value"):
        assert np.array_equal(getattr(a.spikes, column), getattr(b.spikes, column)), column
    assert len(a.states) == len(b.states) == len(a.spikes.layer_names)
    for name, left, right in zip(a.spikes.layer_names, a.states, b.states, strict=True):
        assert np.array_equal(left.current, right.current), f"{name}.current"
        assert np.array_equal(left.voltage, right.voltage), f"{name}.voltage"


def convolve(layer: ChipConv, spikes: NDArray[Any], weight: NDArray[Any]) -> NDArray[np.int64]:
    """Return the layer's convolution of (N, inputs) with a kernel, as (N, neurons)."""
    image = spikes.reshape(-1, *layer.shape_in).astype(np.int64)
    kernel = weight.astype(np.int64)
    found = correlate(image, kernel, layer.stride, layer.padding, layer.dilation, layer.groups)
    return found.reshape(spikes.shape[0], -1)
