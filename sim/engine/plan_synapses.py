"""From weight registers to what the kernels take: the narrowest type, in the engine's order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...compile import ChipConv, ChipDense, ChipLayer
from ...hw_profiles.arithmetic import CONV_BITS, STATE_SHIFT
from ...hw_profiles.units import WEIGHT_TO_SIGMA
from ...netx import IntArray, SigmaDeltaNeuron
from ..output_units import output_unit
from .family_structures import Alignment
from .geometry import plan_kernel
from .structures import Int32Array, Kernel, Synapses

SPIKE_FACTOR = 1 << STATE_SHIFT
KERNEL_FACTOR = SPIKE_FACTOR << 2  # `update_currents` takes 2 bits back, to wrap at 24
NO_ALIGNMENT = Alignment(left=0, right=0, up=0, down=0, rounding=0, wrap=0)


def unit_bits(layer: ChipLayer) -> int:
    """Return how many bits after the point the payloads of a layer have: units are 2**-bits."""
    return output_unit(layer).denominator.bit_length() - 1


def cuba_synapses(layer: ChipDense, rows: Int32Array, padded: int, input_bits: int) -> Synapses:
    """Return the weights of a dense layer of CUBA neurons.

    Parameters
    ----------
    layer : ChipDense
        The layer.
    rows : int32 array, shape (inputs,)
        Natural number of each input.
    padded : int
        Length of the states.
    input_bits : int
        What comes in, see `unit_bits`.
    """
    weight, back = _matrices(layer, rows)
    bits, own_bits = _common_bits(layer, input_bits)
    wide = bits > 0
    (narrow, narrow_back), shift = narrowest([weight, back], keep_unit=wide)
    return Synapses(
        weights=_padded_rows(narrow, padded),
        recurrent=_padded_rows(narrow_back, padded),
        factor=1 if wide else SPIKE_FACTOR << shift,
        wide=wide,
        cut=bits - STATE_SHIFT if wide else 0,
        input_scale=1 << (bits - input_bits),
        own_scale=1 << (bits - own_bits),
    )


def cuba_kernel(layer: ChipConv, input_bits: int) -> Kernel:
    """Return the weights of a convolution with CUBA neurons; see `cuba_synapses`."""
    wide = input_bits > 0
    (weight,), shift = narrowest([layer.weights.effective()], keep_unit=wide)
    return plan_kernel(
        layer,
        weight,
        factor=1 if wide else KERNEL_FACTOR << shift,
        wide=wide,
        cut=input_bits - STATE_SHIFT if wide else 0,
    )


def dense_synapses(
    layer: ChipDense, rows: Int32Array, padded: int, input_bits: int
) -> tuple[Synapses, Synapses | None, Alignment]:
    """Return the weights of a dense layer of other neurons, real and imaginary, and their unit.

    Sums are wide where bits are cut from them.
    """
    weight, back = _matrices(layer, rows)
    imag: list[IntArray] = []
    if layer.weights_imag is not None and layer.weights_rec is None:
        imag = [np.ascontiguousarray(layer.weights_imag.effective().T[rows])]
    bits, own_bits = _common_bits(layer, input_bits)
    narrow, shift = narrowest([weight, back, *imag], keep_unit=False)
    alignment = _alignment(layer, bits, shift, is_kernel=False)
    made = [
        Synapses(
            weights=_padded_rows(each, padded),
            recurrent=_padded_rows(narrow[1], padded),
            factor=1,
            wide=alignment.down > 0,
            cut=0,
            input_scale=1 << (bits - input_bits),
            own_scale=1 << (bits - own_bits),
        )
        for each in (narrow[0], *narrow[2:])
    ]
    return made[0], made[1] if imag else None, alignment


def conv_kernels(layer: ChipConv, input_bits: int) -> tuple[Kernel, Kernel | None, Alignment]:
    """Return weights to either part, and how sums come to states.

    Sums of kernels wrap at 24 bits and so are never wide.
    """
    sets = [layer.weights] if layer.weights_imag is None else [layer.weights, layer.weights_imag]
    narrow, shift = narrowest([each.effective() for each in sets], keep_unit=False)
    kernels = [plan_kernel(layer, each, factor=1, wide=False, cut=0) for each in narrow]
    alignment = _alignment(layer, input_bits, shift, is_kernel=True)
    return kernels[0], kernels[1] if len(kernels) > 1 else None, alignment


def narrowest(weights: list[IntArray], *, keep_unit: bool) -> tuple[list[NDArray[np.integer]], int]:
    """Return weights in the narrowest type that holds them without their common power of two.

    Parameters
    ----------
    weights : list of int32 array
        Weights that are summed together.
    keep_unit : bool
        Whether the power of two stays in.

    Returns
    -------
    weights : list of int8, int16 or int32 array
        All of one type.
    shift : int
        The power of two that was taken out.

    Examples
    --------
    >>> narrowest([np.array([-256, 4, 252], dtype=np.int32)], keep_unit=False)
    ([array([-64,   1,  63], dtype=int8)], 2)
    """
    bits = 0
    for weight in weights:
        bits |= int(np.bitwise_or.reduce(weight, axis=None))
    shift = 0 if keep_unit or bits == 0 else (bits & -bits).bit_length() - 1
    shifted = [weight >> shift for weight in weights]
    least = min((int(weight.min()) for weight in shifted if weight.size), default=0)
    most = max((int(weight.max()) for weight in shifted if weight.size), default=0)
    for kind in (np.int8, np.int16):
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return [weight.astype(kind) for weight in shifted], shift
    return list(shifted), shift


def _matrices(layer: ChipDense, rows: Int32Array) -> tuple[IntArray, IntArray]:
    """Return a dense layer's weights by input, and those of its own neurons or none."""
    weight = layer.weights.effective()
    back = np.zeros((0, weight.shape[0]), dtype=np.int32)
    if layer.weights_rec is not None:
        back = np.ascontiguousarray(layer.weights_rec.effective().T)
    return weight.T[rows], back


def _common_bits(layer: ChipDense, input_bits: int) -> tuple[int, int]:
    """Return the bits of what is summed, and those of the layer's own payloads."""
    own_bits = unit_bits(layer) if layer.weights_rec is not None else 0
    return max(input_bits, own_bits), own_bits


def _alignment(layer: ChipDense | ChipConv, bits: int, shift: int, *, is_kernel: bool) -> Alignment:
    right = 64 - CONV_BITS if is_kernel else 0
    if isinstance(layer.neuron, SigmaDeltaNeuron):
        up = WEIGHT_TO_SIGMA - bits
        rounding = 0  # sigma-delta neurons cut down
    else:
        up = STATE_SHIFT - bits
        rounding = (1 << max(0, -up)) - 1
    return Alignment(
        left=right + shift,
        right=right,
        up=max(0, up),
        down=max(0, -up),
        rounding=rounding,
        wrap=32,
    )


def _padded_rows(rows: NDArray[np.integer], padded: int) -> NDArray[np.integer]:
    wide = np.zeros((rows.shape[0], padded), dtype=rows.dtype)
    wide[:, : rows.shape[1]] = rows
    return wide
