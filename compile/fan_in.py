"""What can reach the neurons of a layer in one step, from its weights and what its inputs send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..hw_profiles.arithmetic import CONV_BITS, STATE_SHIFT, Int64Array
from ..hw_profiles.units import SIGMA_UNIT, common_unit
from ..netx import IntArray, SigmaDeltaNeuron
from .kernel_classes import neuron_classes
from .reach import UNBOUNDED, plus
from .stages import ChipConv, ChipDense, ChipInput, ChipLayer, neuron_count, weight_sets

# Numbers that neurons at the input take, in 1/64: SLAYER quantizes input to these ends.
LEAST_NUMBER, LARGEST_NUMBER = -256, 254
ARRAY_LIMIT = 1 << 31  # Lava's arrays between processes are int32 and wrap
_LARGEST_PAYLOAD = 1 << 33  # 9 bits of weight and 2**20 inputs more still fit 63 bits
_LARGEST_SUM = 1 << 45  # 18 bits of alignment more still fit

Interval: TypeAlias = tuple[Int64Array, Int64Array]  # reach upward and downward
_Sum: TypeAlias = Callable[[Int64Array, Int64Array], Int64Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sent:
    """What a layer, or the network's input, can send.

    Attributes
    ----------
    value : pair of int64 array, shape (neurons,)
        Reach of a step's output, upward and downward, in `unit`; channel slowest.
    total : pair of int64 array, shape (neurons,)
        Reach of the sum of all outputs since the start, in `unit`.
    unit : Fraction
        What an output of 1 stands for.
    """

    value: Interval
    total: Interval
    unit: Fraction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FanIn:
    """What reaches neurons in a step; one entry for each class of neurons with the same inputs.

    Attributes
    ----------
    neurons : int64 array, shape (classes,)
        A neuron of each class. Dense layers: all. Convolutions: the neurons of a channel are alike
        where the image covers the same part of the kernel.
    real, imag : pair of int64 array, shape (classes,)
        In 1/4096, for sigma-delta neurons in 2**-18; both the same when neurons are not complex.
    total : pair of int64 array, shape (classes,)
        As `real`, summed from the start; unbounded unless neurons are sigma-delta.
    sums : pair of int64 array, shape (classes,), or None
        Largest sums of a convolution in weight units, which Lava wraps to 24 bits.
    """

    neurons: NDArray[np.int64]
    real: Interval
    imag: Interval
    total: Interval
    sums: Interval | None


def joined(parts: Sequence[Sent]) -> Sent:
    """Return what several layers send, side by side, in their common unit."""
    unit = common_unit([part.unit for part in parts])

    def side(intervals: Sequence[Interval], direction: int) -> Int64Array:
        scaled = [
            _times(interval[direction], int(part.unit / unit))
            for part, interval in zip(parts, intervals, strict=True)
        ]
        return np.concatenate(scaled)

    values, totals = [p.value for p in parts], [p.total for p in parts]
    return Sent(
        value=(side(values, 0), side(values, 1)),
        total=(side(totals, 0), side(totals, 1)),
        unit=unit,
    )


def fan_in(layer: ChipLayer, sent: Sent, own: Sent, steps: int | None) -> FanIn:
    """Return what can reach the neurons of a layer in a step.

    Parameters
    ----------
    layer : ChipLayer
        The layer.
    sent : Sent
        What its sources send; of no interest for neurons at the input.
    own : Sent
        What the layer itself can send, for recurrent weights.
    steps : int or None
        How long the layer runs.
    """
    if isinstance(layer, ChipInput):
        return _numbers(layer)
    if isinstance(layer, ChipDense):
        neurons = np.arange(neuron_count(layer))
        value, total, add_up = sent.value, sent.total, _dense_sum
    else:
        neurons, visible_rows, visible_columns = neuron_classes(layer)
        value, total = (_by_channel(interval, layer) for interval in (sent.value, sent.total))

        def add_up(part: Int64Array, payload: Int64Array) -> Int64Array:
            return _kernel_sum(layer, part, payload, visible_rows, visible_columns)

    weights = {name: found.effective().astype(np.int64) for name, found in weight_sets(layer)}
    real = weighted_reach(add_up, weights["weight"], value)
    imag = weighted_reach(add_up, weights.get("weight_imag", weights["weight"]), value)
    sums = None
    whole = isinstance(layer, ChipDense)
    if isinstance(layer, ChipConv):
        sums = (np.maximum(real[0], imag[0]), np.maximum(real[1], imag[1]))
        whole = max(int(sums[0].max()), int(sums[1].max())) < 1 << (CONV_BITS - 1)
        real, imag = _kept_in(real, CONV_BITS), _kept_in(imag, CONV_BITS)
    unit = sent.unit
    recurrent = weights.get("weight_rec")
    if recurrent is not None:
        unit = common_unit([sent.unit, own.unit])
        feedback = _scaled(weighted_reach(_dense_sum, recurrent, own.value), int(own.unit / unit))
        real = _added(_scaled(real, int(sent.unit / unit)), feedback)
        imag = real if "weight_imag" not in weights else _scaled(imag, int(sent.unit / unit))
    unbounded = np.full(neurons.size, UNBOUNDED, dtype=np.int64)
    if not isinstance(layer.neuron, SigmaDeltaNeuron):
        return FanIn(
            neurons=neurons,
            real=_aligned(real, unit),
            imag=_aligned(imag, unit),
            total=(unbounded, unbounded),
            sums=sums,
        )
    factor = unit / 64 / SIGMA_UNIT  # from weight units times `unit`
    summed = (unbounded, unbounded)
    if whole and recurrent is None:
        summed = _floored(weighted_reach(add_up, weights["weight"], total), factor)
        if factor.denominator > 1:
            # a step's input is rounded down, by less than 1
            summed = (summed[0], unbounded if steps is None else plus(summed[1], steps))
    return FanIn(
        neurons=neurons,
        real=_floored(real, factor),
        imag=_floored(imag, factor),
        total=summed,
        sums=sums,
    )


def weighted_reach(add_up: _Sum, weight: Int64Array, payload: Interval) -> Interval:
    """Return the reach of weighted sums, both ways.

    Parameters
    ----------
    add_up : callable
        Sums of weights times payloads, for weights and payloads that are not negative.
    weight : int64 array
        The weights.
    payload : pair of int64 array
        Reach of the payloads.
    """
    up, down = (np.where(reach > _LARGEST_PAYLOAD, UNBOUNDED, reach) for reach in payload)
    positive, negative = np.maximum(weight, 0), np.maximum(-weight, 0)

    def reach(with_positive: Int64Array, with_negative: Int64Array) -> Int64Array:
        finite = [np.where(r >= UNBOUNDED, 0, r) for r in (with_positive, with_negative)]
        total = add_up(positive, finite[0]) + add_up(negative, finite[1])
        total = np.where(total > _LARGEST_SUM, UNBOUNDED, total)
        endless = [(r >= UNBOUNDED).astype(np.int64) for r in (with_positive, with_negative)]
        if endless[0].any() or endless[1].any():
            met = add_up(positive, endless[0]) + add_up(negative, endless[1])
            total = np.where(met > 0, UNBOUNDED, total)
        return total

    return reach(up, down), reach(down, up)


def _numbers(layer: ChipInput) -> FanIn:
    """Neurons at the input: one class a channel, all with the same input."""
    neurons = np.arange(neuron_count(layer), dtype=np.int64)
    scale = 64 if layer.scale is None else layer.scale
    offset = (layer.offset or 0) << STATE_SHIFT
    ends = [scale * number + offset for number in (LEAST_NUMBER, 0, LARGEST_NUMBER)]
    shift = STATE_SHIFT if isinstance(layer.neuron, SigmaDeltaNeuron) else 0
    up, down = max(0, *ends) << shift, max(0, *(-end for end in ends)) << shift
    real = (np.full(neurons.size, up), np.full(neurons.size, down))
    unbounded = np.full(neurons.size, UNBOUNDED, dtype=np.int64)
    return FanIn(neurons=neurons, real=real, imag=real, total=(unbounded, unbounded), sums=None)


def _dense_sum(part: Int64Array, payload: Int64Array) -> Int64Array:
    return part @ payload


def _kernel_sum(
    layer: ChipConv,
    part: Int64Array,
    payload: Int64Array,
    rows: NDArray[np.bool_],
    columns: NDArray[np.bool_],
) -> Int64Array:
    """Sum each channel's kernel over the elements that meet the image, one sum a class."""
    out_group = part.shape[0] // layer.groups
    grouped = np.repeat(payload.reshape(layer.groups, -1), out_group, axis=0)
    taps = np.einsum("oihw,oi->ohw", part, grouped)
    by_row = np.einsum("ohw,rh->orw", taps, rows.astype(np.int64))
    return np.einsum("orw,cw->orc", by_row, columns.astype(np.int64)).reshape(-1)


def _by_channel(interval: Interval, layer: ChipConv) -> Interval:
    up, down = (reach.reshape(layer.shape_in[0], -1).max(axis=1) for reach in interval)
    return up, down


def _kept_in(interval: Interval, bits: int) -> Interval:
    """Where a sum may wrap, it can be anything that the bits hold."""
    limit = 1 << (bits - 1)
    wraps = (interval[0] >= limit) | (interval[1] > limit)
    up, down = (np.where(wraps, np.maximum(reach, limit), reach) for reach in interval)
    return up, down


def _aligned(interval: Interval, unit: Fraction) -> Interval:
    """From weight units times `unit` to 1/4096; fractions are cut toward zero."""
    factor = 64 * unit
    up, down = (
        np.where(
            reach > _LARGEST_SUM,
            UNBOUNDED,
            np.minimum(reach, _LARGEST_SUM) * factor.numerator // factor.denominator,
        )
        for reach in interval
    )
    return _kept_in((up, down), 32)


def _floored(interval: Interval, factor: Fraction) -> Interval:
    """Multiply; fractions are cut downward."""
    up, down = (np.minimum(reach, _LARGEST_SUM) for reach in interval)
    numerator, denominator = factor.numerator, factor.denominator
    return (
        np.where(interval[0] > _LARGEST_SUM, UNBOUNDED, up * numerator // denominator),
        np.where(interval[1] > _LARGEST_SUM, UNBOUNDED, -(-down * numerator // denominator)),
    )


def _times(reach: Int64Array, factor: int) -> Int64Array:
    return np.where(
        reach > UNBOUNDED // factor, UNBOUNDED, np.minimum(reach, UNBOUNDED // factor) * factor
    )


def _scaled(interval: Interval, factor: int) -> Interval:
    return _times(interval[0], factor), _times(interval[1], factor)


def _added(a: Interval, b: Interval) -> Interval:
    return np.minimum(a[0] + b[0], UNBOUNDED), np.minimum(a[1] + b[1], UNBOUNDED)


def parameter(values: IntArray | None, layer: ChipLayer, neurons: NDArray[np.int64]) -> Int64Array:
    """Return a parameter, stored once or once a channel, for some neurons; without one, 0."""
    if values is None:
        return np.zeros(neurons.size, dtype=np.int64)
    if values.ndim == 0:
        return np.full(neurons.size, int(values), dtype=np.int64)
    return values.astype(np.int64)[neurons // (neuron_count(layer) // values.size)]
