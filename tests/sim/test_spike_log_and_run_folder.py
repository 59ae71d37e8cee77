"""The spike log and the run folder survive the disk; other folders are not touched."""
# pyarrow has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import (
    assert_runs_are_identical,
    compiled,
    conv,
    dense,
    even_weights,
    random_spikes,
    recorded,
)

from lavadeploy.compile import CompiledNetwork, load_artifact
from lavadeploy.netx import OutputError, RunFolderError
from lavadeploy.sim import (
    RunResult,
    SpikeInput,
    load_run,
    open_backend,
    read_spike_log,
    save_run,
    summarize_run,
    write_spike_log,
)
from lavadeploy.sim.json_text import to_json


@pytest.fixture
def network() -> CompiledNetwork:
    rng = np.random.default_rng(0)
    return compiled(
        conv(even_weights(rng, 2, 1, 2, 2), (2, 3, 3)),
        dense(even_weights(rng, 4, 18), name="layer1"),
    )


@pytest.fixture
def inputs() -> SpikeInput:
    rng = np.random.default_rng(1)
    return SpikeInput(
        spikes=random_spikes(rng, 3, 1, 4, 4, 6), labels=np.array([0, 1, 2], dtype=np.int64)
    )


@pytest.fixture
def run(network: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    return recorded("reference", network, inputs)


def test_a_log_is_the_same_after_writing_and_reading(run: RunResult, tmp_path: Path) -> None:
    write_spike_log(run.spikes, tmp_path / "s.parquet")
    read = read_spike_log(tmp_path / "s.parquet")
    for field in dataclasses.fields(run.spikes):
        left, right = getattr(run.spikes, field.name), getattr(read, field.name)
        assert np.array_equal(left, right), field.name
    assert len(read) > 0


def test_a_log_opens_with_pyarrow_alone(run: RunResult, tmp_path: Path) -> None:
    write_spike_log(run.spikes, tmp_path / "s.parquet")
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.column_names == ["sample", "step", "layer", "neuron", "value"]
    assert set(table.column("layer").to_pylist()) <= {"layer0", "layer1"}
    assert table.num_rows == len(run.spikes)


def test_an_empty_log_survives(network: CompiledNetwork, tmp_path: Path) -> None:
    silent = SpikeInput(spikes=np.zeros((2, 1, 4, 4, 3), dtype=np.uint8))
    log = open_backend("reference").run(network, silent).spikes
    write_spike_log(log, tmp_path / "s.parquet")
    read = read_spike_log(tmp_path / "s.parquet")
    assert len(read) == 0
    assert read.layer_sizes == (18, 4)
    assert read.predictions().tolist() == [0, 0]


def test_the_schema_of_the_file_is_the_documented_one(run: RunResult, tmp_path: Path) -> None:
    write_spike_log(run.spikes, tmp_path / "spikes.parquet")
    schema = pq.read_schema(tmp_path / "spikes.parquet")
    layer = pa.dictionary(pa.int32(), pa.string())
    assert [(field.name, field.type) for field in schema] == [
        ("sample", pa.int32()),
        ("step", pa.int32()),
        ("layer", layer),
        ("neuron", pa.int32()),
        ("value", pa.int32()),
    ]
    assert json.loads(schema.metadata[b"lavadeploy"]) == {
        "layer_names": ["layer0", "layer1"],
        "layer_sizes": [18, 4],
        "n_samples": 3,
        "n_steps": 6,
        "not_logged": [],
    }
    table = pq.read_table(tmp_path / "spikes.parquet")
    assert set(table["layer"].to_pylist()) == {"layer0", "layer1"}


def test_rows_are_sorted_by_sample_step_layer_neuron(run: RunResult) -> None:
    log = run.spikes
    rows = np.stack([log.sample, log.step, log.layer, log.neuron], axis=1)
    assert np.array_equal(rows, rows[np.lexsort(rows.T[::-1])])


def test_counts_and_dense_arrays_hold_every_event(run: RunResult) -> None:
    log = run.spikes
    for layer, size in enumerate(log.layer_sizes):
        array = log.dense(layer)
        assert array.shape == (3, size, 6)
        assert np.array_equal(array.sum(axis=2), log.spike_counts(layer))
        assert array.sum() == np.count_nonzero(log.layer == layer)


def test_of_neurons_that_fire_equally_often_the_lowest_is_predicted(run: RunResult) -> None:
    log = dataclasses.replace(
        run.spikes,
        sample=np.array([0, 0, 1], dtype=np.int32),
        step=np.array([0, 1, 0], dtype=np.int32),
        layer=np.array([1, 1, 1], dtype=np.int32),
        neuron=np.array([3, 2, 1], dtype=np.int32),
        value=np.ones(3, dtype=np.int32),
    )
    assert log.predictions().tolist() == [2, 1, 0]


def test_a_run_folder_holds_everything(
    network: CompiledNetwork, inputs: SpikeInput, run: RunResult, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "x"
    summary = summarize_run(network, inputs, run, {"seed": 7})
    save_run(folder, summary, run, network)
    assert sorted(p.name for p in folder.iterdir()) == [
        "activity.npz",
        "compiled.ldc",
        "report.md",
        "run.json",
        "spikes.parquet",
        "states",
    ]
    figures, read = load_run(folder)
    assert_runs_are_identical(run, read)
    assert figures == json.loads(to_json(summary))
    assert figures["notes"] == {"seed": 7}
    assert figures["accuracy"] == np.count_nonzero(run.spikes.predictions() == inputs.labels) / len(
        figures["predictions"]
    )
    assert load_artifact(folder / "compiled.ldc").profile == network.profile
    assert "| layer1 | dense | 4 |" in (folder / "report.md").read_text(encoding="utf-8")


def test_an_earlier_run_is_replaced_as_a_whole(
    network: CompiledNetwork, inputs: SpikeInput, run: RunResult, tmp_path: Path
) -> None:
    summary = summarize_run(network, inputs, run)
    save_run(tmp_path / "x", summary, run, network)
    without_states = dataclasses.replace(run, states=())
    save_run(tmp_path / "x", summary, without_states, network)
    assert not (tmp_path / "x" / "states").exists()
    assert load_run(tmp_path / "x")[1].states == ()
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_folder_of_somebodys_own_is_not_touched(
    network: CompiledNetwork, inputs: SpikeInput, run: RunResult, tmp_path: Path
) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter1.tex").write_text("precious")
    with pytest.raises(OutputError) as raised:
        save_run(folder, summarize_run(network, inputs, run), run, network)
    assert str(raised.value) == (
        f"cannot write folder '{folder}': it exists, is not empty and holds no 'run.json', so it "
        "is not ours to replace. Choose another name."
    )
    assert [p.name for p in folder.iterdir()] == ["chapter1.tex"]
    assert [p.name for p in tmp_path.iterdir()] == ["thesis"]


def test_folders_that_are_no_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError) as raised:
        load_run(tmp_path / "none")
    assert str(raised.value) == f"'{tmp_path / 'none'}': no such run folder."
    with pytest.raises(RunFolderError) as raised:
        load_run(tmp_path)
    assert str(raised.value) == (
        f"'{tmp_path}': is not a run folder (run.json is missing or damaged)."
    )
    (tmp_path / "run.json").write_text(
        '{"backend": "lava", "wall_s": 1.0, "hashes": {"input": "0"}}'
    )
    path = tmp_path / "spikes.parquet"
    with pytest.raises(RunFolderError, match=f"^'{path}': is not a spike log"):
        load_run(tmp_path)
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(RunFolderError, match=f"^'{path}': is not a spike log"):
        load_run(tmp_path)


def test_a_profile_without_coefficients_gives_counts_and_no_joules(tmp_path: Path) -> None:
    network = compiled(dense([[10]]), profile="ideal")
    inputs = SpikeInput(spikes=np.ones((1, 1, 2), dtype=np.uint8))
    result = open_backend("reference").run(network, inputs)
    summary = summarize_run(network, inputs, result)
    assert summary.energy is None
    assert summary.accuracy is None
    save_run(tmp_path / "x", summary, result, network)
    report = (tmp_path / "x" / "report.md").read_text(encoding="utf-8")
    assert "profile 'ideal' has no coefficients, so none are given." in report
