"""How long compilation takes, from file to written artifact, and how it grows with synapses.

The work: PilotNet's shape (five convolutions and four dense layers behind neurons at the input,
200 x 66 pixels) with random weights, and the same with wider layers, up to more than ten times the
weights; each read from a NetX file, compiled for Loihi 2 and written, in one process.

Prints a table and writes ``benchmarks/compile_results.json``.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lavadeploy.compile import compile_network, core_traffic, save_artifact
from lavadeploy.compile.passes.partition import Partition
from lavadeploy.compile.passes.place import Place
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    ConvLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Network,
    NeuronKind,
    read_netx,
    write_netx,
)
from lavadeploy.scripts.console import print_table, say

WIDTHS = (1.0, 1.8, 3.3)  # of every layer; weights grow with their squares
REPEATS = 3
RESULTS = Path(__file__).parent / "compile_results.json"
NEURON = CubaNeuron(
    kind=NeuronKind.CUBA,
    vth_mantissa=640,
    current_decay=np.array(410, dtype=np.int32),
    voltage_decay=np.array(410, dtype=np.int32),
)
SIZES = [(66, 200), (32, 99), (15, 49), (7, 24), (4, 22), (2, 20)]
STRIDES = [(2, 2), (2, 2), (2, 2), (2, 1), (1, 1)]


def pilotnet(width: float) -> Network:
    """PilotNet with layers wider by a factor."""
    rng = np.random.default_rng(0)
    channels = [3, *(round(width * c) for c in (24, 36, 48, 64, 64))]

    def weights(*shape: int) -> Any:
        return 2 * rng.integers(-7, 8, shape, dtype=np.int32)

    layers: list[Layer] = [InputLayer(name="layer0", shape=(3, 66, 200), neuron=NEURON)]
    for k, stride in enumerate(STRIDES):
        layers.append(
            ConvLayer(
                name=f"layer{k + 1}",
                shape=(channels[k + 1], *SIZES[k + 1]),
                weight=weights(channels[k + 1], channels[k], 3, 3),
                neuron=NEURON,
                stride=stride,
                padding=(1, 0) if k == 3 else (0, 0),
                dilation=(1, 1),
                groups=1,
            )
        )
    flat = 40 * channels[-1]
    layers.append(FlattenLayer(name="layer6", shape=(flat, 1, 1)))
    sizes = [flat, *(round(width * n) for n in (100, 50, 10)), 1]
    for k, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        weight = weights(n_out, n_in)
        name = f"layer{k + 7}"
        layers.append(DenseLayer(name=name, shape=(n_out,), weight=weight, neuron=NEURON))
    return Network(layers=tuple(layers))


def median_of(work: Callable[[], Any]) -> float:
    """Return the median duration of some repeats, in seconds."""
    durations: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return float(np.median(durations))


def measure(width: float, folder: Path) -> dict[str, Any]:
    """Time a network of a width."""
    profile = load_profile("loihi2")
    file, artifact = folder / "net.net", folder / "net.ldc"
    write_netx(pilotnet(width), file)
    compiled = compile_network(read_netx(file), profile)
    chip = compiled.network
    traffic = core_traffic(chip, compiled.placement, profile)
    weights = sum(
        layer.weight.size
        for layer in read_netx(file).layers
        if isinstance(layer, DenseLayer | ConvLayer)
    )
    return {
        "weights": weights,
        "cores": len(compiled.placement.cores),
        "chips": compiled.placement.chips,
        "all_s": median_of(
            lambda: save_artifact(compile_network(read_netx(file), profile), artifact)
        ),
        "partition_s": median_of(lambda: Partition(profile=profile).run(chip)),
        "place_s": median_of(lambda: Place(profile=profile).run(chip)),
        "messages": traffic.total_messages,
        "hops": traffic.total_hops,
    }


def main() -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(width, Path(folder)) for width in WIDTHS]
    first = found[0]
    rows = [
        (
            f"{r['weights']}",
            f"{r['weights'] / first['weights']:.1f}",
            f"{r['cores']}",
            f"{r['chips']}",
            f"{r['all_s']:.3f}",
            f"{1e6 * r['all_s'] / r['weights']:.2f}",
            f"{r['partition_s']:.3f}",
            f"{r['place_s']:.3f}",
        )
        for r in found
    ]
    columns = ("weights", "times", "cores", "chips", "all s", "µs a weight", "cut s", "and place s")
    print_table(columns, rows)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    record = {"work": __doc__, "networks": found, "cores": os.cpu_count(), "commit": commit}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    say(f"Written: {RESULTS.name}")


if __name__ == "__main__":
    main()
