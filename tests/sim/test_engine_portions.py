"""The engine's portions: what they hold, where they end, and that nothing else takes memory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from builders import assert_runs_are_identical, compiled, conv, cuba, dense, even_weights
from builders import random_spikes as spikes_of
from engine_cases import assert_engine_equals_reference, neuron_of_kind

from lavadeploy.compile import CompiledNetwork
from lavadeploy.netx import ConcatLayer, InputLayer, NeuronKind
from lavadeploy.sim import RunOptions, RunResult, SpikeInput, Timeline, join_portions, open_backend
from lavadeploy.sim.engine.log import ROW_BYTES
from lavadeploy.sim.engine.portions import ROW_OVERHEAD
from lavadeploy.sim.engine_backend import EngineBackend

NEURONS = 9


def network(vth: int = 40, last_vth: int = 40) -> CompiledNetwork:
    rng = np.random.default_rng(0)
    return compiled(
        dense(even_weights(rng, NEURONS, 12), neuron=cuba(vth)),
        dense(even_weights(rng, 4, NEURONS), name="layer1", neuron=cuba(last_vth)),
    )


def inputs(samples: int, steps: int = 6) -> SpikeInput:
    return SpikeInput(spikes=spikes_of(np.random.default_rng(1), samples, 12, steps, rate=0.6))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("timeline", Timeline)
@pytest.mark.parametrize("last_vth", [40, 131071])  # answers in spikes and in voltages
@pytest.mark.parametrize("portion_bytes", [1, 3000, 1 << 20])
def test_portions_put_together_are_the_run(
    threads: int, timeline: Timeline, last_vth: int, portion_bytes: int
) -> None:
    options = RunOptions(threads=threads, record=("all",), timeline=timeline)
    ready = network(last_vth=last_vth)
    expected = open_backend("reference").run(ready, inputs(23), options)
    backend = EngineBackend(rows_at_once=20, portion_bytes=portion_bytes)
    parts = list(backend.portions(ready, inputs(23), options))
    assert len(parts) == {1: 23, 1 << 20: 1}.get(portion_bytes, len(parts))
    assert all(int(part.spikes.sample.min(initial=0)) == 0 for part in parts)
    found = join_portions(parts)
    assert_runs_are_identical(found, expected)
    assert found.timeline is timeline
    assert found.spikes.n_samples == 23
    assert (found.readout is None) == (expected.readout is None)
    if found.readout is not None and expected.readout is not None:
        assert np.array_equal(found.readout, expected.readout)


@pytest.mark.parametrize("threads", [1, 2])
def test_logs_keep_to_the_size_whatever_the_number_of_samples(threads: int) -> None:
    most = 40_000
    backend = EngineBackend(rows_at_once=6, portion_bytes=most)  # blocks of one sample
    options = RunOptions(threads=threads)
    parts = list(backend.portions(network(), inputs(600), options))
    of_rows = ROW_OVERHEAD * 2 * 6  # layers and steps of a sample
    sizes = [len(part.spikes) * ROW_BYTES + part.spikes.n_samples * of_rows for part in parts]
    assert len(parts) > 3
    assert max(sizes) < 1.1 * most
    assert min(sizes[:-1]) > 0.8 * most


def test_a_sample_larger_than_a_portion_is_a_portion() -> None:
    backend = EngineBackend(portion_bytes=10)
    parts = list(backend.portions(network(), inputs(3), RunOptions(record=("all",))))
    assert [part.spikes.n_samples for part in parts] == [1, 1, 1]


def test_states_bound_a_portion_by_what_is_recorded() -> None:
    steps, most = 6, 10 * 4 * NEURONS * 6  # ten samples of one state of the first layer

    def samples(*record: str) -> list[int]:
        backend = EngineBackend(rows_at_once=6, portion_bytes=most)
        options = RunOptions(record=record, threads=1)
        parts = backend.portions(network(131071, 131070), inputs(25, steps), options)
        return [part.spikes.n_samples for part in parts]

    assert samples("layer0") == [5, 5, 5, 5, 5]  # of two states
    # these neurons are silent, but each row says where its spikes lie
    assert samples("layer0.v") == samples() == [7, 7, 7, 4]


def test_other_states_take_no_memory() -> None:
    (trace, other) = (
        EngineBackend().run(network(), inputs(3), RunOptions(record=("layer0.u",))).states
    )
    assert (tuple(trace.values), tuple(other.values)) == (("current",), ())
    assert trace.current.shape == (3, NEURONS, 6)


def test_inputs_larger_than_memory_are_read_block_by_block() -> None:
    # 6 TB, were they copied
    samples = inputs(5)
    assert samples.largest == 1  # looked up once, while they are few
    large = np.lib.stride_tricks.as_strided(samples.spikes, (10**11, 12, 6), (0, 6, 1))
    large.setflags(write=False)
    object.__setattr__(samples, "spikes", large)
    backend = EngineBackend(portion_bytes=20_000)
    options = RunOptions(record=("layer1.v",))
    parts = list(itertools.islice(backend.portions(network(), samples, options), 3))
    expected = open_backend("reference").run(network(), inputs(1))
    for part in parts:
        first = part.spikes.sample == 0
        assert np.array_equal(part.spikes.neuron[first], expected.spikes.neuron)


def test_progress_counts_all_samples_over_all_portions() -> None:
    seen: list[int] = []
    options = RunOptions(on_progress=seen.append)
    backend = EngineBackend(rows_at_once=12, portion_bytes=2000)
    assert len(list(backend.portions(network(), inputs(23), options))) > 1
    assert seen == sorted(seen)
    assert seen[-1] == 23


def test_what_is_done_stays_when_the_caller_stops() -> None:
    backend = EngineBackend(rows_at_once=6, portion_bytes=1)
    options = RunOptions(threads=2, record=("all",))
    portions = backend.portions(network(), inputs(50), options)
    kept: list[RunResult] = [next(portions), next(portions)]
    del portions
    expected = open_backend("reference").run(network(), inputs(2), options)
    assert_runs_are_identical(join_portions(kept), expected)


@pytest.mark.parametrize("kind", [NeuronKind.CUBA, NeuronKind.SDNN, NeuronKind.RF])
def test_the_chips_timeline_of_sources_with_other_latencies(kind: NeuronKind) -> None:
    # layers shown from other steps on, cut in chunks of time, neurons at the input
    rng = np.random.default_rng(2)
    first = InputLayer(name="layer0", shape=(2, 4, 4), weight=64, bias=3, neuron=cuba(20))
    bias = rng.integers(-20, 40, 3, dtype=np.int32)
    layers = (
        first,
        conv(even_weights(rng, 3, 2, 3, 3), (3, 2, 2), name="layer1", bias=bias),
        conv(
            even_weights(rng, 2, 3, 1, 1),
            (2, 2, 2),
            name="layer2",
            neuron=neuron_of_kind(kind, 20),
        ),
        ConcatLayer(name="layer3", shape=(5, 2, 2), sources=(1, 2)),
        dense(even_weights(rng, 4, 20), name="layer4", delay=np.arange(4, dtype=np.int32)),
    )
    ready = compiled(*layers, profile="ideal")
    given = SpikeInput(spikes=rng.integers(-200, 200, (3, 2, 4, 4, 7)))
    found = assert_engine_equals_reference(ready, given, Timeline.CHIP, cuts=(2048, 1, 5, 7, 30))
    assert found.spikes.n_steps == 7 + 3
    assert len(found.spikes) > 50
