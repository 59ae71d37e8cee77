"""Hypothesis strategy: compiled networks of every form, and how to run them, near every edge.

Numbers come in manners: plain ones; the whole range of the registers, which states leave; ties,
where states meet thresholds exactly; and such that no neuron or every neuron fires. Hypothesis
draws what a failure should be told in (few layers, few neurons, plain manners) and shrinks that;
arrays follow from a seed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray
from random_layers import ALL_FORMS, Drawn, input_layer, next_layers

from lavadeploy.compile import (
    NETWORK_INPUT,
    ChipInput,
    CompiledNetwork,
    compile_network,
    weight_sets,
)
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import Layer, Network, UnsupportedNetworkError, size_of
from lavadeploy.sim import RunOptions, RunResult, SpikeInput, Timeline, open_backend
from lavadeploy.sim.recording import state_names

PROFILE = load_profile("ideal")
LARGEST_SUM = np.iinfo(np.int32).max
MOST_NEURONS = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RandomRun:
    """What a backend is asked to do.

    Attributes
    ----------
    network : Network
        Before it was compiled.
    compiled : CompiledNetwork
        What runs.
    inputs : SpikeInput
        One to three samples.
    options : RunOptions
        Timeline and states to record.
    """

    network: Network
    compiled: CompiledNetwork
    inputs: SpikeInput
    options: RunOptions

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Tell Hypothesis what a failure is told in: registers and inputs, not the profile."""
        printer.text(f"{self.options}, inputs {_short(self.inputs.spikes)}")
        for layer in self.compiled.network.layers:
            fields = {f.name: getattr(layer, f.name) for f in dataclasses.fields(layer)}
            printer.break_()
            printer.text(", ".join(f"{key}={_short(value)}" for key, value in fields.items()))

    def on(self, backend: str) -> RunResult:
        return open_backend(backend).run(self.compiled, self.inputs, self.options)


@st.composite
def random_runs(
    draw: st.DrawFn,
    forms: Collection[str] = ALL_FORMS,
    timelines: Collection[Timeline] = tuple(Timeline),
    most_layers: int = 4,
) -> RandomRun:
    """Draw a run of the forms of layers and neurons that a backend has; see `random_layers`."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16 - 1)))
    drawn = Drawn(draw=draw, rng=rng, forms=frozenset(forms))
    layers: list[Layer] = [input_layer(drawn)]
    shapes = [layers[0].shape]
    wanted = draw(st.integers(1, most_layers))
    while len(layers) <= wanted:
        next_layers(drawn, layers, shapes)
        if size_of(shapes[-1]) > MOST_NEURONS:
            reject()
    network = Network(layers=tuple(layers))
    try:
        compiled = _compiled(network)
    except UnsupportedNetworkError:
        reject()
    return RandomRun(
        network=network,
        compiled=compiled,
        inputs=_inputs(drawn, compiled),
        options=RunOptions(
            record=_record(draw, compiled),
            timeline=draw(st.sampled_from([t for t in Timeline if t in timelines])),
            threads=draw(st.integers(1, 2)),
        ),
    )


def _compiled(network: Network) -> CompiledNetwork:
    # proofs that states stay in their registers take most of the time, and only make warnings
    with mock.patch("lavadeploy.compile.pipeline.state_bounds", return_value=()):
        return compile_network(network, PROFILE, allow_approximate=True)


def _inputs(drawn: Drawn, compiled: CompiledNetwork) -> SpikeInput:
    draw, rng, network = drawn.draw, drawn.rng, compiled.network
    samples, steps = draw(st.integers(1, 3)), draw(st.sampled_from([6, 12, 20, 1, 3]))
    shape = (samples, *network.input_shape, steps)
    rate = draw(st.sampled_from([0.5, 1.0, 0.5, 1.0, 0.5, 1.0, 0.5, 0.1, 0.0]))
    if isinstance(network.layers[0], ChipInput):
        most = draw(st.sampled_from([255, 64, 1 << 12, 1 << 16]))
        numbers = rng.integers(-most - 1, most + 1, shape)
    else:
        # mostly spikes; some counts; some payloads as large as may be
        largest = PROFILE.formats.payload_max.value
        most = draw(st.sampled_from([1, 1, 1, 3, 1 << 10, 1 << 15, largest]))
        numbers = rng.integers(1, min(most, _largest_input(compiled)) + 1, shape)
    return SpikeInput(spikes=np.where(rng.random(shape) < rate, numbers, 0))


def _largest_input(compiled: CompiledNetwork) -> int:
    """Return the largest payload whose sums keep to 32 bits, which runs ask for."""
    sums = [
        int(np.abs(w.mantissa.astype(np.int64)).reshape(len(w.mantissa), -1).sum(axis=1).max())
        for layer in compiled.network.layers
        if NETWORK_INPUT in layer.sources
        for _, w in weight_sets(layer)
    ]
    return min(LARGEST_SUM // max(1, *sums), PROFILE.formats.payload_max.value)


def _record(draw: st.DrawFn, compiled: CompiledNetwork) -> tuple[str, ...]:
    layer = compiled.network.layers[-1]
    one = f"{layer.name}.{state_names(layer)[0]}"
    return draw(st.sampled_from([("all",), ("all",), ("all",), (layer.name,), (one,), ()]))


def assert_runs_are_equal(found: RunResult, expected: RunResult) -> None:
    """Every spike with its value, every recorded state and every readout is the same."""
    assert found.timeline is expected.timeline
    for column in ("sample", "step", "layer", "neuron", "value"):
        mine, theirs = getattr(found.spikes, column), getattr(expected.spikes, column)
        assert np.array_equal(mine, theirs), f"{column} of the spikes"
    assert len(found.states) == len(expected.states)
    names = expected.spikes.layer_names
    for name, mine, theirs in zip(names, found.states, expected.states, strict=bool(found.states)):
        assert list(mine.values) == list(theirs.values)
        for state in theirs.values:
            assert np.array_equal(mine.values[state], theirs.values[state]), f"{name}.{state}"
    assert (found.readout is None) == (expected.readout is None)
    if found.readout is not None and expected.readout is not None:
        assert np.array_equal(found.readout, expected.readout), "readout"


def _short(value: Any) -> str:
    array: NDArray[Any] | None = getattr(value, "mantissa", None)
    if array is not None:
        return f"{_short(array)}*2**{value.exponent}"
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)
