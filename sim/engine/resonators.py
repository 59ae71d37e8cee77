"""What a step does to resonators, and the compiled loop of their rows.

Exactness. A state has 24 bits and a sine or cosine 13 and a sign, so a product is exact in float64;
cutting it to int32 rounds toward zero, as ``hw_profiles.arithmetic.rotate`` does. Two products make
at most 2**24, so input beyond 2**26 takes the state to its edge whatever it is: input is clipped
there, and all sums fit 32 bits.
"""
# numba has no type information
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np

from .adaptation import adapt, raise_after, record_adaptation, to_rest
from .compiling import inlined, kernel
from .dense_kernel import add_own
from .family_structures import Adaptation, Alignment, Incoming, Resonators, ResonatorStates, Scratch
from .gather import FAR, aligned
from .plain_neurons import LIMIT, append_above
from .special_neurons import clear_special, is_wanted, record_state, send
from .structures import Events, Special, Window

LEAST = -(1 << 31)  # no state; never fires


@inlined
def align_far(sums: Any, bias: Any, how: Alignment, arriving: Any) -> None:
    """Bring sums to state units, add the bias and keep both within `FAR`."""
    size, tile = np.uint64(arriving.size), np.uint64(bias.size)
    first = np.uint64(0)
    while first < size:
        for i in range(first, min(first + tile, size)):
            value = aligned(sums[i], how) + bias[i - first]
            arriving[i] = np.int32(min(max(value, -FAR), FAR))
        first += tile


@inlined
def turn(
    real: Any, imag: Any, arriving: Any, arriving_imag: Any, sine: Any, cosine: Any, mark: Any
) -> None:
    """Turn the states, add the input, clip; mark the real part where the phase passes zero."""
    size, tile = np.uint64(real.size), np.uint64(sine.size)
    first = np.uint64(0)
    while first < size:
        for i in range(first, min(first + tile, size)):
            s, c = sine[i - first], cosine[i - first]
            x = np.int32(np.int32(real[i] * c) - np.int32(imag[i] * s) + arriving[i])
            y = np.int32(np.int32(real[i] * s) + np.int32(imag[i] * c) + arriving_imag[i])
            x = np.int32(1 - LIMIT) if x < 1 - LIMIT else x
            x = np.int32(LIMIT - 1) if x > LIMIT - 1 else x
            y = np.int32(1 - LIMIT) if y < 1 - LIMIT else y
            y = np.int32(LIMIT - 1) if y > LIMIT - 1 else y
            mark[i] = x if (y >= 0) & (imag[i] < 0) else np.int32(LEAST)
            real[i] = x
            imag[i] = y
        first += tile


@inlined
def fire_resonators(
    neurons: Resonators,
    adaptation: Adaptation | None,
    real: Any,
    imag: Any,
    mark: Any,
    special: Special,
) -> None:
    """Set `fired` and its values, and reset or raise what a spike does."""
    payload = real if neurons.by_phase else imag
    if not neurons.by_phase:
        for i in range(np.uint64(mark.size)):  # a slice would take longer to compile than the rest
            mark[i] = imag[i]
    limit = neurons.limit
    if adaptation is not None:
        adapt(adaptation, mark)
        limit = 0
    found = np.int64(
        append_above(mark, np.uint64(neurons.count), limit, special.fired, np.uint64(0))
    )
    special.fired_count[0] = found
    for k in range(found):
        i = special.fired[k]
        special.fired_value[k] = payload[i] if neurons.graded else 1
        if adaptation is None and not neurons.by_phase:
            real[i] = 0
            imag[i] = limit  # the threshold less one
    if adaptation is not None:
        raise_after(adaptation, special)


@kernel
def run_resonators(
    incoming: Incoming,
    neurons: Resonators,
    adaptation: Adaptation | None,
    states: ResonatorStates,
    special: Special,
    scratch: Scratch,
    window: Window,
    first_row: int,
    rows: int,
    out: Events,
    position: int,
    recorded: Any,
) -> int:
    """Run some rows of a layer.

    Parameters
    ----------
    incoming : Incoming
        Sums of these rows.
    neurons, adaptation, states, special, scratch
        Of the layer; rows go on where the last call ended.
    window : Window
        The chunk.
    first_row, rows : int
        Which of its rows.
    out : Events
        Filled from `position` on.
    position : int
        Spikes of the rows before.
    recorded : tuple of int32 array, shape (N, neurons, T)
        Where each state goes, empty when not wanted.

    Returns
    -------
    int
        Spikes of all rows so far.
    """
    real, imag, how = states.real, states.imag, incoming.alignment
    recurs, is_recorded = incoming.recurrent.shape[0] > 0, is_wanted(recorded)
    for k in range(rows):
        row = first_row + k
        sample, step = row // window.steps, window.first_step + row % window.steps
        if step == 0:
            real[:] = 0
            imag[:] = 0
            clear_special(special)
            if adaptation is not None:
                to_rest(adaptation)
        out.start[row] = position
        if step >= neurons.first_step:
            sums = incoming.real[k]
            if recurs:
                add_own(sums, incoming.recurrent, special, incoming.own_scale)
            align_far(sums, neurons.bias, how, scratch.real)
            sums_imag = incoming.imag[k] if incoming.imag.shape[0] > 0 else sums
            align_far(sums_imag, neurons.bias_imag, how, scratch.imag)
            turn(real, imag, scratch.real, scratch.imag, neurons.sine, neurons.cosine, scratch.mark)
            fire_resonators(neurons, adaptation, real, imag, scratch.mark, special)
            position = send(neurons.delay, special, step, window.end, out, position)
            if is_recorded:
                place, now = window.first_sample + sample, step - window.shown_from
                record_state(recorded[0], neurons.natural, real, place, now)
                record_state(recorded[1], neurons.natural, imag, place, now)
                if adaptation is not None:
                    record_adaptation(adaptation, neurons.natural, recorded, place, now)
        out.stop[row] = position
    return position
