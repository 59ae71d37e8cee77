"""Convolutions of images of few channels in which much fires, from the output's side.

Where most pixels fire, adding kernels around each of them stores every sum many times. Here an
image of the sets of channels that fired is made first; then each output pixel looks up the sums of
weights of the sets that it sees, and adds them in registers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inner
from .lanes import add_rows_of_eight, add_rows_of_sixteen
from .structures import Kernel


@inner
def add_sets(
    sums: Any,
    weights: Any,
    kernel: Kernel,
    tables: Any,
    index: Any,
    start: Any,
    stop: Any,
    room: Any,
) -> None:
    """Add the weights of all spikes of a step; `room` is an image of sets and a row of places."""
    set_place, tap, tap_weight = tables
    sets, begins = room
    channels_in, one = np.uint64(kernel.channels_in), np.uint64(1)
    per_channel = 1.0 / kernel.channels_in
    sets[:] = 0
    for k in range(start, stop):
        place = np.uint64(index[k])
        pixel = np.uint64((index[k] + 0.5) * per_channel)
        sets[np.uint64(set_place[place])] |= one << (place - pixel * channels_in)
    channels, taps = np.uint64(kernel.channels_out), np.uint64(tap.size)
    of_set = np.uint64(kernel.height * kernel.width) * channels
    eight, sixteen = np.uint64(8), np.uint64(16)
    target = np.uint64(0)
    for y in range(np.uint64(kernel.height_out)):
        for x in range(np.uint64(kernel.width_out)):
            first = y * np.uint64(kernel.row_stride) + x * np.uint64(kernel.column_stride)
            for m in range(taps):
                found = np.uint64(sets[first + np.uint64(tap[m])])
                begins[m] = found * of_set + np.uint64(tap_weight[m])
            done = np.uint64(0)
            while done + sixteen <= channels:
                add_rows_of_sixteen(sums, target + done, weights, begins, taps, done)
                done += sixteen
            if done + eight <= channels:
                add_rows_of_eight(sums, target + done, weights, begins, taps, done)
                done += eight
            while done < channels:
                for m in range(taps):
                    sums[target + done] += weights[begins[m] + done]
                done += one
            target += channels
