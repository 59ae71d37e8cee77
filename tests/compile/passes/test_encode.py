"""Weights go into registers without loss, in the fewest bits that the chip has."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import assert_same, sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lavadeploy.compile import ChipConv, ChipDense, SignMode, WeightRegisters
from lavadeploy.compile.passes.encode import Encode
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.compile.weight_registers import MANTISSA_RANGE, weight_registers
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import IntArray, Network, UnsupportedNetworkError, repair_lava

MANY = settings(deadline=None, derandomize=True, database=None, max_examples=150)
CHIPS = ("loihi1", "loihi2")
PROFILES = {name: load_profile(name) for name in (*CHIPS, "ideal")}


def matrices(elements: st.SearchStrategy[int]) -> st.SearchStrategy[IntArray]:
    shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)
    return hnp.arrays(np.int32, shapes, elements=elements)


def scaled(low: int, high: int) -> st.SearchStrategy[IntArray]:
    """Matrices whose numbers share a power of two, so that all widths occur."""
    return st.integers(0, 8).flatmap(
        lambda k: matrices(st.integers(-(-low >> k) if low < 0 else 0, high >> k)).map(
            lambda weight: weight << k
        )
    )


EVEN = scaled(-256, 254).map(lambda weight: (weight >> 1) << 1)
POSITIVE = scaled(0, 254)
NEGATIVE = scaled(-255, 0)
LEGAL_EVERYWHERE = st.one_of(EVEN, POSITIVE, NEGATIVE)


def registers(weight: Any, profile: str = "loihi2") -> WeightRegisters:
    found = weight_registers(np.asarray(weight, dtype=np.int32), PROFILES[profile])
    assert found is not None
    return found


def stored_by_the_chip(found: WeightRegisters) -> IntArray:
    """Cut a mantissa to its bits, as Lava's Dense process and the chip do."""
    step = 1 << (8 + (found.sign_mode is SignMode.MIXED) - found.bits)
    mantissa = found.mantissa.astype(np.int32)
    return np.sign(mantissa) * (np.abs(mantissa) // step * step)


@pytest.mark.parametrize("profile", PROFILES)
@MANY
@given(weight=LEGAL_EVERYWHERE)
def test_nothing_is_lost(profile: str, weight: IntArray) -> None:
    found = registers(weight, profile)
    assert np.array_equal(found.effective(), weight)
    assert found.effective().dtype == np.int32
    assert found.mantissa.dtype == np.int16
    assert np.array_equal(stored_by_the_chip(found), found.mantissa)


@pytest.mark.parametrize("profile", PROFILES)
@MANY
@given(weight=LEGAL_EVERYWHERE)
def test_registers_are_legal(profile: str, weight: IntArray) -> None:
    found, formats = registers(weight, profile), PROFILES[profile].formats
    assert found.bits in formats.weight_bits.value
    assert formats.weight_exponent_min.value <= found.exponent <= 0
    low, high = MANTISSA_RANGE[found.sign_mode]
    assert low <= int(found.mantissa.min()) <= int(found.mantissa.max()) <= high
    if profile in CHIPS:
        assert found.bits != 7


@MANY
@given(weight=LEGAL_EVERYWHERE)
def test_no_narrower_register_would_do(weight: IntArray) -> None:
    found = registers(weight, "ideal")  # has every width
    if found.bits > 1:
        step = 2 << (8 + (found.sign_mode is SignMode.MIXED) - found.bits)
        assert np.any(found.mantissa.astype(np.int32) % step)
    if weight.any() and found.exponent > -7:
        low, high = MANTISSA_RANGE[found.sign_mode]
        doubled = 2 * found.mantissa.astype(np.int32)
        assert int(doubled.min()) < low or int(doubled.max()) > high


@pytest.mark.parametrize(
    ("weight", "bits", "exponent", "mantissa", "mode"),
    [
        ([[0, 0]], 1, 0, [[0, 0]], SignMode.EXCITATORY),
        ([[1, 0]], 1, -7, [[128, 0]], SignMode.EXCITATORY),
        ([[-1, 0]], 1, -7, [[-128, 0]], SignMode.INHIBITORY),
        ([[1, -1]], 2, -7, [[128, -128]], SignMode.MIXED),
        ([[254, 2]], 8, 0, [[254, 2]], SignMode.EXCITATORY),
        ([[255, 2]], 8, 0, [[255, 2]], SignMode.EXCITATORY),
        ([[-255, -2]], 8, 0, [[-255, -2]], SignMode.INHIBITORY),
        ([[254, -256]], 8, 0, [[254, -256]], SignMode.MIXED),
        ([[64, -128]], 2, -1, [[128, -256]], SignMode.MIXED),
        ([[4, 6, 10]], 3, -4, [[64, 96, 160]], SignMode.EXCITATORY),
    ],
)
def test_registers_of_small_matrices(
    weight: Any, bits: int, exponent: int, mantissa: Any, mode: SignMode
) -> None:
    found = registers(weight)
    assert (found.bits, found.exponent, found.sign_mode) == (bits, exponent, mode)
    assert np.array_equal(found.mantissa, mantissa)


@pytest.mark.parametrize("weight", [[[-256]], [[-256, -2]], [[-256, 0]]])
def test_minus_256_needs_a_sign_bit_even_without_positive_weights(weight: Any) -> None:
    # Lava clips an inhibitory -256 to -255 and then truncates it to -254
    assert registers(weight).sign_mode is SignMode.MIXED
    assert np.array_equal(registers(weight).effective(), weight)


def test_seven_bits_become_eight_on_the_chips() -> None:
    weight = [[127, 1]]
    assert registers(weight, "ideal").bits == 7
    for profile in CHIPS:
        assert registers(weight, profile).bits == 8


@pytest.mark.parametrize("weight", [[[255, -2]], [[-255, 2]], [[1, -254]], [[129, -255]]])
def test_odd_weights_of_both_signs_need_nine_bits(weight: Any) -> None:
    array = np.asarray(weight, dtype=np.int32)
    assert registers(weight, "ideal").bits == 9
    assert np.array_equal(registers(weight, "ideal").effective(), array)
    assert all(weight_registers(array, PROFILES[profile]) is None for profile in CHIPS)


@pytest.mark.parametrize("weight", [[[127, -128]], [[-127, 63]]])
def test_odd_weights_fit_where_a_shift_makes_them_even(weight: Any) -> None:
    found = registers(weight)
    assert (found.bits, found.exponent) == (8, -1)
    assert np.array_equal(found.effective(), weight)


def test_mantissas_are_read_only() -> None:
    with pytest.raises(ValueError, match="assignment destination is read-only"):
        registers([[2, 4]]).mantissa[0, 0] = 1


def lavas_reading_is_right(weight: IntArray) -> bool:
    """Tell where optimize_weight_bits neither fails nor leaves what a mantissa holds."""
    if not weight.any():
        return False  # divides by zero
    # no positive number: an inhibitory -2**k is shifted to -256, which does not exist
    return int(weight.max()) > 0


@pytest.mark.lava
@MANY
@given(weight=st.one_of(EVEN, POSITIVE))
def test_registers_equal_lava_dls_where_these_are_right(weight: IntArray) -> None:
    repair_lava()
    utils: Any = importlib.import_module("lava.lib.dl.netx.utils")
    if not lavas_reading_is_right(weight):
        return
    mantissa, bits, exponent, mode = utils.optimize_weight_bits(weight)
    found = registers(weight, "ideal")
    assert (found.exponent, found.bits) == (exponent, max(bits, 1))
    assert np.array_equal(found.mantissa, mantissa)
    assert found.sign_mode.value == mode.name.lower()
    if bits in PROFILES["loihi2"].formats.weight_bits.value:
        assert_same(registers(weight, "loihi2"), found)


def quantized(*layers: Any, profile: str = "loihi2") -> Any:
    legal = Legalize().run(Network(layers=layers))
    encode = Encode(profile=PROFILES[profile])
    chip = encode.run(legal)
    encode.ensures(legal, chip)
    return chip


def test_layers_keep_their_names_shapes_and_neurons() -> None:
    pair = np.array([3, 4], dtype=np.int32)
    image = conv(
        np.full((2, 1, 2, 3), -6),
        (2, 3, 3),
        name="image",
        neuron=cuba(7, pair, 9),
        bias=pair,
        delay=pair,
        stride=(1, 1),
        padding=(1, 2),
        dilation=(2, 1),
        groups=1,
    )
    flat = dense(np.full((2, 18), 4), name="flat", neuron=cuba(8), bias=-pair, delay=pair)
    chip = quantized(image, flat)
    first, second = chip.layers
    assert isinstance(first, ChipConv)
    assert isinstance(second, ChipDense)
    assert (first.name, first.shape_in, first.shape_out) == ("image", (1, 3, 1), (2, 3, 3))
    assert (first.stride, first.padding, first.dilation, first.groups) == (
        (1, 1),
        (1, 2),
        (2, 1),
        1,
    )
    assert (second.name, second.shape_in, second.shape_out) == ("flat", (2, 3, 3), (2,))
    assert chip.input_shape == (1, 3, 1)
    for layer, source in ((first, image), (second, flat)):
        assert layer.neuron is source.neuron
        assert layer.bias is source.bias
        assert layer.delay is source.delay
        assert np.array_equal(layer.weights.effective(), source.weight)


def too_wide(name: str, low: int, high: int, profile: str = "loihi2") -> str:
    return (
        f"{name}: weights between {low} and {high} with odd numbers among them need 9 bits; "
        f"{profile} allows 1, 2, 3, 4, 5, 6 or 8 bits. Round the weights to a coarser grid (to "
        "even numbers where signs are mixed, as SLAYER does), or compile for 'ideal'. "
        "[weight_width]"
    )


def test_every_layer_that_no_width_holds_is_named() -> None:
    layers = (
        dense([[253, -2], [2, 2]]),
        dense([[2, -2], [4, 4]], name="layer1"),
        dense([[-255, 2]], name="layer2"),
    )
    with pytest.raises(UnsupportedNetworkError) as caught:
        quantized(*layers)
    assert caught.value.problems == (too_wide("layer0", -2, 253), too_wide("layer2", -255, 2))
    assert [layer.weights.bits for layer in quantized(*layers, profile="ideal").layers] == [9, 3, 9]


def test_the_sentence_names_the_profile() -> None:
    legal = Legalize().run(Network(layers=(dense([[253, -2]]),)))
    encode = Encode(profile=PROFILES["loihi1"])
    assert sentence(UnsupportedNetworkError, encode.run, legal) == (
        too_wide("layer0", -2, 253, "loihi1")
    )


def test_the_sentence_names_the_bits_that_are_needed() -> None:
    widths = PROFILES["loihi2"].formats.weight_bits.model_copy(update={"value": (1, 2, 3, 4)})
    formats = PROFILES["loihi2"].formats.model_copy(update={"weight_bits": widths})
    narrow = PROFILES["loihi2"].model_copy(update={"formats": formats})
    legal = Legalize().run(Network(layers=(dense([[254, -256]]),)))
    found = sentence(UnsupportedNetworkError, Encode(profile=narrow).run, legal)
    assert "need 8 bits" in found
    assert "odd" not in found


def test_a_wrong_register_is_found_afterwards() -> None:
    legal = Legalize().run(Network(layers=(dense([[2, 4]]),)))
    encode = Encode(profile=PROFILES["loihi2"])
    other = encode.run(Legalize().run(Network(layers=(dense([[2, 6]]),))))
    with pytest.raises(AssertionError, match="layer0"):
        encode.ensures(legal, other)
