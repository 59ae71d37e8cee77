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

from .compiling import inner, kernel
from .structures import Events, Kernel, Neurons, Recording, States, Synapses, Window

LIMIT = 1 << 23  # STATE_LIMIT; Numba freezes globals of this module into its cache


@inner
def _update_currents(current: Any, arriving: Any, kept: Any, factor: int, wraps: bool) -> None:
    """Decay, add what arrives, wrap once at 24 bits; sums of kernels wrap before. Clears sums."""
    if wraps:
        for i in range(current.size):
            # 256 * factor / 64 brings the sum's 24 bits to the top, 2 bits down are state units
            aligned = np.int32(arriving[i] * factor) >> 2
            summed = np.int32(np.int32(current[i] * kept[i]) + aligned)
            down = np.int32(summed - 2 * LIMIT) if summed > LIMIT else summed
            current[i] = np.int32(summed + 2 * LIMIT) if summed <= -LIMIT else down
            arriving[i] = 0
    else:
        for i in range(current.size):
            aligned = np.int32(arriving[i] * factor)
            summed = np.int32(np.int32(current[i] * kept[i]) + aligned)
            down = np.int32(summed - 2 * LIMIT) if summed > LIMIT else summed
            current[i] = np.int32(summed + 2 * LIMIT) if summed <= -LIMIT else down
            arriving[i] = 0


@inner
def _update_voltages(voltage: Any, current: Any, kept: Any, bias: Any) -> None:
    """Decay, add current and bias, wrap at 32 bits and clip to 24."""
    for i in range(voltage.size):
        summed = np.int32(np.int32(voltage[i] * kept[i]) + current[i] + bias[i])
        low = np.int32(1 - LIMIT) if summed < 1 - LIMIT else summed
        voltage[i] = np.int32(LIMIT - 1) if low > LIMIT - 1 else low


@inner
def _update_divided(voltage: Any, current: Any, kept: Any, bias: Any, exponent: int) -> None:
    """Do the same with current and bias divided by ``2**exponent``, toward zero."""
    for i in range(voltage.size):
        rise = np.int64(current[i]) + bias[i]  # 24 and 38 bits
        if exponent >= 0:
            part = abs(rise) >> exponent
            rise = -part if rise < 0 else part
        else:
            rise = rise << -exponent
        summed = np.int32(np.int32(voltage[i] * kept[i]) + rise)
        low = np.int32(1 - LIMIT) if summed < 1 - LIMIT else summed
        voltage[i] = np.int32(LIMIT - 1) if low > LIMIT - 1 else low


@inner
def _above(voltage: Any, count: int, limit: int, index: Any, position: int) -> int:
    """Append the neurons above a limit; needs a place more than they take."""
    for i in range(count):
        index[position] = i
        position += 1 if voltage[i] > limit else 0
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
        states.fired_count[0] = _above(
            states.voltage, neurons.count, neurons.limit, states.fired, 0
        )
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


@inner
def _step_neurons(
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
    """Update the neurons of a layer and append the spikes that leave in this step."""
    current, voltage = states.current, states.voltage
    tile = neurons.kept_current.size
    for begin in range(0, current.size, tile):
        stop = min(begin + tile, current.size)
        now, potential = current[begin:stop], voltage[begin:stop]
        _update_currents(now, arriving[begin:stop], neurons.kept_current, factor, wraps)
        if neurons.exponent == 0:
            _update_voltages(potential, now, neurons.kept_voltage, neurons.bias_low)
        else:
            _update_divided(potential, now, neurons.kept_voltage, neurons.bias, neurons.exponent)
    if states.fired.size > 0:
        _fire(neurons, states)
        return _send(neurons, states, step, end, out, position)
    after = _above(voltage, neurons.count, neurons.limit, out.index, position)
    for k in range(position, after):
        voltage[out.index[k]] = 0
    return after


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


@inner
def _add_rows(sums: Any, weights: Any, events: Events, row: int, scale: int) -> None:
    """Add the weights of every spike of a step; several at a time, to pass less over the sums."""
    start, stop, index = events.start[row], events.stop[row], events.index
    size = sums.size
    if events.counted or scale != 1:
        for k in range(start, stop):
            one = weights[index[k]]
            times = np.int64(events.value[k] if events.counted else 1) * scale
            for j in range(size):
                sums[j] += one[j] * times
        return
    whole = start + (stop - start) // 4 * 4
    for k in range(start, whole, 4):
        first, second = weights[index[k]], weights[index[k + 1]]
        third, fourth = weights[index[k + 2]], weights[index[k + 3]]
        for j in range(size):
            sums[j] += np.int32(first[j]) + second[j] + third[j] + fourth[j]
    for k in range(whole, stop):
        one = weights[index[k]]
        for j in range(size):
            sums[j] += one[j]


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
    position = 0
    for sample in range(window.samples):
        if window.first_step == 0:
            _begin(states)
        for local in range(window.steps):
            row, step = sample * window.steps + local, window.first_step + local
            out.start[row] = position
            if step >= neurons.first_step:
                _add_rows(sums, synapses.weights, events, row, synapses.input_scale)
                for k in range(states.fired_count[0] * (synapses.recurrent.shape[0] > 0)):
                    back = synapses.recurrent[states.fired[k]]
                    times = np.int64(states.fired_value[k]) * synapses.own_scale
                    for j in range(sums.size):
                        sums[j] += back[j] * times
                if synapses.wide:
                    _align_wide(sums, arriving, False)
                position = _step_neurons(
                    arriving,
                    synapses.factor,
                    False,
                    neurons,
                    states,
                    step,
                    window.end,
                    out,
                    position,
                )
                _record(
                    recording, neurons, states, window.first_sample + sample, step - window.before
                )
            out.stop[row] = position


@inner
def _add_kernels(sums: Any, kernel: Kernel, events: Events, row: int) -> None:
    """Add, for every spike of a step, its channel's kernel around its place."""
    weights, group_out = kernel.weights, kernel.group_out
    for k in range(events.start[row], events.stop[row]):
        pixel = np.uint32(events.index[k]) // np.uint32(kernel.channels_in)
        channel = np.int64(events.index[k]) - np.int64(pixel) * kernel.channels_in
        y = np.int64(pixel // np.uint32(kernel.width_in))
        x = np.int64(pixel) - y * kernel.width_in
        times = np.int64(events.value[k] if events.counted else 1) * kernel.input_scale
        group = channel // kernel.group_in * group_out if kernel.group_in > 0 else 0
        for a in range(kernel.row_start[y], kernel.row_start[y + 1]):
            weights_row = (channel * kernel.height + kernel.row_kernel[a]) * kernel.width
            sums_row = np.int64(kernel.row_out[a]) * kernel.width_out
            for b in range(kernel.run_start[x], kernel.run_start[x + 1]):
                size = kernel.run_length[b] * group_out
                begin = (weights_row + kernel.run_weight[b]) * group_out
                target = (sums_row + kernel.run_out[b]) * kernel.channels_out + group
                part, met = weights[begin : begin + size], sums[target : target + size]
                if times == 1:
                    for j in range(size):
                        met[j] += part[j]
                else:
                    for j in range(size):
                        met[j] += part[j] * times


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
    position = 0
    for sample in range(window.samples):
        if window.first_step == 0:
            _begin(states)
        for local in range(window.steps):
            row, step = sample * window.steps + local, window.first_step + local
            out.start[row] = position
            if step >= neurons.first_step:
                _add_kernels(sums, kernel, events, row)
                if kernel.wide:
                    _align_wide(sums, arriving, True)
                position = _step_neurons(
                    arriving,
                    kernel.factor,
                    not kernel.wide,
                    neurons,
                    states,
                    step,
                    window.end,
                    out,
                    position,
                )
                _record(
                    recording, neurons, states, window.first_sample + sample, step - window.before
                )
            out.stop[row] = position


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
    position = 0
    for sample in range(window.samples):
        if window.first_step == 0:
            _begin(states)
        mine = numbers[sample]
        for local in range(window.steps):
            row, step = sample * window.steps + local, window.first_step + local
            out.start[row] = position
            if step >= neurons.first_step:
                for i in range(neurons.count):
                    arriving[i] = offset
                if step >= window.before:
                    for i in range(neurons.count):
                        number = np.int64(mine[neurons.natural[i], step - window.before])
                        arriving[i] = number * scale + offset
                position = _step_neurons(
                    arriving, 1, False, neurons, states, step, window.end, out, position
                )
                _record(
                    recording, neurons, states, window.first_sample + sample, step - window.before
                )
            out.stop[row] = position
