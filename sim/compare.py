"""Comparing two runs: equal or not, and the first difference in the order of causes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..netx import RunFolderError
from .run_result import RunResult
from .spike_log import SpikeLog, fraction_equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where two runs part.

    Attributes
    ----------
    sample, step, neuron : int
        Where.
    layer : str
        Name of the layer.
    quantity : str
        'current', 'voltage' or 'spike'.
    value_a, value_b : int
        What each run has there; 0 for no spike.
    """

    sample: int
    step: int
    layer: str
    neuron: int
    quantity: str
    value_a: int
    value_b: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How two runs differ.

    Attributes
    ----------
    equal : bool
        Whether every logged spike, every state and readout that both have and every prediction is
        the same.
    states_compared : bool
        Whether both runs recorded a state of the same layer and name.
    readouts_compared : bool
        Whether both answer in voltages.
    differing_spikes : dict of str to int
        For each layer, events that only one run has or that have different values.
    total_spikes : int
        Events of both runs together, common ones counted once.
    predictions_equal : float
        Part of the samples with the same prediction, 0 to 1.
    first : Difference or None
        The first in time; within a step the first layer, within a layer current, voltage, spike.
        None where runs are equal, and where only predictions differ because of spikes not logged.
    not_logged : tuple of str
        Layers whose spikes were not compared, for neither run has them in its log.
    """

    equal: bool
    states_compared: bool
    readouts_compared: bool
    differing_spikes: dict[str, int]
    total_spikes: int
    predictions_equal: float
    first: Difference | None
    not_logged: tuple[str, ...] = ()


def compare_runs(a: RunResult, b: RunResult) -> Comparison:
    """Compare two runs of the same network on the same input.

    Parameters
    ----------
    a, b : RunResult
        From any backends, or `run_slayer`.

    Returns
    -------
    Comparison
        What differs, and where first.

    Raises
    ------
    RunFolderError
        When the runs have other layers, samples or steps, or have nothing that could be compared.
    """
    _check_comparable(a, b)
    layers = range(len(a.spikes.layer_names))
    differing, total, first = _compare_spikes(a.spikes, b.spikes)
    has_states = _share_states(a, b)
    has_readouts = a.readout is not None and b.readout is not None
    if not (has_states or has_readouts) and set(a.spikes.not_logged) >= set(a.spikes.layer_names):
        raise RunFolderError(
            "the runs cannot be compared: they hold no spikes, states or readouts of the same "
            "layers. Run both again with --log output, or --log all."
        )
    # spikes that are not logged can differ all the same, and predictions are made of all
    predictions_equal = fraction_equal(a.predictions(), b.predictions())
    found = [first] if first is not None else []
    if has_states:
        found += [d for index in layers for d in _first_in_states(a, b, index)]
    if a.readout is not None and b.readout is not None:
        found += _first_in(a, a.readout, b.readout, len(a.spikes.layer_names) - 1, "voltage")
    return Comparison(
        equal=not found and predictions_equal == 1.0,
        states_compared=has_states,
        readouts_compared=has_readouts,
        differing_spikes=differing,
        total_spikes=total,
        predictions_equal=predictions_equal,
        first=min(found, key=lambda d: _cause_order(a.spikes, d)) if found else None,
        not_logged=a.spikes.not_logged,
    )


def _share_states(a: RunResult, b: RunResult) -> bool:
    """Tell whether there is a state that both runs recorded."""
    if not (a.states and b.states):
        return False
    pairs = zip(a.states, b.states, strict=True)
    return any(left.values.keys() & right.values.keys() for left, right in pairs)


def _check_comparable(a: RunResult, b: RunResult) -> None:
    same_run = "Run the same network on the same input with both."
    for what, left, right, remedy in (
        ("timelines", a.timeline.value, b.timeline.value, same_run),
        ("layers", a.spikes.layer_names, b.spikes.layer_names, same_run),
        ("neurons", a.spikes.layer_sizes, b.spikes.layer_sizes, same_run),
        ("samples", a.spikes.n_samples, b.spikes.n_samples, same_run),
        ("steps", a.spikes.n_steps, b.spikes.n_steps, same_run),
        (
            "layers without a log",
            a.spikes.not_logged,
            b.spikes.not_logged,
            "Run both with the same --log.",
        ),
    ):
        if left != right:
            raise RunFolderError(
                f"the runs cannot be compared: {what} {left} and {right}. {remedy}"
            )


def _compare_spikes(a: SpikeLog, b: SpikeLog) -> tuple[dict[str, int], int, Difference | None]:
    keys_a, keys_b = _keys(a), _keys(b)
    keys = np.union1d(keys_a, keys_b)
    values_a, values_b = _values_at(keys, keys_a, a.value), _values_at(keys, keys_b, b.value)
    wrong = keys[values_a != values_b]
    sample, step, layer, neuron = _unpack(a, wrong)
    counts = np.bincount(layer, minlength=len(a.layer_names))
    differing = {name: int(n) for name, n in zip(a.layer_names, counts, strict=True)}
    if wrong.size == 0:
        return differing, int(keys.size), None
    place = int(np.flatnonzero(values_a != values_b)[0])
    first = Difference(
        sample=int(sample[0]),
        step=int(step[0]),
        layer=a.layer_names[int(layer[0])],
        neuron=int(neuron[0]),
        quantity="spike",
        value_a=int(values_a[place]),
        value_b=int(values_b[place]),
    )
    return differing, int(keys.size), first


def _first_in_states(a: RunResult, b: RunResult, layer: int) -> list[Difference]:
    """Return the first difference in each state of a layer, where there is one."""
    found: list[Difference] = []
    for quantity, left in a.states[layer].values.items():
        right = b.states[layer].values.get(quantity)
        if right is not None:
            found += _first_in(a, left, right, layer, quantity)
    return found


def _first_in(
    run: RunResult, left: NDArray[np.int32], right: NDArray[np.int32], layer: int, quantity: str
) -> list[Difference]:
    """Return the first difference of a state, (N, neurons, T), where there is one."""
    # time before neurons, so that the first is the earliest
    places = np.argwhere((left != right).transpose(0, 2, 1))
    if not places.size:
        return []
    sample, step, neuron = (int(i) for i in places[0])
    return [
        Difference(
            sample=sample,
            step=step,
            layer=run.spikes.layer_names[layer],
            neuron=neuron,
            quantity=quantity,
            value_a=int(left[sample, neuron, step]),
            value_b=int(right[sample, neuron, step]),
        )
    ]


def _rank(quantity: str) -> int:
    """Return where in a step a quantity comes to be: currents, other states, spikes."""
    return {"current": 0, "spike": 2}.get(quantity, 1)


def _cause_order(log: SpikeLog, difference: Difference) -> tuple[int, int, int, int, int]:
    return (
        difference.sample,
        difference.step,
        log.layer_names.index(difference.layer),
        _rank(difference.quantity),
        difference.neuron,
    )


def _keys(log: SpikeLog) -> NDArray[np.int64]:
    """Return a number for each event, ascending in the order of causes."""
    widest = np.int64(max(log.layer_sizes))
    time = log.sample.astype(np.int64) * log.n_steps + log.step
    return (time * len(log.layer_names) + log.layer) * widest + log.neuron


def _unpack(log: SpikeLog, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    rest, neuron = np.divmod(keys, max(log.layer_sizes))
    time, layer = np.divmod(rest, len(log.layer_names))
    sample, step = np.divmod(time, log.n_steps)
    return sample, step, layer, neuron


def _values_at(
    wanted: NDArray[np.int64], keys: NDArray[np.int64], values: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the value of each wanted event, 0 where there is none; `keys` ascend."""
    found = np.zeros(wanted.size, dtype=np.int32)
    found[np.searchsorted(wanted, keys)] = values
    return found
