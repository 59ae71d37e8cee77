"""Networks and runs in which a cause is planted, for tests of `explain_difference`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from builders import compiled, conv, cuba, dense, even_weights, random_spikes
from faulty_runs import Fault, faulty_run

from lavadeploy.compile import CompiledNetwork
from lavadeploy.sim import (
    Cause,
    RunResult,
    SpikeInput,
    compare_runs,
    explain_difference,
    open_backend,
)

SAMPLES, STEPS = 5, 16
Change: TypeAlias = Callable[[Any], Any]


def dense_network(**fields: Any) -> CompiledNetwork:
    rng = np.random.default_rng(0)
    first = even_weights(rng, 24, 30, most=60)
    second = even_weights(rng, 12, 24, most=60)
    return compiled(
        dense(first, name="layer0"),
        dense(second, name="layer1", neuron=cuba(vth=60), **fields),
    )


def conv_network(**fields: Any) -> CompiledNetwork:
    rng = np.random.default_rng(1)
    return compiled(
        conv(even_weights(rng, 4, 2, 3, 3, most=90), (4, 5, 6), name="layer0", **fields),
        conv(even_weights(rng, 3, 4, 3, 3, most=90), (3, 3, 4), name="layer1"),
    )


def spikes_for(network: CompiledNetwork, rate: float = 0.3) -> SpikeInput:
    shape = network.network.input_shape
    rng = np.random.default_rng(2)
    return SpikeInput(spikes=random_spikes(rng, SAMPLES, *shape, STEPS, rate=rate))


def reference(network: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    return open_backend("reference").run(network, inputs)


def explained(
    network: CompiledNetwork,
    inputs: SpikeInput | None,
    faulty: RunResult,
    *,
    right: RunResult | None = None,
) -> Cause:
    """Explain a faulty run B; it must be the one that is found to be wrong, in every place."""
    right = right or reference(network, inputs or spikes_for(network))
    found = compare_runs(right, faulty)
    assert not found.equal, "nothing was planted"
    cause = explain_difference(network, inputs, right, faulty, found)
    assert cause.side == "b"
    assert cause.explained == cause.differing > 0
    return cause


def planted(network: CompiledNetwork, fault: Fault, rate: float = 0.3) -> Cause:
    inputs = spikes_for(network, rate)
    assert compare_runs(reference(network, inputs), faulty_run(network, inputs, Fault())).equal
    return explained(network, inputs, faulty_run(network, inputs, fault))
