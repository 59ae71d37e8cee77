"""What was trained is what runs: the reference equals SLAYER, for every block and neuron.

Every test exports a model, writes and reads the file, runs it on the reference interpreter and
compares all outputs of all layers with SLAYER's own quantized forward pass.
"""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from slayer_models import NEURONS, block, in_a_row, run_once, slayer, spikes, torch
from slayer_parity import assert_reference_equals_slayer

from lavadeploy.netx import (
    SynapticLayer,
    network_from_slayer,
)

pytestmark = [
    pytest.mark.lava,
    pytest.mark.usefixtures("adrf_iz_can_run"),
    # lava-dl 0.6 uses the older of torch's two weight normalizations
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]
FAMILIES = sorted(NEURONS)
LARGE = {"weight_scale": 4}
IMAGE = (2, 8, 8)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("delay_shift", [True, False])
@pytest.mark.parametrize("weight_norm", [True, False])
def test_dense(family: str, delay_shift: bool, weight_norm: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = {"delay_shift": delay_shift, "weight_norm": weight_norm, **LARGE}
    model = in_a_row(
        block(family, "Dense", 20, 16, **options),
        block(family, "Dense", 16, 12, **options),
        block(family, "Dense", 12, 8, **options),
    )
    assert_reference_equals_slayer(model, spikes(4, 20, 30), tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_axonal_delays(family: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = in_a_row(
        block(family, "Conv", 2, 3, 3, delay=True, **LARGE),
        block(family, "Flatten"),
        block(family, "Dense", 3 * 6 * 6, 8, delay=True, **LARGE),
    )
    inputs = spikes(3, *IMAGE, 30)
    run_once(model, inputs)
    for part in (model[0], model[2]):
        part.delay.delay.data = 6 * torch.rand_like(part.delay.delay.data)
    assert_reference_equals_slayer(model, inputs, tmp_path, IMAGE)


@pytest.mark.parametrize("family", FAMILIES)
def test_convolution(family: str, tmp_path: Path) -> None:
    torch.manual_seed(2)
    model = in_a_row(
        block(family, "Conv", 2, 4, 3, padding=1, stride=(1, 2), groups=2, **LARGE),
        block(family, "Conv", 4, 6, (3, 2), dilation=(2, 1), **LARGE),
        block(family, "Flatten"),
        block(family, "Dense", 6 * 4 * 3, 5, **LARGE),
    )
    assert_reference_equals_slayer(model, spikes(3, *IMAGE, 25), tmp_path, IMAGE)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        (2, {}),
        (3, {}),  # 8 % 3 = 2 rows added to a channel of 8: windows reach into the next channel
        ((2, 4), {"stride": (2, 1)}),
        (3, {"stride": 2, "padding": 1}),
        (2, {"dilation": 2, "stride": 4}),
    ],
)
def test_pooling(family: str, kernel: Any, options: dict[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = in_a_row(
        block(family, "Conv", 2, 2, 3, padding=1, **LARGE),
        block(family, "Pool", kernel, weight_scale=1.1, **options),
    )
    assert_reference_equals_slayer(model, spikes(3, *IMAGE, 40), tmp_path, IMAGE)


# lava-dl's own ADRF_IZ ConvT block cannot be built (it names a synapse that does not exist)
@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "adrf_iz"])
def test_transposed_convolution(family: str, tmp_path: Path) -> None:
    torch.manual_seed(4)
    model = in_a_row(
        block(family, "ConvT", 2, 4, 3, padding=1, stride=2, groups=2, **LARGE),
        block(family, "ConvT", 4, 3, (2, 3), dilation=(1, 2), **LARGE),
    )
    assert_reference_equals_slayer(model, spikes(2, *IMAGE, 25), tmp_path, IMAGE)


@pytest.mark.parametrize("family", FAMILIES)
def test_unpooling(family: str, tmp_path: Path) -> None:
    torch.manual_seed(5)
    model = in_a_row(
        block(family, "Unpool", 2, weight_scale=1.1),
        block(family, "Unpool", (3, 2), stride=(3, 2), weight_scale=1.4),
    )
    assert_reference_equals_slayer(model, spikes(2, *IMAGE, 25), tmp_path, IMAGE)


@pytest.mark.parametrize("family", FAMILIES)
def test_average(family: str, tmp_path: Path) -> None:
    torch.manual_seed(6)
    model = in_a_row(block(family, "Dense", 20, 16, **LARGE), block(family, "Average", 4))
    assert_reference_equals_slayer(model, spikes(3, 20, 30), tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_dense_over_images(family: str, tmp_path: Path) -> None:
    torch.manual_seed(7)
    model = in_a_row(
        block(family, "Dense", 2, 3, **LARGE),  # the same weights at every pixel
        block(family, "Dense", (8, 8, 3), 9, **LARGE),  # (W, H, C): all of the image
    )
    assert_reference_equals_slayer(model, spikes(3, *IMAGE, 25), tmp_path, IMAGE)


@pytest.mark.parametrize("name", ["Recurrent", "KWTA"])
@pytest.mark.parametrize("family", ["cuba", "alif"])
def test_recurrent(family: str, name: str, tmp_path: Path) -> None:
    torch.manual_seed(8)
    more = {"num_winners": 4} if name == "KWTA" else {}
    model = in_a_row(
        block(family, name, 20, 16, **LARGE, **more), block(family, "Dense", 16, 8, **LARGE)
    )
    inputs = spikes(3, 20, 30)
    # these blocks keep their states: a comparison that does not start at rest would fail
    run_once(model, inputs)
    assert_reference_equals_slayer(model, inputs, tmp_path)


@pytest.mark.parametrize("family", ["cuba", "alif"])
def test_graded_spikes_that_come_back(family: str, tmp_path: Path) -> None:
    """Weak, or they grow until SLAYER's float32 loses bits of them, beyond about 64."""
    torch.manual_seed(17)
    weak = {"graded_spike": True, "threshold": 0.1, "voltage_decay": 0.4}
    model = in_a_row(block(family, "Recurrent", 20, 16, changes=weak, weight_scale=0.5))
    assert_reference_equals_slayer(model, spikes(3, 20, 30), tmp_path)


def test_the_offset_of_winner_take_all_reaches_alif_neurons(tmp_path: Path) -> None:
    torch.manual_seed(9)
    high = {"threshold": 4.0, "threshold_step": 0.5}
    model = in_a_row(block("alif", "KWTA", 20, 16, 2, changes=high, weight_scale=8))
    network = assert_reference_equals_slayer(model, spikes(3, 20, 30), tmp_path)
    layer = network.layers[0]
    assert isinstance(layer, SynapticLayer)
    assert layer.bias is not None
    assert set(layer.bias.tolist()) == {4}  # 4 * 12 / 16 / 64, of 1/32 each, rounded


@pytest.mark.parametrize("family", ["cuba", "alif", "rf_iz"])
@pytest.mark.parametrize("after", ["Conv", "Pool", "ConvT", "Unpool", "Average"])
def test_graded_spikes_of_images(family: str, after: str, tmp_path: Path) -> None:
    torch.manual_seed(21)
    arguments = {"Conv": (2, 3, 3), "Pool": (2,), "ConvT": (2, 3, 2), "Unpool": (2,)}
    second = block(family, after, *arguments.get(after, (9,)))
    # sums of graded spikes stay below 32, where 24 bits end; ALIF voltages are never reset
    scale = 1 if family == "alif" else 2
    graded = block(family, "Conv", 2, 2, 3, changes={"graded_spike": True}, weight_scale=scale)
    assert_reference_equals_slayer(in_a_row(graded, second), spikes(2, *IMAGE, 25), tmp_path, IMAGE)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "sigma_delta"])
def test_graded_spikes(family: str, tmp_path: Path) -> None:
    torch.manual_seed(10)
    model = in_a_row(
        block(family, "Dense", 20, 16, changes={"graded_spike": True}, **LARGE),
        block(family, "Dense", 16, 8),
    )
    assert_reference_equals_slayer(model, spikes(4, 20, 40), tmp_path)


def test_bootstrap_blocks(tmp_path: Path) -> None:
    """lava-dl's bootstrap derives its blocks from SLAYER's; as artificial networks, by default."""
    bootstrap = importlib.import_module("lava.lib.dl.bootstrap.block.cuba")
    torch.manual_seed(19)
    norm = NEURONS["cuba"] | {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    model = in_a_row(
        bootstrap.Input(NEURONS["cuba"] | {}, weight=1.5, bias=0.3),
        bootstrap.Dense(norm, 20, 12, weight_scale=4),
        bootstrap.Affine(NEURONS["cuba"] | {}, 12, 5, dynamics=False),
    )
    model[1].neuron.norm.running_mean = torch.tensor([-0.2])
    analog = np.random.default_rng(19).uniform(0, 1, (3, 20, 25)).astype(np.float32)
    assert_reference_equals_slayer(model, analog, tmp_path, (20,))


def test_slayers_own_container(tmp_path: Path) -> None:
    sequential = importlib.import_module("lava.lib.dl.slayer.auto").SequentialNetwork
    torch.manual_seed(20)
    part = block("cuba", "Dense", 20, 12, **LARGE)
    run_once(part, spikes(1, 20, 3))
    with h5py.File(tmp_path / "dense.net", "w") as file:
        part.export_hdf5(file.create_group("layer/0"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        model = sequential("dense.net")
    assert_reference_equals_slayer(model.blocks, spikes(3, 20, 30), tmp_path)
    assert len(network_from_slayer(model).layers) == 1
