"""Causes in time: latencies, delays, steps that were left out, and when a bias begins."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...netx import IntArray, SynapticLayer
from ..neurons import Rules
from .cause import CauseName
from .hypothesis import RUN, Hypothesis
from .layer_case import Behaviour, LayerCase

MOST_STEPS = 8  # that latencies and biases are looked for
LAVA_MAX_DELAY = 62  # lava-nc's Dense and Conv keep 63 steps of delayed sums


def delay_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield clipped axonal delays: none at all, Lava's maximum, and all others."""
    layer = case.layer
    delay = layer.delay if isinstance(layer, SynapticLayer) else None
    if not isinstance(layer, SynapticLayer) or delay is None or not delay.any():
        return
    largest = int(delay.max())
    limits = [0, LAVA_MAX_DELAY, *range(min(largest - 1, case.n_steps), 0, -1)]
    for limit in dict.fromkeys(limit for limit in limits if limit < largest):
        clipped = np.minimum(delay, limit).astype(np.int32)
        index = int(np.argmax(delay))
        count = int(np.count_nonzero(clipped != delay))
        how = "ignores axonal delays" if limit == 0 else f"clips axonal delays to {limit} steps"
        yield Hypothesis(
            name=CauseName.CLIPPED_DELAY,
            statement=(
                f"{RUN} {how}: {count} of {delay.size} are longer, the longest {largest} "
                f"(channel {index})"
            ),
            remedy=f"Train with delays of at most {limit} steps, or run where longer ones fit.",
            predict=partial(_delayed, clipped),
        )


def latency_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield outputs that come some steps later or earlier, and last steps that are missing."""
    for steps in range(1, min(MOST_STEPS, case.n_steps - 1) + 1):
        for shift, word in ((steps, "later"), (-steps, "earlier")):
            yield Hypothesis(
                name=CauseName.LATENCY,
                statement=f"the layer answers {_steps(steps)} {word} in {RUN} (k = {shift})",
                remedy=(
                    "Take the latency out: on the chip and in SLAYER with delay_shift each layer "
                    "answers one step late; the logs here have that taken out."
                ),
                predict=partial(_shifted, shift),
            )
    for steps in range(1, min(MOST_STEPS, case.n_steps - 1) + 1):
        yield Hypothesis(
            name=CauseName.MISSING_SILENT_STEPS,
            statement=f"{RUN} has nothing in the last {_steps(steps)} of each sample",
            remedy=(
                "Let silent steps follow the input, as many as there are layers: a forward pass "
                "over the input alone drops what its last steps cause in late layers."
            ),
            predict=partial(_without_last, steps),
        )


def bias_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield biases that begin at another step, or never."""
    layer = case.layer
    if not isinstance(layer, SynapticLayer):
        return
    if not any(b is not None and b.any() for b in (layer.bias, layer.bias_imag)):
        return
    remedy = (
        "Let the biases of all layers begin with the sample; delayShift in the file says which "
        "layers then run how many steps before their first input."
    )
    lead = case.before - case.first_step
    none = dataclasses.replace(layer, bias=None, bias_imag=None)
    yield Hypothesis(
        name=CauseName.BIAS_START,
        statement=f"the biases never act in {RUN}",
        remedy="Give the run the biases of the file.",
        predict=lambda case: case.run(layer=none),
    )
    for other in range(lead + MOST_STEPS + 1):
        if other == lead:
            continue
        word = "later" if other < lead else "earlier"
        yield Hypothesis(
            name=CauseName.BIAS_START,
            statement=(
                f"the biases begin {_steps(abs(other - lead))} {word} in {RUN}: {_steps(other)} "
                f"before the first input, not {lead}"
            ),
            remedy=remedy,
            predict=partial(_leading, other),
            shows_place=True,
        )
    for steps in range(1, min(MOST_STEPS, case.n_steps - 1) + 1):
        yield Hypothesis(
            name=CauseName.BIAS_START,
            statement=f"the biases begin {_steps(lead + steps)} late in {RUN}",
            remedy=remedy,
            predict=partial(_late_bias, lead + steps),
            shows_place=True,
        )


def moved(values: NDArray[np.integer], steps: int) -> NDArray[np.integer]:
    """Return values (..., T) some steps later (earlier where negative), zeros in the gap."""
    result = np.zeros_like(values)
    if steps >= 0:
        result[..., steps:] = values[..., : values.shape[-1] - steps]
    else:
        result[..., :steps] = values[..., -steps:]
    return result


def _delayed(delay: IntArray, case: LayerCase) -> Behaviour:
    assert isinstance(case.layer, SynapticLayer)
    return case.run(layer=dataclasses.replace(case.layer, delay=delay))


def _shifted(shift: int, case: LayerCase) -> Behaviour:
    right = case.defined()
    return Behaviour(
        output=moved(right.output, shift).astype(np.int64),
        states={name: moved(state, shift) for name, state in right.states.items()},
        judged=(shift, None) if shift > 0 else (0, shift),
    )


def _without_last(steps: int, case: LayerCase) -> Behaviour:
    right = case.defined()
    output = right.output.copy()
    output[:, :, max(0, case.n_steps - steps) :] = 0
    return Behaviour(output=output, states={})


def _leading(lead: int, case: LayerCase) -> Behaviour:
    """Run with biases that act so many steps before the first input."""
    more = max(0, lead - case.before)
    values = np.pad(case.values, ((0, 0), (0, 0), (more, 0)))
    run = case.run(values=values, first_step=case.before + more - lead)
    return Behaviour(
        output=run.output[:, :, more:],
        states={name: state[:, :, more:] for name, state in run.states.items()},
    )


def _late_bias(steps: int, case: LayerCase) -> Behaviour:
    return case.run(rules=Rules(bias_from=steps))


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
