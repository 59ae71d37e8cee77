"""What was trained is what runs: parameters and normalizations of neurons."""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slayer_models import COMPLEX, NEURONS, block, in_a_row, run_once, slayer, spikes, torch
from slayer_parity import assert_reference_equals_slayer

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
