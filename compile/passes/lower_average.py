"""Lowering: means over groups of neurons, as a readout or inside the weights that follow."""

from __future__ import annotations

import numpy as np

from ...hw_profiles.arithmetic import DECAY_ONE
from ...netx import (
    NEVER_FIRES,
    CubaNeuron,
    DenseLayer,
    IntArray,
    Neuron,
    RecurrentLayer,
    SigmaDeltaNeuron,
)

# Weight of a readout that sums without losing anything, in units of 1/64.
WEIGHT_ONE = 64


def mean_readout(name: str, inputs: int, group: int) -> DenseLayer:
    """Return a dense layer whose voltages are the sums over groups of neighbouring neurons.

    The mean that it stands for is the voltage divided by ``group`` times the weight times 64. It
    neither remembers nor fires: both decays are 4096, the threshold is the largest.

    Parameters
    ----------
    name : str
        Name of the average layer.
    inputs : int
        Neurons that come in.
    group : int
        Neurons in a group; divides `inputs`.
    """
    one = WEIGHT_ONE
    while group * one >= NEVER_FIRES and one > 1:  # keeps a group of all ones below the threshold
        one //= 2
    weight = np.kron(np.eye(inputs // group, dtype=np.int32), np.full((1, group), one, np.int32))
    everything = np.array(DECAY_ONE, dtype=np.int32)
    return DenseLayer(
        name=name,
        shape=(inputs // group,),
        weight=weight.astype(np.int32),
        neuron=CubaNeuron(
            vth_mantissa=NEVER_FIRES, current_decay=everything, voltage_decay=everything
        ),
        delay_shift=False,
    )


def sums_exactly(neuron: Neuron, readout: DenseLayer) -> bool:
    """Tell whether the voltages of a readout hold sums of what a neuron sends without cutting.

    Spikes are whole, graded ones whole in 1/4096 like voltages, messages of sigma-delta neurons in
    2**-18.
    """
    match neuron:
        case SigmaDeltaNeuron():
            return False
        case _:
            return not neuron.graded_spike or int(readout.weight.max()) == WEIGHT_ONE


def weights_of_members(
    layer: DenseLayer | RecurrentLayer, group: int
) -> tuple[IntArray, IntArray | None, bool]:
    """Return a layer's weights as they act on the members of groups, in place of the means.

    Parameters
    ----------
    layer : DenseLayer or RecurrentLayer
        Takes means.
    group : int
        Neurons in a group.

    Returns
    -------
    weight, weight_imag : int32 array, shape (n_out, n_in * group), and the like or None
        Every weight divided by `group`, rounded half to even.
    exact : bool
        Whether nothing was rounded.
    """
    weight, exact = _divided(layer.weight, group)
    if layer.weight_imag is None:
        return weight, None, exact
    imag, imag_exact = _divided(layer.weight_imag, group)
    return weight, imag, exact and imag_exact


def _divided(weight: IntArray, group: int) -> tuple[IntArray, bool]:
    share = np.round(weight.astype(np.float64) / group).astype(np.int32)
    exact = np.array_equal(share.astype(np.int64) * group, weight)
    return np.repeat(share, group, axis=1), exact
