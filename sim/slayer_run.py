"""Running a SLAYER module itself, its spikes logged like those of a backend."""
# torch's type information is partial and SLAYER has none; arrays leave this module typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile import CompiledNetwork, neuron_count
from ..netx import RunFolderError
from ..netx.slayer_export import slayer_blocks
from .backend import RunResult
from .spike_input import SpikeInput
from .spike_log import LayerEvents, join_events, merge_events

SAMPLES_AT_ONCE = 128


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

    Notes
    -----
    With ``delay_shift`` (SLAYER's default) a block's output comes one step late, and a forward pass
    over T steps drops what its last steps would still have caused. Here the input is followed by
    as many silent steps as there are such blocks, and each layer's output is shifted back, so that
    all T steps count in every layer. The module's mode is put back as it was.
    """
    import torch

    started = time.perf_counter()
    blocks = [block for _, block in slayer_blocks(module)]
    layers = compiled.network.layers
    spiking = [b for b in blocks if getattr(b, "neuron", None) is not None]
    if len(spiking) != len(layers):
        raise RunFolderError(
            f"the module has {len(spiking)} layers of neurons and the artifact {len(layers)}."
        )
    shifts = sum(bool(getattr(b, "delay_shift", False)) for b in blocks)
    parts: list[list[LayerEvents]] = [[] for _ in layers]
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            for first in range(0, inputs.n_samples, SAMPLES_AT_ONCE):
                batch = inputs.spikes[first : first + SAMPLES_AT_ONCE].astype(np.float32)
                silence = np.zeros((*batch.shape[:-1], shifts), dtype=np.float32)
                x = torch.from_numpy(np.concatenate([batch, silence], axis=-1))
                shift, layer = 0, 0
                for block in blocks:
                    x = block(x)
                    shift += bool(getattr(block, "delay_shift", False))
                    if getattr(block, "neuron", None) is not None:
                        out = x.numpy().reshape(x.shape[0], -1, x.shape[-1])
                        window = out[:, :, shift : shift + inputs.n_steps]
                        parts[layer].append(_events(window, first))
                        layer += 1
    finally:
        module.train(was_training)
    log = merge_events(
        [join_events(p) for p in parts],
        layer_names=tuple(layer.name for layer in layers),
        layer_sizes=tuple(neuron_count(layer) for layer in layers),
        n_samples=inputs.n_samples,
        n_steps=inputs.n_steps,
    )
    return RunResult(backend="slayer", spikes=log, states=(), wall_s=time.perf_counter() - started)


def _events(window: NDArray[np.float32], first: int) -> LayerEvents:
    sample, neuron, step = np.nonzero(window)
    return LayerEvents(sample=sample + first, step=step, neuron=neuron)
