"""What was trained is what runs: SLAYER's own forward pass equals the backends."""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from builders import assert_runs_are_identical, random_spikes, recorded

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import RunFolderError, network_from_slayer, repair_lava
from lavadeploy.scripts.train_digits import digits, train_on_digits
from lavadeploy.sim import SpikeInput, compare_runs, open_backend, run_slayer

repair_lava()
from lava.lib.dl import slayer  # noqa: E402 - after the repairs

pytestmark = [
    pytest.mark.lava,
    # SLAYER's blocks use torch's older way of weight normalization
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]

NEURON = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.1}


def compiled_from(module: Any, input_shape: tuple[int, ...] | None = None) -> CompiledNetwork:
    return compile_network(network_from_slayer(module, input_shape), load_profile("loihi2"))


def assert_slayer_equals_backends(
    module: Any, spikes: np.ndarray, input_shape: tuple[int, ...] | None = None
) -> None:
    network = compiled_from(module, input_shape)
    inputs = SpikeInput(spikes=spikes)
    trained = run_slayer(module, network, inputs)
    assert len(trained.spikes) > 20, "a silent network proves nothing"
    assert all(np.any(trained.spikes.layer == k) for k in range(len(network.network.layers)))
    for backend in ("reference", "lava"):
        found = compare_runs(trained, open_backend(backend).run(network, inputs))
        assert found.equal, (backend, found)


@pytest.mark.parametrize("delay_shift", [True, False])
@pytest.mark.parametrize("weight_norm", [True, False])
def test_dense_blocks(delay_shift: bool, weight_norm: bool) -> None:
    torch.manual_seed(0)
    options = {"delay_shift": delay_shift, "weight_norm": weight_norm, "weight_scale": 4}
    module = torch.nn.Sequential(
        slayer.block.cuba.Dense(NEURON, 30, 40, **options),
        slayer.block.cuba.Dense(NEURON, 40, 20, **options),
        slayer.block.cuba.Dense(NEURON, 20, 5, **options),
    )
    spikes = random_spikes(np.random.default_rng(0), 6, 30, 25)
    assert_slayer_equals_backends(module, spikes)


def test_an_affine_block_gives_voltages_not_spikes() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        slayer.block.cuba.Dense(NEURON, 30, 20, weight_scale=4),
        slayer.block.cuba.Affine(NEURON, 20, 5),
    )
    network = compiled_from(module)
    inputs = SpikeInput(spikes=random_spikes(np.random.default_rng(0), 6, 30, 25))
    trained = run_slayer(module, network, inputs)
    assert set(trained.spikes.layer.tolist()) == {0}
    for backend in ("reference", "lava"):
        found = open_backend(backend).run(network, inputs)
        assert trained.readout is not None
        assert found.readout is not None
        assert np.array_equal(trained.readout, found.readout)
        assert np.array_equal(trained.predictions(), found.predictions())
        assert compare_runs(trained, found).equal


def test_decays_by_channel_and_extreme_decays() -> None:
    torch.manual_seed(1)
    spread = NEURON | {"shared_param": False, "current_decay": (0.1, 0.9)}
    spread["voltage_decay"] = (0.0, 1.0)
    module = torch.nn.Sequential(
        slayer.block.cuba.Dense(spread, 30, 40, weight_scale=4),
        slayer.block.cuba.Dense(
            NEURON | {"current_decay": 1.0, "voltage_decay": 0.0}, 40, 10, weight_scale=4
        ),
    )
    spikes = random_spikes(np.random.default_rng(1), 4, 30, 25)
    module(torch.from_numpy(spikes.astype(np.float32)))  # draws the decays
    assert_slayer_equals_backends(module, spikes)


def test_convolution_flatten_dense() -> None:
    torch.manual_seed(2)
    module = torch.nn.Sequential(
        slayer.block.cuba.Conv(NEURON, 2, 4, 3, stride=2, padding=1, weight_scale=6),
        slayer.block.cuba.Conv(NEURON, 4, 6, (3, 2), dilation=(1, 2), groups=2, weight_scale=6),
        slayer.block.cuba.Flatten(),
        slayer.block.cuba.Dense(NEURON, 6 * 3 * 3, 7, weight_scale=6),
    )
    spikes = random_spikes(np.random.default_rng(2), 3, 2, 9, 10, 20, rate=0.5)
    assert_slayer_equals_backends(module, spikes, (2, 9, 10))


def test_convolution_pooling_transposed_convolution_dense() -> None:
    torch.manual_seed(5)
    module = torch.nn.Sequential(
        slayer.block.cuba.Conv(NEURON, 2, 4, 3, padding=1, weight_scale=6),
        slayer.block.cuba.Pool(dict(NEURON), 2, weight_scale=1.1),
        slayer.block.cuba.ConvT(NEURON, 4, 3, 2, weight_scale=6),
        slayer.block.cuba.Flatten(),
        slayer.block.cuba.Dense(NEURON, 3 * 6 * 6, 7, weight_scale=6),
    )
    # 9 rows and columns: SLAYER's pooling adds one of each
    spikes = random_spikes(np.random.default_rng(5), 3, 2, 9, 9, 20, rate=0.5)
    assert_slayer_equals_backends(module, spikes, (2, 9, 9))


def test_normalized_layers_begin_with_the_sample_on_every_backend() -> None:
    torch.manual_seed(6)
    norm = NEURON | {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    module = torch.nn.Sequential(
        *(slayer.block.cuba.Dense(dict(norm), a, b, weight_scale=4) for a, b in ((30, 20), (20, 9)))
    )
    for part in module.modules():
        if isinstance(part, slayer.neuron.norm.MeanOnlyBatchNorm):
            part.running_mean = -0.3 * torch.rand(1)
    assert_slayer_equals_backends(module, random_spikes(np.random.default_rng(6), 5, 30, 15))


def test_axonal_delays() -> None:
    torch.manual_seed(3)
    module = torch.nn.Sequential(
        slayer.block.cuba.Dense(NEURON, 30, 40, weight_scale=4, delay=True),
        slayer.block.cuba.Dense(NEURON, 40, 10, weight_scale=4, delay=True),
    )
    spikes = random_spikes(np.random.default_rng(3), 4, 30, 30)
    module(torch.from_numpy(spikes.astype(np.float32)))  # draws the delays
    for block in cast(Any, module):
        block.delay.delay.data = 8 * torch.rand_like(block.delay.delay.data)
    assert_slayer_equals_backends(module, spikes)


def test_delays_of_a_convolution() -> None:
    torch.manual_seed(4)
    module = torch.nn.Sequential(
        slayer.block.cuba.Conv(NEURON, 1, 3, 3, weight_scale=8, delay=True),
        slayer.block.cuba.Flatten(),
        slayer.block.cuba.Dense(NEURON, 3 * 4 * 5, 6, weight_scale=6),
    )
    spikes = random_spikes(np.random.default_rng(4), 3, 1, 6, 7, 20, rate=0.5)
    module(torch.from_numpy(spikes.astype(np.float32)))
    cast(Any, module)[0].delay.delay.data = torch.tensor([0.0, 2.5, 5.0])
    assert_slayer_equals_backends(module, spikes, (1, 6, 7))


def test_the_network_of_the_demo() -> None:
    data = digits(seed=0)
    model = train_on_digits(data, epochs=25, seed=0, on_epoch=lambda _done: None)
    network = compiled_from(model)
    trained = run_slayer(model, network, data.test)
    labels = data.test.labels
    assert labels is not None
    assert np.count_nonzero(trained.spikes.predictions() == labels) / 360 >= 0.96
    on_lava = recorded("lava", network, data.test)
    assert compare_runs(trained, on_lava).equal
    assert_runs_are_identical(on_lava, recorded("reference", network, data.test))


def test_from_threshold_4096_on_slayer_fires_at_equality_and_lava_does_not() -> None:
    # SLAYER adds 0.01 to the threshold, which float32 loses from here on. Exporter and compiler
    # warn.
    always = {"threshold": 64.0, "current_decay": 1.0, "voltage_decay": 0.0}
    block = slayer.block.cuba.Dense(always, 1, 1)
    module = torch.nn.Sequential(block)
    block.synapse.weight.data[:] = 2.0  # 128, and 32 times that is the threshold
    network = compiled_from(module)
    inputs = SpikeInput(spikes=np.ones((1, 1, 40), dtype=np.uint8))
    trained = run_slayer(module, network, inputs)
    lava = open_backend("reference").run(network, inputs)
    assert trained.spikes.step.tolist() == [31]
    assert lava.spikes.step.tolist() == [32]
    assert network.warnings == (
        (
            "block '0': threshold 4096 is 4096 or more; there SLAYER fires when the voltage equals "
            "the threshold, Lava only above it."
        ),
        (
            "layer0: threshold 4096 is 4096 or more; there SLAYER fires when the voltage equals "
            "the threshold, Lava only above it."
        ),
    )


def test_the_model_is_left_in_its_mode() -> None:
    module = torch.nn.Sequential(slayer.block.cuba.Dense(NEURON, 3, 2))
    module.train()
    network = compiled_from(module)
    run_slayer(module, network, SpikeInput(spikes=np.ones((1, 3, 4), dtype=np.uint8)))
    assert module.training


def test_a_module_of_other_depth_is_refused() -> None:
    one = torch.nn.Sequential(slayer.block.cuba.Dense(NEURON, 3, 2))
    two = torch.nn.Sequential(*one, slayer.block.cuba.Dense(NEURON, 2, 2))
    with pytest.raises(RunFolderError) as raised:
        run_slayer(two, compiled_from(one), SpikeInput(spikes=np.ones((1, 3, 4), dtype=np.uint8)))
    assert str(raised.value) == "the module has 2 layers of neurons and the artifact 1."
