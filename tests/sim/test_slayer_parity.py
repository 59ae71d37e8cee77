"""What was trained is what runs: the reference equals SLAYER, for every block and neuron.

Every test exports a model, writes and reads the file, runs it on the reference interpreter and
compares all outputs of all layers with SLAYER's own quantized forward pass.
"""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from slayer_models import COMPLEX, NEURONS, block, in_a_row, run_once, slayer, spikes, torch

from lavadeploy.netx import (
    FlattenLayer,
    InputLayer,
    Network,
    SynapticLayer,
    export_slayer,
    is_readout,
    network_from_slayer,
    read_netx,
)
from lavadeploy.sim import LayerRun, run_network
from lavadeploy.sim.slayer_run import slayer_outputs

pytestmark = [
    pytest.mark.lava,
    # lava-dl 0.6 uses the older of torch's two weight normalizations
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]
FAMILIES = sorted(NEURONS)
LARGE = {"weight_scale": 4}
IMAGE = (2, 8, 8)


@pytest.fixture(autouse=True)
def adrf_iz_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give ADRF_IZ the forward pass that its methods spell; lava-dl's forgets an argument."""

    def forward(neuron: Any, inputs: Any) -> Any:
        return neuron.spike(*neuron.dynamics(inputs))

    monkeypatch.setattr(slayer.neuron.adrf_iz.Neuron, "forward", forward)


def quantized(analog: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return input of neurons in units of 1/64, as SLAYER's ``quantize_8bit`` rounds it."""
    return np.clip(2 * np.round(analog * 32), -256, 254).astype(np.int64)


def output_of(run: LayerRun, layer: Any) -> NDArray[np.float64]:
    if isinstance(layer, SynapticLayer) and is_readout(layer.neuron):
        return run.states["voltage"].astype(np.float64) / 4096
    return run.output.astype(np.float64) * float(run.unit)


def assert_reference_equals_slayer(
    model: Any,
    inputs: NDArray[np.float32],
    folder: Path,
    input_shape: tuple[int, ...] | None = None,
) -> Network:
    export_slayer(model, folder / "model.net", input_shape)
    network = read_netx(folder / "model.net")
    trained = slayer_outputs(model, inputs)
    first = network.layers[0]
    analog = isinstance(first, InputLayer) and first.neuron is not None
    runs = run_network(network, quantized(inputs) if analog else inputs.astype(np.int64))
    # the layer that says the image's size, and flatten layers before a Dense over images, are ours
    blocks = [
        (run, layer)
        for run, layer in zip(runs, network.layers, strict=True)
        if not isinstance(layer, FlattenLayer)
        and not (isinstance(layer, InputLayer) and layer.neuron is None)
    ]
    ours = [
        out for out, part in zip(trained, model, strict=True) if type(part).__name__ != "Flatten"
    ]
    assert len(ours) == len(blocks)
    assert all(run.overflows == 0 for run in runs)
    for (run, layer), expected in zip(blocks, ours, strict=True):
        found = output_of(run, layer)
        assert np.array_equal(found, expected), (
            f"{layer.name}: {np.count_nonzero(found != expected)} of {found.size} differ"
        )
    assert np.count_nonzero(ours[-1]) > 10, "a silent network proves nothing"
    return network


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


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("delay_shift", [True, False])
def test_normalization_by_the_mean(family: str, delay_shift: bool, tmp_path: Path) -> None:
    """With delay_shift SLAYER lets the bias of layer k act k steps longer than its input."""
    torch.manual_seed(11)
    norm = {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    options = {"changes": norm, "delay_shift": delay_shift, **LARGE}
    model = in_a_row(
        block(family, "Dense", 20, 16, **options),
        block(family, "Dense", 16, 12, **options),
        block(family, "Dense", 12, 8, **options),
    )
    for part in model.modules():
        if isinstance(part, slayer.neuron.norm.MeanOnlyBatchNorm):
            part.running_mean = 0.3 * torch.randn(1)
    assert_reference_equals_slayer(model, spikes(4, 20, 30), tmp_path)


@pytest.mark.parametrize("family", ["cuba", "alif", "rf", "sigma_delta"])
def test_normalization_with_delays_and_layers_late_or_not(family: str, tmp_path: Path) -> None:
    torch.manual_seed(22)
    scale = 2 if family == "sigma_delta" else 4
    norm = {"norm": slayer.neuron.norm.MeanOnlyBatchNorm}
    model = in_a_row(
        block(family, "Conv", 2, 3, 3, changes=norm, delay=True, weight_scale=scale),
        block(family, "Flatten"),
        block(family, "Dense", 108, 16, changes=norm, delay_shift=False, weight_scale=scale),
        block(family, "Dense", 16, 12, changes=norm, delay=True, weight_scale=scale),
        block(family, "Dense", 12, 8, changes=norm, weight_scale=scale),
    )
    inputs = spikes(2, *IMAGE, 30)
    run_once(model, inputs)
    for part in model.modules():
        if isinstance(part, slayer.neuron.norm.MeanOnlyBatchNorm):
            part.running_mean = 0.2 * torch.randn_like(part.running_mean)
    for part in (model[0], model[3]):
        part.delay.delay.data = 4 * torch.rand_like(part.delay.delay.data)
    assert_reference_equals_slayer(model, inputs, tmp_path, IMAGE)


@pytest.mark.parametrize("scale", [16, 256])
@pytest.mark.parametrize("family", ["cuba", "alif", "rf", "rf_iz"])
def test_other_scales(family: str, scale: int, tmp_path: Path) -> None:
    torch.manual_seed(23)
    model = in_a_row(
        block(family, "Dense", 20, 16, changes={"scale": scale}, **LARGE),
        block(family, "Dense", 16, 8, changes={"scale": scale}, **LARGE),
    )
    assert_reference_equals_slayer(model, spikes(3, 20, 40), tmp_path)


@pytest.mark.parametrize("family", ["cuba", "alif", "sigma_delta"])
def test_input_neurons_of_images(family: str, tmp_path: Path) -> None:
    torch.manual_seed(24)
    model = in_a_row(block(family, "Input"), block(family, "Conv", 2, 4, 3, stride=2, **LARGE))
    analog = np.random.default_rng(24).uniform(-1, 3, (2, *IMAGE, 20)).astype(np.float32)
    assert_reference_equals_slayer(model, analog, tmp_path, IMAGE)


@pytest.mark.parametrize("family", ["cuba", "alif"])
@pytest.mark.parametrize("variance", [1e-6, 0.01, 1.0, 3.0, 1e4])
def test_normalization_by_a_power_of_two(family: str, variance: float, tmp_path: Path) -> None:
    """lava-dl exports the exponent unclamped, and its reader ignores it."""
    torch.manual_seed(12)
    norm = {"norm": slayer.neuron.norm.WgtScaleBatchNorm}
    scale = 4 * max(1.0, variance**0.5)  # what is divided must be larger to fire
    model = in_a_row(
        block(family, "Dense", 20, 16, changes=norm, weight_scale=scale),
        block(family, "Dense", 16, 12, changes=norm, weight_scale=scale),
    )
    for part in model.modules():
        if isinstance(part, slayer.neuron.norm.WgtScaleBatchNorm):
            part.running_mean = 0.3 * torch.randn(1)
            part.running_var = torch.tensor([variance])
    assert_reference_equals_slayer(model, spikes(4, 20, 30), tmp_path)


@pytest.mark.parametrize("family", ["cuba", "alif", "sigma_delta"])
@pytest.mark.parametrize("affine", [{}, {"weight": 1.3, "bias": 0.2}])
def test_input_neurons(family: str, affine: dict[str, float], tmp_path: Path) -> None:
    torch.manual_seed(13)
    model = in_a_row(
        block(family, "Input", **affine),
        block(family, "Dense", 20, 12, **LARGE),
        block(family, "Dense", 12, 8, **LARGE),
    )
    analog = np.random.default_rng(13).uniform(-1, 5, (3, 20, 25)).astype(np.float32)
    assert_reference_equals_slayer(model, analog, tmp_path, (20,))


@pytest.mark.parametrize("dynamics", [True, False])
def test_affine(dynamics: bool, tmp_path: Path) -> None:
    torch.manual_seed(14)
    model = in_a_row(
        block("cuba", "Dense", 20, 16, **LARGE),
        block("cuba", "Affine", 16, 8, dynamics=dynamics, weight_norm=True, **LARGE),
    )
    assert_reference_equals_slayer(model, spikes(4, 20, 30), tmp_path)


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


def test_sigma_delta_from_input_to_output(tmp_path: Path) -> None:
    torch.manual_seed(15)
    model = in_a_row(
        block("sigma_delta", "Input"),
        block("sigma_delta", "Dense", 20, 12, **LARGE),
        block("sigma_delta", "Output", 12, 5, weight_norm=True),
    )
    model[1].neuron.set_bias(torch.tensor([0.25]))
    analog = np.random.default_rng(15).uniform(-1, 1, (3, 20, 25)).astype(np.float32)
    assert_reference_equals_slayer(model, analog, tmp_path, (20,))


@pytest.mark.parametrize("threshold", [0.0, 1 / 4096, 0.107, 0.3333, 1.0])
def test_learned_sigma_delta_thresholds(threshold: float, tmp_path: Path) -> None:
    """The forward pass uses them unrounded, lava-dl exports them cut to 1/64."""
    torch.manual_seed(18)
    model = in_a_row(
        block("sigma_delta", "Dense", 20, 12, **LARGE), block("sigma_delta", "Dense", 12, 8)
    )
    for part in model:
        part.neuron.delta.threshold.data[:] = threshold
    assert_reference_equals_slayer(model, spikes(3, 20, 40), tmp_path)


@pytest.mark.parametrize("family", ["cuba", "alif", *COMPLEX])
def test_parameters_by_neuron(family: str, tmp_path: Path) -> None:
    torch.manual_seed(16)
    model = in_a_row(
        block(family, "Dense", 20, 16, changes={"shared_param": False}, **LARGE),
        block(family, "Dense", 16, 8, **LARGE),
    )
    inputs = spikes(4, 20, 40)
    run_once(model, inputs)
    assert_reference_equals_slayer(model, inputs, tmp_path)


def test_registers_of_resonators_are_exact_over_their_range(tmp_path: Path) -> None:
    """lava-dl's reader derives period and decay from them and loses a bit in a quarter of cases."""
    for seed, (period, decay) in enumerate([(4, 0.0), (10, 0.05), (17, 0.3), (200, 0.01)]):
        torch.manual_seed(seed)
        changes = {"period": period, "decay": decay}
        model = in_a_row(block("rf_iz", "Dense", 20, 16, changes=changes, **LARGE))
        assert_reference_equals_slayer(model, spikes(4, 20, 60), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("family", FAMILIES)
def test_random_parameters(family: str, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    changes: dict[str, Any] = {"threshold": float(rng.uniform(0.1, 3))}
    for name in NEURONS[family]:
        if name.endswith("decay"):
            changes[name] = float(rng.uniform(0, 0.5))
    if family in COMPLEX:
        changes |= {"period": float(rng.uniform(4, 30)), "decay": float(rng.uniform(0, 0.1))}
    widths = [int(n) for n in rng.integers(10, 40, 4)]
    # sums of messages beyond about 64 lose bits in SLAYER's float32
    scale = 2 if family == "sigma_delta" else 8
    model = in_a_row(
        *(
            block(
                family,
                "Dense",
                a,
                b,
                changes=changes,
                weight_scale=scale,
                delay_shift=bool(seed % 2),
            )
            for a, b in itertools.pairwise(widths)
        )
    )
    assert_reference_equals_slayer(model, spikes(4, widths[0], 50, seed=seed), tmp_path)
