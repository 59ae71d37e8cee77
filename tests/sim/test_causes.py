"""Each cause of a difference is planted in a run and has to be named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights, random_spikes, recorded
from faulty_runs import Fault, faulty_run, outputs_of, result_of, with_layer

from lavadeploy.compile import ChipDense, CompiledNetwork
from lavadeploy.netx import ConcatLayer, FlattenLayer, Layer, RunFolderError
from lavadeploy.sim import (
    Cause,
    CauseName,
    RunOptions,
    RunResult,
    SpikeInput,
    Timeline,
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


WEIGHT_FAULTS: dict[str, tuple[Change, str]] = {
    "8 bits": (lambda w: np.clip(w, -128, 127), "clips weights to -128..127: "),
    "6 bits": (lambda w: np.clip(w, -31, 31), "clips weights to -31..31: "),
    "low bit": (lambda w: w // 4 * 4, "loses the 2 lowest bits of weights, downward: "),
    "to zero": (lambda w: np.trunc(w / 4) * 4, "loses the 2 lowest bits of weights, toward zero: "),
}


@pytest.mark.parametrize("what", WEIGHT_FAULTS)
@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_clipped_weights(what: str, kind: str) -> None:
    rng = np.random.default_rng(5)
    if kind == "dense":
        network = compiled(dense(even_weights(rng, 20, 30), neuron=cuba(vth=200)))
    else:
        kernel = even_weights(rng, 4, 2, 3, 3)
        network = compiled(conv(kernel, (4, 4, 4), neuron=cuba(vth=200)))
    change, words = WEIGHT_FAULTS[what]
    cause = planted(network, Fault(weight=lambda w: change(w).astype(np.int64)))
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert words in cause.explanation


def test_the_clipped_weight_is_told() -> None:
    weight = [[16, 100, 140], [20, 30, 40]]
    network = compiled(dense(weight, neuron=cuba(vth=130, du=4096, dv=4096)))
    inputs = spikes_for(network)
    faulty = faulty_run(network, inputs, Fault(weight=lambda w: np.clip(w, -128, 127)))
    cause = explained(network, inputs, faulty)
    assert cause.explanation == (
        "run B clips weights to -128..127: 1 of 6, first [0, 2], which is 140 and becomes 127."
    ).replace("run B", "Run B", 1)


def test_the_clip_of_lava_to_255_in_a_matrix_of_one_sign() -> None:
    # lava-nc clips mantissas of inhibitory matrices to -255: of -128 at exponent -1 it makes -127
    rng = np.random.default_rng(6)
    weight = -64 * rng.integers(0, 3, (12, 20))
    neuron = cuba(vth=10, du=4096, dv=4096)
    bias = np.full(12, 330, dtype=np.int32)  # a sum of -320 leaves the threshold, and no spike
    network = compiled(dense(weight, neuron=neuron, bias=bias))
    cause = planted(network, Fault(weight=lambda w: np.maximum(w, -127)))
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert "which is -128 and becomes -127" in cause.explanation


@pytest.mark.parametrize(
    ("what", "name"),
    [("wraps", CauseName.WRAP), ("doubles", CauseName.WEIGHT_EXPONENT)],
)
def test_weights_that_wrap_or_lose_their_exponent(what: str, name: CauseName) -> None:
    changes: dict[str, Change] = {
        "wraps": lambda w: (w + 128) % 256 - 128,
        "doubles": lambda w: w * 2,
    }
    rng = np.random.default_rng(7)
    network = compiled(dense(even_weights(rng, 20, 30), neuron=cuba(vth=300)))
    assert planted(network, Fault(weight=changes[what])).name is name


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("limit", [0, 3])
def test_clipped_delays(kind: str, limit: int) -> None:
    delay = np.arange(12 if kind == "dense" else 4, dtype=np.int32) % 6
    delay[-1] = 5
    network = dense_network(delay=delay) if kind == "dense" else conv_network(delay=delay)
    layer = 1 if kind == "dense" else 0
    cause = planted(network, Fault(layer=layer, delay=lambda d: np.minimum(d, limit)))
    assert cause.name is CauseName.CLIPPED_DELAY
    how = "ignores axonal delays: " if limit == 0 else "clips axonal delays to 3 steps: "
    assert how in cause.explanation
    assert "the longest 5" in cause.explanation


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("shift", [1, 3, -2])
def test_latency_off_by_k(kind: str, shift: int) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    inputs = spikes_for(network)
    right = reference(network, inputs)
    outputs = outputs_of(right.spikes)
    moved = np.roll(outputs[1], shift, axis=2)
    moved[:, :, slice(0, shift) if shift > 0 else slice(shift, None)] = 0
    cause = explained(network, inputs, result_of(network, [outputs[0], moved]))
    assert cause.name is CauseName.LATENCY
    assert cause.layer == "layer1"
    assert cause.explanation.endswith(f"in run B (k = {shift}).")


KERNEL_FAULTS: dict[str, Change] = {
    "swapped": lambda w: w.transpose(0, 1, 3, 2),
    "turned by 180 degrees": lambda w: np.flip(w, (2, 3)),
    "rows in reverse": lambda w: np.flip(w, 2),
    "columns in reverse": lambda w: np.flip(w, 3),
    "swapped and turned": lambda w: np.rot90(w, 2, (2, 3)).transpose(0, 1, 3, 2),
}


@pytest.mark.parametrize("way", KERNEL_FAULTS)
@pytest.mark.parametrize("layer", [0, 1])
def test_transposed_kernels(way: str, layer: int) -> None:
    cause = planted(conv_network(), Fault(layer=layer, weight=KERNEL_FAULTS[way]))
    assert cause.name is CauseName.TRANSPOSED_KERNEL
    assert way in cause.explanation


def test_transposed_dense_weights() -> None:
    rng = np.random.default_rng(8)
    network = compiled(dense(even_weights(rng, 20, 20, most=60)))
    assert planted(network, Fault(weight=np.transpose)).name is CauseName.TRANSPOSED_WEIGHTS


@pytest.mark.parametrize(("order", "words"), [((1, 2, 0), "(H, W, C)"), ((2, 1, 0), "(W, H, C)")])
def test_another_order_of_flattening(order: tuple[int, ...], words: str) -> None:
    rng = np.random.default_rng(9)
    shape = (3, 4, 5)
    network = compiled(
        conv(even_weights(rng, 3, 2, 3, 3, most=90), shape, name="layer0"),
        *_flattened(even_weights(rng, 10, 60, most=60)),
    )

    def arriving(values: Any) -> Any:
        images = values.reshape(SAMPLES, *shape, STEPS)
        axes = (0, *(axis + 1 for axis in order), 4)
        return images.transpose(axes).reshape(SAMPLES, -1, STEPS)

    cause = planted(network, Fault(layer=1, arriving=arriving))
    assert cause.name is CauseName.FLATTEN_ORDER
    assert words in cause.explanation


def _flattened(weight: Any) -> tuple[Layer, ...]:
    return (
        FlattenLayer(name="layer1", shape=(weight.shape[1], 1, 1)),
        dense(weight, name="layer2"),
    )


@pytest.mark.parametrize("start", [1, 3, STEPS])
def test_a_bias_that_begins_late(start: int) -> None:
    rng = np.random.default_rng(10)
    bias = even_weights(rng, 20, most=30)
    network = compiled(dense(even_weights(rng, 20, 30, most=40), bias=bias))
    cause = planted(network, Fault(bias_from=start))
    assert cause.name is CauseName.BIAS_START
    assert ("never act" if start == STEPS else "late in run B") in cause.explanation


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_a_missing_reset(kind: str) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    cause = planted(network, Fault(layer=1, is_reset=False))
    assert cause.name is CauseName.MISSING_RESET
    assert cause.layer == "layer1"


def test_spikes_in_flight_in_delays() -> None:
    delay = np.arange(12, dtype=np.int32) % 5
    network = dense_network(delay=delay)
    inputs = spikes_for(network)
    right = reference(network, inputs)
    free = outputs_of(reference(dense_network(), inputs).spikes)
    late = np.zeros_like(free[1])
    for neuron, wait in enumerate(delay):
        long = np.concatenate(list(free[1][:, neuron]))
        late[:, neuron] = np.concatenate([np.zeros(wait, np.int64), long])[: long.size].reshape(
            SAMPLES, STEPS
        )
    cause = explained(network, inputs, result_of(network, [free[0], late]), right=right)
    assert cause.name is CauseName.SPIKES_IN_FLIGHT


def test_the_last_input_in_flight() -> None:
    def arriving(values: Any) -> Any:
        late = values.copy()
        for sample in range(1, SAMPLES):
            late[sample, :, 0] += values[sample - 1, :, -1]
        return late

    cause = planted(dense_network(), Fault(layer=1, arriving=arriving))
    assert cause.name is CauseName.SPIKES_IN_FLIGHT


def test_missing_silent_steps() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    outputs = [output.copy() for output in outputs_of(reference(network, inputs).spikes)]
    outputs[0][:, :, -1:] = 0
    outputs[1][:, :, -2:] = 0  # as a forward pass without them, two layers with delay_shift
    cause = explained(network, inputs, result_of(network, outputs))
    assert cause.name is CauseName.MISSING_SILENT_STEPS
    assert cause.explanation == "Run B has nothing in the last 2 steps of each sample."


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize(
    ("factor", "name"), [(0, CauseName.LOST_EVENT), (2, CauseName.DOUBLED_EVENT)]
)
@pytest.mark.parametrize("layer", [0, 1])
def test_one_event_lost_or_doubled(kind: str, factor: int, name: CauseName, layer: int) -> None:
    network = dense_network() if kind == "dense" else conv_network()
    inputs = spikes_for(network)
    planted_at: list[int] = []

    def arriving(values: Any) -> Any:
        changed = values.copy()
        neuron, step = (int(i) for i in np.argwhere(values[2])[30])
        changed[2, neuron, step] *= factor
        planted_at[:] = [neuron, step]
        return changed

    right = recorded("reference", network, inputs)
    faulty = faulty_run(network, inputs, Fault(layer=layer, arriving=arriving), states=True)
    cause = explained(network, inputs, faulty, right=right)
    assert cause.name is name
    neuron, step = planted_at
    source = "the input" if layer == 0 else "layer0"
    assert f"of neuron {neuron} of {source} in sample 2, step {step}" in cause.explanation


def test_some_lost_events_are_found_from_spikes_alone() -> None:
    network = dense_network()

    def arriving(values: Any) -> Any:
        changed = values.copy()
        for sample in (1, 3):
            neuron, step = np.argwhere(values[sample])[20]
            changed[sample, neuron, step] = 0
        return changed

    cause = planted(network, Fault(arriving=arriving))
    assert cause.name is CauseName.LOST_EVENT


INPUT_FAULTS: dict[str, Change] = {
    "with rows and columns swapped": lambda x: x.transpose(0, 1, 3, 2, 4),
    "with the channels in reverse (polarity)": lambda x: x[:, ::-1],
    "with the columns in reverse": lambda x: x[:, :, :, ::-1],
    "with counts clipped to 1": lambda x: (x > 0).astype(np.int64),
    "2 steps later": lambda x: np.concatenate([0 * x[..., :2], x[..., :-2]], axis=-1),
}


@pytest.mark.parametrize("how", INPUT_FAULTS)
def test_input_encoded_differently(how: str) -> None:
    rng = np.random.default_rng(11)
    network = compiled(conv(even_weights(rng, 4, 2, 3, 3, most=60), (4, 5, 5)))
    inputs = SpikeInput(spikes=rng.poisson(0.4, (SAMPLES, 2, 7, 7, STEPS)).astype(np.uint8))
    other = SpikeInput(spikes=INPUT_FAULTS[how](inputs.spikes))
    faulty = reference(network, other)
    cause = explained(network, inputs, faulty, right=reference(network, inputs))
    if how == "2 steps later":  # then the answers are, too
        assert (cause.name, cause.also) == (CauseName.LATENCY, (CauseName.INPUT_ENCODING,))
    else:
        assert cause.name is CauseName.INPUT_ENCODING
        assert cause.explanation == f"Run B is fed its input {how}."
    right = reference(network, inputs)
    found = compare_runs(right, faulty)
    told = explain_difference(network, inputs, right, faulty, found, inputs_b=other)
    assert told.name is CauseName.INPUT_ENCODING
    assert told.explanation == f"Run B is fed its input {how}."
    assert told.explained == told.differing > 0


def test_other_numbers_in_the_input_are_told() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    changed = inputs.spikes.astype(np.int64)
    changed[1, 4:9, 3] = 7
    other = SpikeInput(spikes=changed)
    right, faulty = reference(network, inputs), reference(network, other)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, inputs, right, faulty, found, inputs_b=other)
    assert cause.name is CauseName.INPUT_ENCODING
    assert cause.explanation == (
        "Run B is fed its input with other numbers: 5 of 2400 differ, first in sample 1, step 3, "
        f"neuron 4: {int(inputs.spikes[1, 4, 3])} and 7."
    )


def test_other_registers() -> None:
    network = dense_network()
    layer = network.network.layers[1]
    assert isinstance(layer, ChipDense)
    changed = layer.weights.mantissa.copy()
    changed[3, 4] = -changed[3, 4] - 8
    weights = dataclasses.replace(layer.weights, mantissa=changed)
    other = with_layer(network, 1, weights=weights)
    inputs = spikes_for(network)
    right, faulty = reference(network, inputs), reference(other, inputs)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, None, right, faulty, found, compiled_b=other)
    assert cause.name is CauseName.OTHER_REGISTERS
    assert "run B ran other registers of layer1: weights[3, 4] is" in cause.explanation
    assert cause.explained == cause.differing > 0


def test_what_no_cause_explains_is_shown_with_the_numbers_around_it() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    rng = np.random.default_rng(12)
    right = reference(network, inputs)
    outputs = outputs_of(right.spikes)
    outputs[1] ^= (rng.random(outputs[1].shape) < 0.05).astype(np.int64)
    faulty = result_of(network, outputs)
    found = compare_runs(right, faulty)
    cause = explain_difference(network, inputs, right, faulty, found)
    assert cause.name is CauseName.NOT_EXPLAINED
    assert cause.explanation.startswith("Run B is not what the registers define, and none of ")
    first = found.first
    assert first is not None
    here = next(row for row in cause.evidence if row.step == first.step)
    assert (here.output, here.output_a, here.output_b) == (
        first.value_a,
        first.value_a,
        first.value_b,
    )
    assert here.threshold == 60 * 64
    assert here.before_reset is not None
    assert (here.before_reset > here.threshold) == bool(here.output)


def test_a_layer_fed_by_unknown_input_cannot_be_explained() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    faulty = faulty_run(network, inputs, Fault(weight=lambda w: -w))
    right = reference(network, inputs)
    cause = explain_difference(network, None, right, faulty, compare_runs(right, faulty))
    assert cause.name is CauseName.NOT_EXPLAINED
    assert cause.remedy == "Give --input."


def test_equal_runs_have_no_cause() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    run = reference(network, inputs)
    with pytest.raises(ValueError, match="there is nothing to explain"):
        explain_difference(network, inputs, run, run, compare_runs(run, run))


def test_layers_behind_the_faulty_one_are_not_blamed() -> None:
    cause = planted(dense_network(), Fault(layer=0, weight=lambda w: np.clip(w, -15, 15)))
    assert cause.own_faults == ("layer0",)


def test_the_run_that_is_wrong_is_named_whichever_comes_first() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    right = reference(network, inputs)
    faulty = faulty_run(network, inputs, Fault(weight=lambda w: np.clip(w, -15, 15)))
    cause = explain_difference(
        network, inputs, faulty, right, compare_runs(faulty, right), names=("runs/x", "runs/y")
    )
    assert cause.side == "a"
    assert cause.explanation.startswith("runs/x clips weights to ")


def test_causes_are_told_in_the_timeline_of_the_chip_too() -> None:
    rng = np.random.default_rng(13)
    bias = even_weights(rng, 12, most=20)
    network = dense_network(bias=bias)
    inputs = spikes_for(network)
    options = RunOptions(timeline=Timeline.CHIP)
    right = open_backend("reference").run(network, inputs, options)
    layer = network.network.layers[1]
    assert isinstance(layer, ChipDense)
    clipped = dataclasses.replace(
        layer.weights, mantissa=np.clip(layer.weights.effective(), -32, 31).astype(np.int16)
    )
    other = with_layer(network, 1, weights=dataclasses.replace(clipped, exponent=0))
    faulty = open_backend("reference").run(other, inputs, options)
    cause = explained(network, inputs, faulty, right=right)
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert cause.own_faults == ("layer1",)


def test_runs_of_other_timelines_are_refused() -> None:
    network = dense_network()
    inputs = spikes_for(network)
    on_chip = open_backend("reference").run(network, inputs, RunOptions(timeline=Timeline.CHIP))
    with pytest.raises(RunFolderError) as raised:
        compare_runs(reference(network, inputs), on_chip)
    assert str(raised.value) == (
        "the runs cannot be compared: timelines slayer and chip. "
        "Run the same network on the same input with both."
    )


def test_joined_layers_are_explained() -> None:
    rng = np.random.default_rng(14)
    joined = compiled(
        dense(even_weights(rng, 10, 24, most=60), name="layer0"),
        dense(even_weights(rng, 8, 10, most=60), name="layer1"),
        ConcatLayer(name="layer2", shape=(18,), sources=(0, 1)),
        dense(even_weights(rng, 6, 18, most=60), name="layer3"),
    )
    inputs = spikes_for(joined)
    outputs = outputs_of(reference(joined, inputs).spikes)
    outputs[-1] = np.roll(outputs[-1], 1, axis=2)
    outputs[-1][:, :, 0] = 0
    cause = explained(joined, inputs, result_of(joined, outputs))
    assert (cause.name, cause.layer) == (CauseName.LATENCY, "layer3")
