"""Single events that a layer missed or took twice: found by leaving them out one by one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...compile import NETWORK_INPUT
from ...netx import ConvLayer, DenseLayer, RecurrentLayer
from .cause import CauseName
from .hypothesis import RUN, Hypothesis, first_wrong
from .layer_case import Behaviour, LayerCase

MOST_EVENTS = 8
MOST_CANDIDATES = 1024  # the latest events before a difference
NUMBERS_AT_ONCE = 1 << 22  # inputs times steps times candidates, 32 MiB
LOST: Literal[-1] = -1
DOUBLED: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An input that was lost or doubled; `others` would have explained as much."""

    sample: int
    step: int
    neuron: int
    sign: Literal[-1, 1]
    others: int


def event_hypothesis(case: LayerCase) -> Hypothesis | None:
    """Return the few events that, lost or doubled, explain what a run did; None without such.

    Samples are gone through in order, in each the first difference first; all events before it
    that reach the neuron are tried.
    """
    values = case.values.copy()
    events: list[_Event] = []
    unlike = first_wrong(case, case.defined())
    for number in np.flatnonzero(unlike < case.seen.output.shape[2])[:MOST_EVENTS]:
        found = _search(case, int(number), values[number], MOST_EVENTS - len(events))
        if found is None:
            break
        for event in found:
            place = (int(number), event.neuron, event.step + case.shown_from)
            values[place] += event.sign * values[place]
        events += found
    if not events:
        return None
    lost = [event for event in events if event.sign == LOST]
    main = lost or events
    return Hypothesis(
        name=CauseName.LOST_EVENT if lost else CauseName.DOUBLED_EVENT,
        statement=_statement(case, events, main[0]),
        remedy=(
            "Look for what drops events on the way to this layer: full queues, spikes past the end "
            "of a window, two events of one neuron in one step."
            if lost
            else "Look for what sends events twice: two connections in place of one, or a step "
            "that was run twice."
        ),
        predict=lambda other: _with_values(other, case, values),
    )


def _search(case: LayerCase, number: int, own: NDArray[np.int64], most: int) -> list[_Event] | None:
    """Return the events that explain one sample, or None."""
    sample = case.first_sample + number
    each = slice(number, number + 1)
    one = dataclasses.replace(
        case,
        values=own[np.newaxis],
        seen=Behaviour(
            output=case.seen.output[each],
            states={name: state[each] for name, state in case.seen.states.items()},
        ),
        first_sample=sample,
    )
    found: list[_Event] = []
    step, steps = _first_wrong(one), case.seen.output.shape[2]
    while step < steps:
        if len(found) >= most:
            return None
        best = _best_event(one, sample, step)
        if best is None:
            return None
        event, reached = best
        found.append(event)
        values = one.values.copy()
        place = (0, event.neuron, event.step + case.shown_from)
        values[place] += event.sign * values[place]
        one = dataclasses.replace(one, values=values)
        step = reached
    return found


def _best_event(case: LayerCase, sample: int, step: int) -> tuple[_Event, int] | None:
    """Return the event that explains most steps behind `step`, and the first one it does not."""
    defined = case.defined()
    unlike = case.seen.output[0, :, step] != defined.output[0, :, step]
    for name in case.seen.states.keys() & defined.states.keys():
        unlike |= case.seen.states[name][0, :, step] != defined.states[name][0, :, step]
    reach = _reaching(case, int(np.argmax(unlike)))
    neurons, steps = np.nonzero(case.values[0] * reach[:, np.newaxis])
    shown = steps - case.shown_from
    # a state answers in the step of the event, a spike perhaps later
    chosen = shown == step if case.seen.states else (shown >= 0) & (shown <= step)
    order = np.argsort(-steps[chosen], kind="stable")[:MOST_CANDIDATES]
    neurons, steps = neurons[chosen][order], steps[chosen][order]
    if not neurons.size:
        return None
    signs: tuple[Literal[-1, 1], ...] = (LOST, DOUBLED)
    reached = [_reached(case, neurons, steps, sign, step) for sign in signs]
    furthest = int(np.max(reached))
    if furthest <= step:
        return None
    sign, index = (int(i) for i in np.argwhere(np.array(reached) == furthest)[0])
    event = _Event(
        sample=sample,
        step=int(steps[index]) - case.shown_from,
        neuron=int(neurons[index]),
        sign=signs[sign],
        others=int(np.count_nonzero(np.array(reached) == furthest)) - 1,
    )
    return event, furthest


def _reached(
    case: LayerCase,
    neurons: NDArray[np.intp],
    steps: NDArray[np.intp],
    sign: int,
    step: int,
) -> NDArray[np.int64]:
    """Return, for each candidate, the first step that it does not explain."""
    total = case.values.shape[2]
    reached = np.full(neurons.size, step, dtype=np.int64)
    at_once = max(1, NUMBERS_AT_ONCE // (case.values.shape[1] * total))
    for until in (step + 1, total - case.shown_from):
        # most candidates do not explain the difference itself, and need no more steps
        left = np.flatnonzero(reached >= step + (until > step + 1))
        for start in range(0, left.size, at_once):
            some = left[start : start + at_once]
            values = np.repeat(case.values[:, :, : case.shown_from + until], some.size, axis=0)
            rows = np.arange(some.size)
            values[rows, neurons[some], steps[some]] *= 1 + sign
            reached[some] = first_wrong(case, case.run(values=values), until)
    return reached


def _reaching(case: LayerCase, neuron: int) -> NDArray[np.bool_]:
    """Return which inputs may have a synapse to a neuron."""
    layer, size = case.layer, case.values.shape[1]
    if isinstance(layer, DenseLayer | RecurrentLayer):
        weights = [w for w in (layer.weight, layer.weight_imag) if w is not None]
        return sum((np.abs(weight[neuron]) for weight in weights), start=np.zeros(size)) > 0
    if not isinstance(layer, ConvLayer):
        own = np.zeros(size, dtype=np.bool_)
        own[neuron] = True
        return own
    rows, columns = case.shape.shape_out[1:]
    image = np.zeros(case.shape.shape_in, dtype=np.bool_)
    place = divmod(neuron % (rows * columns), columns)
    window: list[NDArray[np.intp]] = []
    for axis in (0, 1):
        start = place[axis] * layer.stride[axis] - layer.padding[axis]
        met = start + layer.dilation[axis] * np.arange(layer.kernel_size[axis])
        window.append(met[(met >= 0) & (met < image.shape[1 + axis])])
    image[:, window[0][:, np.newaxis], window[1]] = True
    return image.reshape(-1)


def _first_wrong(case: LayerCase) -> int:
    found = first_wrong(case, case.defined())
    return int(found[0])


def _with_values(case: LayerCase, whole: LayerCase, values: NDArray[np.int64]) -> Behaviour:
    """Run a part of the samples that the search went through."""
    start = case.first_sample - whole.first_sample
    chosen = values[start : start + case.values.shape[0], :, : case.values.shape[2]]
    return case.run(values=chosen)


def _statement(case: LayerCase, events: list[_Event], first: _Event) -> str:
    how = "does not get" if first.sign == LOST else "gets twice"
    sources = case.chip.sources
    names = [layer.name for layer in case.replay.compiled.network.layers]
    source = "the input" if sources == (NETWORK_INPUT,) else "what comes in"
    if len(sources) == 1 and sources[0] != NETWORK_INPUT:
        source = names[sources[0]]
    kind = "event" if len(events) == 1 else "events"
    more = f", the first of {len(events)} such {kind}" if len(events) > 1 else ""
    fits = ""
    if first.others:
        what = "other event" if first.others == 1 else "other events"
        fits = f" ({first.others} {what}, lost or doubled, would fit as well)"
    return (
        f"in {RUN} the layer {how} the event of neuron {first.neuron} of {source} in sample "
        f"{first.sample}, step {first.step}{more}{fits}"
    )
