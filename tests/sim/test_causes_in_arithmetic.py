"""Causes in the arithmetic of neurons are planted and have to be named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, recorded
from faulty_runs import Fault, faulty_run
from planted_causes import (
    Change,
    conv_network,
    dense_network,
    explained,
    planted,
    spikes_for,
)

from lavadeploy.compile import CompiledNetwork
from lavadeploy.sim import (
    CauseName,
)


def grid_network(kind: str) -> CompiledNetwork:
    """Weights and threshold of one grid and no memory, so that sums often equal the threshold."""
    rng = np.random.default_rng(3)
    neuron = cuba(vth=32, du=4096, dv=4096)
    if kind == "dense":
        return compiled(dense(16 * rng.integers(-3, 4, (20, 30)), neuron=neuron))
    return compiled(conv(16 * rng.integers(-3, 4, (4, 2, 3, 3)), (4, 5, 5), neuron=neuron))


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_firing_at_the_threshold(kind: str) -> None:
    cause = planted(grid_network(kind), Fault(fires=lambda v, threshold: v >= threshold))
    assert cause.name is CauseName.THRESHOLD_EQUALITY
    assert cause.explanation.startswith(
        "In run B a state that equals the threshold (2048 in the voltage's unit) fires; by the "
        "definition only one above it does; first in sample 0, step "
    )


ROUNDINGS: dict[str, Change] = {
    "down": lambda x: np.floor(x),
    "to the nearest": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "away from zero": lambda x: np.sign(x) * np.ceil(np.abs(x)),
}


@pytest.mark.parametrize("way", ROUNDINGS)
@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("layer", [0, 1])
def test_other_rounding_of_decays(way: str, kind: str, layer: int) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    inputs = spikes_for(network)

    def decay(state: Any, lost: Any) -> Any:
        return ROUNDINGS[way](state * (4096 - lost) / 4096).astype(np.int64)

    # one unit of a state seldom changes a spike: the states tell
    fault = Fault(layer=layer, decay=decay)
    faulty = faulty_run(network, inputs, fault, states=True)
    cause = explained(network, inputs, faulty, right=recorded("reference", network, inputs))
    assert cause.name is CauseName.ROUNDING_OF_DECAY
    assert cause.layer == f"layer{layer}"
    assert f"rounds what a decay leaves {way}; defined is toward zero; first in" in (
        cause.explanation
    )


def far_network(kind: str) -> CompiledNetwork:
    """Sums beyond 24 bits: many large weights, slow decays."""
    rng = np.random.default_rng(4)
    neuron = cuba(vth=20000, du=8, dv=2)
    most = 200 * np.sign(rng.random((8, 700)) - 0.4).astype(np.int64)
    most[::2] *= -1
    if kind == "dense":
        return compiled(dense(most, neuron=neuron))
    kernel = most[:4].reshape(4, 28, 5, 5)
    return compiled(conv(kernel, (4, 3, 3), neuron=neuron))


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        (Fault(hold_current=lambda u: u), CauseName.WRAP, "current of run B goes on beyond 24"),
        (
            Fault(hold_current=lambda u: np.clip(u, -(2**23 - 1), 2**23 - 1)),
            CauseName.SATURATION,
            "current of run B saturates",
        ),
        (Fault(hold_voltage=lambda v: v), CauseName.SATURATION, "voltage of run B goes on"),
        (
            Fault(hold_voltage=lambda v: (v + 2**23) % 2**24 - 2**23),
            CauseName.WRAP,
            "voltage of run B wraps",
        ),
        (
            Fault(hold_current=lambda u: u, hold_voltage=lambda v: v),
            CauseName.WRAP,
            "current and voltage of run B go on",
        ),
    ],
)
def test_other_ends_of_registers(kind: str, fault: Fault, name: CauseName, words: str) -> None:
    network = far_network(kind)
    inputs = spikes_for(network)
    # spikes alone do not tell a current that goes on from one that saturates
    faulty = faulty_run(network, inputs, fault, states=True)
    cause = explained(network, inputs, faulty, right=recorded("reference", network, inputs))
    assert cause.name is name
    assert cause.also == ()
    assert words in cause.explanation.lower().replace("run b", "run B")


def test_causes_that_fit_as_well_are_told() -> None:
    network = far_network("dense")
    inputs = spikes_for(network)
    faulty = faulty_run(network, inputs, Fault(hold_current=lambda u: u))
    cause = explained(network, inputs, faulty)
    assert (cause.name, cause.also) == (CauseName.WRAP, (CauseName.SATURATION,))
