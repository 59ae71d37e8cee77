"""How many bits weights need."""

from __future__ import annotations

import numpy as np

from .arrays import IntArray


def used_bits(weight: IntArray) -> int:
    """Return the fewest bits that hold a set of weights exactly, up to a common power of two.

    Parameters
    ----------
    weight : int32 array, any shape
        In units of 1/64.

    Returns
    -------
    int
        With w the weights divided by the largest power of two that divides them all. Mixed signs:
        the width of w in two's complement, that is the sign's bit and those of the larger of
        ``max w`` and ``-min w - 1``. One sign: the bits of ``max |w|``, since the sign is then
        stated once for all. All zero: 0.

    Notes
    -----
    So do the mantissas, sign modes and exponents of Loihi's synapses hold weights
    (``lava/utils/weightutils.py``; brian2loihi). Chips lack some widths and exponents: the bits
    that a layer takes there are the compiler's. Where a chip has all of them the two agree,
    see ``tests/netx/test_weight_bits.py``.

    Examples
    --------
    >>> used_bits(np.array([-64, 32, 96])), used_bits(np.array([-64, -96]))
    (3, 2)
    """
    wide = weight.astype(np.int64)  # -2**31 has no counterpart in 32 bits
    combined = int(np.bitwise_or.reduce(np.abs(wide), axis=None))
    if combined == 0:
        return 0
    divisor = combined & -combined
    least, largest = int(wide.min()) // divisor, int(wide.max()) // divisor
    if least < 0 < largest:
        return 1 + max(largest, -least - 1).bit_length()
    return max(largest, -least).bit_length()
