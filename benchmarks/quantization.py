"""What quantization costs: accuracy on MNIST by bits and method, over all test images.

python -m lavadeploy.scripts.train_mnist --data folder/with/idx/files --float -o runs/mnist
python benchmarks/quantization.py runs/mnist --bits 8,6,5,4,3,2,1

Scales are chosen on the training images of ``mnist_calibration.npz``. Runs are those of whole
numbers on ``loihi2``, equal to the reference in every spike.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from lavadeploy.compile import Method, Quantize, QuantizedNetwork, plan_uniformly
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import RealNetwork, read_any_netx
from lavadeploy.scripts.console import print_table, say
from lavadeploy.sim import (
    Objective,
    SpikeInput,
    calibrate,
    load_spike_input,
    predictions,
    real_output,
    run_whole_network,
    with_changes,
)

CHIP = load_profile("loihi2")
WAYS = (Method.LARGEST, Method.PERCENTILE, Method.LEAST_SQUARES, *Objective)


def main(
    folder: Annotated[Path, typer.Argument(help="What train_mnist --float wrote.")],
    bits: Annotated[str, typer.Option(help="Widths, with commas between.")] = "8,6,5,4,3,2,1",
) -> None:
    """Print the table."""
    network = read_any_netx(folder / "mnist.net")
    assert isinstance(network, RealNetwork)
    inputs = load_spike_input(folder / "mnist_calibration.npz")
    test = load_spike_input(folder / "mnist_test.npz")
    assert test.labels is not None
    answers = predictions(real_output(network, test))
    before = 100 * float((answers == test.labels).mean())
    rows: list[tuple[str, ...]] = []
    for width in map(int, bits.split(",")):
        for way in WAYS:
            start = time.perf_counter()
            found = quantize(network, inputs, width, way)
            seconds = time.perf_counter() - start
            after = predictions(run_whole_network(found.network, test.spikes)[0])
            right = 100 * float((after == test.labels).mean())
            changed = found.losses[-1].spikes_changed
            name = f"calibrated, {way.value}" if isinstance(way, Objective) else way.value
            lost, took = f"{before - right:.2f}", f"{seconds:.1f}"
            rows.append((str(width), name, f"{right:.2f}", lost, str(changed), took))
    say(f"Real numbers: {before:.2f} % of {test.n_samples} images.")
    print_table(("bits", "method", "accuracy %", "lost", "output spikes changed", "s"), rows)


def quantize(
    network: RealNetwork, inputs: SpikeInput, bits: int, way: Method | Objective
) -> QuantizedNetwork:
    """Quantize in one of the ways, and count changed spikes."""
    if isinstance(way, Objective):
        return calibrate(network, CHIP, inputs, bits, objective=way)
    plain = Quantize(profile=CHIP, plan=plan_uniformly(network, bits, way)).run(network)
    return with_changes(network, plain, inputs)


if __name__ == "__main__":
    typer.run(main)
