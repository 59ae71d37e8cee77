"""A fully connected SLAYER classifier and how it is trained."""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lavadeploy.netx import repair_lava

repair_lava()  # before lava is imported
# SLAYER looks for a CUDA compiler, and torch says on stderr when there is one but no such device
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
from lava.lib.dl import slayer  # noqa: E402 - after the repairs

NEURON = {
    "threshold": 1.25,
    "current_decay": 0.25,
    "voltage_decay": 0.03,
    "tau_grad": 0.03,
    "scale_grad": 3,
}


class Classifier(torch.nn.Module):
    """Dense layers of CUBA neurons; the output neuron that fires most names the class.

    Parameters
    ----------
    *sizes : int
        Neurons of input, hidden layers and output.
    quantized : bool
        Whether the forward pass rounds weights to what 8 bits hold, which is SLAYER's default.
    """

    def __init__(self, *sizes: int, quantized: bool = True) -> None:
        super().__init__()
        hook: dict[str, Any] = {} if quantized else {"pre_hook_fx": None}
        self.blocks = torch.nn.ModuleList(
            slayer.block.cuba.Dense(NEURON, n_in, n_out, **hook) for n_in, n_out in pairwise(sizes)
        )

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """Return output spikes, (N, C, T), for input spikes of that order."""
        for block in self.blocks:
            spikes = block(spikes)
        return spikes


def train(
    model: torch.nn.Module,
    spikes: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    epochs: int,
    batch: int = 64,
    learning_rate: float = 0.003,
    one_cycle: bool = False,
    false_rate: float = 0.05,
    silent_steps: int = 0,
    on_epoch: Callable[[int], None] = lambda _done: None,
) -> None:
    """Train a model so that the right output neuron fires often and the others rarely.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    spikes : uint8 array, shape (N, C, T)
        Training samples.
    labels : int64 array, shape (N,)
        Their classes.
    epochs, batch, learning_rate
        As usual; Adam.
    one_cycle : bool
        Whether the learning rate rises from a 25th of itself in the first 15 % of the steps, and
        then falls to nearly 0.
    false_rate : float
        Spikes a step that the other output neurons should have; the right one should have 0.5.
    silent_steps : int
        Steps without input after each sample. Every block answers one step late, so that without
        them the loss sees less than the whole answer.
    on_epoch : callable
        Called with the number of epochs done.
    """
    loss: Any = slayer.loss.SpikeRate(true_rate=0.5, false_rate=false_rate, reduction="sum")
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = None
    if one_cycle:
        total = epochs * math.ceil(len(labels) / batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, learning_rate, total_steps=total, pct_start=0.15
        )
    targets = torch.from_numpy(labels)
    threads = torch.get_num_threads()
    # These operations are small: a second thread gains a tenth on an idle machine of two cores, and
    # costs fifteen times as much on a busy one (measured), where the two wait for each other.
    torch.set_num_threads(1)
    model.train()
    for epoch in range(epochs):
        for chosen in torch.randperm(len(labels)).split(batch):
            inputs = _inputs(spikes[chosen.numpy()], silent_steps)
            optimizer.zero_grad()
            loss(model(inputs), targets[chosen]).backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
        on_epoch(epoch + 1)
    model.eval()
    torch.set_num_threads(threads)


def accuracy(model: Classifier, spikes: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Return the share of samples that SLAYER's own forward pass classifies right.

    Every sample gets a silent step more for each layer, so that no answer is cut off.
    """
    right = 0
    with torch.no_grad():
        for first in range(0, len(labels), 500):
            some = slice(first, first + 500)
            counts = model(_inputs(spikes[some], len(model.blocks))).sum(dim=-1)
            right += int(np.sum(counts.argmax(dim=1).numpy() == labels[some]))
    return right / len(labels)


def _inputs(spikes: NDArray[np.uint8], silent_steps: int) -> torch.Tensor:
    inputs = torch.from_numpy(spikes.astype(np.float32))
    return torch.nn.functional.pad(inputs, (0, silent_steps)) if silent_steps else inputs
