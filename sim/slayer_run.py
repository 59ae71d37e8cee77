"""Running a SLAYER module itself, its spikes logged like those of a backend."""
# torch's type information is partial and SLAYER has none; arrays leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, has_readout, neuron_count
from ..netx import RunFolderError
from ..netx.slayer_blocks import is_shifting, slayer_blocks
from .run_result import RunResult
from .spike_input import SpikeInput
from .spike_log import LayerEvents, join_events, merge_events

SAMPLES_AT_ONCE = 128
VOLTAGE_ONE = 1 << 12  # state units in SLAYER's 1.0
# what neurons, sigma and delta units keep from one forward pass to the next (persistent_state)
STATES = (
    "current_state",
    "voltage_state",
    "real_state",
    "imag_state",
    "refractory_state",
    "pre_state",
    "residual_state",
    "error_state",
    "spike_state",
)


def run_slayer(module: Any, compiled: CompiledNetwork, inputs: SpikeInput) -> RunResult:
    """Run SLAYER's own quantized forward pass and log every layer's spikes.

    Parameters
    ----------
    module : torch.nn.Module
        The model that was exported, on the CPU.
    compiled : CompiledNetwork
        What it was compiled to: gives the names of the layers.
    inputs : SpikeInput
        The samples.

    Returns
    -------
    RunResult
        In the timeline of the backends, so that `compare_runs` can take it.

    Raises
    ------
    RunFolderError
        When module and artifact have different layers.
    """
    started = time.perf_counter()
    layers = compiled.network.layers
    spiking = [k for k, (_, b) in enumerate(slayer_blocks(module)) if _has_neuron(b)]
    if len(spiking) != len(layers):
        raise RunFolderError(
            f"the module has {len(spiking)} layers of neurons and the artifact {len(layers)}."
        )
    parts: list[list[LayerEvents]] = [[] for _ in layers]
    readouts: list[NDArray[np.int32]] = []
    for first in range(0, inputs.n_samples, SAMPLES_AT_ONCE):
        batch = inputs.spikes[first : first + SAMPLES_AT_ONCE].astype(np.float32)
        outputs = slayer_outputs(module, batch)
        for layer, index in enumerate(spiking):
            window = outputs[index]
            if has_readout(compiled.network) and layer + 1 == len(layers):
                # voltages, of which 1 is 64 weight units
                readouts.append(np.rint(window.astype(np.float64) * VOLTAGE_ONE).astype(np.int32))
                window = np.zeros_like(window)
            parts[layer].append(_events(window, first))
    log = merge_events(
        [join_events(p) for p in parts],
        layer_names=tuple(layer.name for layer in layers),
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=inputs.n_samples,
        n_steps=inputs.n_steps,
    )
    return RunResult(
        backend="slayer",
        spikes=log,
        states=(),
        wall_s=time.perf_counter() - started,
        readout=np.concatenate(readouts) if readouts else None,
    )


def slayer_outputs(module: Any, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """Return what every block of a SLAYER module puts out, in the timeline of the backends.

    Parameters
    ----------
    module : torch.nn.Module
        Any that `export_slayer` takes, on the CPU.
    inputs : float32 array, shape (N, ..., T)
        Spikes, or numbers for an Input block with neurons.

    Returns
    -------
    tuple of float32 array, shape (N, neurons, T)
        One for each block, channel slowest.

    Notes
    -----
    With ``delay_shift`` (SLAYER's default) a block's output comes one step late, and a forward pass
    over T steps drops what its last steps would still have caused. Here the input is followed by
    as many silent steps as there are such blocks, and each block's output is shifted back, so that
    all T steps count in every layer. The module starts at rest; its mode and its states are put
    back as they were.
    """
    import torch

    blocks = [block for _, block in slayer_blocks(module)]
    steps = inputs.shape[-1]
    silence = np.zeros((*inputs.shape[:-1], sum(map(is_shifting, blocks))), dtype=np.float32)
    x = torch.from_numpy(np.concatenate([inputs.astype(np.float32), silence], axis=-1))
    outputs: list[NDArray[np.float32]] = []
    shift = 0
    with torch.no_grad(), _at_rest(module):
        for block in blocks:
            x = _spiking_forward(block, x)
            shift += is_shifting(block)
            out = x.numpy().reshape(x.shape[0], -1, x.shape[-1])
            outputs.append(out[:, :, shift : shift + steps].copy())
    return tuple(outputs)


@contextmanager
def _at_rest(module: Any) -> Generator[None]:
    """Put a module into evaluation mode with all states at rest, and back afterwards."""
    import torch

    modes = [(part, part.training) for part in module.modules()]
    kept: list[tuple[Any, str, Any]] = []
    for part in module.modules():
        names = [name for name in STATES if hasattr(part, name)]
        kept += [(part, name, getattr(part, name)) for name in names]
        for name in names:
            setattr(part, name, torch.zeros(1))
        if hasattr(part, "threshold_state"):
            kept.append((part, "threshold_state", part.threshold_state))
            part.threshold_state = torch.tensor([part.threshold])
        if hasattr(part, "delay_buffer"):
            kept.append((part, "delay_buffer", part.delay_buffer))
            part.delay_buffer = None
    module.eval()
    try:
        yield
    finally:
        for part, name, value in kept:
            setattr(part, name, value)
        for part, training in modes:
            part.training = training


def _spiking_forward(block: Any, x: Any) -> Any:
    """Call a block; those of lava-dl's bootstrap compute without spikes unless told not to."""
    if not type(block).__module__.startswith("lava.lib.dl.bootstrap."):
        return block(x)
    from lava.lib.dl.bootstrap.routine import Mode  # pyright: ignore[reportMissingImports]

    return block(x, mode=Mode.SNN)


def _has_neuron(block: Any) -> bool:
    return getattr(block, "neuron", None) is not None


def _events(window: NDArray[np.float32], first: int) -> LayerEvents:
    sample, neuron, step = np.nonzero(window)
    return LayerEvents(sample=sample + first, step=step, neuron=neuron)
