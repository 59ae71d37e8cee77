"""Thresholds that adapt: what a step and a spike do to them.

Exactness. All numbers are whole; a threshold less its rest has at most 38 bits (a register of 31
bits, shifted by 6) and a decay 13, so products are exact in float64, and truncating them rounds
toward zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined
from .family_structures import Adaptation
from .plain_neurons import LIMIT
from .special_neurons import record_state
from .structures import Int32Array, Special


@inlined
def to_rest(adaptation: Adaptation) -> None:
    """Bring both terms to rest."""
    adaptation.threshold[:] = adaptation.rest
    adaptation.refractory[:] = 0


@inlined
def adapt(adaptation: Adaptation, mark: Any) -> None:
    """Decay both terms; set `mark` to 1 where it reaches their sum, else to 0.

    Terms are never negative, so one that reaches the sum is not below the threshold, which then is
    within its 24 bits: clipping it before the spike raises it changes nothing.
    """
    threshold, refractory, rest = adaptation.threshold, adaptation.refractory, adaptation.rest
    kept_threshold, kept_refractory = adaptation.kept_threshold, adaptation.kept_refractory
    size, tile = np.uint64(mark.size), np.uint64(kept_threshold.size)
    first = np.uint64(0)
    while first < size:
        for i in range(first, min(first + tile, size)):
            raised = np.trunc((threshold[i] - rest) * kept_threshold[i - first]) + rest
            term = np.int32(refractory[i] * kept_refractory[i - first])
            mark[i] = np.int32(1) if mark[i] >= raised + term else np.int32(0)
            threshold[i] = min(raised, np.float64(LIMIT - 1))
            refractory[i] = term
        first += tile


@inlined
def raise_after(adaptation: Adaptation, special: Special) -> None:
    """Raise both terms of those that fired; the second by twice the threshold before."""
    threshold, refractory = adaptation.threshold, adaptation.refractory
    for k in range(special.fired_count[0]):
        i = special.fired[k]
        term = refractory[i] + 2 * np.int64(threshold[i])
        refractory[i] = np.int32(min(term, LIMIT - 1))
        threshold[i] = min(threshold[i] + adaptation.rise, np.float64(LIMIT - 1))


@inlined
def record_adaptation(
    adaptation: Adaptation, natural: Int32Array, recorded: Any, sample: Any, step: Any
) -> None:
    """Write both terms, the third and fourth of the states."""
    record_state(recorded[2], natural, adaptation.threshold, sample, step)
    record_state(recorded[3], natural, adaptation.refractory, sample, step)
