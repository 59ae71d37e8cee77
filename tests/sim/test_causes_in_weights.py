"""Causes in weights and kernels are planted and have to be named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights
from faulty_runs import Fault, faulty_run
from planted_causes import (
    SAMPLES,
    STEPS,
    Change,
    conv_network,
    explained,
    planted,
    spikes_for,
)

from lavadeploy.netx import FlattenLayer, Layer
from lavadeploy.sim import (
    CauseName,
)

WEIGHT_FAULTS: dict[str, tuple[Change, str]] = {
    "8 bits": (lambda w: np.clip(w, -128, 127), "clips weights to -128..127: "),
    "6 bits": (lambda w: np.clip(w, -31, 31), "clips weights to -31..31: "),
    "low bit": (lambda w: w // 4 * 4, "loses the 2 lowest bits of weights, downward: "),
    "to zero": (lambda w: np.trunc(w / 4) * 4, "loses the 2 lowest bits of weights, toward zero: "),
}


@pytest.mark.parametrize("what", WEIGHT_FAULTS)
@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_clipped_weights(what: str, kind: str) -> None:
    rng = np.random.default_rng(5)
    if kind == "dense":
        network = compiled(dense(even_weights(rng, 20, 30), neuron=cuba(vth=200)))
    else:
        kernel = even_weights(rng, 4, 2, 3, 3)
        network = compiled(conv(kernel, (4, 4, 4), neuron=cuba(vth=200)))
    change, words = WEIGHT_FAULTS[what]
    cause = planted(network, Fault(weight=lambda w: change(w).astype(np.int64)))
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert words in cause.explanation


def test_the_clipped_weight_is_told() -> None:
    weight = [[16, 100, 140], [20, 30, 40]]
    network = compiled(dense(weight, neuron=cuba(vth=130, du=4096, dv=4096)))
    inputs = spikes_for(network)
    faulty = faulty_run(network, inputs, Fault(weight=lambda w: np.clip(w, -128, 127)))
    cause = explained(network, inputs, faulty)
    assert cause.explanation == (
        "run B clips weights to -128..127: 1 of 6, first [0, 2], which is 140 and becomes 127."
    ).replace("run B", "Run B", 1)


def test_the_clip_of_lava_to_255_in_a_matrix_of_one_sign() -> None:
    # lava-nc clips mantissas of inhibitory matrices to -255: of -128 at exponent -1 it makes -127
    rng = np.random.default_rng(6)
    weight = -64 * rng.integers(0, 3, (12, 20))
    neuron = cuba(vth=10, du=4096, dv=4096)
    bias = np.full(12, 330, dtype=np.int32)  # a sum of -320 leaves the threshold, and no spike
    network = compiled(dense(weight, neuron=neuron, bias=bias))
    cause = planted(network, Fault(weight=lambda w: np.maximum(w, -127)))
    assert cause.name is CauseName.CLIPPED_WEIGHT
    assert "which is -128 and becomes -127" in cause.explanation


@pytest.mark.parametrize(
    ("what", "name"),
    [("wraps", CauseName.WRAP), ("doubles", CauseName.WEIGHT_EXPONENT)],
)
def test_weights_that_wrap_or_lose_their_exponent(what: str, name: CauseName) -> None:
    changes: dict[str, Change] = {
        "wraps": lambda w: (w + 128) % 256 - 128,
        "doubles": lambda w: w * 2,
    }
    rng = np.random.default_rng(7)
    network = compiled(dense(even_weights(rng, 20, 30), neuron=cuba(vth=300)))
    assert planted(network, Fault(weight=changes[what])).name is name


KERNEL_FAULTS: dict[str, Change] = {
    "swapped": lambda w: w.transpose(0, 1, 3, 2),
    "turned by 180 degrees": lambda w: np.flip(w, (2, 3)),
    "rows in reverse": lambda w: np.flip(w, 2),
    "columns in reverse": lambda w: np.flip(w, 3),
    "swapped and turned": lambda w: np.rot90(w, 2, (2, 3)).transpose(0, 1, 3, 2),
}


@pytest.mark.parametrize("way", KERNEL_FAULTS)
@pytest.mark.parametrize("layer", [0, 1])
def test_transposed_kernels(way: str, layer: int) -> None:
    cause = planted(conv_network(), Fault(layer=layer, weight=KERNEL_FAULTS[way]))
    assert cause.name is CauseName.TRANSPOSED_KERNEL
    assert way in cause.explanation


def test_transposed_dense_weights() -> None:
    rng = np.random.default_rng(8)
    network = compiled(dense(even_weights(rng, 20, 20, most=60)))
    assert planted(network, Fault(weight=np.transpose)).name is CauseName.TRANSPOSED_WEIGHTS


@pytest.mark.parametrize(("order", "words"), [((1, 2, 0), "(H, W, C)"), ((2, 1, 0), "(W, H, C)")])
def test_another_order_of_flattening(order: tuple[int, ...], words: str) -> None:
    rng = np.random.default_rng(9)
    shape = (3, 4, 5)
    network = compiled(
        conv(even_weights(rng, 3, 2, 3, 3, most=90), shape, name="layer0"),
        *_flattened(even_weights(rng, 10, 60, most=60)),
    )

    def arriving(values: Any) -> Any:
        images = values.reshape(SAMPLES, *shape, STEPS)
        axes = (0, *(axis + 1 for axis in order), 4)
        return images.transpose(axes).reshape(SAMPLES, -1, STEPS)

    cause = planted(network, Fault(layer=1, arriving=arriving))
    assert cause.name is CauseName.FLATTEN_ORDER
    assert words in cause.explanation


def _flattened(weight: Any) -> tuple[Layer, ...]:
    return (
        FlattenLayer(name="layer1", shape=(weight.shape[1], 1, 1)),
        dense(weight, name="layer2"),
    )
