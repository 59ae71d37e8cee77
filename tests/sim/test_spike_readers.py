"""Spike logs as arrays and files of other tools: every event is there, and nothing else."""
# h5py and pyarrow have no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIndexIssue=false

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from lavadeploy.netx import OptionError, RunFolderError
from lavadeploy.sim import (
    CONVERTERS,
    SpikeInput,
    SpikeLog,
    convert_spike_log,
    layers_without_values,
    load_spike_input,
    slayer_spikes,
    time_first_spikes,
    tonic_events,
    write_spike_log,
)

SHAPES = {"image": (3, 4, 5), "a/b": (7,), "silent": (2,)}
N, T = 70, 9  # more samples than are converted at once


@pytest.fixture
def log() -> SpikeLog:
    """Two layers that fire, one of them graded."""
    rng = np.random.default_rng(0)
    sample, step, neuron = np.nonzero(rng.random((N, T, 67)) < 0.1)
    layer = (neuron >= 60).astype(np.int32)
    return SpikeLog(
        sample=sample.astype(np.int32),
        step=step.astype(np.int32),
        layer=layer,
        neuron=(neuron - 60 * layer).astype(np.int32),
        value=np.where(layer == 1, rng.integers(1, 5, layer.size), 1).astype(np.int32),
        layer_names=tuple(SHAPES),
        layer_sizes=(60, 7, 2),
        n_samples=N,
        n_steps=T,
    )


@pytest.fixture
def path(log: SpikeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("lavadeploy.sim.spike_log_file.ROW_GROUP", 500)
    write_spike_log(log, tmp_path / "spikes.parquet")
    return tmp_path / "spikes.parquet"


def test_arrays_of_each_order_hold_the_same_spikes(log: SpikeLog) -> None:
    for index, (name, shape) in enumerate(SHAPES.items()):
        by_neuron = log.dense(index)
        assert np.array_equal(time_first_spikes(log, index), by_neuron.transpose(0, 2, 1)), name
        images = slayer_spikes(log, index, shape)
        assert images.shape == (N, *shape, T)
        assert np.array_equal(images.reshape(by_neuron.shape), by_neuron)
        if by_neuron.any():
            assert SpikeInput(spikes=images).largest == by_neuron.max()


def test_tonic_events_of_images_have_place_time_and_channel(log: SpikeLog) -> None:
    for sample in (0, 5, N - 1):
        events = tonic_events(log, 0, sample, (3, 4, 5), step_us=500)
        assert events.dtype.names == ("x", "y", "t", "p")
        found = np.zeros((3, 4, 5, T), dtype=np.int32)
        found[events["p"], events["y"], events["x"], events["t"] // 500] += 1
        assert np.array_equal(found, slayer_spikes(log, 0, (3, 4, 5))[sample])
        assert np.all(np.diff(events["t"]) >= 0)


def test_tonic_events_of_other_layers_have_neuron_time_and_value(log: SpikeLog) -> None:
    events = tonic_events(log, 1, 3, (7,))
    assert events.dtype.names == ("t", "x", "p")
    found = np.zeros((7, T), dtype=np.int32)
    found[events["x"], events["t"] // 1000] = events["p"]
    assert np.array_equal(found, log.dense(1)[3])


def test_shapes_of_other_layers_are_refused(log: SpikeLog) -> None:
    for shape in ((3, 4, 6), (60, 1), (59,)):
        with pytest.raises(OptionError) as raised:
            slayer_spikes(log, 0, shape)
        assert str(raised.value) == (
            f"image: shape {shape}; (N,) or (C, H, W) of its 60 neurons was expected."
        )


def test_csv_has_a_line_for_every_event(log: SpikeLog, path: Path, tmp_path: Path) -> None:
    convert_spike_log(path, tmp_path / "x.csv", "csv", SHAPES)
    with (tmp_path / "x.csv").open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["sample", "step", "layer", "neuron", "value"]
    names = [log.layer_names[k] for k in log.layer]
    columns = (log.sample, log.step, names, log.neuron, log.value)
    assert rows == [[str(value) for value in row] for row in zip(*columns, strict=True)]


def arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    with np.load(path) as file:
        return dict(file)


def test_npz_and_slayer_hold_an_array_for_each_layer(
    log: SpikeLog, path: Path, tmp_path: Path
) -> None:
    for to in ("npz", "slayer"):
        convert_spike_log(path, tmp_path / "x.npz", to, SHAPES)
        found = arrays(tmp_path / "x.npz")
        assert list(found) == list(SHAPES)
        for index, (name, shape) in enumerate(SHAPES.items()):
            by_time, images = time_first_spikes(log, index), slayer_spikes(log, index, shape)
            assert np.array_equal(found[name], by_time if to == "npz" else images)
            assert found[name].dtype == np.uint8


def test_a_slayer_file_of_one_layer_is_input(log: SpikeLog, path: Path, tmp_path: Path) -> None:
    convert_spike_log(path, tmp_path / "x.npz", "slayer", SHAPES, layers=["image"])
    found = load_spike_input(tmp_path / "x.npz")
    assert np.array_equal(found.spikes, slayer_spikes(log, 0, SHAPES["image"]))


def test_only_graded_spikes_of_images_lose_their_values_and_only_in_tonics_form(
    log: SpikeLog, tmp_path: Path
) -> None:
    value = np.where(log.layer == 0, 2, log.value).astype(np.int32)
    for values, lost in ((log.value, ()), (value, ("image",))):
        write_spike_log(replace(log, value=values), tmp_path / "s.parquet")
        for to in CONVERTERS:
            found = layers_without_values(tmp_path / "s.parquet", to, list(SHAPES), SHAPES)
            assert found == (lost if to == "tonic" else ())


def test_tonic_file_holds_every_sample(log: SpikeLog, path: Path, tmp_path: Path) -> None:
    convert_spike_log(path, tmp_path / "x.npz", "tonic", SHAPES, layers=["a/b"])
    found = arrays(tmp_path / "x.npz")
    assert list(found) == [f"a/b/{sample}" for sample in range(N)]
    for sample in (0, 64, N - 1):
        assert np.array_equal(found[f"a/b/{sample}"], tonic_events(log, 1, sample, (7,)))


def test_nirdata_has_the_groups_and_attributes_of_nir(
    log: SpikeLog, path: Path, tmp_path: Path
) -> None:
    """As `nir.read_data` of nir 1.0.8 reads them (nir/serialization.py); it was tried on these."""
    convert_spike_log(path, tmp_path / "x.h5", "nirdata", SHAPES, step_us=2000)
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["__type__"] == "NIRGraphData"
        nodes: Any = file["nodes"]
        assert sorted(nodes) == ["a%2Fb", "image", "silent"]
        for index, (name, kind) in enumerate(
            (("image", "EventData"), ("a%2Fb", "ValuedEventData"), ("silent", "EventData"))
        ):
            node = nodes[name]
            assert node.attrs["__type__"] == "NIRNodeData"
            spikes: Any = node["observables/spikes"]
            assert spikes.attrs["__type__"] == kind
            assert spikes.attrs["n_neurons"] == log.layer_sizes[index]
            dt = 2e-3
            assert int(spikes.attrs["t_max"] / dt) == round(spikes.attrs["t_max"] / dt) == T
            idx, time = spikes["idx"][()], spikes["time"][()]
            assert idx.shape == time.shape
            assert np.array_equal(idx == -1, np.isinf(time))
            found = np.zeros((N, log.layer_sizes[index], T), dtype=np.int32)
            sample, place = np.nonzero(idx != -1)
            value = spikes["value"][()][sample, place] if kind == "ValuedEventData" else 1
            # nir takes the step below a time, later versions the one above, less one
            steps = np.floor(time[sample, place] / dt).astype(int)
            assert np.array_equal(steps, np.ceil(time[sample, place] / dt).astype(int) - 1)
            found[sample, idx[sample, place], steps] = value
            assert np.array_equal(found, log.dense(index))
            full = np.isfinite(time)
            assert np.all(full[:, :-1] >= full[:, 1:])  # what is empty is at the end


@pytest.mark.parametrize("to", list(CONVERTERS))
def test_layers_that_were_not_logged_are_left_out_or_refused(
    log: SpikeLog, tmp_path: Path, to: str
) -> None:
    write_spike_log(log.of_layers(["a/b"]), tmp_path / "s.parquet")
    convert_spike_log(tmp_path / "s.parquet", tmp_path / "all", to, SHAPES)
    convert_spike_log(tmp_path / "s.parquet", tmp_path / "one", to, SHAPES, layers=["a/b"])
    assert (tmp_path / "one").stat().st_size == (tmp_path / "all").stat().st_size > 0
    with pytest.raises(RunFolderError) as raised:
        convert_spike_log(tmp_path / "s.parquet", tmp_path / "x", to, SHAPES, layers=["image"])
    assert str(raised.value) == (
        "image: its spikes are not in the log. Run again with --log all, or --log image."
    )
    assert not (tmp_path / "x").exists()


def test_an_empty_log_is_converted_too(log: SpikeLog, tmp_path: Path) -> None:
    write_spike_log(log.of_layers([]), tmp_path / "s.parquet")
    for to in CONVERTERS:
        convert_spike_log(tmp_path / "s.parquet", tmp_path / to, to, SHAPES)
        assert (tmp_path / to).exists()
