"""A network that fits together and has every kind of layer and of neuron, in few weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lavadeploy.netx import (
    AdaptiveResonatorNeuron,
    AlifNeuron,
    AverageLayer,
    ConcatLayer,
    ConvLayer,
    ConvTransposeLayer,
    CubaNeuron,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Network,
    NeuronKind,
    PoolLayer,
    RecurrentLayer,
    ResonatorNeuron,
    SigmaDeltaNeuron,
    UnpoolLayer,
)


def ints(value: Any, *more: int) -> NDArray[np.int32]:
    """One value or array, or several numbers, as int32."""
    return np.array((value, *more) if more else value, dtype=np.int32)


def network_of_every_kind() -> Network:
    kernel: dict[str, Any] = {"stride": (2, 2), "padding": (0, 0), "dilation": (1, 1)}
    turns: dict[str, Any] = {"sin_decay": ints(2048), "cos_decay": ints(0)}
    adapts: dict[str, Any] = {
        "vth_step": 5,
        "threshold_decay": ints(2048),
        "refractory_decay": ints(4096),
    }
    square = ints([[[[-2, 4], [0, 6]]]])
    return Network(
        layers=(
            InputLayer(
                name="layer0",
                shape=(2, 4, 4),
                weight=64,
                bias=-3,
                neuron=CubaNeuron(
                    vth_mantissa=80,
                    current_decay=ints(1024),
                    voltage_decay=ints(0),
                    message_bits=16,
                ),
            ),
            ConvLayer(
                name="layer1",
                shape=(4, 2, 3),
                weight=ints(2 * (np.arange(24) - 12).reshape(4, 1, 3, 2)),
                stride=(2, 1),
                padding=(1, 0),
                dilation=(1, 1),
                groups=2,
                neuron=AlifNeuron(
                    vth_mantissa=80,
                    current_decay=ints(0, 1024, 2048, 4096),
                    voltage_decay=ints(410),
                    graded_spike=True,
                    **adapts,
                ),
                bias=ints(-2, 0, 4, 1),
                delay=ints(1, 3, 2, 7),
                delay_shift=True,
            ),
            ConvTransposeLayer(
                name="layer2",
                shape=(2, 4, 6),
                weight=ints(np.full((4, 2, 2, 2), 8)),
                weight_imag=ints(np.full((4, 2, 2, 2), -16)),
                groups=1,
                neuron=ResonatorNeuron(kind=NeuronKind.RF, vth_mantissa=80, **turns),
                bias=ints(1, 2),
                bias_imag=ints(-5, 0),
                **kernel,
            ),
            PoolLayer(
                name="layer3",
                shape=(2, 2, 3),
                weight=square,
                weight_imag=0 * square,
                neuron=ResonatorNeuron(
                    kind=NeuronKind.RF_IZ,
                    vth_mantissa=80,
                    sin_decay=ints(0, 2896),
                    cos_decay=ints(4096, 2896),
                ),
                **kernel,
            ),
            UnpoolLayer(
                name="layer4",
                shape=(2, 4, 6),
                weight=square,
                weight_imag=square,
                neuron=AdaptiveResonatorNeuron(
                    kind=NeuronKind.ADRF, vth_mantissa=80, **turns, **adapts
                ),
                **kernel,
            ),
            FlattenLayer(name="layer5", shape=(48, 1, 1)),
            DenseLayer(
                name="layer6",
                shape=(6,),
                weight=ints(np.zeros((6, 48))),
                weight_imag=ints(np.zeros((6, 48))),
                neuron=AdaptiveResonatorNeuron(
                    kind=NeuronKind.ADRF_IZ,
                    vth_mantissa=80,
                    sin_decay=ints(0, 1000, 2000, 2500, 3000, 2897),
                    cos_decay=ints(4000, 3800, 3000, 3000, 2000, 2897),
                    vth_step=5,
                    threshold_decay=ints(1000, 1001, 1002, 1003, 1004, 1005),
                    refractory_decay=ints(10, 11, 12, 13, 14, 15),
                ),
            ),
            RecurrentLayer(
                name="layer7",
                shape=(6,),
                weight=ints(np.arange(36).reshape(6, 6)),
                weight_rec=ints(-np.eye(6) * 128),
                neuron=CubaNeuron(
                    kind=NeuronKind.LOIHI,
                    vth_mantissa=80,
                    current_decay=ints(1024),
                    voltage_decay=ints(128),
                    refractory_delay=3,
                    current_exponent=2,
                ),
                delay_shift=False,
            ),
            AverageLayer(name="layer8", shape=(3,)),
            ConcatLayer(name="layer9", shape=(9,), sources=(7, 8)),
            DenseLayer(
                name="layer10",
                shape=(2,),
                weight=ints(np.ones((2, 9))),
                neuron=SigmaDeltaNeuron(
                    vth_mantissa=6, vth_fraction=1024, activation="tanh", sigma_output=True
                ),
                delay_shift=False,
            ),
            DenseLayer(
                name="layer11",
                shape=(1,),
                weight=ints([[-256, 255]]),
                neuron=CubaNeuron(
                    vth_mantissa=(1 << 18) - 1, current_decay=ints(4096), voltage_decay=ints(0)
                ),
            ),
        )
    )
