"""How long an inference takes: in each step all cores wait for the slowest.

    sum         t = max over cores (t_syn * n_syn + t_upd * n_upd + t_spk * n_spk + t_in * n_in)
    max-affine  t = max over cores and terms (t_syn * n_syn, t_upd * n_upd, ...)

and in both, for each step, barrier and overhead besides. The sum is a core that does one thing
after the other (Loihi 1, as SANA-FE models it), the other one whose parts overlap entirely
(Timcheck 2026 for Loihi 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

import numpy as np

from ...hw_profiles import Coefficient, Time
from .counts import FloatArray, OperationCounts
from .ranges import Range, total

Corner: TypeAlias = Literal["nominal", "low", "high"]


class StepModel(str, Enum):
    """How the durations of the parts of a core's step come together."""

    SUM = "sum"
    MAX_AFFINE = "max-affine"


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceTime:
    """Durations in microseconds.

    Attributes
    ----------
    inference : Range
        Of an inference.
    longest_step : Range or None
        Of the longest step on average over the inferences; None where all were taken to be alike.
    busiest_core : int
        The core that is waited for longest in all.
    """

    inference: Range
    longest_step: Range | None
    busiest_core: int


def inference_time(counts: OperationCounts, time: Time, model: StepModel) -> InferenceTime:
    """Return the duration of an inference.

    Steps are averages over inferences, and without `StepLoads` over steps, too: the slowest core of
    an average is never slower than the average of slowest cores, so this is a lower bound.
    """
    loads = _loads(counts)
    coefficients = _coefficients(time, model, loads)
    slowest = {
        corner: _slowest(coefficients, loads, model, corner)
        for corner in ("nominal", "low", "high")
    }
    rows = slowest["nominal"].shape[0]
    evidence = total(
        Range.of(c) for name, c in coefficients.items() if bool(loads[name].any())
    ).evidence
    per_step = Range.of(time.step_barrier) + Range.of(time.step_overhead)
    in_all = Range(
        **{corner: float(times.max(axis=1).sum()) for corner, times in slowest.items()},
        evidence=evidence,
    )
    longest = Range(
        **{corner: float(times.max()) for corner, times in slowest.items()}, evidence=evidence
    )
    nanoseconds = in_all.times(counts.steps / rows) + per_step.times(counts.steps)
    return InferenceTime(
        inference=nanoseconds.times(1e-3),
        longest_step=None if counts.loads is None else (longest + per_step).times(1e-3),
        busiest_core=counts.cores[int(slowest["nominal"].sum(axis=0).argmax())].core,
    )


def _slowest(
    coefficients: dict[str, Coefficient],
    loads: dict[str, FloatArray],
    model: StepModel,
    corner: Corner,
) -> FloatArray:
    """Return the duration of each core's part of a step in ns, shape (rows, cores)."""
    parts = [float(getattr(c, corner)) * loads[name] for name, c in coefficients.items()]
    together: Callable[..., FloatArray] = np.sum if model is StepModel.SUM else np.max
    return together(np.stack(parts), axis=0)


def _coefficients(
    time: Time, model: StepModel, loads: dict[str, FloatArray]
) -> dict[str, Coefficient]:
    """Return the coefficient of each load that costs time on its own."""
    found: dict[str, Coefficient] = {
        "synaptic_operations": time.synaptic_operation,
        "neuron_updates": time.neuron_update,
        "spikes": time.spike,
    }
    if "messages_in" in loads and time.message_in is not None:
        found["messages_in"] = time.message_in
    if "link" in loads and time.link_message is not None and model is StepModel.MAX_AFFINE:
        found["link"] = time.link_message
    return found


def _loads(counts: OperationCounts) -> dict[str, FloatArray]:
    """Return what each core does in a step, each of shape (rows, cores)."""
    steps = counts.inferences * counts.steps
    cores, given = counts.cores, counts.loads
    known = [core.messages_in for core in cores if core.messages_in is not None]
    messages = _row([m / steps for m in known]) if len(known) == len(cores) else None
    if given is None:
        synaptic = _row([core.synaptic_operations / steps for core in cores])
        spikes = _row([core.spikes / steps for core in cores])
    else:
        synaptic, spikes = given.synaptic_operations, given.spikes
        if given.messages_in is not None:
            messages = given.messages_in
        elif messages is not None:  # counted in all, not by step
            messages = np.broadcast_to(messages, synaptic.shape)
    neurons = np.broadcast_to(_row([float(core.neurons) for core in cores]), synaptic.shape)
    found = {"synaptic_operations": synaptic, "neuron_updates": neurons, "spikes": spikes}
    if messages is not None:
        found |= {"messages_in": messages, "link": messages}
    return found


def _row(values: list[float]) -> FloatArray:
    return np.array([values], dtype=np.float64)
