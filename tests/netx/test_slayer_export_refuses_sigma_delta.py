"""Sigma-delta blocks that Lava has no model of are refused, by position."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from typing import Any

import pytest
from expect import sentence

from lavadeploy.netx import (
    ConvLayer,
    ExportError,
    network_from_slayer,
    repair_lava,
)

torch = importlib.import_module("torch")
repair_lava()
slayer = importlib.import_module("lava.lib.dl.slayer")
cuba = slayer.block.cuba

pytestmark = pytest.mark.lava

NEURON = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.03}
RF = {"threshold": 1, "period": 10, "decay": 0.1}
SDNN = {"threshold": 0.1, "activation": torch.nn.functional.relu}


def in_a_row(*modules: Any) -> Any:
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"activation": torch.tanh},
            (
                "activation 'tanh' is not torch's ReLU; Lava and the chip have no other. Train "
                "with torch.nn.functional.relu."
            ),
        ),
        (
            {"cum_error": True},
            (
                "cum_error=True has no model in Lava, and NetX cannot state it. Train with "
                "cum_error=False."
            ),
        ),
        (
            {"scale": 128},
            (
                "sigma-delta neurons with neuron scale 128; NetX does not store the scale, and "
                "readers take 64. Use 64."
            ),
        ),
    ],
)
def test_sigma_delta_neurons_that_lava_lacks_are_refused(
    changes: dict[str, Any], found: str
) -> None:
    model = in_a_row(slayer.block.sigma_delta.Dense({**SDNN, **changes}, 2, 2))
    assert sentence(ExportError, network_from_slayer, model) == f"block '0': {found}"


def test_another_function_called_relu_is_refused() -> None:
    def relu(x: Any) -> Any:
        return x.abs()

    neuron = {**SDNN, "activation": relu}
    model = in_a_row(slayer.block.sigma_delta.Dense(neuron, 2, 2))
    assert sentence(ExportError, network_from_slayer, model) == (
        "block '0': activation 'relu' is not torch's ReLU; Lava and the chip have no other. Train "
        "with torch.nn.functional.relu."
    )
    neuron = {**SDNN, "activation": torch.nn.ReLU()}
    assert network_from_slayer(slayer.block.sigma_delta.Dense(neuron, 2, 2)).warnings == ()


def test_biases_along_the_width_of_an_image_are_refused() -> None:
    block = slayer.block.sigma_delta.Conv(dict(SDNN), 1, 4, 3)
    block.neuron.set_bias(torch.tensor([0.25, 0.5, 0.75, 1.0]))
    assert sentence(ExportError, network_from_slayer, in_a_row(block), (1, 6, 6)) == (
        "block '0': its bias has shape (4,); one number, or (4, 1, 1), can be stored."
    )
    block.neuron.set_bias(torch.tensor([0.25, 0.5, 0.75, 1.0]).reshape(4, 1, 1))
    layer = network_from_slayer(in_a_row(block), (1, 6, 6)).layers[-1]
    assert isinstance(layer, ConvLayer)
    assert layer.bias is not None
    assert layer.bias.tolist() == [16, 32, 48, 64]


def test_sigma_delta_thresholds_by_channel_are_refused() -> None:
    block = slayer.block.sigma_delta.Dense({**SDNN, "shared_param": False}, 2, 2)
    block.neuron.delta.threshold.data = torch.tensor([0.25, 0.5])
    assert sentence(ExportError, network_from_slayer, in_a_row(block)) == (
        "block '0': sigma-delta thresholds differ between channels (0.25 to 0.5); NetX stores one. "
        "Train with shared_param=True."
    )
