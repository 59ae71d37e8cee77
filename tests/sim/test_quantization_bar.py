"""The bar: how much accuracy an MNIST network may lose, over all 10 000 test images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from profiles import SHIPPED

from lavadeploy.compile import compile_network
from lavadeploy.netx import RealNetwork, read_any_netx
from lavadeploy.sim import (
    SpikeInput,
    calibrate,
    load_spike_input,
    predictions,
    real_output,
    run_network,
    run_whole_network,
)

LEAST_FLOAT_ACCURACY = 97.5
MOST_LOST = {8: 0.1, 4: 1.0}  # percentage points by bits
CALIBRATION_IMAGES = 500


@pytest.fixture(scope="module")
def trained(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``python -m lavadeploy.scripts.train_mnist --float`` writes."""
    from lavadeploy.scripts import train_mnist

    folder = tmp_path_factory.mktemp("mnist")
    train_mnist.main(data=shared_data / "mnist", output=folder, float_weights=True)
    return folder


def accuracy(answers: np.ndarray, inputs: SpikeInput) -> float:
    assert inputs.labels is not None
    return 100 * float((answers == inputs.labels).mean())


@pytest.mark.slow
@pytest.mark.shared_data
def test_mnist_keeps_its_accuracy_at_8_and_at_4_bits(trained: Path) -> None:
    network = read_any_netx(trained / "mnist.net")
    assert isinstance(network, RealNetwork)
    inputs = load_spike_input(trained / "mnist_calibration.npz")
    test = load_spike_input(trained / "mnist_test.npz")
    assert inputs.n_samples <= CALIBRATION_IMAGES
    assert test.n_samples == 10_000
    before = accuracy(predictions(real_output(network, test)), test)
    assert before >= LEAST_FLOAT_ACCURACY
    for bits, most in MOST_LOST.items():
        found = calibrate(network, SHIPPED["loihi2"], inputs, bits)
        layers = compile_network(found.network, SHIPPED["loihi2"]).network.layers
        assert all(layer.weights.bits <= bits for layer in layers)
        output, _ = run_whole_network(found.network, test.spikes)
        # the fast run is the definition's, here, too
        some = test.first(300).spikes
        assert np.array_equal(output[:300], run_network(found.network, some)[-1].output)
        lost = before - accuracy(predictions(output), test)
        assert lost <= most, f"{bits} bits lose {lost:.2f} points of {before:.2f} %"
