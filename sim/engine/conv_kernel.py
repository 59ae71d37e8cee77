"""The compiled loop of convolutions.

Neurons of an image are numbered channel fastest (row, column, channel): the output channels of a
kernel element are neighbours, and a spike adds short runs of weights to the sums around its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined, kernel
from .lanes import add_eight, add_sixteen
from .plain_neurons import step_plain
from .set_kernel import add_sets
from .special_neurons import align_wide, clear_special, record_states, step_special
from .structures import Events, Kernel, Neurons, Recording, Special, States, Window


@inlined
def _add_channels(
    sums: Any, target: Any, weights: Any, begin: Any, size: Any, bases: Any, several: Any
) -> None:
    """Add neighbouring weights of several channels."""
    eight, sixteen = np.uint64(8), np.uint64(16)
    for m in range(several):
        place = begin + bases[m]
        done = np.uint64(0)
        while done + sixteen <= size:
            add_sixteen(sums, target + done, weights, place + done)
            done += sixteen
        if done + eight <= size:
            add_eight(sums, target + done, weights, place + done)
            done += eight
        while done < size:
            sums[target + done] += weights[place + done]
            done += np.uint64(1)


@inlined
def add_kernels(
    sums: Any,
    weights: Any,
    kernel: Kernel,
    geometry: Any,
    events: Any,
    start: Any,
    stop: Any,
    bases: Any,
) -> None:
    """Add, for all spikes of a pixel and a step at once, their channels' kernels around it."""
    row_start, row_kernel, row_out, run_start, run_weight, run_out, run_length = geometry
    index, value, counted = events
    channels_in, width_in = np.uint64(kernel.channels_in), np.uint64(kernel.width_in)
    # times the inverse instead of divided: the half keeps numbers below 2**31 exact
    per_channel, per_width = 1.0 / kernel.channels_in, 1.0 / kernel.width_in
    group_in, group_out = np.uint64(kernel.group_in), np.uint64(kernel.group_out)
    width, one = np.uint64(kernel.width), np.uint64(1)
    width_out, channels_out = np.uint64(kernel.width_out), np.uint64(kernel.channels_out)
    of_channel = np.uint64(kernel.height) * width * group_out
    k = start
    while k < stop:
        place = np.uint64(index[k])
        pixel = np.uint64((index[k] + 0.5) * per_channel)
        y = np.uint64((np.int64(pixel) + 0.5) * per_width)
        x = pixel - y * width_in
        of_pixel, group = pixel * channels_in, np.uint64(0)
        if group_in != channels_in:
            group = (place - of_pixel) // group_in
        of_group = of_pixel + group * group_in
        times = np.int64(value[k] if counted else 1)
        several = np.uint64(0)
        if kernel.combined:
            which = np.uint64(0)
            while True:
                which |= one << (place - of_pixel)
                k += one
                if counted or k == stop:
                    break
                place = np.uint64(index[k])
                if place - of_pixel >= channels_in:
                    break
            bases[several] = which * of_channel
            several = one
        else:
            while True:
                bases[several] = (place - of_pixel) * of_channel
                several, k = several + one, k + one
                if counted or k == stop:
                    break
                place = np.uint64(index[k])
                if place - of_group >= group_in:  # below it, too: unsigned
                    break
        for a in range(np.uint64(row_start[y]), np.uint64(row_start[y + one])):
            weights_row = np.uint64(row_kernel[a]) * width
            sums_row = np.uint64(row_out[a]) * width_out
            for b in range(np.uint64(run_start[x]), np.uint64(run_start[x + one])):
                size = np.uint64(run_length[b]) * group_out
                begin = (weights_row + np.uint64(run_weight[b])) * group_out
                target = (sums_row + np.uint64(run_out[b])) * channels_out + group * group_out
                if times == 1:
                    _add_channels(sums, target, weights, begin, size, bases, several)
                else:
                    begin += bases[0]
                    for j in range(size):
                        sums[target + j] += weights[begin + j] * times


@kernel
def run_conv(
    events: Events,
    kernel: Kernel,
    neurons: Neurons,
    states: States,
    special: Special | None,
    sums: Any,
    arriving: Any,
    window: Window,
    out: Events,
    recording: Recording,
) -> None:
    """Run a convolution; arguments as of `run_dense`."""
    current, voltage = states.current, states.voltage
    kept_current, kept_voltage, bias = neurons.kept_current, neurons.kept_voltage, neurons.bias_low
    limit, count, first_step = neurons.limit, np.uint64(neurons.count), neurons.first_step
    index, starts, stops = out.index, out.start, out.stop
    is_recorded = recording.current.size + recording.voltage.size > 0
    factor, wide = kernel.factor, kernel.wide
    in_start, in_stop, weights = events.start, events.stop, kernel.weights
    spikes = (events.index, events.value, events.counted)
    bases = np.empty(kernel.group_in, dtype=np.uint64)
    rows = (kernel.row_start, kernel.row_kernel, kernel.row_out)
    runs = (kernel.run_start, kernel.run_weight, kernel.run_out, kernel.run_length)
    sets = (kernel.set_place, kernel.tap, kernel.tap_weight)
    room = (np.empty(kernel.set_size, np.uint8), np.empty(kernel.tap.size, np.uint64))
    uses_sets = kernel.combined and not events.counted
    pixels_out = np.uint64(kernel.width_out * kernel.height_out)
    wraps = not wide
    position = np.uint64(0)
    for sample in range(window.samples):
        if window.first_step == 0:
            current[:] = 0
            voltage[:] = 0
            if special is not None:
                clear_special(special)
        for local in range(window.steps):
            row, step = np.uint64(sample * window.steps + local), window.first_step + local
            starts[row] = np.int64(position)
            if step >= first_step:
                begin, end = np.uint64(in_start[row]), np.uint64(in_stop[row])
                if uses_sets and end - begin > pixels_out:
                    add_sets(sums, weights, kernel, sets, events.index, begin, end, room)
                else:
                    add_kernels(sums, weights, kernel, rows + runs, spikes, begin, end, bases)
                if wide:
                    align_wide(sums, arriving, True, kernel.cut)
                if special is None:
                    position = step_plain(
                        arriving,
                        factor,
                        wraps,
                        current,
                        voltage,
                        kept_current,
                        kept_voltage,
                        bias,
                        limit,
                        count,
                        index,
                        position,
                    )
                else:
                    position = np.uint64(
                        step_special(
                            arriving,
                            factor,
                            wraps,
                            neurons,
                            states,
                            special,
                            step,
                            window.end,
                            out,
                            np.int64(position),
                        )
                    )
                if is_recorded:
                    record_states(
                        recording,
                        neurons,
                        states,
                        window.first_sample + sample,
                        step - window.shown_from,
                    )
            stops[row] = np.int64(position)
