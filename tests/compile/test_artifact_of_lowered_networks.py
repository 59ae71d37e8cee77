"""What was lowered is loaded as it was saved: shapes that NetX does not tell apart, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights
from expect import assert_same
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lowering_strategies import fitting_networks
from profiles import SHIPPED, limited

from lavadeploy.compile import artifact_bytes, compile_network, load_artifact, save_artifact
from lavadeploy.netx import (
    ConcatLayer,
    ConvTransposeLayer,
    InputLayer,
    Network,
    UnsupportedNetworkError,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(
    network=fitting_networks(),
    profile=st.sampled_from([SHIPPED["ideal"], limited("ideal", neurons_per_core=7)]),
)
def test_lowered_networks_are_loaded_as_they_were(
    network: Network, profile: Any, folder: Path
) -> None:
    try:
        saved = compile_network(network, profile, allow_approximate=True)
    except UnsupportedNetworkError:
        assume(False)
        raise
    save_artifact(saved, folder / "a.ldc")
    loaded = load_artifact(folder / "a.ldc")
    # one decay for the one channel of a layer is read back as one for all
    assert_same(loaded, saved, ignore=("voltage_decay",))
    assert artifact_bytes(loaded) == artifact_bytes(saved)


def test_a_vector_joined_with_itself_is_loaded_as_it_was(tmp_path: Path) -> None:
    # the only layer on the chip does not tell the size of the network's input
    vector = InputLayer(name="layer0", shape=(3,))
    twice = ConcatLayer(name="layer1", shape=(6,), sources=(0, 0))
    saved = compiled(vector, twice, dense(np.full((2, 6), 2), name="layer2"), profile="ideal")
    assert saved.network.input_shape == (3,)
    save_artifact(saved, tmp_path / "a.ldc")
    assert_same(load_artifact(tmp_path / "a.ldc"), saved)


def test_an_image_of_one_pixel_that_no_kernel_makes_is_loaded_as_it_was(tmp_path: Path) -> None:
    strided = ConvTransposeLayer(
        name="layer1",
        shape=(3, 1, 1),
        weight=even_weights(np.random.default_rng(0), 2, 3, 1, 1),
        neuron=cuba(),
        stride=(2, 2),
        padding=(1, 1),
        dilation=(1, 1),
        groups=1,
    )
    image = InputLayer(name="layer0", shape=(2, 2, 2))
    behind = conv(np.full((1, 3, 1, 1), 2), (1, 1, 1), name="layer2")
    saved = compiled(image, strided, behind)
    save_artifact(saved, tmp_path / "a.ldc")
    assert_same(load_artifact(tmp_path / "a.ldc"), saved)


def test_an_input_of_another_shape_before_input_neurons_is_kept(tmp_path: Path) -> None:
    first = InputLayer(name="layer0", shape=(3, 1, 1))
    neurons = InputLayer(name="layer1", shape=(3,), weight=64, neuron=cuba())
    saved = compiled(first, neurons, profile="ideal")
    save_artifact(saved, tmp_path / "a.ldc")
    assert_same(load_artifact(tmp_path / "a.ldc"), saved)
