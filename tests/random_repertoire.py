"""Which forms of layers and neurons a backend has, by asking it to run one of each."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from netx_examples import neuron_of
from random_layers import (
    ALL_FORMS,
    DIVIDED,
    GRADED,
    INPUT_NEURONS,
    JOINED,
    KINDS,
    RECURRENT,
    REFRACTORY,
)

from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    ConcatLayer,
    DenseLayer,
    InputLayer,
    Layer,
    Network,
    Neuron,
    NeuronKind,
    OptionError,
    RecurrentLayer,
    UnsupportedNetworkError,
    is_complex,
)
from lavadeploy.sim import RunOptions, SpikeInput, Timeline, open_backend

SQUARE = np.array([[40, -20], [10, 30]], dtype=np.int32)


def forms_of(backend: str) -> frozenset[str]:
    """Return those of `ALL_FORMS` that a backend runs."""
    return frozenset(form for form in ALL_FORMS if _runs(backend, _least_network(form)))


def timelines_of(backend: str) -> tuple[Timeline, ...]:
    """Return the timelines that a backend has."""
    least = _least_network(NeuronKind.CUBA.value)
    return tuple(each for each in Timeline if _runs(backend, least, each))


def _runs(backend: str, network: Network, timeline: Timeline = Timeline.SLAYER) -> bool:
    compiled = compile_network(network, load_profile("ideal"))
    inputs = SpikeInput(spikes=np.ones((1, 2, 1), dtype=np.uint8))
    try:
        open_backend(backend).run(compiled, inputs, RunOptions(timeline=timeline))
    except (UnsupportedNetworkError, OptionError):
        return False
    return True


def _least_network(form: str) -> Network:
    if form in KINDS:
        return Network(layers=(_dense(_plain(NeuronKind(form))),))
    neuron = _plain(NeuronKind.CUBA)
    own: dict[str, dict[str, Any]] = {
        GRADED: {"graded_spike": True},
        REFRACTORY: {"refractory_delay": 2},
        DIVIDED: {"current_exponent": 1},
    }
    if form in own:
        return Network(layers=(_dense(dataclasses.replace(neuron, **own[form])),))
    layers: dict[str, tuple[Layer, ...]] = {
        INPUT_NEURONS: (InputLayer(name="layer0", shape=(2,), neuron=neuron),),
        RECURRENT: (
            RecurrentLayer(
                name="layer0", shape=(2,), weight=SQUARE, weight_rec=SQUARE, neuron=neuron
            ),
        ),
        JOINED: (
            InputLayer(name="layer0", shape=(2,)),
            _dense(neuron, "layer1"),
            ConcatLayer(name="layer2", shape=(4,), sources=(0, 1)),
            dataclasses.replace(_dense(neuron, "layer3"), weight=np.hstack([SQUARE, SQUARE])),
        ),
    }
    return Network(layers=layers[form])


def _plain(kind: NeuronKind) -> Neuron:
    """Return a neuron of a kind with nothing that is a form of its own."""
    neuron: Any = neuron_of(kind)
    plain: dict[str, Any] = {
        "graded_spike": False,
        "refractory_delay": 1,
        "current_exponent": 0,
        "message_bits": None,
    }
    own = {name: value for name, value in plain.items() if hasattr(neuron, name)}
    return dataclasses.replace(neuron, **own)


def _dense(neuron: Neuron, name: str = "layer0") -> DenseLayer:
    imag = SQUARE if is_complex(neuron) else None
    return DenseLayer(name=name, shape=(2,), weight=SQUARE, weight_imag=imag, neuron=neuron)
