"""What tests of cutting and placing share."""

from __future__ import annotations

import itertools
import math

import numpy as np
from builders import convolve
from hypothesis import settings
from numpy.typing import NDArray
from strategies import Case

from lavadeploy.compile import (
    ChipConv,
    ChipDense,
    ChipInput,
    ChipLayer,
    ChipNetwork,
    SignMode,
    WeightRegisters,
    compile_network,
    weight_sets,
)
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import CubaNeuron, NeuronKind

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)
NEURON = CubaNeuron(
    kind=NeuronKind.CUBA,
    vth_mantissa=80,
    current_decay=np.array(1024, dtype=np.int32),
    voltage_decay=np.array(128, dtype=np.int32),
)


def chip(case: Case) -> ChipNetwork:
    """The chip layers of a case."""
    profile = load_profile("ideal")
    return compile_network(case.network, profile, input_shape=case.input_shape).network


def reached_by_brute_force(layer: ChipLayer, neurons: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Send a spike into every input alone, and see which arrive at these neurons."""
    n_in = math.prod(layer.shape_in)
    if isinstance(layer, ChipInput):
        return np.isin(np.arange(n_in), neurons)
    if isinstance(layer, ChipDense):
        return np.ones(n_in, dtype=np.bool_)
    ones = np.ones(layer.weights.mantissa.shape, dtype=np.int64)
    arrived = convolve(layer, np.eye(n_in, dtype=np.int64), ones)
    return np.any(arrived[:, neurons] > 0, axis=1)


def bits_of_layer(layer: ChipLayer) -> int:
    """Return the width of a layer's weights."""
    _, weights = next(weight_sets(layer))
    return weights.bits


def registers(bits: int, *shape: int) -> WeightRegisters:
    """Zeros of a width."""
    zeros = np.zeros(shape, dtype=np.int16)
    return WeightRegisters(mantissa=zeros, exponent=0, bits=bits, sign_mode=SignMode.MIXED)


def chip_input(shape: tuple[int, ...]) -> ChipInput:
    """Neurons at the input."""
    return ChipInput(
        name="input",
        shape_in=shape,
        shape_out=shape,
        sources=(-1,),
        neuron=NEURON,
        scale=None,
        offset=None,
        delay_shift=False,
    )


def chip_dense(
    name: str, n_in: int, n_out: int, bits: int, sources: tuple[int, ...], *, recurs: bool = False
) -> ChipDense:
    """A dense layer of a size."""
    return ChipDense(
        name=name,
        shape_in=(n_in,),
        shape_out=(n_out,),
        sources=sources,
        weights=registers(bits, n_out, n_in),
        weights_imag=None,
        weights_rec=registers(bits, n_out, n_out) if recurs else None,
        neuron=NEURON,
        bias=None,
        bias_imag=None,
        delay=None,
        delay_shift=False,
    )


def chip_conv(
    name: str,
    shape_in: tuple[int, int, int],
    shape_out: tuple[int, int, int],
    bits: int,
    sources: tuple[int, ...],
    *,
    kernel: int = 3,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> ChipConv:
    """A convolution of a size."""
    return ChipConv(
        name=name,
        shape_in=shape_in,
        shape_out=shape_out,
        sources=sources,
        weights=registers(bits, shape_out[0], shape_in[0], kernel, kernel),
        weights_imag=None,
        neuron=NEURON,
        bias=None,
        bias_imag=None,
        delay=None,
        delay_shift=False,
        stride=stride,
        padding=padding,
        dilation=(1, 1),
        groups=1,
    )


def pilotnet(bits: tuple[int, ...], *, has_input: bool) -> ChipNetwork:
    """PilotNet as lava-dl's benchmarks ran it: 200 x 66 pixels, five convolutions."""
    shapes = [(3, 66, 200), (24, 32, 99), (36, 15, 49), (48, 7, 24), (64, 4, 22), (64, 2, 20)]
    strides = [(2, 2), (2, 2), (2, 2), (2, 1), (1, 1)]
    first = int(has_input)
    layers: list[ChipLayer] = [chip_input(shapes[0])] if has_input else []
    for k, stride in enumerate(strides):
        layers.append(
            chip_conv(
                f"conv{k + 1}",
                shapes[k],
                shapes[k + 1],
                bits[k],
                (first + k - 1,),
                stride=stride,
                padding=(1, 0) if k == 3 else (0, 0),
            )
        )
    sizes = [2560, 100, 50, 10, 1]
    for k, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        layers.append(chip_dense(f"fc{k + 1}", n_in, n_out, bits[5 + k], (first + 4 + k,)))
    return ChipNetwork(input_shape=shapes[0], layers=tuple(layers))


PILOTNET_LIF = (5, 4, 4, 4, 4, 3, 4, 5, 4)
PILOTNET_SDNN = (6, 5, 4, 5, 4, 4, 6, 5, 4)


def yolo_kp() -> ChipNetwork:
    """YOLO-KP, ten convolutions for a board of eight chips; bits as its log's words imply."""
    rows = [  # channels, size, kernel, stride, bits
        (16, 224, 3, 2, 5),
        (32, 112, 3, 2, 6),
        (64, 56, 3, 2, 5),
        (128, 28, 3, 2, 5),
        (256, 28, 3, 1, 5),
        (256, 14, 3, 2, 4),
        (512, 14, 3, 1, 5),
        (256, 14, 1, 1, 5),
        (512, 14, 3, 1, 5),
        (48, 14, 1, 1, 6),
    ]
    before = (3, 448, 448)
    layers: list[ChipLayer] = []
    for k, (channels, size, kernel, stride, bits) in enumerate(rows):
        after = (channels, size, size)
        pad = (kernel // 2, kernel // 2)
        layers.append(
            chip_conv(
                f"conv{k + 1}",
                before,
                after,
                bits,
                (k - 1,),
                kernel=kernel,
                stride=(stride, stride),
                padding=pad,
            )
        )
        before = after
    return ChipNetwork(input_shape=(3, 448, 448), layers=tuple(layers))
