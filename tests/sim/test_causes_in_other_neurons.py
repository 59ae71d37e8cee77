"""Causes in layers of ALIF, resonating and sigma-delta neurons, and of SLAYER itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, dense, even_weights, random_spikes, recorded
from faulty_runs import outputs_of, result_of, with_layer, without_reset
from numpy.typing import NDArray

from lavadeploy.compile import ChipConv, ChipDense, CompiledNetwork
from lavadeploy.compile.weight_registers import SignMode, WeightRegisters
from lavadeploy.netx import (
    AlifNeuron,
    Neuron,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)
from lavadeploy.sim import (
    Cause,
    CauseName,
    RunResult,
    SpikeInput,
    compare_runs,
    explain_difference,
    open_backend,
)

SAMPLES, STEPS = 5, 20
Ints = NDArray[np.int64]


def ints(*values: int) -> NDArray[np.int32]:
    return np.array(values[0] if len(values) == 1 else values, dtype=np.int32)


NEURONS: dict[str, Neuron] = {
    "alif": AlifNeuron(
        vth_mantissa=64,
        vth_step=16,
        current_decay=ints(1024),
        voltage_decay=ints(400),
        threshold_decay=ints(500),
        refractory_decay=ints(900),
    ),
    "rf": ResonatorNeuron(
        kind=NeuronKind.RF, vth_mantissa=60, sin_decay=ints(2400), cos_decay=ints(3000)
    ),
    "rf_iz": ResonatorNeuron(
        kind=NeuronKind.RF_IZ, vth_mantissa=60, sin_decay=ints(2400), cos_decay=ints(3000)
    ),
    "sigma_delta": SigmaDeltaNeuron(vth_mantissa=6),
}
KINDS = tuple(NEURONS)


def network_of(kind: str, layer: str = "dense") -> CompiledNetwork:
    rng = np.random.default_rng(0)
    neuron = NEURONS[kind]
    own: dict[str, Any] = {"neuron": neuron, "delay_shift": False}
    if isinstance(neuron, ResonatorNeuron):
        shape = (20, 30) if layer == "dense" else (4, 2, 3, 3)
        own["weight_imag"] = even_weights(rng, *shape, most=60)
    if layer == "dense":
        return compiled(dense(even_weights(rng, 20, 30, most=60), **own))
    return compiled(conv(even_weights(rng, 4, 2, 3, 3, most=60), (4, 4, 5), **own))


def spikes_for(network: CompiledNetwork) -> SpikeInput:
    rng = np.random.default_rng(1)
    shape = network.network.input_shape
    return SpikeInput(spikes=random_spikes(rng, SAMPLES, *shape, STEPS))


def reference(network: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    return open_backend("reference").run(network, inputs)


def explained(
    network: CompiledNetwork,
    inputs: SpikeInput,
    faulty: RunResult,
    *,
    right: RunResult | None = None,
) -> Cause:
    right = right or reference(network, inputs)
    found = compare_runs(right, faulty)
    assert not found.equal, "nothing was planted"
    cause = explain_difference(network, inputs, right, faulty, found)
    assert cause.side == "b"
    assert cause.explained == cause.differing > 0
    return cause


def other_weights(network: CompiledNetwork, change: Callable[[Any], Any]) -> CompiledNetwork:
    layer = network.network.layers[0]
    assert isinstance(layer, ChipDense | ChipConv)
    changed: dict[str, Any] = {}
    for name in ("weights", "weights_imag"):
        weights = getattr(layer, name)
        if weights is not None:
            changed[name] = WeightRegisters(
                mantissa=change(weights.effective()).astype(np.int16),
                exponent=0,
                bits=8,
                sign_mode=SignMode.MIXED,
            )
    return with_layer(network, 0, **changed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", ["dense", "conv"])
def test_clipped_weights(kind: str, layer: str) -> None:
    network = network_of(kind, layer)
    inputs = spikes_for(network)
    faulty = reference(other_weights(network, lambda w: np.clip(w, -32, 31)), inputs)
    cause = explained(network, inputs, faulty)
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert "clips weights to -32..31: " in cause.explanation


@pytest.mark.parametrize("kind", KINDS)
def test_transposed_kernels(kind: str) -> None:
    network = network_of(kind, "conv")
    inputs = spikes_for(network)
    faulty = reference(other_weights(network, lambda w: w.transpose(0, 1, 3, 2)), inputs)
    assert explained(network, inputs, faulty).name is CauseName.TRANSPOSED_KERNEL


@pytest.mark.parametrize("kind", KINDS)
def test_latency(kind: str) -> None:
    network = network_of(kind)
    inputs = spikes_for(network)
    (output,) = outputs_of(reference(network, inputs).spikes)
    moved = np.roll(output, 2, axis=2)
    moved[:, :, :2] = 0
    cause = explained(network, inputs, result_of(network, [moved]))
    assert cause.name is CauseName.LATENCY
    assert cause.explanation == "The layer answers 2 steps later in run B (k = 2)."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", ["dense", "conv"])
def test_missing_reset(kind: str, layer: str) -> None:
    network = network_of(kind, layer)
    inputs = spikes_for(network)
    cause = explained(network, inputs, without_reset(network, inputs))
    assert cause.name is CauseName.MISSING_RESET


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", ["dense", "conv"])
@pytest.mark.parametrize(
    ("factor", "name"), [(0, CauseName.LOST_EVENT), (2, CauseName.DOUBLED_EVENT)]
)
def test_an_event_lost_or_doubled(kind: str, layer: str, factor: int, name: CauseName) -> None:
    network = network_of(kind, layer)
    inputs = spikes_for(network)
    changed = inputs.spikes.copy()
    neuron = tuple(int(i) for i in np.argwhere(inputs.spikes[1])[40])
    changed[(1, *neuron)] *= factor
    # few spikes change with an event, and others might have changed the same: the states tell
    cause = explained(
        network,
        inputs,
        recorded("reference", network, SpikeInput(spikes=changed)),
        right=recorded("reference", network, inputs),
    )
    assert cause.name is name
    assert f"in sample 1, step {neuron[-1]}" in cause.explanation


@pytest.mark.parametrize("kind", KINDS)
def test_polarity_of_the_input(kind: str) -> None:
    network = network_of(kind, "conv")
    inputs = spikes_for(network)
    faulty = reference(network, SpikeInput(spikes=inputs.spikes[:, ::-1]))
    cause = explained(network, inputs, faulty)
    assert cause.name is CauseName.INPUT_ENCODING
    assert cause.explanation == "Run B is fed its input with the channels in reverse (polarity)."


def toward_zero(value: Ints) -> Ints:
    return (np.sign(value) * (np.abs(value) >> 12)).astype(np.int64)


def downward(value: Ints) -> Ints:
    return value >> 12


def alif_run(
    network: CompiledNetwork,
    inputs: SpikeInput,
    *,
    rounded: Callable[[Ints], Ints] = toward_zero,
    above: bool = False,
) -> RunResult:
    """Simulate one dense ALIF layer, in few words and of our own."""
    layer = network.network.layers[0]
    assert isinstance(layer, ChipDense)
    neuron = layer.neuron
    assert isinstance(neuron, AlifNeuron)
    weight = layer.weights.effective().astype(np.int64)
    fired = np.zeros((inputs.n_samples, len(weight), inputs.n_steps), dtype=np.int64)
    rest, rise = neuron.vth_mantissa * 64, neuron.vth_step * 64

    def kept(state: Ints, lost: Any) -> Ints:
        return rounded(state * (4096 - int(lost)))

    for sample in range(inputs.n_samples):
        u, v, raised, refractory = (np.zeros(len(weight), dtype=np.int64) for _ in range(4))
        for step in range(inputs.n_steps):
            now = inputs.spikes[sample, :, step].astype(np.int64)
            u = kept(u, neuron.current_decay) + 64 * (weight @ now)
            v = kept(v, neuron.voltage_decay) + u
            raised = kept(raised, neuron.threshold_decay)
            refractory = kept(refractory, neuron.refractory_decay)
            limit = rest + raised + refractory
            fire = v > limit if above else v >= limit
            refractory += 2 * (rest + raised) * fire
            raised = raised + rise * fire
            fired[sample, :, step] = fire
    return result_of(network, [fired])


def grid_alif() -> CompiledNetwork:
    rng = np.random.default_rng(2)
    neuron = AlifNeuron(
        vth_mantissa=64,
        vth_step=0,
        current_decay=ints(4096),
        voltage_decay=ints(4096),
        threshold_decay=ints(4096),
        refractory_decay=ints(4096),
    )
    return compiled(dense(16 * rng.integers(-3, 4, (20, 30)), neuron=neuron, delay_shift=False))


def test_alif_above_the_threshold_only() -> None:
    network = grid_alif()
    inputs = spikes_for(network)
    assert compare_runs(reference(network, inputs), alif_run(network, inputs)).equal
    cause = explained(network, inputs, alif_run(network, inputs, above=True))
    assert cause.name is CauseName.THRESHOLD_EQUALITY
    assert "does not fire; by the definition from there on it should" in cause.explanation


def test_alif_rounds_decays_down() -> None:
    network = network_of("alif")
    rng = np.random.default_rng(3)
    # long enough for a unit of a state to change a spike
    inputs = SpikeInput(spikes=random_spikes(rng, 20, 30, 200, rate=0.2))
    assert compare_runs(reference(network, inputs), alif_run(network, inputs)).equal
    cause = explained(network, inputs, alif_run(network, inputs, rounded=downward))
    assert cause.name is CauseName.ROUNDING_OF_DECAY


def rf_run(
    network: CompiledNetwork,
    inputs: SpikeInput,
    *,
    rounded: Callable[[Ints], Ints] = toward_zero,
    above: bool = False,
) -> RunResult:
    """Simulate one dense layer of RF_IZ neurons, in few words and of our own."""
    layer = network.network.layers[0]
    assert isinstance(layer, ChipDense)
    neuron = layer.neuron
    assert isinstance(neuron, ResonatorNeuron)
    assert layer.weights_imag is not None
    weights = [w.effective().astype(np.int64) for w in (layer.weights, layer.weights_imag)]
    sine, cosine = int(neuron.sin_decay), int(neuron.cos_decay)
    limit = neuron.vth_mantissa * 64
    fired = np.zeros((inputs.n_samples, len(weights[0]), inputs.n_steps), dtype=np.int64)
    for sample in range(inputs.n_samples):
        re, im = (np.zeros(len(weights[0]), dtype=np.int64) for _ in range(2))
        for step in range(inputs.n_steps):
            now = inputs.spikes[sample, :, step].astype(np.int64)
            new = rounded(cosine * re) - rounded(sine * im) + 64 * (weights[0] @ now)
            im = rounded(sine * re) + rounded(cosine * im) + 64 * (weights[1] @ now)
            fire = im > limit if above else im >= limit
            re, im = np.where(fire, 0, new), np.where(fire, limit - 1, im)
            fired[sample, :, step] = fire
    return result_of(network, [fired])


def test_resonators_above_the_threshold_only() -> None:
    rng = np.random.default_rng(4)
    neuron = ResonatorNeuron(
        kind=NeuronKind.RF_IZ, vth_mantissa=32, sin_decay=ints(0), cos_decay=ints(0)
    )
    weight = 16 * rng.integers(-3, 4, (20, 30))
    network = compiled(dense(weight, weight_imag=weight[::-1], neuron=neuron, delay_shift=False))
    inputs = spikes_for(network)
    assert compare_runs(reference(network, inputs), rf_run(network, inputs)).equal
    cause = explained(network, inputs, rf_run(network, inputs, above=True))
    assert cause.name is CauseName.THRESHOLD_EQUALITY


def test_resonators_round_products_down() -> None:
    network = network_of("rf_iz")
    rng = np.random.default_rng(5)
    inputs = SpikeInput(spikes=random_spikes(rng, 20, 30, 200, rate=0.2))
    assert compare_runs(reference(network, inputs), rf_run(network, inputs)).equal
    cause = explained(network, inputs, rf_run(network, inputs, rounded=downward))
    assert cause.name is CauseName.ROUNDING_OF_DECAY
