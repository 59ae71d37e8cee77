"""Compiled loops over events: the input's, those of several sources, and the log's rows."""
# numba has no type information
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportCallIssue=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from .compiling import kernel
from .structures import Events, Int32Array, Int64Array, Window

_WORDS_AT_ONCE = 1024


@kernel
def scan_bytes(
    words: Any,
    rest: Any,
    neurons: int,
    steps: int,
    lead: int,
    order: Int32Array,
    window: Window,
    out: Events,
) -> None:
    """Find the spikes of a chunk of bytes.

    Parameters
    ----------
    words, rest : uint64 and uint8 array
        Counts of a block of samples, (samples, neurons, steps) in C order, eight by eight, and what
        is left; bytes in little-endian order.
    neurons, steps : int
        Shape of the block.
    lead : int
        Steps of the chunk before the block's first.
    order : int32 array, shape (neurons,)
        The engine's number of each neuron.
    window : Window
        The chunk; steps before and after the input are empty.
    out : Events
        Filled; the spikes of each step begin at a multiple of `neurons`.
    """
    index, values, starts, stops = out.index, out.value, out.start, out.stop
    counted = out.counted
    for row in range(window.samples * window.steps):
        starts[row] = row * neurons
        stops[row] = row * neurons
    of_sample, span = np.uint64(neurons * steps), np.uint32(steps)
    begin, row_begin = np.uint64(0), np.uint64(lead)
    n_words = np.uint64(words.size)
    found = np.empty(_WORDS_AT_ONCE, dtype=np.uint64)
    last = n_words + np.uint64(rest.size)
    for group in range(np.uint64(0), last, np.uint64(_WORDS_AT_ONCE)):
        # first which words are not empty, without a branch: it would be guessed wrong too often
        n_found = np.uint64(0)
        for k in range(group, min(group + np.uint64(_WORDS_AT_ONCE), n_words)):
            found[n_found] = k
            n_found += np.uint64(words[k] != 0)
        for k in range(max(group, n_words), min(group + np.uint64(_WORDS_AT_ONCE), last)):
            found[n_found] = k
            n_found += np.uint64(rest[k - n_words] != 0)
        for m in range(n_found):
            k = found[m]
            word = words[k] if k < n_words else np.uint64(rest[k - n_words])
            first = np.uint64(8) * k if k < n_words else np.uint64(7) * n_words + k
            while True:
                bit = trailing_zeros(word) & np.uint64(56)  # where the byte begins
                place = first + (bit >> np.uint64(3))
                while place >= begin + of_sample:
                    begin, row_begin = begin + of_sample, row_begin + np.uint64(window.steps)
                inside = np.uint32(place - begin)
                neuron = np.uint32(inside // span)
                row = row_begin + np.uint64(np.uint32(inside - neuron * span))
                position = np.uint64(stops[row])
                index[position] = order[neuron]
                if counted:
                    values[position] = np.int32((word >> bit) & np.uint64(255))
                stops[row] = np.int64(position + np.uint64(1))
                word &= ~(np.uint64(255) << bit)
                if word == 0:
                    break


@kernel
def scan_numbers(
    numbers: Any, steps: int, lead: int, order: Int32Array, window: Window, out: Events
) -> None:
    """Find what is not zero in int32 numbers of shape (samples, neurons, steps)."""
    neurons = numbers.shape[1]
    for sample in range(window.samples):
        for local in range(window.steps):
            row = sample * window.steps + local
            position = row * neurons
            out.start[row] = position
            if lead <= local < lead + steps:
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
    pixels: int,
    places: Int64Array,
    first: int,
    window: Window,
    counts: Int64Array,
    bits: Any,
    log: Int32Array,
) -> None:
    """Write a layer's spikes to their places in the log.

    Parameters
    ----------
    events : Events
        By sample and step, ascending in the engine's numbering.
    layer : int
        Number of the layer.
    channels, pixels : int
        Of its image; 1 channel where neurons are numbered as they are.
    places : int64 array, shape (rows,)
        Where the spikes of each row go; negative for steps that are not logged.
    first : int
        Place of the log that these count from.
    window : Window
        The block and chunk.
    counts : int64 array, shape (channels + 1,)
        Room to count.
    bits : uint64 array, shape (neurons / 64 + 1,)
        Room for a bit a neuron, all 0.
    log : int32 array, shape (5, events)
        Sample, step, layer, neuron, value.
    """
    index, values, starts, stops = events.index, events.value, events.start, events.stop
    counted, per_channel = events.counted, 1.0 / channels
    for row in range(places.size):
        if places[row] < 0 or starts[row] == stops[row]:
            continue
        sample = window.first_sample + row // window.steps
        step = window.first_step + row % window.steps - window.shown_from
        place, start = np.uint64(first + places[row]), np.uint64(starts[row])
        size = np.uint64(stops[row]) - start
        for k in range(size):
            log[0, place + k] = sample
        for k in range(size):
            log[1, place + k] = step
        for k in range(size):
            log[2, place + k] = layer
        if counted:
            if channels == 1:
                for k in range(size):
                    log[4, place + k] = values[start + k]
        else:
            for k in range(size):
                log[4, place + k] = 1
        if channels == 1:
            for k in range(size):
                log[3, place + k] = index[start + k]
            continue
        if not counted and size > np.uint64(bits.size):  # many: each sets its bit, in order then
            for k in range(start, start + size):
                pixel = np.int32((index[k] + 0.5) * per_channel)  # divided, exactly
                number = np.uint64((index[k] - pixel * channels) * pixels + pixel)
                bits[number >> np.uint64(6)] |= np.uint64(1) << (number & np.uint64(63))
            for word in range(np.uint64(bits.size)):
                found, begin = bits[word], np.int32(word << np.uint64(6))
                bits[word] = 0
                while found != 0:
                    log[3, place] = np.int32(begin + np.int32(trailing_zeros(found)))
                    place += np.uint64(1)
                    found &= found - np.uint64(1)
            continue
        counts[:] = 0
        for k in range(start, start + size):  # pixel slowest, so counting the channels sorts
            pixel = np.int32((index[k] + 0.5) * per_channel)
            counts[np.uint32(index[k] - pixel * channels + 1)] += 1
        for channel in range(channels):
            counts[channel + 1] += counts[channel]
        for k in range(start, start + size):
            pixel = np.int32((index[k] + 0.5) * per_channel)
            channel = np.uint32(index[k] - pixel * channels)
            position = place + np.uint64(counts[channel])
            counts[channel] += 1
            log[3, position] = np.int32(channel * pixels + pixel)
            if counted:
                log[4, position] = values[k]
