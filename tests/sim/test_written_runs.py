"""What a run written portion by portion holds: its log, by layers and samples, and its states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import assert_runs_are_identical
from written_runs import (
    EVERYTHING,
    REFERENCE,
    labelled_samples,
    network_of_three_layers,
    written,
)

from lavadeploy.compile import CompiledNetwork
from lavadeploy.netx import OptionError, RunFolderError
from lavadeploy.sim import SpikeInput, load_run, read_spike_log, save_run, summarize_run


@pytest.fixture
def network() -> CompiledNetwork:
    return network_of_three_layers()


@pytest.fixture
def inputs() -> SpikeInput:
    return labelled_samples()


@pytest.mark.parametrize(
    ("log", "layers"),
    [
        ("all", ["a/b.c", "layer1", "layer2"]),
        ("output", ["layer2"]),
        ("none", []),
        ("layer1", ["layer1"]),
        ("layer2, a/b.c", ["a/b.c", "layer2"]),
    ],
)
def test_the_log_holds_the_layers_asked_for_and_counts_are_of_all(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path, log: str, layers: list[str]
) -> None:
    whole = REFERENCE.run(network, inputs)
    expected = summarize_run(network, inputs, whole)
    summary = written(network, inputs, tmp_path / "x", [10, 23], log=log)
    assert summary.activity == expected.activity
    assert summary.logged == tuple(layers)
    _, run = load_run(tmp_path / "x")
    kept = np.isin(whole.spikes.layer, [whole.spikes.layer_names.index(n) for n in layers])
    for column in ("sample", "step", "layer", "neuron", "value"):
        assert np.array_equal(getattr(run.spikes, column), getattr(whole.spikes, column)[kept])
    assert run.predictions().tolist() == whole.predictions().tolist()
    assert run.spikes.not_logged == tuple(n for n in whole.spikes.layer_names if n not in layers)
    if "layer1" not in layers:
        with pytest.raises(RunFolderError) as raised:
            run.spikes.dense(1)
        assert str(raised.value) == (
            "layer1: its spikes are not in the log. Run again with --log all, or --log layer1."
        )


def test_unknown_layers_cannot_be_logged(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    with pytest.raises(OptionError) as raised:
        written(network, inputs, tmp_path / "x", [23], log="layer1,layer3")
    assert str(raised.value) == (
        "cannot log 'layer3': no such layer; did you mean 'layer2'? "
        "Valid: 'a/b.c', 'all', 'layer1', 'layer2', 'none', 'output'."
    )


def test_a_log_is_read_by_samples_and_layers(
    network: CompiledNetwork,
    inputs: SpikeInput,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lavadeploy.sim.spike_log_file.ROW_GROUP", 100)
    whole = REFERENCE.run(network, inputs).spikes
    written(network, inputs, tmp_path / "x", [4, 23])
    path = tmp_path / "x" / "spikes.parquet"
    some = read_spike_log(path, samples=range(5, 9), layers=["layer1"])
    mine = (whole.sample >= 5) & (whole.sample < 9) & (whole.layer == 1)
    assert mine.any()
    assert (some.sample + 5).tolist() == whole.sample[mine].tolist()
    assert some.neuron.tolist() == whole.neuron[mine].tolist()
    assert (some.n_samples, some.not_logged) == (4, ("a/b.c", "layer2"))
    for samples, layers, sentence in (
        (range(5, 24), None, "samples 5 to 23; the run has 0 to 22."),
        (None, ["layer9"], "no layer 'layer9'; did you mean 'layer2'? Valid: "),
    ):
        with pytest.raises(OptionError) as raised:
            read_spike_log(path, samples=samples, layers=layers)
        assert str(raised.value).startswith(sentence)


def test_states_are_maps_of_their_files(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    written(network, inputs, tmp_path / "x", [4, 23])
    assert sorted(path.name for path in (tmp_path / "x" / "states").iterdir()) == [
        f"{layer}.{state}.npy"
        for layer in ("a%2Fb.c", "layer1", "layer2")
        for state in ("current", "voltage")
    ]
    voltage = load_run(tmp_path / "x")[1].states[0].voltage
    assert isinstance(voltage, np.memmap)
    assert voltage.shape == (23, 20, 15)


def test_states_of_earlier_versions_are_read(
    network: CompiledNetwork, inputs: SpikeInput, tmp_path: Path
) -> None:
    whole = REFERENCE.run(network, inputs, EVERYTHING)
    save_run(tmp_path / "x", summarize_run(network, inputs, whole), whole, network)
    for path in (tmp_path / "x" / "states").iterdir():
        path.unlink()
    (tmp_path / "x" / "states").rmdir()
    names = whole.spikes.layer_names
    arrays: dict[str, Any] = {
        f"{name}.{state}": values
        for name, trace in zip(names, whole.states, strict=True)
        for state, values in trace.values.items()
    }
    np.savez_compressed(tmp_path / "x" / "states.npz", **arrays)
    assert_runs_are_identical(load_run(tmp_path / "x")[1], whole)
