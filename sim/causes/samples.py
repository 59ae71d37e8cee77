"""Causes at the borders of samples: states that were not reset, spikes still on their way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...netx import SynapticLayer
from ..interpreter import delayed
from .cause import CauseName
from .hypothesis import RUN, Hypothesis
from .layer_case import Behaviour, LayerCase


def sample_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield what the end of a sample may leave to the next."""
    if case.values.shape[0] < 2:
        return
    yield Hypothesis(
        name=CauseName.MISSING_RESET,
        statement=f"{RUN} starts each sample with the states that the sample before left",
        remedy="Reset all states between samples, as every backend here does.",
        predict=_carried,
        needs_neighbours=True,
        shows_place=True,
    )
    layer = case.layer
    if isinstance(layer, SynapticLayer) and layer.delay is not None and layer.delay.any():
        yield Hypothesis(
            name=CauseName.SPIKES_IN_FLIGHT,
            statement=(
                f"in {RUN} spikes that axonal delays took past the end of a sample arrive in the "
                "next"
            ),
            remedy="Empty delay buffers between samples, or leave a pause as long as the delays.",
            predict=_delayed_into_next,
            needs_neighbours=True,
        )
    yield Hypothesis(
        name=CauseName.SPIKES_IN_FLIGHT,
        statement=(
            f"in {RUN} the input of a sample's last step arrives in the first step of the next"
        ),
        remedy=(
            "Reset one step later (reset_offset 1 in lava-dl), or leave a silent step between "
            "samples."
        ),
        predict=_last_input_into_next,
        needs_neighbours=True,
    )


def _carried(case: LayerCase) -> Behaviour:
    """Run all samples as a single long one."""
    own = case.values[:, :, case.first_step :]
    run = dataclasses.replace(case, shown_from=0).run(values=_joined(own), first_step=0)
    silent, samples = case.shown_from - case.first_step, own.shape[0]
    return Behaviour(
        output=_split(run.output, samples)[:, :, silent:],
        states={name: _split(state, samples)[:, :, silent:] for name, state in run.states.items()},
    )


def _delayed_into_next(case: LayerCase) -> Behaviour:
    layer = case.layer
    assert isinstance(layer, SynapticLayer)
    run = case.run(layer=dataclasses.replace(layer, delay=None))
    output = _split(delayed(layer.delay, _joined(run.output)), run.output.shape[0])
    return Behaviour(output=output, states=run.states)


def _last_input_into_next(case: LayerCase) -> Behaviour:
    values = case.values.copy()
    values[1:, :, case.before] += values[:-1, :, -1]
    return case.run(values=values)


def _joined(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return samples (N, neurons, T) one after the other, (1, neurons, N T)."""
    return np.concatenate(list(values), axis=1)[np.newaxis]


def _split(values: NDArray[np.integer], samples: int) -> NDArray[np.int64]:
    """Undo `_joined`."""
    return np.stack(np.split(values[0], samples, axis=1)).astype(np.int64)
