"""What a step does to sigma-delta neurons, and the compiled loop of their rows.

Exactness. Everything wraps at 32 bits (`sim.neurons.sigma_delta`), so int32 sums come to the same;
only thresholds are compared, which the plan cuts to 32 bits so that no comparison changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined, kernel
from .dense_kernel import add_own
from .family_structures import Alignment, Incoming, Scratch, SigmaDelta, SigmaDeltaStates
from .gather import aligned
from .plain_neurons import append_above
from .special_neurons import clear_special, is_wanted, record_state, send
from .structures import Events, Special, Window

MESSAGE_SHIFT = 6  # SIGMA_TO_MESSAGE; compiled code holds it as a constant


@inlined
def align_wrapped(sums: Any, how: Alignment, arriving: Any) -> None:
    """Bring sums to 2**-18, wrapped to 32 bits."""
    for i in range(np.uint64(arriving.size)):
        arriving[i] = np.int32(aligned(sums[i], how))


@inlined
def add_to_sigma(sigma: Any, arriving: Any) -> None:
    """Add what arrives, wrapped to 32 bits."""
    for i in range(np.uint64(sigma.size)):
        sigma[i] = np.int32(sigma[i] + arriving[i])


@inlined
def rectify(sigma: Any, bias: Any, wanted: Any) -> None:
    """Set the activation that a sum and its bias ask for."""
    size, tile = np.uint64(sigma.size), np.uint64(bias.size)
    first = np.uint64(0)
    while first < size:
        for i in range(first, min(first + tile, size)):
            biased = np.int32(sigma[i] + bias[i - first])
            wanted[i] = biased if biased > 0 else np.int32(0)
        first += tile


@inlined
def send_changes(
    wanted: Any, activation: Any, residue: Any, above: Any, below: Any, message: Any
) -> None:
    """Set the messages of changes that are large enough; the others are kept."""
    for i in range(np.uint64(wanted.size)):
        change = np.int32(wanted[i] - activation[i] + residue[i])
        sent = change if (change > above) | (change < below) else np.int32(0)
        activation[i] = wanted[i]
        residue[i] = np.int32(change - sent)
        message[i] = sent >> MESSAGE_SHIFT


@inlined
def fire_messages(message: Any, mark: Any, count: Any, special: Special) -> None:
    """Set `fired` and its values: every message but 0."""
    for i in range(np.uint64(message.size)):
        mark[i] = np.int32(1) if message[i] != 0 else np.int32(0)
    found = np.int64(append_above(mark, np.uint64(count), 0, special.fired, np.uint64(0)))
    special.fired_count[0] = found
    for k in range(found):
        special.fired_value[k] = message[special.fired[k]]


@kernel
def run_sigma_delta(
    incoming: Incoming,
    neurons: SigmaDelta,
    states: SigmaDeltaStates,
    special: Special,
    scratch: Scratch,
    window: Window,
    first_row: int,
    rows: int,
    out: Events,
    position: int,
    recorded: Any,
) -> int:
    """Run some rows of a layer; see `run_resonators`."""
    how, sigma = incoming.alignment, states.sigma
    wanted, message = scratch.real, scratch.imag
    recurs, is_recorded = incoming.recurrent.shape[0] > 0, is_wanted(recorded)
    for k in range(rows):
        row = first_row + k
        sample, step = row // window.steps, window.first_step + row % window.steps
        if step == 0:
            sigma[:] = 0
            states.activation[:] = 0
            states.residue[:] = 0
            clear_special(special)
        out.start[row] = position
        if step >= neurons.first_step:
            sums = incoming.real[k]
            if recurs:
                add_own(sums, incoming.recurrent, special, incoming.own_scale)
            align_wrapped(sums, how, wanted)
            if neurons.sums:
                add_to_sigma(sigma, wanted)
                rectify(sigma, neurons.bias, wanted)
            if neurons.sends_changes:
                send_changes(
                    wanted,
                    states.activation,
                    states.residue,
                    np.int32(neurons.above),
                    np.int32(neurons.below),
                    message,
                )
                fire_messages(message, scratch.mark, neurons.count, special)
            else:
                fire_messages(sigma, scratch.mark, neurons.count, special)
            position = send(neurons.delay, special, step, window.end, out, position)
            if is_recorded:
                place, now = window.first_sample + sample, step - window.shown_from
                record_state(recorded[0], neurons.natural, sigma, place, now)
                record_state(recorded[1], neurons.natural, states.activation, place, now)
                record_state(recorded[2], neurons.natural, states.residue, place, now)
        out.stop[row] = position
    return position
