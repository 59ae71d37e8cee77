"""The least network with each kind of layer and of neuron, to find out what becomes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    IntArray,
    Layer,
    LayerKind,
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


def network_with_layer(kind: LayerKind) -> Network:
    """Return the least network that has a layer of a kind."""
    image: dict[str, Any] = {"name": "layer1", "stride": (1, 1), "padding": (0, 0)}
    kernel: dict[str, Any] = image | {"dilation": (1, 1), "neuron": _neuron(NeuronKind.CUBA)}
    place, one = InputLayer(name="layer0", shape=(1, 1, 1)), _ones(1, 1, 1, 1)
    layers: tuple[Layer, ...]
    match kind:
        case LayerKind.INPUT:
            neuron = _neuron(NeuronKind.CUBA)
            layers = (InputLayer(name="layer0", shape=(1,), neuron=neuron), _dense("layer1", 1, 1))
        case LayerKind.DENSE:
            layers = (_dense("layer0", 1, 1),)
        case LayerKind.RECURRENT:
            weights: dict[str, Any] = {"weight": _ones(1, 1), "weight_rec": _ones(1, 1)}
            neuron = _neuron(NeuronKind.CUBA)
            layers = (RecurrentLayer(name="layer0", shape=(1,), neuron=neuron, **weights),)
        case LayerKind.CONV:
            layers = (place, ConvLayer(shape=(1, 1, 1), weight=one, groups=1, **kernel))
        case LayerKind.CONV_TRANSPOSE:
            layers = (place, ConvTransposeLayer(shape=(1, 1, 1), weight=one, groups=1, **kernel))
        case LayerKind.POOL:
            layers = (place, PoolLayer(shape=(1, 1, 1), weight=one, **kernel))
        case LayerKind.UNPOOL:
            layers = (place, UnpoolLayer(shape=(1, 1, 1), weight=one, **kernel))
        case LayerKind.FLATTEN:
            layers = (place, FlattenLayer(name="layer1", shape=(1,)), _dense("layer2", 1, 1))
        case LayerKind.AVERAGE:
            layers = (_dense("layer0", 1, 2), AverageLayer(name="layer1", shape=(1,)))
        case LayerKind.CONCAT:
            both = ConcatLayer(name="layer2", shape=(2,), sources=(0, 1))
            layers = (_dense("layer0", 1, 1), _dense("layer1", 1, 1), both, _dense("layer3", 2, 1))
    return Network(layers=layers)


def network_with_neuron(kind: NeuronKind) -> Network:
    """Return a dense layer of one neuron of a kind."""
    return Network(layers=(_dense("layer0", 1, 1, _neuron(kind)),))


def _dense(name: str, inputs: int, neurons: int, neuron: Neuron | None = None) -> DenseLayer:
    neuron = _neuron(NeuronKind.CUBA) if neuron is None else neuron
    weight = _ones(neurons, inputs)
    return DenseLayer(
        name=name,
        shape=(neurons,),
        weight=weight,
        weight_imag=weight if is_complex(neuron) else None,
        neuron=neuron,
    )


def _neuron(kind: NeuronKind) -> Neuron:
    half = np.array(2048, dtype=np.int32)
    leaky: dict[str, Any] = {"current_decay": half, "voltage_decay": half}
    turning: dict[str, Any] = {"sin_decay": half, "cos_decay": half}
    adaptive: dict[str, Any] = {"vth_step": 1, "threshold_decay": half, "refractory_decay": half}
    match kind:
        case NeuronKind.CUBA | NeuronKind.LOIHI:
            return CubaNeuron(kind=kind, vth_mantissa=64, **leaky)
        case NeuronKind.ALIF:
            return AlifNeuron(vth_mantissa=64, **leaky, **adaptive)
        case NeuronKind.RF | NeuronKind.RF_IZ:
            return ResonatorNeuron(kind=kind, vth_mantissa=64, **turning)
        case NeuronKind.ADRF | NeuronKind.ADRF_IZ:
            return AdaptiveResonatorNeuron(kind=kind, vth_mantissa=64, **turning, **adaptive)
        case NeuronKind.SDNN:
            return SigmaDeltaNeuron(vth_mantissa=64)


def _ones(*shape: int) -> IntArray:
    return np.ones(shape, dtype=np.int32)
