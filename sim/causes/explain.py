"""Why two runs part: the layer where they do, run again from what reached it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compile import NETWORK_INPUT, CompiledNetwork, input_count, neuron_count
from ..compare import Comparison, Difference
from ..run_result import RunResult
from ..spike_input import SpikeInput
from .cause import Cause, CauseName
from .evidence import evidence_at
from .hypothesis import RUN, fit
from .inputs import REMEDY, describe_inputs
from .layer_case import LayerCase, layer_case
from .registers import register_cause
from .replay import Replay
from .search import first_effect, search_causes

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
        When the runs are equal.
    """
    first = comparison.first
    if first is None:
        raise ValueError("the runs are equal: there is nothing to explain")
    index = a.spikes.layer_names.index(first.layer)
    samples = _samples(compiled, a, first)
    replay = Replay.of(compiled, a)
    if compiled_b is not None:
        fed = inputs_b or inputs
        other = register_cause(compiled, compiled_b, b, index, fed, samples, names[1])
        if other is not None:
            return other
    if inputs is not None and inputs_b is not None and inputs.sha256() != inputs_b.sha256():
        return _fed_differently(replay, index, (inputs, inputs_b), b, samples, names[1])
    if inputs is None and NETWORK_INPUT in compiled.network.layers[index].sources:
        return _not_explained(
            first, "what the network was fed is not known, and this layer takes it", "Give --input."
        )
    fed = None if inputs is None else inputs.spikes
    cases = tuple(layer_case(replay, index, run, fed, samples) for run in (a, b))
    right = tuple(case.defined() for case in cases)
    faults = _own_faults(replay, (a, b), fed, samples)
    wrong = [k for k in (0, 1) if _is_wrong(cases[k], first)]
    tried = 0
    for k in wrong:
        search = search_causes(cases[k], right[k], first)
        tried = max(tried, search.tried)
        if search.found:
            best, *others = search.found
            place = ""
            if best.hypothesis.shows_place:
                place = first_effect(cases[k], right[k], best.supposed)
            also = dict.fromkeys(f.hypothesis.name for f in others)
            return Cause(
                name=best.hypothesis.name,
                layer=first.layer,
                side=SIDES[k],
                explanation=_sentence(best.hypothesis.statement, names[k], place),
                remedy=best.hypothesis.remedy,
                quantity=best.fit.quantity,
                explained=best.fit.explained,
                differing=best.fit.differing,
                samples=samples,
                also=tuple(name for name in also if name is not best.hypothesis.name),
                own_faults=faults[k],
            )
    return Cause(
        name=CauseName.NOT_EXPLAINED,
        layer=first.layer,
        side=SIDES[wrong[0]] if len(wrong) == 1 else None,
        explanation=_who_is_wrong(wrong, names) + f", and none of {tried} known causes fits.",
        remedy="Look at the numbers around the place; record states in both runs to see more.",
        samples=samples,
        own_faults=faults[wrong[0]] if wrong else (),
        evidence=evidence_at(first, cases[0], right[0], cases[1]),
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


def _own_faults(
    replay: Replay,
    runs: Sequence[RunResult],
    fed: NDArray[np.integer] | None,
    samples: tuple[int, int],
) -> tuple[tuple[str, ...], ...]:
    """Return, for each run, the layers that do not follow from what reached them."""
    found: list[tuple[str, ...]] = []
    for run in runs:
        names: list[str] = []
        for index, layer in enumerate(replay.compiled.network.layers):
            if fed is None and NETWORK_INPUT in layer.sources:
                continue
            case = layer_case(replay, index, run, fed, samples)
            if not np.array_equal(case.defined().output, case.seen.output):
                names.append(layer.name)
        found.append(tuple(names))
    return tuple(found)


def _fed_differently(
    replay: Replay,
    index: int,
    inputs: tuple[SpikeInput, SpikeInput],
    b: RunResult,
    samples: tuple[int, int],
    name: str,
) -> Cause:
    ours, theirs = (layer_case(replay, index, b, fed.spikes, samples) for fed in inputs)
    defined, supposed = ours.defined(), theirs.defined()
    found = fit(ours, defined, supposed)
    return Cause(
        name=CauseName.INPUT_ENCODING,
        layer=b.spikes.layer_names[index],
        side=None,
        explanation=f"{_at_begin(name)} is fed its input {describe_inputs(*inputs)}.",
        remedy=REMEDY,
        quantity=found.quantity,
        explained=found.explained,
        differing=found.differing,
        samples=samples,
    )


def _not_explained(first: Difference, why: str, remedy: str) -> Cause:
    return Cause(
        name=CauseName.NOT_EXPLAINED,
        layer=first.layer,
        side=None,
        explanation=f"{_begin(why)}.",
        remedy=remedy,
    )


def _who_is_wrong(wrong: Sequence[int], names: tuple[str, str]) -> str:
    match list(wrong):
        case [one]:
            return f"{_at_begin(names[one])} is not what the registers define"
        case [_, _]:
            return "Neither run is what the registers define"
        case _:
            return "Both runs are what the registers define"


def _sentence(statement: str, name: str, place: str) -> str:
    begun = _at_begin(name) if statement.startswith(RUN) else _begin(statement[:1])
    rest = statement[len(RUN) :] if statement.startswith(RUN) else statement[1:]
    return f"{begun}{rest.replace(RUN, name)}{place}."


def _begin(text: str) -> str:
    return text[0].upper() + text[1:]


def _at_begin(name: str) -> str:
    """Return a run's name for the begin of a sentence: those of folders and backends stay."""
    return _begin(name) if name in RUN_NAMES else name
