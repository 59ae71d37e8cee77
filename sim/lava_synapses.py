"""From the registers of a layer's weights to Lava's synapse processes."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import Dense
from lava.utils.weightutils import SignMode as LavaSignMode
from numpy.typing import NDArray

from ..compile import ChipConv, SignMode, WeightRegisters
from .lava_order import lava_shape
from .lava_processes.wide_dense import PyWideDense, WideDense

PAYLOAD_BITS = 24  # any number but 0 makes Lava multiply with the value of a spike
LAVA_SIGN_MODE = {
    SignMode.MIXED: LavaSignMode.MIXED,
    SignMode.EXCITATORY: LavaSignMode.EXCITATORY,
    SignMode.INHIBITORY: LavaSignMode.INHIBITORY,
}


def dense_synapses(
    weights: WeightRegisters,
    order_out: NDArray[np.intp],
    order_in: NDArray[np.intp],
    *,
    message_bits: int,
    wide: bool = False,
) -> tuple[Any, type]:
    """Return Lava's dense synapses and the model that runs them.

    Parameters
    ----------
    weights : WeightRegisters
        Mantissa of shape (n_out, n_in).
    order_out, order_in : int array
        For each neuron and input in Lava's order (width first), its number in ours.
    message_bits : int
        0 for binary spikes, else `PAYLOAD_BITS`.
    wide : bool
        Whether payloads come whose sums may leave 32 bits.
    """
    mantissa = weights.mantissa.astype(np.int32)[np.ix_(order_out, order_in)]
    # Stating the sign mode keeps Lava from guessing it, which truncates matrices without positive
    # weights whose least weight is a power of two
    process = (WideDense if wide else Dense)(
        weights=np.ascontiguousarray(mantissa),
        weight_exp=weights.exponent,
        num_weight_bits=weights.bits,
        sign_mode=LAVA_SIGN_MODE[weights.sign_mode],
        num_message_bits=message_bits,
    )
    return process, PyWideDense if wide else PyDenseModelBitAcc


def conv_parameters(layer: ChipConv, weights: WeightRegisters, message_bits: int) -> dict[str, Any]:
    """Return what Lava's `Conv` takes; Lava convolves width first with a flipped kernel."""
    kernel = weights.effective()[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)  # (C_out, W, H, C_in)
    return {
        "weight": np.ascontiguousarray(kernel),
        "input_shape": lava_shape(layer.shape_in),
        "stride": layer.stride[::-1],
        "padding": layer.padding[::-1],
        "dilation": layer.dilation[::-1],
        "groups": layer.groups,
        "num_message_bits": message_bits,
    }


def conv_synapses(layer: ChipConv, weights: WeightRegisters, message_bits: int) -> tuple[Any, type]:
    """Return Lava's convolution and the model that runs it."""
    # loading SciPy's signal processing takes half a second, which only convolutions need
    from .lava_processes.wide_conv import PyWideConv, WideConv

    return WideConv(**conv_parameters(layer, weights, message_bits)), PyWideConv
