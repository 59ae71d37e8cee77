"""Large runs in bounded memory: the log, its summary and its readers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEMORY_MB = 1024
# `getrusage` would count the peak of who started the program, too
PEAK = """
def peak_mb():
    with open("/proc/self/status") as status:
        return int(status.read().split("VmHWM:")[1].split()[0]) / 1024
"""
# 100 portions of a million events; a portion is made once, so that most of the time is ours
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from builders import compiled, dense, even_weights
from lavadeploy.sim import *

SIZES, N, T, AT_ONCE, EVENTS = (1000, 500, 10), 10_000, 100, 100, 1_000_000
rng = np.random.default_rng(0)
weights = [even_weights(rng, b, a) for a, b in zip((10, *SIZES), SIZES)]
network = compiled(*(dense(w, name=f"layer{k}") for k, w in enumerate(weights)))
inputs = SpikeInput(spikes=(rng.random((N, 10, T)) < 0.1).astype(np.uint8))
cells = np.sort(rng.choice(AT_ONCE * T * sum(SIZES), EVENTS, replace=False))
row, neuron = np.divmod(cells, sum(SIZES))
layer = np.digitize(neuron, np.cumsum(SIZES)[:-1])
neuron -= np.array([0, 1000, 1500])[layer]
sample, step, layer, neuron = (a.astype(np.int32) for a in (row // T, row % T, layer, neuron))
portion = RunResult(
    backend="made",
    spikes=SpikeLog(
        sample=sample, step=step, layer=layer, neuron=neuron, value=np.ones_like(sample),
        layer_names=("layer0", "layer1", "layer2"), layer_sizes=SIZES,
        n_samples=AT_ONCE, n_steps=T,
    ),
    states=(),
    wall_s=0.0,
)
with RunWriter(network, inputs, "made", RunOptions(), Destination(folder="x")) as writer:
    for _ in range(N // AT_ONCE):
        writer.add(portion)
    summary = writer.finish()
read = sum(len(part) for part in spike_log_parts(spike_log_path("x")))
some = read_spike_log(spike_log_path("x"), samples=range(5000, 5100))
print(json.dumps({
    "spikes": sum(each.spikes for each in summary.activity.layers),
    "read": read,
    "part": bool(np.array_equal(some.neuron, neuron)),
    "peak_mb": peak_mb(),
}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak")
def test_a_hundred_million_events_are_written_summarized_and_read(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PEAK + SCRIPT, str(Path(__file__).parents[1])]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["spikes"], found["read"], found["part"]) == (10**8, 10**8, True)
    assert found["peak_mb"] < MEMORY_MB


INPUT_SCRIPT = """
import json
import numpy as np
from lavadeploy.sim import load_spike_input

shape = (256, 10_000, 100)  # 256 MB, of which the disk holds a page
array = np.lib.format.open_memmap("x.npy", mode="w+", dtype=np.uint8, shape=shape)
array[255, 0, 7] = 3
del array
before = peak_mb()
inputs = load_spike_input("x.npy")
largest, digest = inputs.largest, inputs.sha256()
print(json.dumps({"largest": largest, "grown_mb": peak_mb() - before}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak")
def test_a_large_input_is_looked_at_in_little_memory(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PEAK + INPUT_SCRIPT]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["largest"] == 3
    assert found["grown_mb"] < 100
