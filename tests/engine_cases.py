"""Comparing the engine with the reference, and neurons of every kind with numbers at their ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import assert_runs_are_identical
from hypothesis import strategies as st
from numpy.typing import NDArray

from lavadeploy.compile import CompiledNetwork
from lavadeploy.netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    CubaNeuron,
    Neuron,
    NeuronKind,
    ResonatorNeuron,
    SigmaDeltaNeuron,
)
from lavadeploy.sim import RunOptions, RunResult, SpikeInput, Timeline, open_backend
from lavadeploy.sim.engine_backend import EngineBackend

# the whole at once; every step by itself; several samples at once, cut unevenly
CUTS = (2048, 1, 5)
THRESHOLDS = st.one_of(st.sampled_from([0, 1, 131071]), st.integers(1, 300))
DECAYS = st.one_of(st.sampled_from([0, 1, 4095, 4096]), st.integers(0, 4096))
ANGLES = st.one_of(st.sampled_from([-4096, 0, 4096]), st.integers(-4096, 4096))
KINDS = (
    NeuronKind.CUBA,
    NeuronKind.ALIF,
    NeuronKind.RF,
    NeuronKind.RF_IZ,
    NeuronKind.ADRF,
    NeuronKind.ADRF_IZ,
    NeuronKind.SDNN,
)


def assert_engine_equals_reference(
    network: CompiledNetwork,
    inputs: SpikeInput,
    timeline: Timeline = Timeline.SLAYER,
    cuts: tuple[int, ...] = CUTS,
) -> RunResult:
    """Return the reference's run, to which the engine's is the same in every cut of the work."""
    options = RunOptions(record=("all",), threads=2, timeline=timeline)
    expected = open_backend("reference").run(network, inputs, options)
    for rows in cuts:
        found = EngineBackend(rows_at_once=rows).run(network, inputs, options)
        assert_runs_are_identical(found, expected)
        assert (found.readout is None) == (expected.readout is None)
        if found.readout is not None and expected.readout is not None:
            assert np.array_equal(found.readout, expected.readout)
    return expected


def neuron_of_kind(
    kind: NeuronKind,
    vth: int = 60,
    *,
    graded: bool = False,
    step: int = 7,
    decays: Any = (1024, 128),
    angle: Any = (2287, 3148),
    **fields: Any,
) -> Neuron:
    """Return a neuron; the first decays are those of the current and the threshold."""
    fast, slow = (np.array(value, dtype=np.int32) for value in decays)
    sine, cosine = (np.array(value, dtype=np.int32) for value in angle)
    leaky: dict[str, Any] = {"current_decay": fast, "voltage_decay": slow}
    turning: dict[str, Any] = {"sin_decay": sine, "cos_decay": cosine}
    adapting: dict[str, Any] = {
        "vth_step": step,
        "threshold_decay": fast,
        "refractory_decay": slow,
    }
    common: dict[str, Any] = {"vth_mantissa": vth, "graded_spike": graded} | fields
    match kind:
        case NeuronKind.CUBA | NeuronKind.LOIHI:
            return CubaNeuron(**common, **leaky)
        case NeuronKind.ALIF:
            return AlifNeuron(**common, **leaky, **adapting)
        case NeuronKind.RF | NeuronKind.RF_IZ:
            return ResonatorNeuron(kind=kind, **common, **turning)
        case NeuronKind.ADRF | NeuronKind.ADRF_IZ:
            return AdaptiveResonatorNeuron(kind=kind, **common, **turning, **adapting)
        case NeuronKind.SDNN:
            return SigmaDeltaNeuron(vth_mantissa=vth, **fields)


@st.composite
def neurons(draw: st.DrawFn, channels: int, *, is_real: bool = False) -> Neuron:
    """A neuron of any kind; parameters for each channel, at their ends or between."""
    kind = draw(st.sampled_from((KINDS[0], KINDS[1], KINDS[-1]) if is_real else KINDS))
    vth = draw(THRESHOLDS)
    if kind is NeuronKind.SDNN:
        return neuron_of_kind(
            kind,
            draw(st.one_of(st.integers(0, 3), st.just(vth))),
            vth_fraction=draw(st.sampled_from([0, 1, 4095])),
            sigma_output=draw(st.booleans()),
        )
    fields: dict[str, Any] = {}
    if kind in (NeuronKind.CUBA, NeuronKind.ALIF):
        fields["current_exponent"] = draw(st.sampled_from([0, 0, 2, -3]))
    if kind is NeuronKind.CUBA:
        fields["refractory_delay"] = draw(st.sampled_from([1, 1, 3]))
    return neuron_of_kind(
        kind,
        vth,
        graded=draw(st.booleans()),
        step=draw(THRESHOLDS),
        decays=(_parameter(draw, channels, DECAYS), _parameter(draw, channels, DECAYS)),
        angle=(_parameter(draw, channels, ANGLES), _parameter(draw, channels, ANGLES)),
        **fields,
    )


def _parameter(draw: st.DrawFn, channels: int, values: st.SearchStrategy[int]) -> NDArray[np.int32]:
    if draw(st.booleans()):
        return np.array(draw(values), dtype=np.int32)
    return np.array([draw(values) for _ in range(channels)], dtype=np.int32)
