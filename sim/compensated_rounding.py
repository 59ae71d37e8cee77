"""Rounding whose errors cancel on the user's data: each weight makes up for those rounded before.

What a weight's rounding adds to a neuron's voltage is partly taken back by the weights that are
not rounded yet, as far as their inputs fire together on the calibration data. This is the scheme of
GPTQ (Frantar et al., "GPTQ: Accurate Post-Training Quantization", ICLR 2023; before it the optimal
brain surgeon, Hassibi and Stork 1993), with the response of a leaky neuron's voltage to its input
spikes in the place of the input itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile.weight_grids import WeightGrid
from ..hw_profiles.arithmetic import DECAY_ONE
from ..netx import ConvLayer, DenseLayer, IntArray, RealArray, RealValues
from .time_first import TimedLayer

# Part of the mean second moment that is added to all: inputs that are never seen together on the
# calibration data would otherwise be trusted never to be.
DAMPING = 0.01
BLOCK = 64  # weights rounded between two matrix products
# Places of images whose inputs are looked at; more say no more about a kernel's few weights.
MOST_PLACES = 1 << 19
# Second moments of more inputs than this take gibibytes and minutes.
MOST_INPUTS = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compensation:
    """How rounding errors of a layer's weights are passed on, by group of a convolution.

    Attributes
    ----------
    orders : tuple of int64 array, shape (inputs of a neuron,)
        Which weight of a neuron is rounded when: those whose inputs matter most come first.
    factors : tuple of float64 array, shape (inputs, inputs)
        Upper Cholesky factors of the inverse of the second moments, in that order.
    """

    orders: tuple[NDArray[np.int64], ...]
    factors: tuple[RealArray, ...]

    def round(self, weight: RealArray, grid: WeightGrid, levels_per_unit: float) -> IntArray:
        """Return grid points for a layer's weights.

        Parameters
        ----------
        weight : float64 array, shape (outputs, ...)
            Real weights; outputs of a group are neighbours.
        grid : WeightGrid
            Where they may go.
        levels_per_unit : float
            What a weight of 1 is in levels.

        Returns
        -------
        int32 array, shape of `weight`
        """
        rows = (weight * levels_per_unit).reshape(len(self.orders), -1, self.orders[0].size)
        levels = np.empty_like(rows)
        for group, (order, factor) in enumerate(zip(self.orders, self.factors, strict=True)):
            levels[group][:, order] = _rounded(rows[group][:, order], factor, grid)
        return (levels * grid.step).astype(np.int32).reshape(weight.shape)


def compensation_for(
    each: TimedLayer, values: RealValues, arriving: Sequence[NDArray[Any]]
) -> Compensation | None:
    """Return how a layer's rounding errors are passed on, from what arrives on calibration data.

    Parameters
    ----------
    each : TimedLayer
        A layer with CUBA neurons.
    values : RealValues
        Its decays; of decays by channel the mean counts.
    arriving : sequence of array, shape (T, N, inputs)
        What reaches it, in batches.

    Returns
    -------
    Compensation or None
        None for layers whose weights are rounded one by one: all but dense and convolution, and
        those whose neurons have more than `MOST_INPUTS` weights.
    """
    if not isinstance(each.layer, DenseLayer | ConvLayer):
        return None
    groups = each.layer.groups if isinstance(each.layer, ConvLayer) else 1
    inputs = each.layer.weight[0].size
    if inputs > MOST_INPUTS:
        return None
    moments = np.zeros((groups, inputs, inputs), dtype=np.float64)
    for batch in arriving:
        # the places looked at are spread over all batches
        share = MOST_PLACES // (len(arriving) * len(batch))
        for trace in _traces(batch, values, _samples(each, share)):
            for group, seen in enumerate(_inputs_by_place(each, trace)):
                moments[group] += seen.T @ seen
    solved = [_ordered_factor(moment) for moment in moments]
    return Compensation(
        orders=tuple(order for order, _ in solved), factors=tuple(factor for _, factor in solved)
    )


def _samples(each: TimedLayer, places: int) -> int:
    """Return how many samples of a batch have about this many places in a step."""
    if not isinstance(each.layer, ConvLayer):
        return places
    return max(1, places // (each.shape.shape_out[1] * each.shape.shape_out[2]))


def _traces(batch: NDArray[Any], values: RealValues, samples: int) -> Iterator[RealArray]:
    """Yield, for each step, the voltage that each input would have caused by a weight of 1."""
    keep_current = 1 - float(np.mean(values.decays["current_decay"])) / DECAY_ONE
    keep_voltage = 1 - float(np.mean(values.decays["voltage_decay"])) / DECAY_ONE
    current = np.zeros(batch[0, :samples].shape, dtype=np.float64)
    voltage = np.zeros_like(current)
    for arriving in batch[:, :samples]:
        current = current * keep_current + arriving
        voltage = voltage * keep_voltage + current
        yield voltage


def _inputs_by_place(each: TimedLayer, trace: RealArray) -> list[RealArray]:
    """Return what meets a neuron's weights, (places, inputs of a neuron), for each group."""
    layer = each.layer
    if not isinstance(layer, ConvLayer):
        return [trace]
    image = trace.reshape(-1, *each.shape.shape_in)
    (rows_pad, columns_pad) = layer.padding
    padded = np.pad(image, ((0, 0), (0, 0), (rows_pad, rows_pad), (columns_pad, columns_pad)))
    _, rows, columns = each.shape.shape_out
    met: list[RealArray] = []
    for row, column in np.ndindex(*layer.kernel_size):
        top, left = row * layer.dilation[0], column * layer.dilation[1]
        places = padded[:, :, top :: layer.stride[0], left :: layer.stride[1]]
        met.append(places[:, :, :rows, :columns])
    # (N, C, rows, columns, kernel) to (N, rows, columns) by group by (channel of the group, kernel)
    stacked = np.moveaxis(np.stack(met, axis=-1), 1, 3)
    by_group = stacked.reshape(-1, layer.groups, layer.weight[0].size)
    return [by_group[:, group] for group in range(layer.groups)]


def _ordered_factor(moment: RealArray) -> tuple[NDArray[np.int64], RealArray]:
    """Return the order of rounding and the Cholesky factor of the inverse in that order."""
    own = np.diagonal(moment)
    order = np.argsort(-own, kind="stable")
    damped = moment[np.ix_(order, order)]
    # inputs that never fire leave nothing to compensate, whatever is added
    damped[np.diag_indices(len(own))] += DAMPING * own.mean() if own.any() else 1.0
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    return order.astype(np.int64), factor.astype(np.float64)


def _rounded(levels: RealArray, factor: RealArray, grid: WeightGrid) -> RealArray:
    """Return whole levels; each column's errors are taken off the columns after it."""
    left = levels.copy()
    done = np.empty_like(levels)
    count = levels.shape[1]
    for start in range(0, count, BLOCK):
        end = min(start + BLOCK, count)
        errors = np.empty((levels.shape[0], end - start), dtype=np.float64)
        for column in range(start, end):
            done[:, column] = np.clip(np.rint(left[:, column]), grid.low, grid.high)
            error = (left[:, column] - done[:, column]) / factor[column, column]
            errors[:, column - start] = error
            left[:, column + 1 : end] -= np.outer(error, factor[column, column + 1 : end])
        left[:, end:] -= errors @ factor[start:end, end:]
    return done
