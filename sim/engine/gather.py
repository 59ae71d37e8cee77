"""Compiled loops that sum what reaches the neurons of several rows, whatever the neurons are.

A row is a step of a sample. CUBA neurons have loops of their own, which update the neurons row by
row; the others share these, so that a kind of neuron and a form of layer are compiled once each
and not in every pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined, kernel
from .conv_kernel import add_kernels
from .dense_kernel import add_rows
from .family_structures import Alignment
from .structures import Events, Int32Array, Kernel, Window

FAR = 1 << 26  # input beyond this takes any state of 24 bits to its edge


@kernel
def gather_dense(
    events: Events, weights: Any, scale: int, first_row: int, rows: int, sums: Any
) -> None:
    """Sum a dense layer's weights, shape (inputs, padded), into `sums`, shape (rows, padded)."""
    flat = weights.reshape(-1)
    index, value, counted = events.index, events.value, events.counted
    starts, stops = events.start, events.stop
    for k in range(rows):
        total = sums[k]
        total[:] = 0
        begin, end = np.uint64(starts[first_row + k]), np.uint64(stops[first_row + k])
        add_rows(total, flat, index, value, counted, begin, end, scale)


@kernel
def gather_conv(events: Events, kernel: Kernel, first_row: int, rows: int, sums: Any) -> None:
    """Sum a convolution's weights into `sums`, shape (rows, padded)."""
    spikes = (events.index, events.value, events.counted)
    starts, stops, weights = events.start, events.stop, kernel.weights
    bases = np.empty(kernel.group_in, dtype=np.uint64)
    lines = (kernel.row_start, kernel.row_kernel, kernel.row_out)
    runs = (kernel.run_start, kernel.run_weight, kernel.run_out, kernel.run_length)
    for k in range(rows):
        total = sums[k]
        total[:] = 0
        begin, end = np.uint64(starts[first_row + k]), np.uint64(stops[first_row + k])
        add_kernels(total, weights, kernel, lines + runs, spikes, begin, end, bases)


@kernel
def gather_numbers(
    numbers: Any,
    scale: int,
    offset: int,
    exponent: int,
    clips: bool,
    natural: Int32Array,
    window: Window,
    first_row: int,
    rows: int,
    sums: Any,
) -> None:
    """Scale and shift numbers at the input, (samples, neurons, T), to state units.

    They are divided by ``2**exponent``, toward zero, and then kept within `FAR`, or wrapped.
    """
    for k in range(rows):
        row = first_row + k
        sample, step = row // window.steps, window.first_step + row % window.steps
        total = sums[k]
        total[:] = 0
        now = step - window.before
        for i in range(natural.size):
            number = (
                np.int64(numbers[sample, natural[i], now])
                if 0 <= now < numbers.shape[2]
                else np.int64(0)
            )
            value = divided(number * scale + offset, exponent)
            if clips:
                value = min(max(value, -FAR), FAR)
            total[i] = np.int32(value)


@kernel
def narrow_sums(wide: Any, how: Alignment, rows: int, sums: Any) -> None:
    """Bring 64-bit sums of some rows to state units, which have 32 bits."""
    for k in range(rows):
        for i in range(sums.shape[1]):
            sums[k, i] = np.int32(aligned(wide[k, i], how))


@inlined
def divided(value: Any, exponent: int) -> Any:
    """Return ``value / 2**exponent``, cut toward zero."""
    if exponent <= 0:
        return value << -exponent
    part = abs(value) >> exponent
    return -part if value < 0 else part


@inlined
def aligned(total: Any, how: Alignment) -> Any:
    """Return a sum in state units, as int64."""
    value = np.int64(total) << how.left >> how.right << how.up
    value = (value + ((value >> 63) & how.rounding)) >> how.down
    return value << how.wrap >> how.wrap
