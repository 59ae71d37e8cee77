"""Train a 64-128-10 network on scikit-learn's handwritten digits and export it.

python -m lavadeploy.scripts.train_digits -o runs/digits

writes ``digits.pt`` (the model's state), ``digits.net`` (NetX) and ``digits_test.npz`` (test spikes
and labels for ``lavadeploy run``).
"""
# scikit-learn has no complete type information.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import torch
import typer
from sklearn.datasets import load_digits

from lavadeploy.netx import export_slayer
from lavadeploy.scripts.console import progress, say
from lavadeploy.scripts.encode import rate_code
from lavadeploy.scripts.entry import run_script
from lavadeploy.scripts.slayer_training import Classifier, train
from lavadeploy.sim import SpikeInput

SIZES = (64, 128, 10)
STEPS = 32
TRAINING_IMAGES = 1437  # the other 360 test


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """Training and test samples, rate coded, (N, 64, 32)."""

    training: SpikeInput
    test: SpikeInput


def digits(seed: int = 0) -> Digits:
    """Return scikit-learn's digits as spikes, shuffled with a seed and split."""
    images, labels = cast(tuple[np.ndarray, np.ndarray], load_digits(return_X_y=True))
    order = np.random.default_rng(seed).permutation(len(labels))
    spikes = rate_code(images[order] / 16, STEPS)  # the images have 17 gray levels
    labels = labels[order].astype(np.int64)
    first, rest = slice(None, TRAINING_IMAGES), slice(TRAINING_IMAGES, None)
    return Digits(
        training=SpikeInput(spikes=spikes[first], labels=labels[first]),
        test=SpikeInput(spikes=spikes[rest], labels=labels[rest]),
    )


def train_on_digits(
    data: Digits, *, epochs: int, seed: int, on_epoch: Callable[[int], None]
) -> Classifier:
    """Return a trained network."""
    torch.manual_seed(seed)
    model = Classifier(*SIZES)
    labels = data.training.labels
    assert labels is not None
    train(model, data.training.spikes, labels, epochs=epochs, on_epoch=on_epoch)
    return model


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    epochs: int = 25,
    seed: int = 0,
) -> None:
    """Train on scikit-learn's digits and export."""
    output.mkdir(parents=True, exist_ok=True)
    data = digits(seed)
    with progress(epochs, "training") as on_epoch:
        model = train_on_digits(data, epochs=epochs, seed=seed, on_epoch=on_epoch)
    torch.save(model.state_dict(), output / "digits.pt")
    export_slayer(model, output / "digits.net")
    labels = cast(np.ndarray, data.test.labels)
    np.savez_compressed(output / "digits_test.npz", spikes=data.test.spikes, labels=labels)
    say(f"Written: {output}/digits.pt, digits.net, digits_test.npz")
    say(f"Next: lavadeploy compile {output}/digits.net --profile loihi2 -o {output}/digits.ldc")


if __name__ == "__main__":
    run_script(main)
