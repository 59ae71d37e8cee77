"""Arrays that others recorded of networks of theirs are reproduced number for number.

GROUND_TRUTHS.md says of each array what reproduces it. Recordings are on the timeline of a chip:
each layer is one step behind the one before, and between samples layers are reset one after the
other. `Recording` says how a recording relates to samples of ours, which start from rest.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import compiled, cuba, dense, recorded
from numpy.typing import NDArray

from lavadeploy.compile import compile_network
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import ConvLayer, InputLayer, Layer, Network, SynapticLayer, read_netx
from lavadeploy.sim import (
    RunOptions,
    RunResult,
    SpikeInput,
    Timeline,
    open_backend,
    run_network,
)

pytestmark = pytest.mark.shared_data

BACKENDS = ("reference", "engine")
LIF_LAYERS = (
    "input",
    *(f"conv-{k}" for k in range(5)),
    *(f"fc-{k}" for k in range(4)),
)
SPIKING = 128  # what the recorded voltage is where a neuron of PilotNet LIF fired
ROOT = Path(__file__).resolve().parents[2]


def driven(network: Network) -> Network:
    """Return a network whose input neurons take the numbers of the recording as they are."""

    def changed(layer: Layer) -> Layer:
        if isinstance(layer, InputLayer):
            return dataclasses.replace(layer, weight=64, bias=0, delay_shift=False)
        if isinstance(layer, SynapticLayer):
            return dataclasses.replace(layer, delay_shift=False)
        return layer

    return Network(layers=tuple(changed(layer) for layer in network.layers))


def constant(image: NDArray[Any], steps: int, *, silent: int = 0) -> SpikeInput:
    """Return the same image in every step but the first `silent` ones; image is (W, H, C)."""
    spikes = np.repeat(image.T.astype(np.int64)[np.newaxis, ..., np.newaxis], steps, axis=-1)
    spikes[..., :silent] = 0
    return SpikeInput(spikes=spikes)


def run_on(
    backend: str, network: Network, inputs: SpikeInput, timeline: Timeline = Timeline.SLAYER
) -> RunResult:
    options = RunOptions(record=("all",), timeline=timeline)
    compiled_network = compile_network(network, load_profile("ideal"))
    return open_backend(backend).run(compiled_network, inputs, options)


def flat(recording: NDArray[Any]) -> NDArray[np.int64]:
    """Return a recording, (W, H, C, T) or (N, T), as (neurons, T), channel slowest."""
    whole = recording.astype(np.int64)
    assert np.array_equal(whole, recording)
    return whole.transpose(2, 1, 0, 3).reshape(-1, whole.shape[-1]) if whole.ndim == 4 else whole


def load(shared_data: Path, folder: str, name: str) -> NDArray[Any]:
    return np.load(shared_data / "netx" / folder / f"{name}.npy")


# ---- tinynet: recorded of SLAYER, one step late, (N, C, H, W, T)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tinynet(shared_data: Path, backend: str) -> None:
    def of_slayer(name: str) -> NDArray[np.int64]:
        array = load(shared_data, "tinynet", name)
        return array.reshape(-1, array.shape[-1]).astype(np.int64)

    network = driven(read_netx(shared_data / "netx/tinynet/tiny.net"))
    run = run_on(backend, network, constant(load(shared_data, "tinynet", "input_bias"), 15))
    for index, name in enumerate(("input", "layer1", "output")):
        assert not of_slayer(name)[:, 0].any()
        assert np.array_equal(run.spikes.dense(index)[0], of_slayer(name)[:, 1:]), name
    # recorded in units of weights, ours are 64 times finer
    assert np.array_equal(run.states[1].current[0], 64 * of_slayer("current")[:, 1:])
    first = network.layers[1]
    assert isinstance(first, ConvLayer)
    assert first.bias is not None
    assert np.array_equal(first.bias, load(shared_data, "tinynet", "layer1_bias"))


# ---- dense: one layer, recorded one step late


@pytest.mark.parametrize("backend", BACKENDS)
def test_dense(shared_data: Path, backend: str) -> None:
    weight, spikes, current, fired = (
        load(shared_data, "dense", name) for name in ("weight", "in", "current", "out")
    )
    # vth 6, du 4095 (Lava adds 1) and dv 415 are the values of lava-dl's own test of this block
    network = compiled(dense(weight, neuron=cuba(vth=6, du=4096, dv=415)))
    run = recorded(backend, network, SpikeInput(spikes=spikes.astype(np.uint8)[np.newaxis]))
    assert np.array_equal(run.states[0].current[0, :, :-1], 64 * flat(current)[:, 1:])
    assert np.array_equal(run.spikes.dense(0)[0][:, :-1], flat(fired)[:, 1:])
    assert np.count_nonzero(fired) == 1826


# ---- oxford: recorded of SLAYER, which then fired at equality


def events(recording: NDArray[Any], steps: int) -> NDArray[np.int64]:
    """Return (neuron, polarity, time) rows as (neurons, T), times to the nearest step."""
    spikes = np.zeros((200, steps), dtype=np.int64)
    # two input events of a neuron that fall on one step are one spike
    spikes[recording[:, 0].astype(np.int64), np.rint(recording[:, 2]).astype(np.int64)] = 1
    return spikes


def oxford_output(shared_data: Path) -> NDArray[np.int64]:
    network = read_netx(shared_data / "netx/oxford/network.net")
    inputs = events(load(shared_data, "oxford", "input"), 1900)
    return run_network(network, inputs[np.newaxis])[1].output[0]


def test_oxford_is_slayers_that_fired_at_equality(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = events(load(shared_data, "oxford", "ground_truth"), 1900)
    assert expected.sum() == 10178
    # ours, as Lava's and present SLAYER's, fire above the threshold only
    assert np.count_nonzero(oxford_output(shared_data)[:, :-2] != expected[:, 2:]) == 3014

    def fires_at_equality(voltage: NDArray[np.int64], vth_mantissa: int) -> NDArray[np.bool_]:
        return voltage >= vth_mantissa * 64

    monkeypatch.setattr("lavadeploy.sim.neurons.cuba.fires", fires_at_equality)
    # each of the two layers is one step late
    assert np.array_equal(oxford_output(shared_data)[:, :-2], expected[:, 2:])


def test_oxfords_output_is_what_training_aimed_at(shared_data: Path) -> None:
    target = events(load(shared_data, "oxford", "output"), 1900)
    of_slayer = events(load(shared_data, "oxford", "ground_truth"), 1900)

    def most_shared(answer: NDArray[np.int64]) -> int:
        return max(int((np.roll(answer, by, axis=1) & target).sum()) for by in range(-30, 31))

    assert target.sum() == 10361
    assert (most_shared(of_slayer), most_shared(oxford_output(shared_data))) == (1558, 1417)


# ---- PilotNet LIF: recorded of a chip, samples of one image


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A recording of samples of one image that follow each other: layer k starts at k + delay.

    Attributes
    ----------
    before : RunResult
        The same image in the chip's timeline: what layers do before their first sample.
    sample : RunResult
        A sample from rest; the next ones are the same, in as many steps as were recorded of them.
    """

    before: RunResult
    sample: RunResult

    def of(self, kind: str, index: int, start: int, steps: int) -> NDArray[np.int64]:
        """Return spikes or a state of layer `index`, whose first sample starts at step `start`."""
        early, whole = (self._of(run, kind, index) for run in (self.before, self.sample))
        return np.concatenate([early[:, :start], whole, whole], axis=1)[:, :steps]

    @staticmethod
    def _of(run: RunResult, kind: str, index: int) -> NDArray[Any]:
        return run.spikes.dense(index)[0] if kind == "spikes" else run.states[index].values[kind][0]


def pilotnet_lif(shared_data: Path, backend: str, sample: SpikeInput) -> Recording:
    network = driven(read_netx(shared_data / "netx/pilotnet_lif/network.net"))
    image = load(shared_data, "pilotnet_lif", "image")
    return Recording(
        before=run_on(backend, network, constant(image, 10), Timeline.CHIP),
        sample=run_on(backend, network, sample),
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_pilotnet_lif(shared_data: Path, backend: str) -> None:
    image = load(shared_data, "pilotnet_lif", "image")
    ours = pilotnet_lif(shared_data, backend, constant(image, 17))
    for index, name in enumerate(LIF_LAYERS[:-1]):
        spikes = flat(load(shared_data, "pilotnet_lif", name))
        assert np.array_equal(ours.of("spikes", index, index, 24), spikes), name
        if index < 2:
            continue  # states of the input and of the first convolution were not recorded
        current, voltage = (flat(load(shared_data, "pilotnet_lif", f"{name}-{s}")) for s in "uv")
        assert np.array_equal(ours.of("current", index, index, 24), current), name
        # where a neuron fired its recorded voltage is always the same, ours is reset
        assert set(voltage[spikes == 1].tolist()) == {SPIKING}
        without = np.where(spikes == 1, 0, voltage)
        assert np.array_equal(ours.of("voltage", index, index, 24), without), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_pilotnet_lifs_last_layer_was_recorded_with_other_samples(
    shared_data: Path, backend: str
) -> None:
    # 16 steps a sample, not 17; every layer starts one step earlier, the input before the recording
    image = load(shared_data, "pilotnet_lif", "image")
    ours = pilotnet_lif(shared_data, backend, constant(image, 16, silent=1))
    for kind, name in (("spikes", "s"), ("current", "u"), ("voltage", "v")):
        expected = flat(load(shared_data, "pilotnet_lif", f"fc-3-{name}"))
        assert np.array_equal(ours.of(kind, 9, 8, 25), expected), kind
    other = pilotnet_lif(shared_data, backend, constant(image, 17))
    expected = flat(load(shared_data, "pilotnet_lif", "fc-3-u"))
    assert not np.array_equal(other.of("current", 9, 9, 25), expected)


# ---- PilotNet SDNN: recorded of Lava, every layer from the first step


@pytest.mark.parametrize("backend", BACKENDS)
def test_pilotnet_sdnn(shared_data: Path, backend: str) -> None:
    network = driven(read_netx(shared_data / "netx/pilotnet_sdnn/network.net"))
    image = load(shared_data, "pilotnet_sdnn", "input")[..., 0]
    run = run_on(backend, network, constant(image, 20), Timeline.CHIP)
    messages = flat(load(shared_data, "pilotnet_sdnn", "act0"))
    assert np.array_equal(run.spikes.dense(0)[0, :, :20], messages)
    recordings = ((1, "sigma1"), (2, "sigma2"), (8, "output"))
    for index, name in recordings:
        expected = flat(load(shared_data, "pilotnet_sdnn", name))
        found = run.states[index].values["sigma"][0, :, : expected.shape[1]]
        assert np.array_equal(found, expected), name


# ---- the list


def test_the_list_of_ground_truths_leaves_no_array_out(shared_data: Path) -> None:
    listed = (ROOT / "GROUND_TRUTHS.md").read_text(encoding="utf-8")
    # a series is given by its first and last
    series = [f"conv-{k}{s}" for k in (1, 2, 3) for s in ("", "-u", "-v")]
    series += [f"fc-1{s}" for s in ("", "-u", "-v")]
    found = {path.stem for path in (shared_data / "netx").rglob("*.npy")}
    assert {name for name in found - set(series) if f"`{name}`" not in listed} == set()
