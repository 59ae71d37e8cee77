"""Networks as lava-dl's own loader builds them, and the numbers in them."""
# lava has no type information.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lavadeploy.netx import repair_lava


def load_with_lava(path: Path) -> Any:
    repair_lava()
    network = importlib.import_module("lava.lib.dl.netx").hdf5.Network(net_config=str(path))
    network.net_config.f.close()  # lava-dl leaves it open
    return network


def dense_weights(synapse: Any) -> NDArray[Any]:
    """Return stored mantissas, shifted by the exponent that lava-dl gave them."""
    mantissa = np.asarray(synapse.weights.init)
    exponent = int(synapse.proc_params["weight_exp"])
    return mantissa << exponent if exponent >= 0 else mantissa >> -exponent


def conv_weights(synapse: Any) -> NDArray[Any]:
    """Return torch's order of lava's (C_out, W, H, C_in), flipped in both image axes."""
    return np.asarray(synapse.weight.init).transpose(0, 3, 2, 1)[:, :, ::-1, ::-1]


def check_lif(neuron: Any, expected: Any, bias: Any = 0) -> None:
    """Lava's LIF has the numbers of a CUBA neuron."""
    assert int(neuron.vth.init) == expected.vth_mantissa
    assert np.array_equal(neuron.du.init, expected.current_decay - 1)
    assert np.array_equal(neuron.dv.init, expected.voltage_decay)
    assert np.array_equal(neuron.bias_mant.init, bias)
    assert int(neuron.bias_exp.init) == 6
