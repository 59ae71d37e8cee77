"""Compiled loops over events: the input's, those of several sources, and the log's rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from .compiling import kernel
from .structures import Events, Int32Array, Int64Array, Window


@kernel
def scan_bytes(
    words: Any, rest: Any, neurons: int, steps: int, order: Int32Array, window: Window, out: Events
) -> None:
    """Find the spikes of a chunk of bytes.

    Parameters
    ----------
    words, rest : uint64 and uint8 array
        Counts of a block of samples, (samples, neurons, steps) in C order, eight by eight, and what
        is left; bytes in little-endian order.
    neurons, steps : int
        Shape of the block.
    order : int32 array, shape (neurons,)
        The engine's number of each neuron.
    window : Window
        The chunk; its steps before the input are empty.
    out : Events
        Filled; the spikes of each step begin at a multiple of `neurons`.
    """
    lead = window.steps - steps
    for row in range(window.samples * window.steps):
        out.start[row] = row * neurons
        out.stop[row] = row * neurons
    of_sample = neurons * steps
    sample, end = 0, of_sample
    total = 8 * words.size + rest.size
    for k in range(words.size + rest.size):
        is_word = k < words.size
        word = words[k] if is_word else np.uint64(rest[k - words.size])
        first = 8 * k if is_word else 8 * words.size + k - words.size
        while word != 0:
            byte = np.int64(trailing_zeros(word)) >> 3
            place = first + byte
            value = np.int32((word >> np.uint64(8 * byte)) & np.uint64(255))
            word &= ~(np.uint64(255) << np.uint64(8 * byte))
            while place >= end and end < total:
                sample, end = sample + 1, end + of_sample
            inside = np.uint32(place - (end - of_sample))
            neuron = inside // np.uint32(steps)
            step = np.int64(inside - neuron * np.uint32(steps))
            row = sample * window.steps + lead + step
            position = out.stop[row]
            out.index[position] = order[neuron]
            if out.counted:
                out.value[position] = value
            out.stop[row] = position + 1


@kernel
def scan_numbers(numbers: Any, steps: int, order: Int32Array, window: Window, out: Events) -> None:
    """Find what is not zero in int32 numbers of shape (samples, neurons, steps)."""
    neurons = numbers.shape[1]
    lead = window.steps - steps
    for sample in range(window.samples):
        for local in range(window.steps):
            row = sample * window.steps + local
            position = row * neurons
            out.start[row] = position
            if local >= lead:
                for neuron in range(neurons):
                    value = numbers[sample, neuron, local - lead]
                    if value != 0:
                        out.index[position] = order[neuron]
                        out.value[position] = value
                        position += 1
            out.stop[row] = position


@kernel
def append_source(source: Events, table: Int32Array, scale: int, rows: int, out: Events) -> None:
    """Append a source's spikes to those of the sources before it, renumbered and scaled.

    `out.stop` tells how far the rows are filled.
    """
    for row in range(rows):
        position = out.stop[row]
        for k in range(source.start[row], source.stop[row]):
            out.index[position] = table[source.index[k]]
            if out.counted:
                out.value[position] = (source.value[k] if source.counted else 1) * scale
            position += 1
        out.stop[row] = position


@kernel
def write_rows(
    events: Events,
    layer: int,
    channels: int,
    natural: Int32Array,
    places: Int64Array,
    window: Window,
    counts: Int64Array,
    log: Int32Array,
) -> None:
    """Write a layer's spikes to their places in the log.

    Parameters
    ----------
    events : Events
        By sample and step, ascending in the engine's numbering.
    layer, channels : int
        Number of the layer; channels of its image, 1 where neurons are numbered as they are.
    natural : int32 array, shape (neurons,)
        Number of each neuron, channel slowest.
    places : int64 array, shape (rows,)
        Where the spikes of each row go; negative for steps that are not logged.
    window : Window
        The block and chunk.
    counts : int64 array, shape (channels + 1,)
        Room to count.
    log : int32 array, shape (5, events)
        Sample, step, layer, neuron, value.
    """
    for row in range(places.size):
        place, start, stop = places[row], events.start[row], events.stop[row]
        if place < 0 or start == stop:
            continue
        sample = window.first_sample + row // window.steps
        step = window.first_step + row % window.steps - window.before
        counts[:] = 0
        if channels > 1:  # pixel slowest, so counting the channels sorts
            for k in range(start, stop):
                counts[events.index[k] % channels + 1] += 1
            for channel in range(channels):
                counts[channel + 1] += counts[channel]
        for k in range(start, stop):
            channel = events.index[k] % channels
            position = place + counts[channel]
            counts[channel] += 1
            log[0, position] = sample
            log[1, position] = step
            log[2, position] = layer
            log[3, position] = natural[events.index[k]]
            log[4, position] = events.value[k] if events.counted else 1
