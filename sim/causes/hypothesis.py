"""A supposed cause as another computation of a layer, and how well it fits what a run did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..compare import Difference
from .cause import CauseName
from .layer_case import Behaviour, LayerCase

RUN = "{run}"  # stands for the run in statements


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hypothesis:
    """A cause that a difference may have.

    Attributes
    ----------
    name : CauseName
        Which.
    statement : str
        One sentence without its full stop; `RUN` stands for the run that does so.
    remedy : str
        One sentence.
    predict : callable
        What the layer would do then.
    needs_neighbours : bool
        Whether that depends on the samples before.
    shows_place : bool
        Whether the first state that comes out otherwise is worth telling.
    """

    name: CauseName
    statement: str
    remedy: str
    predict: Callable[[LayerCase], Behaviour]
    needs_neighbours: bool = False
    shows_place: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well a behaviour fits what a run did.

    Attributes
    ----------
    quantity : 'spikes' or 'states'
        What was counted: spikes, or states where all spikes are as defined.
    differing : int
        Places where the run is not as defined.
    explained : int
        Those of them that fit.
    wrong : int
        Places of that quantity that do not fit, whether as defined or not.
    wrong_states : int
        States that do not fit.
    """

    quantity: Literal["spikes", "states"]
    differing: int
    explained: int
    wrong: int
    wrong_states: int


def fit(case: LayerCase, defined: Behaviour, supposed: Behaviour, until: int | None = None) -> Fit:
    """Compare what a run did with what was supposed.

    Parameters
    ----------
    case : LayerCase
        The run.
    defined : Behaviour
        What the registers define.
    supposed : Behaviour
        What a hypothesis predicts.
    until : int, optional
        The step behind the last that counts.
    """
    first, last = supposed.judged
    steps = slice(first, last)
    if until is not None:
        steps = slice(first, until if last is None or last < 0 else min(until, last))
    seen, right, wanted = (x.output[:, :, steps] for x in (case.seen, defined, supposed))
    spikes = _count(seen, right, wanted)
    states = np.zeros(3, dtype=np.int64)
    for name in case.seen.states.keys() & defined.states.keys():
        # of states that a cause says nothing about those as defined are right
        told = supposed.states.get(name, defined.states[name])
        known = (case.seen.states[name], defined.states[name], told)
        states += _count(*(x[:, :, steps] for x in known))
    by_spikes = bool(spikes[0])
    differing, explained, wrong = (int(n) for n in (spikes if by_spikes else states))
    return Fit(
        quantity="spikes" if by_spikes else "states",
        differing=differing,
        explained=explained,
        wrong=wrong if by_spikes else wrong + int(spikes[2]),
        wrong_states=int(states[2]),
    )


def fit_of_given(ours: LayerCase, theirs: LayerCase, first: Difference) -> Fit | None:
    """Return how much of what a run did otherwise comes of what it was given.

    Parameters
    ----------
    ours, theirs : LayerCase
        The same run: with what the other run was given, and with what it was given itself.
    first : Difference
        Where the runs part first.

    Returns
    -------
    Fit or None
        None where the runs part for another cause: that explains nothing up to the first
        difference, or neither all up to there nor half of all places.
    """
    early, own = (case.until(first.sample, first.step) for case in (ours, theirs))
    begin = fit(early, early.defined(), own.defined(), first.step + 1)
    if not begin.explained:
        return None
    found = fit(ours, ours.defined(), theirs.defined())
    explains_all = begin.explained == begin.differing
    return found if explains_all or 2 * found.explained >= found.differing else None


def first_wrong(
    case: LayerCase, supposed: Behaviour, until: int | None = None
) -> NDArray[np.int64]:
    """Return, for each sample, the first step in which a run is not as supposed; T where none is.

    States count where both have them.
    """
    steps = slice(0, until)
    seen = case.seen
    wrong: NDArray[np.bool_] = np.any(
        seen.output[:, :, steps] != supposed.output[:, :, steps], axis=1
    )
    for name in seen.states.keys() & supposed.states.keys():
        unlike = seen.states[name][:, :, steps] != supposed.states[name][:, :, steps]
        wrong |= np.any(unlike, axis=1)
    never = np.full(len(wrong), wrong.shape[1], dtype=np.int64)
    return np.where(wrong.any(axis=1), np.argmax(wrong, axis=1), never)


def _count(
    seen: NDArray[np.integer], right: NDArray[np.integer], wanted: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return how many places differ from the definition, are explained, and do not fit."""
    differs, fits = seen != right, seen == wanted
    counts = (differs, differs & fits, ~fits)
    return np.array([np.count_nonzero(c) for c in counts], dtype=np.int64)
