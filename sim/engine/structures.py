"""What the engine's kernels take: named tuples of arrays and numbers, which Numba understands."""
# `index` and `count` hide methods of tuples that nobody calls here
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Int32Array: TypeAlias = NDArray[np.int32]
Int64Array: TypeAlias = NDArray[np.int64]


class Events(NamedTuple):
    """Spikes of a layer, or of the input, in a block of samples and a chunk of time.

    Attributes
    ----------
    index : int32 array, shape (capacity,)
        Neurons, in the engine's numbering.
    value : int32 or int64 array, shape (capacity,) or (1,)
        Count or payload of each; not used unless `counted`. In 64 bits where several sources have
        several units.
    start, stop : int64 array, shape (samples * steps,)
        Where the spikes of a sample and step lie.
    counted : bool
        Whether values may differ from 1.
    """

    index: Int32Array
    value: NDArray[Any]
    start: Int64Array
    stop: Int64Array
    counted: bool


class Window(NamedTuple):
    """Which samples and steps a call works on; steps count as in `Timing`.

    Attributes
    ----------
    first_sample, samples : int
        The block.
    first_step, steps : int
        The chunk; states start at rest where it begins with step 0.
    before : int
        Step at which the input begins.
    shown_from : int
        Step of a layer that is step 0 of the results.
    end : int
        Step at which the sample ends.
    """

    first_sample: int
    samples: int
    first_step: int
    steps: int
    before: int
    shown_from: int
    end: int


class Neurons(NamedTuple):
    """Parameters of a layer's neurons; arrays repeat after their length, the tile.

    Attributes
    ----------
    count : int
        How many neurons; states are longer, to fill vectors.
    kept_current, kept_voltage : float64 array, shape (tile,)
        Part that a step keeps, 0 to 1, a multiple of 1/4096.
    bias : int64 array, shape (tile,)
        In state units.
    bias_low : int32 array, shape (tile,)
        The same, wrapped to 32 bits.
    limit : int
        Voltage above which neurons fire.
    refractory, exponent : int
        See `CubaNeuron`.
    graded : bool
        Whether spikes carry the voltage.
    first_step : int
        When the layer begins to run.
    delay : int32 array, shape (count,) or (0,)
        Axonal delays.
    natural : int32 array, shape (count,)
        Number of each neuron, channel slowest.
    """

    count: int
    kept_current: NDArray[np.float64]
    kept_voltage: NDArray[np.float64]
    bias: Int64Array
    bias_low: Int32Array
    limit: int
    refractory: int
    exponent: int
    graded: bool
    first_step: int
    delay: Int32Array
    natural: Int32Array


class States(NamedTuple):
    """What a layer keeps from step to step, for one sample.

    Attributes
    ----------
    current, voltage : int32 array, shape (padded,)
        Of each neuron.
    """

    current: Int32Array
    voltage: Int32Array


class Special(NamedTuple):
    """What layers keep beside: recurrent, delayed, refractory and graded ones, divided currents.

    Other layers have None in its place, and kernels are compiled without what needs it.

    Attributes
    ----------
    resting : int32 array, shape (count,)
        Steps of the refractory period left.
    waiting : int32 array, shape (delays, count) or (0, count)
        Values of spikes on their way, a row for each step to come.
    fired, fired_value : int32 array, shape (count,)
        Spikes of the last step, before their delay.
    fired_count : int64 array, shape (1,)
        How many.
    """

    resting: Int32Array
    waiting: Int32Array
    fired: Int32Array
    fired_value: Int32Array
    fired_count: Int64Array


class Recording(NamedTuple):
    """Where states are written: int32 arrays of shape (N, neurons, T), empty when not wanted."""

    current: Int32Array
    voltage: Int32Array


class Synapses(NamedTuple):
    """Weights of a dense layer.

    Attributes
    ----------
    weights : int8, int16 or int32 array, shape (inputs, padded)
        Row by input; in 2**shift weight units.
    recurrent : array of the same type, shape (count, padded) or (0, padded)
        Rows of the layer's own neurons.
    factor : int
        From sums to state units.
    wide : bool
        Whether sums take 64 bits: payloads in parts of 1.
    cut : int
        Bits that such sums are finer than the states.
    input_scale, own_scale : int
        What payloads are multiplied with to be in their common unit.
    """

    weights: NDArray[Any]
    recurrent: NDArray[Any]
    factor: int
    wide: bool
    cut: int
    input_scale: int
    own_scale: int


class Kernel(NamedTuple):
    """Weights and geometry of a convolution.

    Attributes
    ----------
    weights : int8, int16 or int32 array, shape (C_in * kernel height * kernel width * group_out,)
        By input channel, kernel row, place in a run (see `plan_kernel`), output channel.
    combined : bool
        Whether `weights` holds, in place of each input channel, the sums of each set of channels:
        bit c of a set's number stands for channel c.
    channels_in, group_in, width_in : int
        Of the input image.
    channels_out, group_out, width_out, height_out : int
        Of the output image.
    height, width : int
        Of the kernel.
    row_start : int32 array, shape (height_in + 1,)
        Which kernel rows an input row meets ...
    row_kernel, row_out : int32 array
        ... and the output rows they lead to.
    run_start : int32 array, shape (width_in + 1,)
        Which runs of neighbouring output places an input column leads to ...
    run_weight, run_out, run_length : int32 array
        ... their first weight, first output column and length.
    set_place : int32 array, shape (C_in * height_in * width_in,) or (0,)
        Where `combined`: for each input, its pixel in an image with borders of the padding's size;
        a pixel of that image holds the set of its channels that fired.
    set_size : int
        Pixels of that image.
    row_stride, column_stride : int
        Pixels of that image from an output row or column to the next.
    tap, tap_weight : int32 array, shape (kernel height * width,)
        For each kernel element, how far its pixel is from the first's, and its first weight.
    factor, wide, cut
        See `Synapses`.
    """

    weights: NDArray[Any]
    combined: bool
    set_place: Int32Array
    set_size: int
    row_stride: int
    column_stride: int
    tap: Int32Array
    tap_weight: Int32Array
    channels_in: int
    group_in: int
    width_in: int
    channels_out: int
    group_out: int
    width_out: int
    height_out: int
    height: int
    width: int
    row_start: Int32Array
    row_kernel: Int32Array
    row_out: Int32Array
    run_start: Int32Array
    run_weight: Int32Array
    run_out: Int32Array
    run_length: Int32Array
    factor: int
    wide: bool
    cut: int
