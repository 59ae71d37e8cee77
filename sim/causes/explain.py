"""Why two runs part: the layer where they do, run again from what reached it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from ...compile import NETWORK_INPUT, CompiledNetwork, input_count, neuron_count
from ..compare import Comparison, Difference
from ..run_result import RunResult
from ..spike_input import SpikeInput
from .cause import Cause, CauseName
from .evidence import evidence_at
from .given import Given, cause_in_given
from .hypothesis import RUN, fit
from .layer_case import LayerCase
from .replay import Replay
from .search import Search, first_effect, search_causes

Side: TypeAlias = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
RUN_NAMES = ("run A", "run B")
NUMBERS = 1 << 22  # inputs or neurons times steps times samples that are judged at once
MOST_SAMPLES = 128
SAMPLES_BEFORE = 8  # the first difference, where not all samples before it can be judged


def explain_difference(
    compiled: CompiledNetwork,
    inputs: SpikeInput | None,
    a: RunResult,
    b: RunResult,
    comparison: Comparison,
    *,
    compiled_b: CompiledNetwork | None = None,
    inputs_b: SpikeInput | None = None,
    names: tuple[str, str] = RUN_NAMES,
) -> Cause:
    """Find out why two runs part.

    The first layer where they do is run again, from what reached it in each run: as its registers
    define it, which tells which run is right, and with one thing changed after the other, until it
    does what the other run did.

    Parameters
    ----------
    compiled : CompiledNetwork
        What both ran, or run A.
    inputs : SpikeInput or None
        What both were fed, or run A. None where it is not known; layers that it reaches cannot be
        explained then.
    a, b : RunResult
        The runs, in the same timeline.
    comparison : Comparison
        Of `a` and `b`; they differ.
    compiled_b, inputs_b : CompiledNetwork, SpikeInput, optional
        What run B ran and was fed, where that may be something else.
    names : tuple of str
        What to call the runs in sentences.

    Returns
    -------
    Cause
        `CauseName.NOT_EXPLAINED` with the numbers around the place where no known cause fits.

    Raises
    ------
    ValueError
        When the runs are equal, or part in predictions only.
    """
    first = comparison.first
    if first is None:
        raise ValueError("the runs part in nothing that is logged: there is nothing to explain")
    index = a.spikes.layer_names.index(first.layer)
    replay = Replay.of(compiled, a)
    given = Given(
        replays=(replay, replay if compiled_b is None else Replay.of(compiled_b, b)),
        inputs=(inputs, inputs if inputs_b is None else inputs_b),
        first=first,
        index=index,
        samples=_samples(compiled, a, first),
    )
    missing = dict.fromkeys(
        name for each in given.replays for name in _not_logged(each.compiled, index, a)
    )
    found = cause_in_given(given, b, _at_begin(names[1]), can_replay=not missing)
    if found is not None:
        return found
    if given.is_input_missing(0) or given.is_input_missing(1):
        return Cause(
            name=CauseName.NOT_EXPLAINED,
            layer=first.layer,
            side=None,
            explanation="What the network was fed is not known, and this layer takes it.",
            remedy="Give --input.",
        )
    if missing:
        return Cause(
            name=CauseName.NOT_EXPLAINED,
            layer=first.layer,
            side=None,
            explanation=(
                f"Spikes of {', '.join(missing)} are not in the logs, and telling the cause takes "
                f"what {first.layer} took and sent."
            ),
            remedy="Run with --log all.",
        )
    cases = given.case(0, a), given.case(1, b)
    faults = tuple(_own_faults(given, number, run) for number, run in enumerate((a, b)))
    return _by_running_again(first, cases, faults, given.samples, names)


def _not_logged(compiled: CompiledNetwork, index: int, run: RunResult) -> tuple[str, ...]:
    """Return which of a layer's sources, and itself, are missing in a run's log."""
    names = run.spikes.layer_names
    sources = compiled.network.layers[index].sources
    needed = [names[source] for source in (*sources, index) if source != NETWORK_INPUT]
    return tuple(name for name in needed if name in run.spikes.not_logged)


def _by_running_again(
    first: Difference,
    cases: tuple[LayerCase, LayerCase],
    faults: Sequence[tuple[str, ...]],
    samples: tuple[int, int],
    names: tuple[str, str],
) -> Cause:
    """Return the cause that makes the layer do what one of the runs did.

    `faults` are the layers of each run that do not follow from what reached them.
    """
    wrong = [k for k in (0, 1) if _is_wrong(cases[k], first)]
    tried = 0
    for k in wrong:
        search = search_causes(cases[k], cases[k].defined(), first)
        tried = max(tried, search.tried)
        if search.found:
            cause = _cause_of(search, cases[k], names[k])
            return dataclasses.replace(
                cause, layer=first.layer, side=SIDES[k], samples=samples, own_faults=faults[k]
            )
    return Cause(
        name=CauseName.NOT_EXPLAINED,
        layer=first.layer,
        side=SIDES[wrong[0]] if len(wrong) == 1 else None,
        explanation=_not_explained(wrong, names, tried),
        remedy="Look at the numbers around the place; record states in both runs to see more.",
        samples=samples,
        own_faults=faults[wrong[0]] if wrong else (),
        evidence=evidence_at(first, cases[0], cases[0].defined(), cases[1]),
    )


def _cause_of(search: Search, case: LayerCase, name: str) -> Cause:
    """Return the simplest of the causes found, and the names of the others."""
    best, *others = search.found
    own = best.hypothesis
    place = first_effect(case, case.defined(), best.supposed) if own.shows_place else ""
    also = dict.fromkeys(found.hypothesis.name for found in others)
    return Cause(
        name=own.name,
        layer=case.chip.name,
        side=None,
        explanation=_sentence(own.statement, name, place),
        remedy=own.remedy,
        quantity=best.fit.quantity,
        explained=best.fit.explained,
        differing=best.fit.differing,
        also=tuple(name for name in also if name is not own.name),
    )


def _samples(compiled: CompiledNetwork, run: RunResult, first: Difference) -> tuple[int, int]:
    """Return the samples to judge: as many as memory allows, from the first one where possible."""
    layers = compiled.network.layers
    widest = max(max(input_count(layer), neuron_count(layer)) for layer in layers)
    count = NUMBERS // (widest * run.spikes.n_steps)
    count = min(max(2, count), MOST_SAMPLES, run.spikes.n_samples)
    start = 0
    if first.sample >= count:
        start = first.sample - min(SAMPLES_BEFORE, count - 1)
    return start, min(start + count, run.spikes.n_samples)


def _is_wrong(case: LayerCase, first: Difference) -> bool:
    """Tell whether a run is not what the registers define, up to the first difference."""
    narrow = case.until(first.sample, first.step)
    right = narrow.defined()
    return fit(narrow, right, right, first.step + 1).differing > 0


def _own_faults(given: Given, number: int, run: RunResult) -> tuple[str, ...]:
    """Return the layers of a run, A is 0 and B is 1, that do not follow from what reached them."""
    replay = given.replays[number]
    names: list[str] = []
    for index, layer in enumerate(replay.compiled.network.layers):
        each = dataclasses.replace(given, index=index)
        if each.is_input_missing(number) or _not_logged(replay.compiled, index, run):
            continue
        case = each.case(number, run)
        if not np.array_equal(case.defined().output, case.seen.output):
            names.append(layer.name)
    return tuple(names)


def _not_explained(wrong: Sequence[int], names: tuple[str, str], tried: int) -> str:
    match list(wrong):
        case [one]:
            who = f"{_at_begin(names[one])} is not what the registers define"
        case [_, _]:
            who = "Neither run is what the registers define"
        case _:
            return "Both runs are what the registers define of what reached the layer."
    return f"{who}, and none of {tried} known causes fits."


def _sentence(statement: str, name: str, place: str) -> str:
    begun = _at_begin(name) if statement.startswith(RUN) else _begin(statement[:1])
    rest = statement[len(RUN) :] if statement.startswith(RUN) else statement[1:]
    return f"{begun}{rest.replace(RUN, name)}{place}."


def _begin(text: str) -> str:
    return text[0].upper() + text[1:]


def _at_begin(name: str) -> str:
    """Return a run's name for the begin of a sentence: those of folders and backends stay."""
    return _begin(name) if name in RUN_NAMES else name
