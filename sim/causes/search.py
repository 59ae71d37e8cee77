"""Which of the known causes make a layer do what a run says it did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compare import Difference
from .events import event_hypothesis
from .families import hypotheses
from .hypothesis import Fit, Hypothesis, fit
from .layer_case import Behaviour, LayerCase


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A supposed cause that fits.

    Attributes
    ----------
    hypothesis : Hypothesis
        The cause.
    supposed : Behaviour
        What the layer does with it.
    fit : Fit
        How well that fits.
    """

    hypothesis: Hypothesis
    supposed: Behaviour
    fit: Fit

    @property
    def is_exact(self) -> bool:
        """Whether every spike comes out, or every state where spikes do not differ."""
        return self.fit.wrong == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was found, and how many hypotheses were tried.

    Attributes
    ----------
    found : tuple of Found
        The best first: exact ones in the order of the table, or the one that explains most.
    tried : int
        Hypotheses.
    """

    found: tuple[Found, ...]
    tried: int


def search_causes(case: LayerCase, defined: Behaviour, first: Difference) -> Search:
    """Try every known cause on a layer of a run that is not what the registers define.

    Each must make the layer do what it did up to the first difference, there included; those that
    do are judged by all samples at hand.
    """
    narrow = case.until(first.sample, first.step)
    right = narrow.defined()
    tried = 0
    found: list[Found] = []
    for hypothesis in hypotheses(case):
        tried += 1
        if not hypothesis.needs_neighbours:
            supposed = hypothesis.predict(narrow)
            there = fit(narrow, right, supposed, first.step + 1)
            if there.wrong or not _helps(fit(narrow, right, supposed)):
                continue
        found += _judged(case, defined, hypothesis)
    exact = [each for each in found if each.is_exact]
    if not exact:
        tried += 1
        event = event_hypothesis(case)
        found += [] if event is None else _judged(case, defined, event)
        exact = [each for each in found if each.is_exact]
    if exact:
        # where some make all states, too, those that make the spikes only are none
        whole = [each for each in exact if each.fit.wrong_states == 0]
        return Search(found=tuple(whole or exact), tried=tried)
    most = sorted(found, key=lambda f: f.fit.wrong)[:1]
    return Search(found=tuple(most), tried=tried)


def _judged(case: LayerCase, defined: Behaviour, hypothesis: Hypothesis) -> list[Found]:
    """Return a cause that explains at least half of what differs, or none."""
    supposed = hypothesis.predict(case)
    quality = fit(case, defined, supposed)
    if quality.explained == 0 or not _helps(quality):
        return []
    return [Found(hypothesis=hypothesis, supposed=supposed, fit=quality)]


def _helps(quality: Fit) -> bool:
    """Tell whether no more than half of what differs is left, false alarms included."""
    return 2 * quality.wrong <= quality.differing


def first_effect(case: LayerCase, defined: Behaviour, supposed: Behaviour) -> str:
    """Return where a cause shows first, as the end of a sentence; empty where it shows nowhere."""
    known = {"spike": (defined.output, supposed.output)}
    known |= {
        name: (defined.states[name], supposed.states[name])
        for name in defined.states
        if name in supposed.states
    }
    places: list[tuple[int, int, int, int, str]] = []
    for rank, (name, (right, other)) in enumerate(known.items()):
        unlike = np.argwhere((right != other).transpose(0, 2, 1))
        if unlike.size:
            sample, step, neuron = (int(i) for i in unlike[0])
            places.append((sample, step, rank, neuron, name))
    if not places:
        return ""
    sample, step, _, neuron, name = min(places)
    right, other = (int(x[sample, neuron, step]) for x in known[name])
    return (
        f"; first in sample {sample + case.first_sample}, step {step}, neuron {neuron}: "
        f"{name} {other}, by the definition {right}"
    )
