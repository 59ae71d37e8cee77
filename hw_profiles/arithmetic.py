"""The fixed-point arithmetic of Lava's neuron models: the definition of a run.

Every function reproduces a line of lava-nc 0.10's ``fixed_pt`` CPU models bit for bit
(``lava/proc/lif/models.py``, ``proc/conv/models.py``); the tests compare them with Lava itself.
"Bit-exact" in this project means equal to those models. Where references disagree:

1. Current beyond 24 bits. Lava wraps once and leaves +2**23 as it is, turning -2**23 into +2**23;
   nengo-loihi wraps as two's complement; SLAYER does not wrap. Ours: Lava's.
2. Voltage beyond 24 bits. Lava clips to +-(2**23 - 1); nengo-loihi keeps its own limits; SLAYER
   does not clip. Ours: Lava's.
3. Threshold. Lava fires when the voltage is above it; SLAYER adds 0.01 to the threshold to get the
   same, but float32 loses that from ``vth_mantissa`` 4096 on and SLAYER fires at equality. Ours:
   Lava's; the compiler warns.
4. Decay. Lava and SLAYER move the product toward zero; the chip, by brian2loihi's account, rounds
   the amount removed up. For decays they agree, since both leave floor(abs(x) (4096 - d) / 4096).
5. Sums beyond 32 bits. Lava's arrays are int32 and wrap in silence; so do these functions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Int64Array: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

DECAY_BITS = 12  # decays are parts of 2**12
DECAY_ONE = 1 << DECAY_BITS
STATE_SHIFT = 6  # synaptic input, bias and threshold are aligned with the states by 6 bits
STATE_LIMIT = 1 << 23  # states have 24 bits, sign included
CONV_BITS = 24  # width of Lava's convolution output (PyConvModelFixed.clamp_precision)


def decay_toward_zero(state: Int64Array, decay: NDArray[np.integer]) -> Int64Array:
    """Return what a step's decay leaves of a state, rounded toward zero.

    Parameters
    ----------
    state : int64 array
        Current or voltage.
    decay : integer array, broadcastable to `state`
        Part lost, of 4096; range 0 to 4096.

    Returns
    -------
    int64 array, shape of `state`
        ``sign(state) * (abs(state) * (4096 - decay) >> 12)``.

    Examples
    --------
    >>> decay_toward_zero(np.array([-4097, -1, 0, 1, 4097]), np.array(1))
    array([-4095,     0,     0,     0,  4095])
    """
    # 24 + 13 bits, hence int64
    product = np.abs(state) * (np.int64(DECAY_ONE) - decay.astype(np.int64))
    return np.sign(state) * (product >> DECAY_BITS)


def wrap_signed(value: Int64Array, bits: int) -> Int64Array:
    """Return a value as a two's complement number of some bits keeps it.

    Parameters
    ----------
    value : int64 array
        Any value.
    bits : int
        Width, sign included.

    Examples
    --------
    >>> wrap_signed(np.array([127, 128, -129]), 8)
    array([ 127, -128,  127])
    """
    half = np.int64(1) << (bits - 1)
    return (value + half) % (2 * half) - half


def divide_toward_zero(value: Int64Array, divisor: int) -> Int64Array:
    """Return the quotient, rounded toward zero.

    Examples
    --------
    >>> divide_toward_zero(np.array([-5, 5]), 2)
    array([-2,  2])
    """
    return np.sign(value) * (np.abs(value) // divisor)


def align_with_states(synaptic_input: Int64Array, unit: Fraction = Fraction(1)) -> Int64Array:
    """Return synaptic input in the units of the states.

    Parameters
    ----------
    synaptic_input : int64 array
        Weights times payloads, summed: in weight units (1/64) times `unit`.
    unit : Fraction
        What a payload of 1 stands for: 1 for spikes and counts, 1/4096 for graded spikes.

    Returns
    -------
    int64 array
        In 1/4096; of 32 bits, as Lava's arrays are. Fractions are cut toward zero, as SLAYER cuts
        them (``slayer/neuron/dynamics/leaky_integrator.py``: ``(w_scale * input).to(dtype)``).

    Examples
    --------
    >>> align_with_states(np.array([3, -3]))
    array([ 192, -192])
    >>> align_with_states(np.array([100, -100]), Fraction(1, 4096))
    array([ 1, -1])
    """
    if unit == 1:
        return wrap_signed(wrap_signed(synaptic_input, 32) << STATE_SHIFT, 32)
    aligned = (synaptic_input << STATE_SHIFT) * unit.numerator
    return wrap_signed(divide_toward_zero(aligned, unit.denominator), 32)


def clip_state(value: Int64Array) -> Int64Array:
    """Return a value clipped to what a state register holds, +-(2**23 - 1)."""
    return np.clip(value, -(STATE_LIMIT - 1), STATE_LIMIT - 1)


def clip_voltage(value: Int64Array) -> Int64Array:
    """Return what the voltage register keeps of a sum: that of Lava's int32, clipped."""
    return clip_state(wrap_signed(value, 32))


def wrap_current(value: Int64Array) -> Int64Array:
    """Return what the current register keeps of a sum: that of Lava's int32, wrapped once.

    Examples
    --------
    >>> wrap_current(np.array([8388607, 8388608, 8388609, -8388608]))
    array([ 8388607,  8388608, -8388607,  8388608])
    """
    summed = wrap_signed(value, 32)
    lowered = np.where(summed > STATE_LIMIT, summed - 2 * STATE_LIMIT, summed)
    return np.where(lowered <= -STATE_LIMIT, summed + 2 * STATE_LIMIT, lowered)


def wrap_kernel_sum(value: Int64Array) -> Int64Array:
    """Return what Lava's convolutions keep of a weighted sum: 24 bits, wrapped."""
    return wrap_signed(value, CONV_BITS)


def update_current(
    current: Int64Array, arriving: Int64Array, decay: NDArray[np.integer]
) -> Int64Array:
    """Return the current after one step.

    Parameters
    ----------
    current : int64 array
        Current u of the step before.
    arriving : int64 array, shape of `current`
        Synaptic input in state units, see `align_with_states`.
    decay : integer array, broadcastable to `current`
        ``current_decay`` of the neuron, 0 to 4096.

    Returns
    -------
    int64 array
        In (-2**23, 2**23]; beyond that for inputs of more than 2**18, which one wrap does not
        bring back.

    Examples
    --------
    >>> zero = np.zeros(3, dtype=np.int64)
    >>> arriving = align_with_states(np.array([131072, 131073, -131072]))
    >>> update_current(zero, arriving, np.array(0))
    array([ 8388608, -8388544,  8388608])
    """
    return wrap_current(decay_toward_zero(current, decay) + arriving)


def update_voltage(
    voltage: Int64Array,
    current: Int64Array,
    bias: Int64Array,
    decay: NDArray[np.integer],
) -> Int64Array:
    """Return the voltage after one step, before it is compared with the threshold.

    Parameters
    ----------
    voltage : int64 array
        Voltage v of the step before, after its reset.
    current : int64 array, shape of `voltage`
        Current of this step.
    bias : int64 array, broadcastable to `voltage`
        Bias mantissa shifted by its exponent, in state units.
    decay : integer array, broadcastable to `voltage`
        ``voltage_decay`` of the neuron, 0 to 4096.

    Returns
    -------
    int64 array
        In [-(2**23 - 1), 2**23 - 1].

    Examples
    --------
    >>> edge = np.array([8388607, -8388607])
    >>> update_voltage(edge, np.array([1, -1]), np.array(0), np.array(0))
    array([ 8388607, -8388607])
    """
    return clip_voltage(decay_toward_zero(voltage, decay) + current + bias)


def rotate(
    real: Int64Array,
    imag: Int64Array,
    sin_decay: NDArray[np.integer],
    cos_decay: NDArray[np.integer],
) -> tuple[Int64Array, Int64Array]:
    """Return a resonator's state turned by one step, before its input is added.

    Parameters
    ----------
    real, imag : int64 array
        State of the step before.
    sin_decay, cos_decay : integer array, broadcastable to `real`
        Sine and cosine of the angle times the part kept, of 4096.

    Returns
    -------
    tuple of int64 array
        Real and imaginary part, each product rounded toward zero on its own
        (``lava/proc/rf/models.py``; ``slayer/neuron/dynamics/resonator.py``).

    Examples
    --------
    >>> rotate(np.array([4096]), np.array([-4096]), np.array(2287), np.array(3148))
    (array([5435]), array([-861]))
    """
    sine, cosine = sin_decay.astype(np.int64), cos_decay.astype(np.int64)
    one = DECAY_ONE
    turned_real = divide_toward_zero(cosine * real, one) - divide_toward_zero(sine * imag, one)
    turned_imag = divide_toward_zero(sine * real, one) + divide_toward_zero(cosine * imag, one)
    return turned_real, turned_imag


def fires(voltage: Int64Array, vth_mantissa: int) -> BoolArray:
    """Return which neurons spike: those strictly above the threshold.

    Examples
    --------
    >>> fires(np.array([639, 640, 641]), 10)
    array([False, False,  True])
    """
    return voltage > (np.int64(vth_mantissa) << STATE_SHIFT)
