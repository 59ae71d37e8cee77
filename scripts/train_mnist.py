"""Train a 784-128-10 network on MNIST and export it.

python -m lavadeploy.scripts.train_mnist --data folder/with/idx/files -o runs/mnist

reads the four gzipped IDX files of MNIST and writes ``mnist.pt``, ``mnist.net`` and
``mnist_test.npz``, as ``train_digits`` does.
"""
# torch's type information is partial.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from lavadeploy.netx import export_slayer
from lavadeploy.scripts.console import progress, say
from lavadeploy.scripts.encode import rate_code
from lavadeploy.scripts.entry import run_script
from lavadeploy.scripts.slayer_training import Classifier, train

SIZES = (784, 128, 10)
STEPS = 16


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array in a gzipped IDX file: 4 bytes of type and dimensions, sizes, data."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    shape = np.frombuffer(content, dtype=">i4", count=dimensions, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def load_mnist(
    folder: Path, part: str, samples: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return spikes (N, 784, 16) and labels (N,) of part ``'train'`` or ``'t10k'``."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")[:samples]
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")[:samples]
    return rate_code(images.reshape(len(images), -1) / 255, STEPS), labels.astype(np.int64)


def main(
    data: Annotated[Path, typer.Option(help="Folder with MNIST's four IDX files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    epochs: int = 5,
    samples: Annotated[int | None, typer.Option(help="Train on the first images only.")] = None,
    seed: int = 0,
) -> None:
    """Train on MNIST and export."""
    output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    spikes, labels = load_mnist(data, "train", samples)
    model = Classifier(*SIZES)
    with progress(epochs, "training") as on_epoch:
        train(model, spikes, labels, epochs=epochs, learning_rate=0.001, on_epoch=on_epoch)
    torch.save(model.state_dict(), output / "mnist.pt")
    export_slayer(model, output / "mnist.net")
    test_spikes, test_labels = load_mnist(data, "t10k")
    np.savez_compressed(output / "mnist_test.npz", spikes=test_spikes, labels=test_labels)
    say(f"Written: {output}/mnist.pt, mnist.net, mnist_test.npz")


if __name__ == "__main__":
    run_script(main)
