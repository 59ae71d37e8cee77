"""Real differences between SLAYER's forward pass and the definition are named."""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from builders import random_spikes
from faulty_runs import result_of

from lavadeploy.compile import CompiledNetwork, compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import network_from_slayer, repair_lava
from lavadeploy.sim import (
    Cause,
    CauseName,
    RunResult,
    SpikeInput,
    compare_runs,
    explain_difference,
    open_backend,
    run_slayer,
)

repair_lava()
from lava.lib.dl import slayer  # noqa: E402 - after the repairs

pytestmark = [
    pytest.mark.lava,
    pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning"),
]

NEURON = {"threshold": 1.25, "current_decay": 0.25, "voltage_decay": 0.1}


def compiled_from(module: Any) -> CompiledNetwork:
    return compile_network(network_from_slayer(module), load_profile("loihi2"))


def cause_of(network: CompiledNetwork, inputs: SpikeInput, trained: RunResult) -> Cause:
    on_chip = open_backend("reference").run(network, inputs)
    found = compare_runs(trained, on_chip)
    assert not found.equal
    names = ("slayer", "reference")
    cause = explain_difference(network, inputs, trained, on_chip, found, names=names)
    assert cause.side == "a"  # the reference is the definition
    assert cause.explained == cause.differing > 0
    return cause


def test_from_threshold_4096_on_slayer_fires_at_equality() -> None:
    always = {"threshold": 64.0, "current_decay": 1.0, "voltage_decay": 0.0}
    block: Any = slayer.block.cuba.Dense(always, 1, 1)
    module = torch.nn.Sequential(block)
    block.synapse.weight.data[:] = 2.0  # 128, and 32 times that is the threshold
    network = compiled_from(module)
    inputs = SpikeInput(spikes=np.ones((2, 1, 80), dtype=np.uint8))
    cause = cause_of(network, inputs, run_slayer(module, network, inputs))
    assert cause.name is CauseName.THRESHOLD_EQUALITY
    assert cause.explanation == (
        "In slayer a state that equals the threshold (262144 in the voltage's unit) fires; by the "
        "definition only one above it does; first in sample 0, step 31, neuron 0: spike 1, by the "
        "definition 0."
    )
    assert cause.remedy.startswith("Keep thresholds below 64 (vThMant below 4096)")


def test_a_current_of_slayer_goes_on_where_the_register_wraps() -> None:
    neuron = {"threshold": 1.25, "current_decay": 0.02, "voltage_decay": 0.1}
    block: Any = slayer.block.cuba.Dense(neuron, 600, 4)
    module = torch.nn.Sequential(block)
    block.synapse.weight.data[:] = 3.9  # 250: the limit is reached with 524 inputs at once
    network = compiled_from(module)
    spikes = random_spikes(np.random.default_rng(0), 3, 600, 12, rate=0.4)
    inputs = SpikeInput(spikes=spikes)
    cause = cause_of(network, inputs, run_slayer(module, network, inputs))
    assert cause.name is CauseName.WRAP
    assert cause.explanation.startswith(
        "The current of slayer goes on beyond 24 bits, where the register wraps; first in sample 0"
    )


def test_a_forward_pass_without_silent_steps_lacks_the_last_ones() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        slayer.block.cuba.Dense(dict(NEURON), 30, 20, weight_scale=4),
        slayer.block.cuba.Dense(dict(NEURON), 20, 10, weight_scale=4),
    )
    network = compiled_from(module)
    inputs = SpikeInput(spikes=random_spikes(np.random.default_rng(1), 4, 30, 25))
    # as a user would: each block on the whole input, the latencies shifted out by hand
    x, outputs = torch.from_numpy(inputs.spikes.astype(np.float32)), []
    module.eval()
    with torch.no_grad():
        for late, block in enumerate(module, start=1):
            x = block(x)
            out = np.zeros(tuple(x.shape), dtype=np.int64)
            out[..., :-late] = x.numpy()[..., late:]
            outputs.append(out)
    cause = cause_of(network, inputs, result_of(network, outputs, "slayer"))
    assert cause.name is CauseName.MISSING_SILENT_STEPS
    assert cause.layer == "layer1"
    assert cause.explanation == "slayer has nothing in the last 2 steps of each sample."


def test_latencies_that_were_not_taken_out() -> None:
    torch.manual_seed(1)
    module = torch.nn.Sequential(slayer.block.cuba.Dense(dict(NEURON), 30, 20, weight_scale=4))
    network = compiled_from(module)
    inputs = SpikeInput(spikes=random_spikes(np.random.default_rng(2), 4, 30, 25))
    with torch.no_grad():
        out = module.eval()(torch.from_numpy(inputs.spikes.astype(np.float32))).numpy()
    cause = cause_of(network, inputs, result_of(network, [out.astype(np.int64)], "slayer"))
    assert cause.name is CauseName.LATENCY
    assert cause.explanation == "The layer answers 1 step later in slayer (k = 1)."


def test_a_recurrent_block_that_goes_on_from_the_batch_before() -> None:
    torch.manual_seed(2)
    block = slayer.block.cuba.Dense(
        NEURON | {"persistent_state": True}, 30, 20, weight_scale=4, delay_shift=False
    )
    network = compiled_from(torch.nn.Sequential(block))
    inputs = SpikeInput(spikes=random_spikes(np.random.default_rng(3), 5, 30, 20))
    outputs: list[Any] = []
    with torch.no_grad():
        for sample in inputs.spikes.astype(np.float32):
            outputs.append(block.eval()(torch.from_numpy(sample[np.newaxis])).numpy())
    trained = result_of(network, [np.concatenate(outputs).astype(np.int64)], "slayer")
    cause = cause_of(network, inputs, trained)
    assert cause.name is CauseName.MISSING_RESET
