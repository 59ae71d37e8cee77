"""Causes in what the network was fed: axes, polarity, time and counts of its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .axes import IMAGE_ORDERS, image_shapes
from .cause import CauseName
from .hypothesis import RUN, Hypothesis
from .layer_case import Behaviour, LayerCase
from .timing import moved

Spikes: TypeAlias = NDArray[np.integer]
MOST_SHIFT = 3
FACTORS = (2, 64)

REMEDY = "Feed both runs the same array, in SLAYER's order (N, C, H, W, T) of whole numbers."


def input_hypotheses(case: LayerCase) -> Iterator[Hypothesis]:
    """Yield other ways to encode the input, for layers that it reaches."""
    if case.inputs is None or not case.is_fed_by_input:
        return
    for how, change in encodings(case.inputs):
        yield Hypothesis(
            name=CauseName.INPUT_ENCODING,
            statement=f"{RUN} is fed its input {how}",
            remedy=REMEDY,
            predict=partial(_fed, change),
        )


def encodings(spikes: Spikes) -> Iterator[tuple[str, Callable[[Spikes], Spikes]]]:
    """Yield ways in which an input, (N, ..., T), may have been encoded otherwise."""
    if spikes.max() > 1:
        yield "with counts clipped to 1", lambda x: np.minimum(x, 1)
    for shape in image_shapes(spikes.shape[1:-1]):
        for how, order in IMAGE_ORDERS.items():
            change = partial(_reordered, shape, order)
            if not np.array_equal(change(spikes), spikes):
                yield how, change
    for steps in range(1, min(MOST_SHIFT, spikes.shape[-1] - 1) + 1):
        some = "1 step" if steps == 1 else f"{steps} steps"
        yield f"{some} later", partial(_moved, steps)
        yield f"{some} earlier", partial(_moved, -steps)
    for factor in FACTORS:
        yield f"multiplied by {factor}", partial(_multiplied, factor)
        if not (spikes % factor).any():
            yield f"divided by {factor}", partial(_divided, factor)


def describe_inputs(inputs: Spikes, other: Spikes, first_sample: int) -> str | None:
    """Return how another input differs from an input, as the end of 'run B is fed its input ...'.

    Parameters
    ----------
    inputs, other : integer array, shape (N, ..., T)
        The samples that are judged; images may be flat in one of them.
    first_sample : int
        Number of the first one.

    Returns
    -------
    str or None
        None where both hold the same numbers.
    """
    if inputs.size != other.size:
        return f"as {other.shape[1:]}, not {inputs.shape[1:]}"
    ours = inputs.astype(np.int64)
    theirs = other.astype(np.int64).reshape(ours.shape)
    if np.array_equal(ours, theirs):
        return None
    for how, change in encodings(ours):
        if np.array_equal(change(ours), theirs):
            return how
    places = np.argwhere(np.moveaxis(ours != theirs, -1, 1))
    sample, step, *neuron = (int(i) for i in places[0])
    at = (sample, *neuron, step)
    return (
        f"with other numbers: {len(places)} of {ours.size} differ, first in sample "
        f"{first_sample + sample}, step {step}, neuron {', '.join(map(str, neuron))}: "
        f"{int(ours[at])} and {int(theirs[at])}"
    )


def _fed(change: Callable[[Spikes], Spikes], case: LayerCase) -> Behaviour:
    assert case.inputs is not None
    return case.run(values=case.values_of_input(change(case.inputs.astype(np.int64))))


def _reordered(shape: tuple[int, ...], order: Callable[[Spikes], Spikes], spikes: Spikes) -> Spikes:
    steps = spikes.shape[-1]
    images = spikes.reshape(-1, *shape, steps)
    return np.stack([order(image).reshape(*spikes.shape[1:]) for image in images])


def _moved(steps: int, spikes: Spikes) -> Spikes:
    return moved(spikes, steps)


def _multiplied(factor: int, spikes: Spikes) -> Spikes:
    return spikes * factor


def _divided(factor: int, spikes: Spikes) -> Spikes:
    return spikes // factor
