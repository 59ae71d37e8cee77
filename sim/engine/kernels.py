"""The engine's compiled loops: what one layer does to a block of samples and a chunk of time.

All functions that call each other stand in this file, since Numba's cache on
disk notices changes of a function's own file only.

Exactness. States have at most 32 bits and the part that a decay keeps 13 (0 to 4096), so their
product has 45 and is exact in float64; cutting it to int32 rounds toward zero, as
``hw_profiles.arithmetic.decay_toward_zero`` does. Sums of weights wrap at 32 bits in the end
(`align_with_states`), so int32 sums that wrap on the way are the same. A float64 product is one
instruction on vectors of integers; an int64 product is several.

Neurons of an image are numbered channel fastest here (row, column, channel): the output channels
of a kernel element are neighbours, and a spike adds short contiguous rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiling import inlined, inner, kernel
from .lanes import add_eight, add_sixteen
from .structures import Events, Kernel, Neurons, Recording, States, Synapses, Window

LIMIT = 1 << 23  # STATE_LIMIT; Numba freezes globals of this module into its cache


@inlined
def _update_currents(
    current: Any, arriving: Any, kept: Any, first: Any, stop: Any, factor: int, wraps: bool
) -> None:
    """Decay, add what arrives, wrap once at 24 bits; sums of kernels wrap before. Clears sums."""
    if wraps:
        for i in range(first, stop):
            # 256 * factor / 64 brings the sum's 24 bits to the top, 2 bits down are state units
            aligned = np.int32(arriving[i] * factor) >> 2
            summed = np.int32(np.int32(current[i] * kept[i - first]) + aligned)
            down = np.int32(summed - 2 * LIMIT) if summed > LIMIT else summed
            current[i] = np.int32(summed + 2 * LIMIT) if summed <= -LIMIT else down
            arriving[i] = 0
    else:
        for i in range(first, stop):
            aligned = np.int32(arriving[i] * factor)
            summed = np.int32(np.int32(current[i] * kept[i - first]) + aligned)
            down = np.int32(summed - 2 * LIMIT) if summed > LIMIT else summed
            current[i] = np.int32(summed + 2 * LIMIT) if summed <= -LIMIT else down
            arriving[i] = 0


@inlined
def _update_voltages(
    voltage: Any, current: Any, kept: Any, bias: Any, first: Any, stop: Any
) -> None:
    """Decay, add current and bias, wrap at 32 bits and clip to 24."""
    for i in range(first, stop):
        leaked = np.int32(voltage[i] * kept[i - first])
        summed = np.int32(leaked + current[i] + bias[i - first])
        low = np.int32(1 - LIMIT) if summed < 1 - LIMIT else summed
        voltage[i] = np.int32(LIMIT - 1) if low > LIMIT - 1 else low


@inner
def _update_divided(voltage: Any, current: Any, kept: Any, bias: Any, exponent: int) -> None:
    """Do the same with current and bias divided by ``2**exponent``, toward zero."""
    tile = kept.size
    for i in range(voltage.size):
        rise = np.int64(current[i]) + bias[i % tile]  # 24 and 38 bits
        if exponent >= 0:
            part = abs(rise) >> exponent
            rise = -part if rise < 0 else part
        else:
            rise = rise << -exponent
        summed = np.int32(np.int32(voltage[i] * kept[i % tile]) + rise)
        low = np.int32(1 - LIMIT) if summed < 1 - LIMIT else summed
        voltage[i] = np.int32(LIMIT - 1) if low > LIMIT - 1 else low


@inlined
def _above(voltage: Any, count: Any, limit: int, index: Any, position: Any) -> Any:
    """Append the neurons above a limit; needs a place more than they take."""
    for i in range(count):
        index[position] = i
        position += np.uint64(voltage[i] > limit)
    return position


@inner
def _rest(neurons: Neurons, states: States) -> None:
    """Append to `fired` who fires, and keep the others of a refractory period at 0."""
    voltage, resting = states.voltage, states.resting
    found = 0
    for i in range(neurons.count):
        if resting[i] > 0:
            voltage[i] = 0
        if resting[i] == 0 and voltage[i] > neurons.limit:
            states.fired[found] = i
            found += 1
            resting[i] = neurons.refractory - 1
        else:
            resting[i] = max(resting[i] - 1, 0)
    states.fired_count[0] = found


@inner
def _fire(neurons: Neurons, states: States) -> None:
    """Set `fired` and its values, and reset those neurons."""
    if neurons.refractory != 1:
        _rest(neurons, states)
    else:
        found = _above(
            states.voltage, np.uint64(neurons.count), neurons.limit, states.fired, np.uint64(0)
        )
        states.fired_count[0] = np.int64(found)
    for k in range(states.fired_count[0]):
        i = states.fired[k]
        states.fired_value[k] = states.voltage[i] if neurons.graded else 1
        states.voltage[i] = 0


@inner
def _send(neurons: Neurons, states: States, step: int, end: int, out: Events, position: int) -> int:
    """Append what leaves in this step: what fired, or what was fired a delay ago."""
    waiting = states.waiting
    if waiting.shape[0] == 0:
        for k in range(states.fired_count[0]):
            if states.fired_value[k] != 0:  # a payload of 0 is no spike
                out.index[position] = states.fired[k]
                if out.counted:
                    out.value[position] = states.fired_value[k]
                position += 1
        return position
    for k in range(states.fired_count[0]):
        i = states.fired[k]
        leaves = step + neurons.delay[i]
        if leaves < end:
            waiting[leaves % waiting.shape[0], i] = states.fired_value[k]
    leaving = waiting[step % waiting.shape[0]]
    for i in range(leaving.size):
        if leaving[i] != 0:
            out.index[position] = i
            if out.counted:
                out.value[position] = leaving[i]
            position += 1
            leaving[i] = 0
    return position


@inlined
def _step_plain(
    arriving: Any,
    factor: int,
    wraps: bool,
    current: Any,
    voltage: Any,
    kept_current: Any,
    kept_voltage: Any,
    bias: Any,
    limit: int,
    count: Any,
    index: Any,
    position: Any,
) -> Any:
    """Update neurons that need nothing but their states, and append those that fire.

    Numbers of neurons and places are uint64 here: Numba checks whether others are negative, and
    loops with that check are not made vectors.
    """
    size, tile = np.uint64(current.size), np.uint64(kept_current.size)
    first = np.uint64(0)
    while first < size:
        stop = min(first + tile, size)
        _update_currents(current, arriving, kept_current, first, stop, factor, wraps)
        _update_voltages(voltage, current, kept_voltage, bias, first, stop)
        first = stop
    after = _above(voltage, count, limit, index, position)
    for k in range(position, after):
        voltage[np.uint64(index[k])] = 0
    return after


@inner
def _step_special(
    arriving: Any,
    factor: int,
    wraps: bool,
    neurons: Neurons,
    states: States,
    step: int,
    end: int,
    out: Events,
    position: int,
) -> int:
    """Update neurons of any kind and append the spikes that leave in this step."""
    current, voltage = states.current, states.voltage
    size, tile = np.uint64(current.size), np.uint64(neurons.kept_current.size)
    first = np.uint64(0)
    while first < size:
        stop = min(first + tile, size)
        _update_currents(current, arriving, neurons.kept_current, first, stop, factor, wraps)
        if neurons.exponent == 0:
            _update_voltages(voltage, current, neurons.kept_voltage, neurons.bias_low, first, stop)
        first = stop
    if neurons.exponent != 0:
        _update_divided(voltage, current, neurons.kept_voltage, neurons.bias, neurons.exponent)
    _fire(neurons, states)
    return _send(neurons, states, step, end, out, position)


@inner
def _begin(states: States) -> None:
    """Bring a layer to rest."""
    states.current[:] = 0
    states.voltage[:] = 0
    states.resting[:] = 0
    states.waiting[:] = 0
    states.fired_count[0] = 0


@inner
def _record(recording: Recording, neurons: Neurons, states: States, sample: int, step: int) -> None:
    """Write the states of one step, channel slowest."""
    if step < 0:
        return
    if recording.current.size > 0:
        for i in range(neurons.count):
            recording.current[sample, neurons.natural[i], step] = states.current[i]
    if recording.voltage.size > 0:
        for i in range(neurons.count):
            recording.voltage[sample, neurons.natural[i], step] = states.voltage[i]


@inner
def _align_wide(sums: Any, arriving: Any, is_kernel: bool) -> None:
    """Bring 64-bit sums of payloads in 1/4096 to state units; clears them."""
    for i in range(sums.size):
        total = sums[i]
        if is_kernel:
            total = (total << 40) >> 40  # Lava's 24 bits of a convolution
        part = abs(total) >> 6  # times 64, of 4096, toward zero
        arriving[i] = np.int32(-part if total < 0 else part)
        sums[i] = 0


@inlined
def _add_rows(
    sums: Any,
    weights: Any,
    index: Any,
    value: Any,
    counted: bool,
    start: Any,
    stop: Any,
    scale: int,
) -> None:
    """Add the weights of every spike of a step; several at a time, to pass less over the sums."""
    size = np.uint64(sums.size)
    four = np.uint64(4)
    if counted or scale != 1:
        for k in range(start, stop):
            one = np.uint64(index[k]) * size
            times = np.int64(value[k] if counted else 1) * scale
            for j in range(size):
                sums[j] += weights[one + j] * times
    else:
        whole = start + (stop - start) // four * four
        for k in range(start, whole, four):
            first, second = np.uint64(index[k]) * size, np.uint64(index[k + 1]) * size
            third, fourth = np.uint64(index[k + 2]) * size, np.uint64(index[k + 3]) * size
            for j in range(size):
                pair = np.int32(weights[first + j]) + np.int32(weights[second + j])
                other = np.int32(weights[third + j]) + np.int32(weights[fourth + j])
                sums[j] += pair + other
        for k in range(whole, stop):
            one = np.uint64(index[k]) * size
            for j in range(size):
                sums[j] += weights[one + j]


@inner
def _add_own(sums: Any, recurrent: Any, states: States, scale: int) -> None:
    """Add the weights of the layer's own spikes of the step before."""
    for k in range(states.fired_count[0]):
        back = recurrent[states.fired[k]]
        times = np.int64(states.fired_value[k]) * scale
        for j in range(sums.size):
            sums[j] += back[j] * times


@kernel
def run_dense(
    events: Events,
    synapses: Synapses,
    neurons: Neurons,
    states: States,
    sums: Any,
    arriving: Any,
    window: Window,
    out: Events,
    recording: Recording,
) -> None:
    """Run a dense layer: `sums` of 64 bits where synapses are wide, else `arriving` itself."""
    current, voltage = states.current, states.voltage
    kept_current, kept_voltage, bias = neurons.kept_current, neurons.kept_voltage, neurons.bias_low
    limit, count, first_step = neurons.limit, np.uint64(neurons.count), neurons.first_step
    index, starts, stops = out.index, out.start, out.stop
    is_special = states.fired.size > 0
    is_recorded = recording.current.size + recording.voltage.size > 0
    weights, recurrent = synapses.weights.reshape(-1), synapses.recurrent
    in_index, in_value, counted = events.index, events.value, events.counted
    in_start, in_stop, scale = events.start, events.stop, synapses.input_scale
    factor, wide, recurs = synapses.factor, synapses.wide, recurrent.shape[0] > 0
    position = np.uint64(0)
    for sample in range(window.samples):
        if window.first_step == 0:
            _begin(states)
        for local in range(window.steps):
            row, step = np.uint64(sample * window.steps + local), window.first_step + local
            starts[row] = np.int64(position)
            if step >= first_step:
                begin, end = np.uint64(in_start[row]), np.uint64(in_stop[row])
                _add_rows(sums, weights, in_index, in_value, counted, begin, end, scale)
                if recurs:
                    _add_own(sums, recurrent, states, synapses.own_scale)
                if wide:
                    _align_wide(sums, arriving, False)
                if is_special:
                    position = np.uint64(
                        _step_special(
                            arriving,
                            factor,
                            False,
                            neurons,
                            states,
                            step,
                            window.end,
                            out,
                            np.int64(position),
                        )
                    )
                else:
                    position = _step_plain(
                        arriving,
                        factor,
                        False,
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
                if is_recorded:
                    _record(
                        recording,
                        neurons,
                        states,
                        window.first_sample + sample,
                        step - window.before,
                    )
            stops[row] = np.int64(position)


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
def _add_kernels(
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
    is_counted = counted or kernel.input_scale != 1
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
        times = np.int64(value[k] if counted else 1) * kernel.input_scale
        several = np.uint64(0)
        while True:
            bases[several] = (place - of_pixel) * of_channel
            several, k = several + one, k + one
            if is_counted or k == stop:
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
    is_special = states.fired.size > 0
    is_recorded = recording.current.size + recording.voltage.size > 0
    factor, wide = kernel.factor, kernel.wide
    in_start, in_stop, weights = events.start, events.stop, kernel.weights
    spikes = (events.index, events.value, events.counted)
    bases = np.empty(kernel.group_in, dtype=np.uint64)
    rows = (kernel.row_start, kernel.row_kernel, kernel.row_out)
    runs = (kernel.run_start, kernel.run_weight, kernel.run_out, kernel.run_length)
    position = np.uint64(0)
    for sample in range(window.samples):
        if window.first_step == 0:
            _begin(states)
        for local in range(window.steps):
            row, step = np.uint64(sample * window.steps + local), window.first_step + local
            starts[row] = np.int64(position)
            if step >= first_step:
                begin, end = np.uint64(in_start[row]), np.uint64(in_stop[row])
                _add_kernels(sums, weights, kernel, rows + runs, spikes, begin, end, bases)
                if wide:
                    _align_wide(sums, arriving, True)
                if is_special:
                    position = np.uint64(
                        _step_special(
                            arriving,
                            factor,
                            not wide,
                            neurons,
                            states,
                            step,
                            window.end,
                            out,
                            np.int64(position),
                        )
                    )
                else:
                    position = _step_plain(
                        arriving,
                        factor,
                        not wide,
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
                if is_recorded:
                    _record(
                        recording,
                        neurons,
                        states,
                        window.first_sample + sample,
                        step - window.before,
                    )
            stops[row] = np.int64(position)


@kernel
def run_numbers(
    numbers: Any,
    scale: int,
    offset: int,
    neurons: Neurons,
    states: States,
    arriving: Any,
    window: Window,
    out: Events,
    recording: Recording,
) -> None:
    """Run neurons at the input; `numbers` has shape (samples, neurons, T)."""
    current, voltage = states.current, states.voltage
    kept_current, kept_voltage, bias = neurons.kept_current, neurons.kept_voltage, neurons.bias_low
    natural = neurons.natural
    limit, count, first_step = neurons.limit, np.uint64(neurons.count), neurons.first_step
    index, starts, stops = out.index, out.start, out.stop
    is_special = states.fired.size > 0
    is_recorded = recording.current.size + recording.voltage.size > 0
    factor = 1
    position = np.uint64(0)
    for sample in range(window.samples):
        if window.first_step == 0:
            _begin(states)
        for local in range(window.steps):
            row, step = np.uint64(sample * window.steps + local), window.first_step + local
            starts[row] = np.int64(position)
            if step >= first_step:
                for i in range(count):
                    arriving[i] = offset
                if step >= window.before:
                    now = np.uint64(step - window.before)
                    for i in range(count):
                        number = np.int64(numbers[np.uint64(sample), np.uint64(natural[i]), now])
                        arriving[i] = number * scale + offset
                if is_special:
                    position = np.uint64(
                        _step_special(
                            arriving,
                            factor,
                            False,
                            neurons,
                            states,
                            step,
                            window.end,
                            out,
                            np.int64(position),
                        )
                    )
                else:
                    position = _step_plain(
                        arriving,
                        factor,
                        False,
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
                if is_recorded:
                    _record(
                        recording,
                        neurons,
                        states,
                        window.first_sample + sample,
                        step - window.before,
                    )
            stops[row] = np.int64(position)
