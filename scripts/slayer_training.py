"""A fully connected SLAYER classifier and how it is trained."""
# SLAYER has no type information and torch's is partial.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false

from __future__ import annotations

import logging
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
    """

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(
            slayer.block.cuba.Dense(NEURON, n_in, n_out) for n_in, n_out in pairwise(sizes)
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
    on_epoch : callable
        Called with the number of epochs done.
    """
    loss: Any = slayer.loss.SpikeRate(true_rate=0.5, false_rate=0.05, reduction="sum")
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    targets = torch.from_numpy(labels)
    threads = torch.get_num_threads()
    # These operations are small: a second thread gains a tenth on an idle machine of two cores, and
    # costs fifteen times as much on a busy one (measured), where the two wait for each other.
    torch.set_num_threads(1)
    model.train()
    for epoch in range(epochs):
        for chosen in torch.randperm(len(labels)).split(batch):
            inputs = torch.from_numpy(spikes[chosen.numpy()].astype(np.float32))
            optimizer.zero_grad()
            loss(model(inputs), targets[chosen]).backward()
            optimizer.step()
        on_epoch(epoch + 1)
    model.eval()
    torch.set_num_threads(threads)
