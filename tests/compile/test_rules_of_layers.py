"""Every rule of synapses, biases and delays at its limit and one beyond, with its sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from profiles import formatted
from rule_problems import problems

from lavadeploy.netx import (
    CubaNeuron,
    DenseLayer,
    InputLayer,
    NeuronKind,
    RecurrentLayer,
    ResonatorNeuron,
)

SCALE = "Scale the layer's weights and threshold down together, or clamp in training."


def two(value: int) -> Any:
    """A harmless number and the one in question."""
    return np.array([1, value], dtype=np.int32)


def recurrent(weight: Any, weight_rec: Any) -> RecurrentLayer:
    return RecurrentLayer(
        name="layer0",
        shape=(1,),
        weight=np.array(weight, dtype=np.int32),
        weight_rec=np.array(weight_rec, dtype=np.int32),
        neuron=cuba(),
    )


def resonators(weight: Any, weight_imag: Any, **fields: Any) -> DenseLayer:
    turn = np.array(2048, dtype=np.int32)
    neuron = ResonatorNeuron(kind=NeuronKind.RF, vth_mantissa=80, sin_decay=turn, cos_decay=turn)
    imag = np.array(weight_imag, dtype=np.int32)
    return dense(weight, neuron=neuron, weight_imag=imag, **fields)


@pytest.mark.parametrize("weight", [-256, 254])
@pytest.mark.parametrize("profile", ["loihi1", "loihi2"])
def test_weights_at_the_limit_are_allowed(weight: int, profile: str) -> None:
    assert problems(dense([[weight, 2], [2, -2]]), profile=profile) == []


@pytest.mark.parametrize(
    ("weight", "profile", "limits"),
    [
        (-257, "loihi1", "-256 to 254"),
        (255, "loihi1", "-256 to 254"),
        (-257, "loihi2", "-256 to 254"),
        (255, "loihi2", "-256 to 254"),
        (-257, "ideal", "-256 to 255"),
        (256, "ideal", "-256 to 255"),
    ],
)
def test_weights_beyond_the_limit_are_refused(weight: int, profile: str, limits: str) -> None:
    assert problems(dense([[2, weight], [0, 1]]), profile=profile) == [
        f"layer0: weight {weight}; {profile} allows {limits}. {SCALE} [weights_in_range]"
    ]


def test_the_ideal_profile_allows_255() -> None:
    assert problems(dense([[255, -256]]), profile="ideal") == []


@pytest.mark.parametrize(
    "layer",
    [
        conv(np.full((1, 1, 2, 2), 256), (1, 2, 2)),
        recurrent([[2]], [[256]]),
        resonators([[2]], [[256]]),
    ],
    ids=["kernel", "recurrent", "imaginary"],
)
def test_all_sets_of_weights_are_checked(layer: Any) -> None:
    assert problems(layer) == [
        f"layer0: weight 256; loihi2 allows -256 to 254. {SCALE} [weights_in_range]"
    ]


def width_problem(found: str, allowed: str) -> list[str]:
    return [
        (
            f"layer0: {found}; {allowed}. Round the weights to a coarser grid (to even numbers "
            "where signs are mixed, as SLAYER does), or compile for 'ideal'. [weight_width]"
        )
    ]


@pytest.mark.parametrize(("profile", "last"), [("loihi1", "6 or 8"), ("loihi2", "6 or 8")])
def test_weights_of_eight_bits_are_allowed_and_of_nine_refused(profile: str, last: str) -> None:
    assert problems(dense([[253, 2]]), profile=profile) == []
    assert problems(dense([[252, -254]]), profile=profile) == []
    assert problems(dense([[253, -2]]), profile=profile) == width_problem(
        "weights between -2 and 253 with odd numbers among them need 9 bits",
        f"{profile} allows 1, 2, 3, 4, 5, {last} bits",
    )
    assert problems(dense([[253, -2]]), profile="ideal") == []


def test_the_widest_of_a_profile_is_the_limit() -> None:
    narrow = formatted("loihi1", weight_bits=(4,))
    assert problems(dense([[120, 8]]), profile=narrow) == []
    assert problems(dense([[124, 4]]), profile=narrow) == width_problem(
        "weights between 4 and 124 need 5 bits", "loihi1 allows 4 bits"
    )


@pytest.mark.parametrize(
    "layer", [recurrent([[2]], [[253]]), resonators([[2]], [[253]])], ids=["rec", "imag"]
)
def test_every_set_of_weights_has_a_width(layer: Any) -> None:
    assert problems(layer) == []
    narrow = formatted("loihi2", weight_bits=(7,))
    assert problems(layer, profile=narrow) == width_problem(
        "weights between 253 and 253 need 8 bits", "loihi2 allows 7 bits"
    )


def test_exponents_at_the_limit_are_allowed_and_beyond_refused() -> None:
    profile = formatted("loihi2", weight_exponent_max=-1)
    assert problems(dense([[126, 2]]), profile=profile) == []  # stored as 252 and 4, halved
    assert problems(dense([[128, 2]]), profile=profile) == [
        (
            "layer0: weights up to 128 with exponent 0; loihi2 allows exponents of -7 to -1. "
            "Scale the layer's weights and threshold together. [weight_exponent]"
        )
    ]


def test_the_least_exponent_is_kept_to() -> None:
    profile = formatted("loihi2", weight_exponent_min=1)
    assert problems(dense([[128]]), profile=profile) == [
        (
            "layer0: weights up to 128 with exponent 0; loihi2 allows exponents of 1 to 7. "
            "Scale the layer's weights and threshold together. [weight_exponent]"
        )
    ]


@pytest.mark.parametrize(
    ("weight", "mode", "span"),
    [([[2, -2]], "mixed", "-2 and 2"), ([[-256]], "mixed", "-256 and -256")],
)
def test_a_missing_sign_mode_is_refused(weight: Any, mode: str, span: str) -> None:
    assert problems(dense(weight)) == []
    profile = formatted("loihi2", sign_modes=("excitatory", "inhibitory"))
    assert problems(dense([[2, 4]]), profile=profile) == []
    assert problems(dense([[-2, -4]]), profile=profile) == []
    assert problems(dense(weight), profile=profile) == [
        (
            f"layer0: weights between {span}, of sign mode '{mode}'; loihi2 allows 'excitatory', "
            "'inhibitory'. Train with weights of one sign, or compile for another profile. "
            "[weight_sign_mode]"
        )
    ]


def test_weights_of_one_sign_go_into_a_chip_that_has_mixed_only() -> None:
    profile = formatted("loihi2", sign_modes=("mixed",))
    assert problems(dense([[2, 254]]), profile=profile) == []
    assert problems(dense([[-2, -254]]), profile=profile) == []
    # one of its bits is the sign
    assert problems(dense([[3, 253]]), profile=profile) == width_problem(
        "weights between 3 and 253 with odd numbers among them need 9 bits",
        "loihi2 allows 1, 2, 3, 4, 5, 6 or 8 bits",
    )


@pytest.mark.parametrize("bias", [-4095, 4095])
def test_biases_at_the_limit_are_allowed(bias: int) -> None:
    assert problems(dense([[2], [2]], bias=two(bias))) == []


def bias_problem(bias: int) -> list[str]:
    return [
        (
            f"layer0: bias {bias}; loihi2 allows -4095 to 4095. "
            "Scale the layer's weights, bias and threshold down together. [bias_in_range]"
        )
    ]


@pytest.mark.parametrize("bias", [-4096, 4096, -(2**31)])
def test_biases_beyond_the_limit_are_refused(bias: int) -> None:
    assert problems(dense([[2], [2]], bias=two(bias))) == bias_problem(bias)


def test_imaginary_biases_and_those_of_the_input_are_checked() -> None:
    at, beyond = (np.array([value], dtype=np.int32) for value in (-4095, -4096))
    assert problems(resonators([[2]], [[2]], bias_imag=at)) == []
    assert problems(resonators([[2]], [[2]], bias_imag=beyond)) == bias_problem(-4096)
    for bias, expected in ((4095, []), (4096, bias_problem(4096))):
        layer = InputLayer(name="layer0", shape=(1,), bias=bias, neuron=cuba())
        assert problems(layer, dense([[2]], name="layer1")) == expected


def test_the_exponent_of_biases_is_one_that_the_register_holds() -> None:
    layer = dense([[2], [2]], bias=two(0))
    assert problems(layer, profile=formatted("loihi2", bias_exponent_max=6)) == []
    short = formatted("loihi2", bias_exponent_max=5)
    assert problems(dense([[2]]), profile=short) == []
    assert problems(layer, profile=short) == [
        (
            "layer0: a bias of exponent 6; loihi2 allows exponents of 0 to 5. "
            "Train without bias, or compile for another profile. [bias_exponent_in_range]"
        )
    ]


@pytest.mark.parametrize("delay", [0, 62])
def test_delays_at_the_limit_are_allowed(delay: int) -> None:
    assert problems(dense([[2], [2]], delay=two(delay))) == []


@pytest.mark.parametrize("delay", [-1, 63])
def test_delays_beyond_the_limit_are_refused(delay: int) -> None:
    assert problems(dense([[2], [2]], delay=two(delay))) == [
        (
            f"layer0: delay {delay}; loihi2 allows 0 to 62 steps. "
            "Clamp the delays in training (SLAYER's max_delay). [delays_in_range]"
        )
    ]


def test_a_layer_of_legal_numbers_breaks_nothing_anywhere() -> None:
    neuron = CubaNeuron(
        vth_mantissa=80, current_decay=two(4096), voltage_decay=two(0), refractory_delay=63
    )
    layer = dense([[2, -2], [0, 4]], neuron=neuron, bias=two(-7), delay=two(3))
    for profile in ("ideal", "loihi1", "loihi2"):
        assert problems(layer, profile=profile) == []
