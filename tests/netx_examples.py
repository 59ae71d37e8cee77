"""One layer and one neuron of every kind, with other numbers in every field, for tests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    LayerKind,
    Neuron,
    NeuronKind,
    PoolLayer,
    RecurrentLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    UnpoolLayer,
    is_complex,
)

COMPLEX = (NeuronKind.RF, NeuronKind.RF_IZ, NeuronKind.ADRF, NeuronKind.ADRF_IZ)

# NetX's name of each field of a neuron, and ours.
NAMES = {
    "vThMant": "vth_mantissa",
    "vThFraction": "vth_fraction",
    "vThStep": "vth_step",
    "iDecay": "current_decay",
    "vDecay": "voltage_decay",
    "thDecay": "threshold_decay",
    "refDecay": "refractory_decay",
    "refDelay": "refractory_delay",
    "sinDecay": "sin_decay",
    "cosDecay": "cos_decay",
    "gradedSpike": "graded_spike",
    "weight_exp": "current_exponent",
    "activation": "activation",
    "sigma_output": "sigma_output",
    "messageBits": "message_bits",
}


def number(value: int) -> NDArray[np.int32]:
    return np.array(value, dtype=np.int32)


def counted(start: int, *shape: int) -> NDArray[np.int32]:
    """Even numbers from `start` on."""
    return np.arange(start, start + 2 * math.prod(shape), 2, dtype=np.int32).reshape(shape)


def neuron_of(kind: NeuronKind) -> Neuron:
    """A neuron whose optional fields are all given, each with a number of its own."""
    common: dict[str, Any] = {"vth_mantissa": 80, "message_bits": 24}
    leaky: dict[str, Any] = common | {
        "current_decay": number(1024),
        "voltage_decay": counted(128, 2),
        "refractory_delay": 5,
        "graded_spike": True,
        "current_exponent": -2,
    }
    resonator: dict[str, Any] = common | {
        "sin_decay": number(2287),
        "cos_decay": counted(3148, 2),
        "graded_spike": True,
    }
    adaptive: dict[str, Any] = {
        "vth_step": 7,
        "threshold_decay": number(300),
        "refractory_decay": counted(400, 2),
    }
    match kind:
        case NeuronKind.CUBA | NeuronKind.LOIHI:
            return CubaNeuron(kind=kind, **leaky)
        case NeuronKind.ALIF:
            return AlifNeuron(**leaky, **adaptive)
        case NeuronKind.RF | NeuronKind.RF_IZ:
            return ResonatorNeuron(kind=kind, **resonator)
        case NeuronKind.ADRF | NeuronKind.ADRF_IZ:
            return AdaptiveResonatorNeuron(kind=kind, **resonator, **adaptive)
        case NeuronKind.SDNN:
            return SigmaDeltaNeuron(
                vth_fraction=4095, activation="relu", sigma_output=True, **common
            )


def layer_of(kind: LayerKind, neuron: Neuron | None = None) -> Layer:
    """A layer of two channels or neurons whose optional fields are all given."""
    neuron = neuron_of(NeuronKind.CUBA) if neuron is None else neuron
    image: dict[str, Any] = {
        "name": "layer0",
        "shape": (2, 3, 4),
        "stride": (1, 2),
        "padding": (3, 4),
        "dilation": (5, 6),
    }
    match kind:
        case LayerKind.INPUT:
            return InputLayer(
                name="layer0",
                shape=(2, 3, 4),
                weight=64,
                bias=-2,
                neuron=neuron,
                delay_shift=False,
            )
        case LayerKind.DENSE:
            return DenseLayer(name="layer0", shape=(2,), **_synapses(neuron, 2, 3))
        case LayerKind.RECURRENT:
            weight_rec = counted(50, 2, 2)
            synapses = _synapses(neuron, 2, 3)
            return RecurrentLayer(name="layer0", shape=(2,), weight_rec=weight_rec, **synapses)
        case LayerKind.CONV:
            return ConvLayer(**image, groups=2, **_synapses(neuron, 2, 1, 2, 3))
        case LayerKind.CONV_TRANSPOSE:
            return ConvTransposeLayer(**image, groups=2, **_synapses(neuron, 4, 1, 2, 3))
        case LayerKind.POOL:
            return PoolLayer(**image, **_synapses(neuron, 1, 1, 2, 3))
        case LayerKind.UNPOOL:
            return UnpoolLayer(**image, **_synapses(neuron, 1, 1, 2, 3))
        case LayerKind.FLATTEN:
            return FlattenLayer(name="layer0", shape=(24, 1, 1))
        case LayerKind.AVERAGE:
            return AverageLayer(name="layer0", shape=(12, 1, 1))
        case LayerKind.CONCAT:
            return ConcatLayer(name="layer0", shape=(48, 1, 1), sources=(0, 0))


def _synapses(neuron: Neuron, *shape: int) -> dict[str, Any]:
    weight = counted(-6, *shape)
    fields: dict[str, Any] = {
        "neuron": neuron,
        "weight": weight,
        "bias": counted(-4, 2),
        "delay": counted(60, 2),
        "delay_shift": False,
    }
    if is_complex(neuron):
        fields |= {"weight_imag": -weight, "bias_imag": counted(20, 2)}
    return fields
