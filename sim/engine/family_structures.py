"""What the kernels of neurons other than CUBA take; see `structures`.

Parameters of neurons repeat after their length, the tile, as those of CUBA neurons do.
"""
# `index` and `count` hide methods of tuples that nobody calls here
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .structures import Int32Array, Int64Array

Float64Array: TypeAlias = NDArray[np.float64]


class Alignment(NamedTuple):
    """How a sum of weights comes to the units of the states, without a branch.

    Attributes
    ----------
    left, right : int
        The sum is shifted left and back: by 0, or 40 to wrap it to the 24 bits of a kernel's sum;
        `left` has the weights' common power of two in it.
    up, down : int
        Bits that are added, or cut, afterwards.
    rounding : int
        Added to negative numbers before the cut: ``2**down - 1`` cuts toward zero, 0 down.
    wrap : int
        32 to wrap the result to 32 bits, else 0.
    """

    left: int
    right: int
    up: int
    down: int
    rounding: int
    wrap: int


class Incoming(NamedTuple):
    """What reaches the neurons of a layer in a batch of rows.

    Attributes
    ----------
    real, imag : int32 or int64 array, shape (rows, padded)
        Sums of weights; no rows of `imag` where both parts take the same.
    recurrent : int8, int16 or int32 array, shape (count, padded) or (0, padded)
        Rows of the layer's own neurons.
    own_scale : int
        What the layer's own payloads are multiplied with.
    alignment : Alignment
        Of all sums.
    """

    real: NDArray[Any]
    imag: NDArray[Any]
    recurrent: NDArray[Any]
    own_scale: int
    alignment: Alignment


class Scratch(NamedTuple):
    """Room for a step: int32 arrays of shape (padded,).

    Attributes
    ----------
    real, imag : int32 array
        Input in state units.
    mark : int32 array
        What is compared to find those that fire.
    """

    real: Int32Array
    imag: Int32Array
    mark: Int32Array


class Adaptation(NamedTuple):
    """Threshold and refractory term that spikes raise, in state units.

    Attributes
    ----------
    rest, rise : float
        Threshold at rest, and what a spike adds.
    kept_threshold, kept_refractory : float64 array, shape (tile,)
        Part that a step keeps.
    threshold : float64 array, shape (padded,)
        Whole numbers; at rest they may be beyond 32 bits.
    refractory : int32 array, shape (padded,)
        The other term.
    """

    rest: float
    rise: float
    kept_threshold: Float64Array
    kept_refractory: Float64Array
    threshold: Float64Array
    refractory: Int32Array


class Resonators(NamedTuple):
    """RF, RF_IZ and their adaptive forms.

    Attributes
    ----------
    count, first_step, graded, delay, natural
        See `Neurons`.
    sine, cosine : float64 array, shape (tile,)
        Of the angle, times the part kept: multiples of 1/4096.
    bias, bias_imag : int64 array, shape (tile,)
        In state units.
    limit : int
        Part of the state above which neurons fire.
    by_phase : bool
        Whether they fire where the phase passes zero (RF), or by their imaginary part.
    """

    count: int
    first_step: int
    graded: bool
    delay: Int32Array
    natural: Int32Array
    sine: Float64Array
    cosine: Float64Array
    bias: Int64Array
    bias_imag: Int64Array
    limit: int
    by_phase: bool


class ResonatorStates(NamedTuple):
    """Both parts of the state, int32 arrays of shape (padded,)."""

    real: Int32Array
    imag: Int32Array


class AdaptiveLeaky(NamedTuple):
    """ALIF.

    Attributes
    ----------
    count, first_step, graded, delay, natural
        See `Neurons`.
    kept_current, kept_voltage : float64 array, shape (tile,)
        Part that a step keeps.
    bias : int64 array, shape (tile,)
        In state units.
    exponent : int
        See `CubaNeuron`.
    """

    count: int
    first_step: int
    graded: bool
    delay: Int32Array
    natural: Int32Array
    kept_current: Float64Array
    kept_voltage: Float64Array
    bias: Int64Array
    exponent: int


class SigmaDelta(NamedTuple):
    """Delta encoders, sigma-delta units and sigma outputs, in 2**-18.

    Attributes
    ----------
    count, first_step, graded, delay, natural
        See `Neurons`; all send numbers.
    bias : int32 array, shape (tile,)
        Wrapped to 32 bits, as the sum is to which it is added.
    above, below : int
        A change is sent that is above one or below the other.
    sums : bool
        Whether input is summed (not in delta encoders).
    sends_changes : bool
        Whether changes are sent (not in sigma outputs).
    """

    count: int
    first_step: int
    graded: bool
    delay: Int32Array
    natural: Int32Array
    bias: Int32Array
    above: int
    below: int
    sums: bool
    sends_changes: bool


class SigmaDeltaStates(NamedTuple):
    """Sum, activation and residue, int32 arrays of shape (padded,)."""

    sigma: Int32Array
    activation: Int32Array
    residue: Int32Array


FamilyNeurons: TypeAlias = Resonators | AdaptiveLeaky | SigmaDelta
