"""Causes in weights: clipped, cut, scaled, transposed, or read in another order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from ...compile import ChipDense, ChipInput
from ...hw_profiles.arithmetic import divide_toward_zero, wrap_signed
from ...netx import ConvLayer, DenseLayer, IntArray, RecurrentLayer, SynapticLayer, size_of
from .axes import IMAGE_ORDERS
from .cause import CauseName
from .hypothesis import RUN, Hypothesis
from .layer_case import Behaviour, LayerCase

Change: TypeAlias = Callable[[IntArray], IntArray]
MOST_LOW_BITS = 6


def number_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield weights that another register format would have changed."""
    layer, chip = case.layer, case.chip
    if not isinstance(layer, SynapticLayer) or isinstance(chip, ChipInput):
        return
    exponent = chip.weights.exponent
    seen: list[IntArray] = []
    for name, what, change in (
        *((CauseName.CLIPPED_WEIGHT, *x) for x in _clips(layer.weight)),
        *((CauseName.WRAP, *x) for x in _wraps()),
        *((CauseName.WEIGHT_EXPONENT, *x) for x in _scales(exponent)),
    ):
        changed = change(layer.weight)
        others = _other_weights(layer)
        is_same = np.array_equal(changed, layer.weight) and all(
            np.array_equal(change(other), other) for other in others
        )
        if is_same or any(np.array_equal(changed, known) for known in seen):
            continue
        seen.append(changed)
        yield Hypothesis(
            name=name,
            statement=f"{RUN} {what}: {_example(layer.weight, changed)}",
            remedy=(
                "Give the run the registers of the artifact, exponent included."
                if name is CauseName.WEIGHT_EXPONENT
                else "Choose bits and exponent so that every weight is held, as lavadeploy compile "
                "does, or train within the narrower range."
            ),
            predict=partial(_changed, change),
        )


def order_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield kernels and matrices whose axes were mixed up."""
    layer = case.layer
    if isinstance(layer, ConvLayer):
        yield from _kernels(layer)
    if not isinstance(layer, DenseLayer | RecurrentLayer):
        return
    rows, columns = layer.weight.shape
    if rows == columns and not np.array_equal(layer.weight, layer.weight.T):
        yield Hypothesis(
            name=CauseName.TRANSPOSED_WEIGHTS,
            statement=f"{RUN} uses the transposed weights: inputs where outputs should be",
            remedy="Give weights as (outputs, inputs), as torch and NetX have them.",
            predict=partial(_changed, np.transpose),
        )
    shape = case.chip.shape_in
    if not isinstance(case.chip, ChipDense) or len(shape) != 3:
        return
    for words, order in IMAGE_ORDERS.items():
        columns_now = order(np.arange(size_of(shape)).reshape(shape)).reshape(-1)
        if np.array_equal(columns_now, np.arange(size_of(shape))):
            continue
        yield Hypothesis(
            name=CauseName.FLATTEN_ORDER,
            statement=f"{RUN} flattens the image {shape} before this layer {words}",
            remedy="Flatten (C, H, W) with the channel slowest, as torch.flatten does.",
            predict=partial(_reordered, columns_now),
        )


def _clips(weight: IntArray) -> Iterator[tuple[str, Change]]:
    for bits in (9, 8, 7, 6, 5, 4):
        most = (1 << (bits - 1)) - 1
        for low in (-most - 1, -most):
            if bits == 9 and low == -most - 1:
                continue  # what SLAYER's grid has
            yield f"clips weights to {low}..{most}", partial(_clip, low, most)
    for low, most in ((-256, 254), (0, 1 << 16), (-(1 << 16), 0)):
        yield f"clips weights to {low}..{most}", partial(_clip, low, most)
    least = int(weight.min())
    for step in (1, 2):
        # lava-nc clips the mantissas of one-signed matrices to 255
        yield (
            f"raises the least weight, {least}, as a clip of mantissas to -255 does",
            partial(_clip, least + step, 1 << 16),
        )
    for bits in range(1, MOST_LOW_BITS + 1):
        low = "the lowest bit" if bits == 1 else f"the {bits} lowest bits"
        yield f"loses {low} of weights, toward zero", partial(_cut, bits)
        yield f"loses {low} of weights, downward", partial(_floor, bits)


def _wraps() -> Iterator[tuple[str, Change]]:
    for bits in (8, 9):
        yield f"wraps weights at {bits} bits", partial(_wrap, bits)


def _scales(exponent: int) -> Iterator[tuple[str, Change]]:
    if exponent:
        yield (
            f"uses mantissas without their exponent {exponent}",
            lambda weight: (weight << -exponent) if exponent < 0 else (weight >> exponent),
        )
    yield "doubles all weights", lambda weight: weight * 2
    yield "halves all weights", lambda weight: _half(weight)


def _kernels(layer: ConvLayer) -> Iterator[Hypothesis]:
    height, width = layer.kernel_size
    ways: dict[str, Change] = {
        "rows and columns swapped": lambda w: w.swapaxes(2, 3),
        "turned by 180 degrees, as true convolution has it": lambda w: w[:, :, ::-1, ::-1],
        "rows in reverse": lambda w: w[:, :, ::-1],
        "columns in reverse": lambda w: w[:, :, :, ::-1],
        "rows and columns swapped and turned by 180 degrees": lambda w: w.swapaxes(2, 3)[
            :, :, ::-1, ::-1
        ],
        "input and output channels swapped": lambda w: w.swapaxes(0, 1),
    }
    for way, change in ways.items():
        changed = change(layer.weight)
        if changed.shape != layer.weight.shape or np.array_equal(changed, layer.weight):
            continue
        yield Hypothesis(
            name=CauseName.TRANSPOSED_KERNEL,
            statement=f"{RUN} uses the {height}x{width} kernel with {way}",
            remedy=(
                "Keep kernels as (C_out, C_in, H, W), correlated and not flipped, and images as "
                "(C, H, W); Lava has (W, H, C)."
            ),
            predict=partial(_changed, change),
        )


def _changed(change: Change, case: LayerCase) -> Behaviour:
    layer = case.layer
    assert isinstance(layer, SynapticLayer)
    other = dataclasses.replace(
        layer,
        weight=np.ascontiguousarray(change(layer.weight)),
        weight_imag=None if layer.weight_imag is None else _contiguous(change, layer.weight_imag),
    )
    if isinstance(other, RecurrentLayer):
        other = dataclasses.replace(other, weight_rec=_contiguous(change, other.weight_rec))
    return case.run(layer=other)


def _reordered(columns: IntArray, case: LayerCase) -> Behaviour:
    """Run with inputs taken in another order: column k meets input ``columns[k]``."""
    return case.run(values=case.values[:, columns])


def _contiguous(change: Change, weight: IntArray) -> IntArray:
    return np.ascontiguousarray(change(weight))


def _other_weights(layer: SynapticLayer) -> list[IntArray]:
    rest = (layer.weight_imag, layer.weight_rec if isinstance(layer, RecurrentLayer) else None)
    return [weight for weight in rest if weight is not None]


def _example(weight: IntArray, changed: IntArray) -> str:
    places = np.argwhere(weight != changed)
    if not places.size:
        return "those of imaginary or recurrent inputs"
    place = tuple(int(i) for i in places[0])
    index = ", ".join(map(str, place))
    return (
        f"{len(places)} of {weight.size}, first [{index}], which is {int(weight[place])} and "
        f"becomes {int(changed[place])}"
    )


def _clip(low: int, most: int, weight: IntArray) -> IntArray:
    return np.clip(weight, low, most).astype(np.int32)


def _cut(bits: int, weight: IntArray) -> IntArray:
    return (divide_toward_zero(weight.astype(np.int64), 1 << bits) << bits).astype(np.int32)


def _floor(bits: int, weight: IntArray) -> IntArray:
    return ((weight >> bits) << bits).astype(np.int32)


def _wrap(bits: int, weight: IntArray) -> IntArray:
    return wrap_signed(weight.astype(np.int64), bits).astype(np.int32)


def _half(weight: IntArray) -> IntArray:
    return divide_toward_zero(weight.astype(np.int64), 2).astype(np.int32)
