"""Input spikes: what is accepted, and one sentence for what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense

from lavadeploy.netx import InputLayer, SpikeInputError
from lavadeploy.sim import SpikeInput, check_input_fits, load_spike_input


def test_an_npz_with_spikes_and_labels_is_read(tmp_path: Path) -> None:
    spikes = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    np.savez(tmp_path / "x.npz", spikes=spikes, labels=np.array([1, 0], dtype=np.uint8))
    read = load_spike_input(tmp_path / "x.npz")
    assert np.array_equal(read.spikes, spikes)
    assert read.labels is not None
    assert read.labels.tolist() == [1, 0]
    assert (read.n_samples, read.n_steps) == (2, 4)


def test_labels_are_optional(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", spikes=np.ones((1, 2, 3), dtype=np.int16))
    assert load_spike_input(tmp_path / "x.npz").labels is None


def test_spikes_are_copied_and_cannot_be_changed() -> None:
    given = np.ones((1, 2, 3), dtype=np.uint8)
    held = SpikeInput(spikes=given)
    given[:] = 0
    assert held.spikes.all()
    with pytest.raises(ValueError, match="read-only"):
        held.spikes[0, 0, 0] = 0


def test_the_hash_does_not_depend_on_the_integer_type() -> None:
    spikes = np.array([[[0, 1, 255]]])
    kinds = [SpikeInput(spikes=spikes.astype(t)).sha256() for t in (np.uint8, np.int64, np.int16)]
    assert len(set(kinds)) == 1
    assert SpikeInput(spikes=spikes[..., ::-1]).sha256() != kinds[0]
    assert SpikeInput(spikes=spikes.reshape(1, 3, 1)).sha256() != kinds[0]


def test_first_takes_samples_and_labels_together() -> None:
    inputs = SpikeInput(spikes=np.ones((5, 2, 3), dtype=np.uint8), labels=np.arange(5))
    first = inputs.first(2)
    assert first.n_samples == 2
    assert first.labels is not None
    assert first.labels.tolist() == [0, 1]
    assert inputs.first(None) is inputs
    assert inputs.first(9) is inputs


@pytest.mark.parametrize("in_a_file", [False, True])
def test_first_steps_are_a_view_of_every_sample(tmp_path: Path, in_a_file: bool) -> None:
    spikes = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.savez(tmp_path / "x.npz", spikes=spikes, labels=np.array([5, 6]))
    inputs = load_spike_input(tmp_path / "x.npz")
    if not in_a_file:
        inputs = SpikeInput(spikes=spikes, labels=inputs.labels)
    cut = inputs.first_steps(3)
    assert (cut.n_samples, cut.n_steps, cut.is_mapped) == (2, 3, in_a_file)
    assert np.array_equal(cut.spikes, spikes[..., :3])
    assert np.shares_memory(cut.spikes, inputs.spikes)
    assert not cut.spikes.flags.writeable
    assert cut.labels is not None
    assert cut.labels.tolist() == [5, 6]
    assert cut.sha256() == SpikeInput(spikes=spikes[..., :3]).sha256() != inputs.sha256()
    assert inputs.first_steps(4).sha256() == inputs.sha256()


@pytest.mark.parametrize("steps", [0, 5])
def test_steps_that_samples_do_not_have_are_refused(steps: int) -> None:
    with pytest.raises(SpikeInputError) as raised:
        SpikeInput(spikes=np.ones((2, 3, 4), dtype=np.uint8)).first_steps(steps)
    assert str(raised.value) == (
        f"{steps} steps were asked for, and the samples of the input have 4. Ask for fewer, or "
        "encode the input with more."
    )


@pytest.mark.parametrize(
    ("spikes", "sentence"),
    [
        (
            np.ones((1, 2, 3), dtype=np.float32),
            (
                "spikes has type float32; whole numbers were expected. "
                "Convert with spikes.astype(np.uint8) after checking that nothing is lost."
            ),
        ),
        (
            np.ones((2, 3), dtype=np.uint8),
            (
                "spikes has shape (2, 3); (N, C, T) or (N, C, H, W, T) was expected, time last, as "
                "SLAYER orders it."
            ),
        ),
        (
            np.ones((2, 0, 3), dtype=np.uint8),
            "spikes has shape (2, 0, 3), so there is nothing to run.",
        ),
        (np.array([[[2**31]]]), "spikes holds values beyond 32 bits."),
    ],
)
def test_bad_spikes_are_refused(spikes: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SpikeInputError) as raised:
        SpikeInput(spikes=spikes)
    assert str(raised.value) == sentence
    path = tmp_path / "x.npz"
    np.savez(path, spikes=spikes)
    with pytest.raises(SpikeInputError) as raised:
        load_spike_input(path)
    assert str(raised.value) == f"'{path}': {sentence}"


def test_only_neurons_at_the_input_take_negative_numbers() -> None:
    inputs = SpikeInput(spikes=np.array([[[0, 1], [-4, 1]]]))
    with pytest.raises(SpikeInputError) as raised:
        check_input_fits(inputs, compiled(dense([[2, 2]])))
    assert str(raised.value) == "spikes is -4 at (0, 1, 0); a spike count cannot be negative."
    analog = compiled(
        InputLayer(name="layer0", shape=(2,), neuron=cuba()), dense([[2, 2]], name="layer1")
    )
    check_input_fits(inputs, analog)


@pytest.mark.parametrize("labels", [np.array([1]), np.array([0.5, 1.0]), np.array([[1, 2]])])
def test_labels_must_be_one_whole_number_a_sample(labels: Any) -> None:
    with pytest.raises(SpikeInputError) as raised:
        SpikeInput(spikes=np.ones((2, 1, 1), dtype=np.uint8), labels=labels)
    assert str(raised.value) == (
        f"labels has type {labels.dtype} and shape {labels.shape}; whole numbers of shape (2,) "
        "were expected."
    )


def test_files_that_are_no_input_are_refused(tmp_path: Path) -> None:
    missing, folder = tmp_path / "none.npz", tmp_path
    text, other = tmp_path / "t.npz", tmp_path / "o.npz"
    text.write_text("spikes")
    np.savez(other, x=np.ones(3))
    sentences = {
        missing: f"'{missing}': no such file; an .npz file with 'spikes' was expected.",
        folder: f"'{folder}': is a folder; an .npz file with 'spikes' was expected.",
        other: f"'{other}': has no array 'spikes' (it holds 'x').",
    }
    for path, sentence in sentences.items():
        with pytest.raises(SpikeInputError) as raised:
            load_spike_input(path)
        assert str(raised.value) == sentence
    with pytest.raises(SpikeInputError, match=f"^'{text}': is not a readable .npz file"):
        load_spike_input(text)


def test_a_truncated_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, spikes=np.ones((2, 30, 40), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SpikeInputError, match=f"^'{path}': is not a readable .npz file"):
        load_spike_input(path)


def test_an_image_may_come_flat_for_a_dense_network_only() -> None:
    image = SpikeInput(spikes=np.ones((1, 1, 2, 3, 4), dtype=np.uint8))
    flat = SpikeInput(spikes=np.ones((1, 6, 4), dtype=np.uint8))
    on_dense = compiled(dense(np.ones((2, 6), dtype=np.int32)))
    check_input_fits(image, on_dense)
    check_input_fits(flat, on_dense)
    on_conv = compiled(conv(np.ones((1, 1, 1, 1)), (1, 2, 3)))
    check_input_fits(image, on_conv)
    with pytest.raises(SpikeInputError) as raised:
        check_input_fits(flat, on_conv)
    assert str(raised.value) == (
        "spikes has shape (1, 6, 4); the network takes (N, 1, 2, 3, T): samples, channels, rows, "
        "columns, steps."
    )


def test_payloads_beyond_the_chips_are_refused() -> None:
    counts = SpikeInput(spikes=np.array([[[2]]]))
    check_input_fits(counts, compiled(dense([[2]]), profile="loihi2"))
    with pytest.raises(SpikeInputError) as raised:
        check_input_fits(counts, compiled(dense([[2]]), profile="loihi1"))
    assert str(raised.value) == (
        "spikes holds the value 2; loihi1 allows spikes of 0 to 1. Use binary spikes, or a profile "
        "with graded spikes."
    )


def test_payloads_that_overflow_the_first_sums_are_refused() -> None:
    network = compiled(dense([[254] * 4]))  # mantissas 254, so sums of 1016 times the payload
    limit = (2**31 - 1) // 1016
    check_input_fits(SpikeInput(spikes=np.full((1, 4, 1), limit)), network)
    with pytest.raises(SpikeInputError) as raised:
        check_input_fits(SpikeInput(spikes=np.full((1, 4, 1), limit + 1)), network)
    assert str(raised.value) == (
        f"spikes holds the value {limit + 1}; with the weights of the first layer a sum could "
        f"leave 32 bits. Keep values below {limit + 1}."
    )
