"""Random networks of every kind of neuron, for tests of their bounds."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from builders import compiled, conv, dense, even_weights
from hypothesis import strategies as st
from numpy.typing import NDArray

from lavadeploy.compile import NETWORK_INPUT, ChipInput, ChipLayer, ChipNetwork, as_netx
from lavadeploy.netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    ConcatLayer,
    CubaNeuron,
    InputLayer,
    Layer,
    Neuron,
    NeuronKind,
    RecurrentLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)
from lavadeploy.sim.interpreter import LayerRun, run_network

KINDS = ("CUBA", "ALIF", "RF_PHASE", "RF_IZHIKEVICH", "ADRF_PHASE", "ADRF_IZHIKEVICH", "SDNN")


def alone(layer: ChipLayer) -> ChipNetwork:
    """A layer behind the network's input."""
    fed = dataclasses.replace(layer, sources=(NETWORK_INPUT,))
    return ChipNetwork(input_shape=layer.shape_in, layers=(fed,))


def runs_of(network: ChipNetwork, inputs: NDArray[Any]) -> list[LayerRun]:
    """What each layer of a network does."""
    runs = run_network(as_netx(network), inputs.astype(np.int64), network.input_shape)
    return [run for run in runs if run.states]


def random_neuron(rng: np.random.Generator, kind: str, channels: int) -> Neuron:
    def decays() -> NDArray[np.int32]:
        ends = np.array([1, 4095, 4096, *([0] if rng.random() < 0.3 else [])])
        drawn = rng.integers(1, 4097, channels)
        return np.where(rng.random(channels) < 0.3, rng.choice(ends, channels), drawn).astype(
            np.int32
        )

    vth = int(rng.choice([0, 1, int(rng.integers(1, 500)), int(rng.integers(500, 131072))]))
    graded = bool(rng.random() < 0.4)
    adapts: dict[str, Any] = {
        "vth_step": int(rng.integers(-20, 400)),
        "threshold_decay": decays(),
        "refractory_decay": decays(),
    }
    angle, kept = rng.uniform(0, np.pi), rng.choice([0.3, 0.9, 0.999, 1.0])
    turns: dict[str, Any] = {
        "sin_decay": np.array(int(4096 * kept * np.sin(angle)), dtype=np.int32),
        "cos_decay": np.array(int(4096 * kept * np.cos(angle)), dtype=np.int32),
    }
    leaks: dict[str, Any] = {"current_decay": decays(), "voltage_decay": decays()}
    match kind:
        case "CUBA":
            return CubaNeuron(
                vth_mantissa=vth,
                graded_spike=graded,
                refractory_delay=int(rng.integers(1, 4)),
                current_exponent=int(rng.choice([0, 0, -1, 2])),
                **leaks,
            )
        case "ALIF":
            exponent = int(rng.choice([0, 0, -1, 2]))
            return AlifNeuron(
                vth_mantissa=vth,
                graded_spike=graded,
                current_exponent=exponent,
                **leaks,
                **adapts,
            )
        case "SDNN":
            return SigmaDeltaNeuron(vth_mantissa=vth % 50, vth_fraction=int(rng.integers(4096)))
        case "RF_PHASE" | "RF_IZHIKEVICH":
            return ResonatorNeuron(
                kind=NeuronKind(kind), vth_mantissa=vth, graded_spike=graded, **turns
            )
        case _:
            return AdaptiveResonatorNeuron(
                kind=NeuronKind(kind), vth_mantissa=vth, graded_spike=graded, **turns, **adapts
            )


def _weights(rng: np.random.Generator, neuron: Neuron, *shape: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"weight": even_weights(rng, *shape, most=int(rng.choice([6, 254])))}
    if isinstance(neuron, ResonatorNeuron | AdaptiveResonatorNeuron):
        fields["weight_imag"] = even_weights(rng, *shape)
        fields["bias_imag"] = rng.integers(-50, 51, shape[0], dtype=np.int32)
    if rng.random() < 0.5:
        fields["bias"] = rng.integers(-254, 257, shape[0], dtype=np.int32)
    return fields


def random_network(rng: np.random.Generator) -> ChipNetwork:
    """Neurons at the input sometimes; a dense, recurrent or convolving layer; a dense one last."""
    kinds = [str(kind) for kind in rng.choice(KINDS, 3)]
    layers: list[Layer] = []
    shape = (2, 3, 4)
    if rng.random() < 0.4:
        neuron = random_neuron(rng, kinds[0], 2)
        layers.append(InputLayer(name="layer0", shape=shape, weight=70, bias=-3, neuron=neuron))
    middle = rng.choice(["dense", "recurrent", "conv"])
    channels = 4
    neuron = random_neuron(rng, kinds[1], channels)
    name = f"layer{len(layers)}"
    if middle == "conv":
        if not layers:
            layers.append(InputLayer(name=name, shape=shape))
        name = f"layer{len(layers)}"
        fields = _weights(rng, neuron, channels, 1, 3, 2)
        geometry: dict[str, Any] = {"groups": 2, "padding": (1, 0), "stride": (1, 2)}
        out = (channels, 3, 2)
        layers.append(conv(shape=out, name=name, neuron=neuron, **fields, **geometry))
    elif middle == "recurrent" and not isinstance(
        neuron, ResonatorNeuron | AdaptiveResonatorNeuron
    ):
        fields = _weights(rng, neuron, channels, 24)
        back = even_weights(rng, channels, channels)
        layers.append(
            RecurrentLayer(name=name, shape=(channels,), weight_rec=back, neuron=neuron, **fields)
        )
    else:
        layers.append(dense(name=name, neuron=neuron, **_weights(rng, neuron, channels, 24)))
    width = int(np.prod(layers[-1].shape))
    if middle != "conv" and layers[0].shape == shape and rng.random() < 0.5:
        # the last layer takes what both layers before send
        first = dense(
            name="layer2",
            neuron=random_neuron(rng, kinds[0], 3),
            weight=even_weights(rng, 3, width),
        )
        layers.append(first)
        layers.append(ConcatLayer(name="layer3", shape=(width + 3,), sources=(1, 2)))
        width += 3
    last = random_neuron(rng, kinds[2], 3)
    if isinstance(last, SigmaDeltaNeuron) and rng.random() < 0.5:
        last = dataclasses.replace(last, sigma_output=True)
    fields = _weights(rng, last, 3, width)
    if isinstance(last, SigmaDeltaNeuron) and last.sigma_output:
        fields.pop("bias", None)
    layers.append(dense(name=f"layer{len(layers)}", neuron=last, **fields))
    return compiled(*layers, profile="ideal", input_shape=shape).network


@st.composite
def bound_cases(draw: st.DrawFn) -> tuple[ChipNetwork, NDArray[np.int64]]:
    """Networks of every kind, and input that is dense enough to drive their states far."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    network = random_network(rng)
    steps = draw(st.sampled_from([1, 5, 60]))
    inputs = rng.random((2, 24, steps)) < draw(st.sampled_from([0.1, 0.5, 1.0]))
    if isinstance(network.layers[0], ChipInput):
        return network, np.where(inputs, rng.choice([-256, 254], inputs.shape), 0)
    return network, inputs.astype(np.int64)
