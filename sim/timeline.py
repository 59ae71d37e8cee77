"""When layers run and which of their steps are shown: in SLAYER's timeline or in the chip's.

Backends compute in the time of the input: a layer's answer to step t stands at step t. Where a
layer runs before the input reaches it (for its bias), and how far behind the input a chip shows its
answers, is all that a timeline changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..compile import NETWORK_INPUT, ChipInput, ChipNetwork, bias_leads
from ..netx import ConcatLayer, Network, SynapticLayer, is_shifted, steps_before_input


class Timeline(Enum):
    """Which clock the results of a run follow.

    ========  ========================================================================
    SLAYER    T steps; layer latencies taken out, biases act when SLAYER's did
    CHIP      T steps and one for every layer on the longest way; every layer's bias acts
              from the first step on, and each layer answers a step after the one before
    ========  ========================================================================
    """

    SLAYER = "slayer"
    CHIP = "chip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The steps of a sample, counted from the first in which any layer runs.

    Attributes
    ----------
    before : int
        Step at which the input begins.
    after : int
        Steps of silence that follow the input.
    first_step : tuple of int
        For each layer, its first step; its states are at rest until then.
    shown_from : tuple of int
        For each layer, the step that is step 0 of the results.
    shown : int
        Steps of the results.
    """

    before: int
    after: int
    first_step: tuple[int, ...]
    shown_from: tuple[int, ...]
    shown: int


def chip_timing(network: ChipNetwork, n_steps: int, timeline: Timeline) -> Timing:
    """Return the timing of a compiled network's layers for samples of `n_steps`."""
    if timeline is Timeline.SLAYER:
        return _slayer_timing(bias_leads(network), n_steps)
    return _lagging_timing(chip_lags(network), n_steps)


def chip_lags(network: ChipNetwork) -> tuple[int, ...]:
    """Return how many steps a chip's layers are behind the input: one for each set of weights."""
    lags: list[int] = []
    for layer in network.layers:
        behind = max(0 if source == NETWORK_INPUT else lags[source] for source in layer.sources)
        lags.append(behind if isinstance(layer, ChipInput) else behind + 1)
    return tuple(lags)


def netx_timing(network: Network, n_steps: int, timeline: Timeline) -> Timing:
    """Return the timing of a network's layers, those without neurons too."""
    if timeline is Timeline.SLAYER:
        return _slayer_timing(steps_before_input(map(is_shifted, network.layers)), n_steps)
    lags: list[int] = []
    for layer in network.layers:
        sources = layer.sources if isinstance(layer, ConcatLayer) else [len(lags) - 1]
        behind = max(lags[source] if source >= 0 else 0 for source in sources)
        lags.append(behind + isinstance(layer, SynapticLayer))
    return _lagging_timing(lags, n_steps)


def _slayer_timing(leads: Sequence[int], n_steps: int) -> Timing:
    before = max(leads)
    return Timing(
        before=before,
        after=0,
        first_step=tuple(before - lead for lead in leads),
        shown_from=(before,) * len(leads),
        shown=n_steps,
    )


def _lagging_timing(lags: Sequence[int], n_steps: int) -> Timing:
    """Return the timing of layers that start together and answer `lags` steps after the input."""
    longest = max(lags)
    starts = tuple(longest - lag for lag in lags)
    return Timing(
        before=longest,
        after=longest,
        first_step=starts,
        shown_from=starts,
        shown=n_steps + longest,
    )
