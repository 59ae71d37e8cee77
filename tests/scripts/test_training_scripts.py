"""The scripts that users start from: train, export, deploy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, run

import numpy as np
import pytest
import torch
from expect import assert_same, sentence
from numpy.typing import NDArray

from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    ExportError,
    RealNetwork,
    export_slayer,
    read_any_netx,
    read_netx,
    real_network_from_slayer,
    summarize_network,
)
from lavadeploy.scripts import deploy, export_model, train_digits, train_mnist
from lavadeploy.scripts.slayer_training import Classifier, accuracy
from lavadeploy.sim import SpikeInput, compare_runs, load_spike_input, open_backend, run_slayer

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``python -m lavadeploy.scripts.train_digits`` writes after one epoch."""
    folder = tmp_path_factory.mktemp("training")
    module = "lavadeploy.scripts.train_digits"
    found = run(
        [sys.executable, "-m", module, "--epochs", "1", "-o", "digits"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == (
        "Written: digits/digits.pt, digits.net, digits_test.npz\n"
        "Next: lavadeploy compile digits/digits.net --profile loihi2 -o digits/digits.ldc\n"
    )
    return folder / "digits"


def test_training_writes_model_network_and_test_spikes(trained: Path) -> None:
    names = sorted(path.name for path in trained.iterdir())
    assert names == ["digits.net", "digits.pt", "digits_test.npz"]
    layers = summarize_network(read_netx(trained / "digits.net"))
    assert [(layer.kind, layer.shape_in, layer.shape_out) for layer in layers] == [
        ("dense", (64,), (128,)),
        ("dense", (128,), (10,)),
    ]
    test = load_spike_input(trained / "digits_test.npz")
    assert test.spikes.shape == (360, 64, 32)
    assert test.labels is not None
    assert set(test.labels.tolist()) == set(range(10))


def test_digits_are_split_without_overlap_and_in_the_same_way_each_time() -> None:
    data, again = train_digits.digits(), train_digits.digits()
    assert (data.training.n_samples, data.test.n_samples) == (1437, 360)
    assert data.test.sha256() == again.test.sha256()
    assert data.test.sha256() != train_digits.digits(seed=1).test.sha256()
    every = np.concatenate([data.training.spikes, data.test.spikes]).sum(axis=-1)
    other = train_digits.digits(seed=1)
    every_other = np.concatenate([other.training.spikes, other.test.spikes]).sum(axis=-1)
    assert sorted(map(bytes, every.astype(np.uint8))) == sorted(
        map(bytes, every_other.astype(np.uint8))
    )


def test_same_seed_trains_the_same_network_bit_for_bit(trained: Path, folder: Path) -> None:
    data = train_digits.digits()
    model = train_digits.train_on_digits(data, epochs=1, seed=0, on_epoch=lambda _done: None)
    export_slayer(model, folder / "again.net")
    assert (folder / "again.net").read_bytes() == (trained / "digits.net").read_bytes()


def test_exporting_the_saved_model_gives_the_same_bytes(
    trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_model.main(trained / "digits.pt", sizes="64,128,10", output=Path("mine.net"))
    assert capsys.readouterr().out == (
        "layer0: dense, 128 neurons, 8192 weights\n"
        "layer1: dense, 10 neurons, 1280 weights\n"
        "Written: mine.net\n"
    )
    assert Path("mine.net").read_bytes() == (trained / "digits.net").read_bytes()


def test_one_epoch_is_enough_to_tell_digits_apart(trained: Path) -> None:
    compiled = compile_network(read_netx(trained / "digits.net"), load_profile("loihi2"))
    test = load_spike_input(trained / "digits_test.npz")
    result = open_backend("reference").run(compiled, test)
    assert np.mean(result.spikes.predictions() == test.labels) > 0.8


@pytest.mark.lava
def test_deploying_says_that_two_backends_agree_and_what_it_costs(
    trained: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy.main(trained / "digits.net", trained / "digits_test.npz", samples=3)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Equal: all ")
    assert lines[0].endswith(" spikes.")
    assert lines[1].startswith("Dynamic energy ")
    assert any(line.startswith("Not included: ") for line in lines)


@pytest.mark.parametrize("module", ["deploy", "export_model", "train_mnist"])
def test_missing_input_of_a_script_is_said_in_one_sentence(spawn: Cli, module: str) -> None:
    arguments = {
        "deploy": ["nope.net", "nope.npz"],
        "export_model": ["nope.pt", "--sizes", "64,10", "-o", "mine.net"],
        "train_mnist": ["--data", "nope", "-o", "mnist"],
    }[module]
    found = spawn(sys.executable, "-m", f"lavadeploy.scripts.{module}", *arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: ")
    assert "nope" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("sizes", ["64,100,10", "64", "64,many"])
def test_a_state_of_other_sizes_is_refused_in_one_sentence(
    trained: Path, folder: Path, sizes: str
) -> None:
    found = sentence(
        ExportError, export_model.main, trained / "digits.pt", sizes=sizes, output=Path("mine.net")
    )
    assert found.startswith(f"'{trained / 'digits.pt'}' is no state of a {sizes} classifier: ")
    assert not Path("mine.net").exists()


@pytest.mark.shared_data
def test_training_on_mnist_writes_what_can_be_deployed(
    shared_data: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_mnist.main(data=shared_data / "mnist", output=Path("mnist"), epochs=1, samples=256)
    assert capsys.readouterr().out == (
        "Written: mnist/mnist.pt, mnist.net, mnist_test.npz\n"
        "Next: lavadeploy compile mnist/mnist.net -o mnist/mnist.ldc\n"
    )
    test = load_spike_input("mnist/mnist_test.npz")
    assert test.spikes.shape == (10_000, 784, 16)
    export_model.main(Path("mnist/mnist.pt"), sizes="784,128,10", output=Path("mine.net"))
    assert Path("mine.net").read_bytes() == Path("mnist/mnist.net").read_bytes()
    compiled = compile_network(read_netx("mine.net"), load_profile("loihi2"))
    some: SpikeInput = test.first(20)
    result = open_backend("reference").run(compiled, some)
    assert result.spikes.predictions().shape == (20,)


@pytest.mark.shared_data
def test_training_without_quantization_writes_real_numbers_and_calibration_images(
    shared_data: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_mnist = train_mnist.load_mnist

    def load_few(
        data: Path, part: str, samples: int | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return load_mnist(data, part, samples or 200)

    monkeypatch.setattr(train_mnist, "load_mnist", load_few)
    data = shared_data / "mnist"
    train_mnist.main(data=data, output=Path("mnist"), epochs=1, samples=640, float_weights=True)
    said, written, following = capsys.readouterr().out.splitlines()
    assert written == ("Written: mnist/mnist.pt, mnist.net, mnist_test.npz, mnist_calibration.npz")
    assert following == (
        "Next: lavadeploy compile mnist/mnist.net --bits 4 --calibration "
        "mnist/mnist_calibration.npz -o mnist/mnist.ldc"
    )
    network = read_any_netx("mnist/mnist.net")
    assert isinstance(network, RealNetwork)
    model = Classifier(784, 256, 10, quantized=False)
    model.load_state_dict(torch.load("mnist/mnist.pt", weights_only=True))
    assert_same(real_network_from_slayer(model).values, network.values)
    test = load_spike_input("mnist/mnist_test.npz")
    assert test.labels is not None
    right = accuracy(model, test.spikes.astype(np.uint8), test.labels.astype(np.int64))
    assert said == f"SLAYER, not quantized, is right on {100 * right:.2f}% of the test images."
    spikes, labels = load_mnist(data, "train", 500)
    calibration = load_spike_input("mnist/mnist_calibration.npz")
    assert calibration.labels is not None
    assert np.array_equal(calibration.spikes, spikes)
    assert calibration.labels.tolist() == labels.tolist()


@pytest.mark.lava
def test_accuracy_counts_the_spikes_that_come_after_the_last_input() -> None:
    model = Classifier(2, 2, quantized=False).eval()
    model.load_state_dict(
        model.state_dict() | {"blocks.0.synapse.weight": 4 * torch.eye(2).reshape(2, 2, 1, 1, 1)}
    )
    spikes = np.zeros((2, 2, 3), dtype=np.uint8)
    spikes[0, 0, 2] = spikes[1, 1, 2] = 1  # the answer leaves the block a step after the input ends
    assert accuracy(model, spikes, np.array([0, 1])) == 1.0
    assert accuracy(model, spikes, np.array([0, 0])) == 0.5


@pytest.mark.shared_data
def test_mnist_is_read_as_its_files_say(shared_data: Path) -> None:
    images = train_mnist.read_idx(shared_data / "mnist" / "t10k-images-idx3-ubyte.gz")
    assert (images.shape, images.dtype) == ((10_000, 28, 28), np.uint8)
    spikes, labels = train_mnist.load_mnist(shared_data / "mnist", "t10k", samples=3)
    assert labels.tolist() == [7, 2, 1]
    counts = spikes.reshape(3, 28, 28, 16).sum(axis=-1)
    assert np.array_equal(counts, np.floor(images[:3] / 255 * 0.5 * 16))


def test_slayer_runs_the_trained_model_as_lavadeploy_does(trained: Path) -> None:
    data = train_digits.digits()
    model = train_digits.train_on_digits(data, epochs=1, seed=0, on_epoch=lambda _done: None)
    compiled = compile_network(read_netx(trained / "digits.net"), load_profile("loihi2"))
    some = data.test.first(50)
    found = compare_runs(
        run_slayer(model, compiled, some), open_backend("reference").run(compiled, some)
    )
    assert (found.equal, found.first) == (True, None)
