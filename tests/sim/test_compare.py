"""Comparison of runs: equal, different, and where first."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import compiled, dense, even_weights, random_spikes, recorded
from hypothesis import given, settings
from hypothesis import strategies as st

from lavadeploy.netx import RunFolderError
from lavadeploy.sim import (
    Difference,
    RunResult,
    SpikeInput,
    SpikeLog,
    compare_runs,
)
from lavadeploy.sim.run_result import StateTrace

Event = tuple[int, int, int, int]
SIZES = (4, 3)
SAME_RUN = "Run the same network on the same input with both."
SAME_LOG = "Run both with the same --log."
EVENTS = st.sets(
    st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 1), st.integers(0, 2)),
    max_size=30,
)


def run_of(events: set[Event], value: int = 1) -> RunResult:
    """Make a run of 2 samples, 5 steps and 2 layers from (sample, step, layer, neuron) rows."""
    rows = np.array(sorted(events), dtype=np.int32).reshape(-1, 4)
    log = SpikeLog(
        sample=rows[:, 0],
        step=rows[:, 1],
        layer=rows[:, 2],
        neuron=rows[:, 3],
        value=np.full(len(rows), value, dtype=np.int32),
        layer_names=("a", "b"),
        layer_sizes=SIZES,
        n_samples=2,
        n_steps=5,
    )
    return RunResult(backend="made up", spikes=log, states=(), wall_s=0.0)


def test_equal_runs_are_equal() -> None:
    rng = np.random.default_rng(0)
    network = compiled(dense(even_weights(rng, 6, 9)))
    inputs = SpikeInput(spikes=random_spikes(rng, 3, 9, 5))
    run = recorded("reference", network, inputs)
    found = compare_runs(run, run)
    assert found.equal
    assert found.states_compared
    assert found.first is None
    assert found.differing_spikes == {"layer0": 0}
    assert found.total_spikes == len(run.spikes)
    assert found.predictions_equal == 1.0


@settings(deadline=None)
@given(EVENTS, EVENTS)
def test_what_differs_is_what_only_one_run_has(a: set[Event], b: set[Event]) -> None:
    found = compare_runs(run_of(a), run_of(b))
    only_one = a ^ b
    assert found.equal == (not only_one)
    assert found.total_spikes == len(a | b)
    assert found.differing_spikes == {
        "a": sum(event[2] == 0 for event in only_one),
        "b": sum(event[2] == 1 for event in only_one),
    }
    if only_one:
        sample, step, layer, neuron = min(only_one)
        assert found.first == Difference(
            sample=sample,
            step=step,
            layer="ab"[layer],
            neuron=neuron,
            quantity="spike",
            value_a=int((sample, step, layer, neuron) in a),
            value_b=int((sample, step, layer, neuron) in b),
        )


def test_payloads_are_compared() -> None:
    found = compare_runs(run_of({(0, 0, 0, 0)}, value=1), run_of({(0, 0, 0, 0)}, value=7))
    assert found.first is not None
    assert (found.first.value_a, found.first.value_b) == (1, 7)


def test_a_state_that_differs_earlier_is_named_before_the_spike() -> None:
    rng = np.random.default_rng(1)
    weight = even_weights(rng, 6, 9)
    inputs = SpikeInput(spikes=random_spikes(rng, 2, 9, 8))
    changed = weight.copy()
    changed[4, 2] += 2
    a = recorded("reference", compiled(dense(weight)), inputs)
    b = recorded("reference", compiled(dense(changed)), inputs)
    found = compare_runs(a, b)
    first = found.first
    assert first is not None
    arrival = np.argwhere(inputs.spikes[0, 2])[0, 0]
    assert (first.sample, first.step, first.neuron) == (0, arrival, 4)
    assert first.quantity == "current"
    assert first.value_b - first.value_a == 128  # 2 in weight units, 64 times finer in states


@pytest.mark.parametrize(
    ("field", "value", "sentence", "remedy"),
    [
        ("layer_names", ("a", "c"), "layers ('a', 'b') and ('a', 'c')", SAME_RUN),
        ("layer_sizes", (4, 5), "neurons (4, 3) and (4, 5)", SAME_RUN),
        ("n_samples", 3, "samples 2 and 3", SAME_RUN),
        ("n_steps", 6, "steps 5 and 6", SAME_RUN),
        ("not_logged", ("a",), "layers without a log () and ('a',)", SAME_LOG),
    ],
)
def test_runs_of_other_networks_or_sizes_do_not_compare(
    field: str, value: object, sentence: str, remedy: str
) -> None:
    a = run_of({(0, 0, 0, 0)})
    b = dataclasses.replace(a, spikes=dataclasses.replace(a.spikes, **{field: value}))
    with pytest.raises(RunFolderError) as raised:
        compare_runs(a, b)
    assert str(raised.value) == f"the runs cannot be compared: {sentence}. {remedy}"


def with_log_of(run: RunResult, *layers: str, predicted: tuple[int, int]) -> RunResult:
    spikes = run.spikes.of_layers(layers)
    return dataclasses.replace(run, spikes=spikes, predicted=np.array(predicted, dtype=np.int64))


def test_runs_whose_predictions_differ_are_not_equal_whatever_their_logs_hold() -> None:
    run = run_of({(0, 0, 0, 0), (1, 2, 1, 1)})
    a, b = (with_log_of(run, "a", predicted=classes) for classes in ((0, 1), (0, 2)))
    found = compare_runs(a, b)
    assert not found.equal
    assert (found.predictions_equal, found.first) == (0.5, None)
    assert compare_runs(a, a).equal


def test_runs_without_any_log_or_state_do_not_compare() -> None:
    run = with_log_of(run_of({(0, 0, 0, 0)}), predicted=(0, 0))
    with pytest.raises(RunFolderError) as raised:
        compare_runs(run, run)
    assert str(raised.value) == (
        "the runs cannot be compared: they hold no spikes, states or readouts of the same layers. "
        "Run both again with --log output, or --log all."
    )


def test_states_of_other_names_are_not_compared() -> None:
    def with_states(name: str, value: int) -> RunResult:
        states = tuple(
            StateTrace(values={name: np.full((2, size, 5), value, dtype=np.int32)})
            for size in SIZES
        )
        return dataclasses.replace(run_of({(0, 0, 0, 0)}), states=states)

    assert not compare_runs(with_states("current", 1), with_states("voltage", 2)).states_compared
    found = compare_runs(with_states("current", 1), with_states("current", 2))
    assert found.states_compared
    assert not found.equal
