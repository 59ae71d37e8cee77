"""Small SLAYER models of every kind of block and neuron, for tests."""
# SLAYER has no type information and torch's is partial.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lavadeploy.netx import repair_lava

torch = importlib.import_module("torch")
repair_lava()
slayer = importlib.import_module("lava.lib.dl.slayer")

RESONANCE = {"period": 8, "decay": 0.1}
LEAK = {"current_decay": 0.25, "voltage_decay": 0.1}
ADAPTATION = {"threshold_step": 0.3, "threshold_decay": 0.1, "refractory_decay": 0.2}
# Neuron parameters by SLAYER's name of the neuron, which is that of its module of blocks, too.
NEURONS: dict[str, dict[str, Any]] = {
    "cuba": {"threshold": 1.25, **LEAK},
    "alif": {"threshold": 1.0, **LEAK, **ADAPTATION},
    "rf": {"threshold": 1.0, **RESONANCE},
    "rf_iz": {"threshold": 1.0, **RESONANCE},
    "adrf": {"threshold": 1.0, **RESONANCE, **ADAPTATION},
    "adrf_iz": {"threshold": 1.0, **RESONANCE, **ADAPTATION},
    "sigma_delta": {"threshold": 0.1, "activation": torch.nn.functional.relu},
}
COMPLEX = ("rf", "rf_iz", "adrf", "adrf_iz")


def block(family: str, name: str, *arguments: Any, changes: Any = None, **options: Any) -> Any:
    """Return a block; SLAYER changes the dictionaries it is given, so each gets its own."""
    if name in ("Flatten", "Average"):
        return getattr(getattr(slayer.block, family), name)(*arguments)
    neuron = NEURONS[family] | (changes or {})
    return getattr(getattr(slayer.block, family), name)(neuron, *arguments, **options)


def in_a_row(*blocks: Any) -> Any:
    return torch.nn.Sequential(*blocks)


def spikes(*shape: int, seed: int = 0, rate: float = 0.3) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).random(shape) < rate).astype(np.float32)


def run_once(model: Any, inputs: NDArray[np.float32]) -> None:
    """Make the forward pass in which SLAYER draws delays and parameters by channel."""
    with torch.no_grad():
        model(torch.from_numpy(inputs))
