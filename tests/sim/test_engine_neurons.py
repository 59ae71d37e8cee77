"""The engine equals the reference for every kind of neuron in every form of layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import compiled, conv, dense, even_weights, random_spikes
from engine_cases import KINDS, assert_engine_equals_reference, neuron_of_kind

from lavadeploy.netx import (
    ConcatLayer,
    InputLayer,
    Layer,
    Neuron,
    NeuronKind,
    RecurrentLayer,
    is_complex,
)
from lavadeploy.sim import RunResult, SpikeInput

PHASES = (NeuronKind.RF, NeuronKind.ADRF)
RESONATORS = (NeuronKind.RF, NeuronKind.RF_IZ, NeuronKind.ADRF, NeuronKind.ADRF_IZ)
ADAPTIVE = (NeuronKind.ALIF, NeuronKind.ADRF, NeuronKind.ADRF_IZ)


def dense_of(
    rng: np.random.Generator, neuron: Neuron, n_out: int, n_in: int, *, name: str = "layer0"
) -> Layer:
    """A dense layer with biases and delays, both complex where its neurons are."""
    fields: dict[str, Any] = {}
    if is_complex(neuron):
        fields["weight_imag"] = even_weights(rng, n_out, n_in)
        fields["bias_imag"] = rng.integers(-90, 90, n_out, dtype=np.int32)
    return dense(
        even_weights(rng, n_out, n_in),
        name=name,
        neuron=neuron,
        bias=rng.integers(-90, 90, n_out, dtype=np.int32),
        delay=rng.integers(0, 4, n_out, dtype=np.int32),
        delay_shift=bool(rng.integers(2)),
        **fields,
    )


def conv_of(
    rng: np.random.Generator, neuron: Neuron, shape: tuple[int, int, int], *, name: str = "layer0"
) -> Layer:
    """A strided convolution of a (4, 6, 7) image, or of another of 4 channels."""
    fields: dict[str, Any] = {}
    if is_complex(neuron):
        fields["weight_imag"] = even_weights(rng, shape[0], 2, 3, 3)
        fields["bias_imag"] = rng.integers(-90, 90, shape[0], dtype=np.int32)
    return conv(
        even_weights(rng, shape[0], 2, 3, 3),
        shape,
        name=name,
        neuron=neuron,
        stride=(2, 1),
        padding=(1, 0),
        groups=2,
        bias=rng.integers(-90, 90, shape[0], dtype=np.int32),
        **fields,
    )


def per_channel(rng: np.random.Generator, kind: NeuronKind, channels: int) -> Neuron:
    return neuron_of_kind(
        kind,
        40,
        graded=bool(rng.integers(2)),
        decays=rng.integers(0, 4097, (2, channels)),
        angle=rng.integers(-2800, 2801, (2, channels)),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("graded", [False, True])
def test_dense_layers(kind: NeuronKind, graded: bool) -> None:
    rng = np.random.default_rng(1)
    neuron = neuron_of_kind(kind, 40, graded=graded)
    last = neuron_of_kind(kind, 40, graded=graded, angle=(-2100, 2900))
    network = compiled(
        dense_of(rng, neuron, 70, 12),
        dense_of(rng, last, 5, 70, name="layer1"),
        profile="ideal",
    )
    spikes = random_spikes(rng, 5, 12, 12)
    expected = assert_engine_equals_reference(network, SpikeInput(spikes=spikes))
    assert np.unique(expected.spikes.layer).size == 2
    if graded:
        assert np.unique(expected.spikes.value).size > 5


@pytest.mark.parametrize("kind", KINDS)
def test_convolutions_with_parameters_by_channel(kind: NeuronKind) -> None:
    rng = np.random.default_rng(2)
    network = compiled(
        InputLayer(name="layer0", shape=(4, 6, 7)),
        conv_of(rng, per_channel(rng, kind, 4), (4, 3, 5), name="layer1"),
        conv_of(rng, per_channel(rng, kind, 6), (6, 2, 3), name="layer2"),
        dense_of(rng, per_channel(rng, kind, 9), 9, 36, name="layer3"),
        profile="ideal",
    )
    inputs = SpikeInput(spikes=rng.integers(0, 3, (3, 4, 6, 7, 9)))
    expected = assert_engine_equals_reference(network, inputs)
    assert np.unique(expected.spikes.layer).size == 3


@pytest.mark.parametrize("kind", KINDS)
def test_neurons_at_the_input(kind: NeuronKind) -> None:
    rng = np.random.default_rng(3)
    first = InputLayer(
        name="layer0", shape=(4, 6, 7), weight=40, bias=9, neuron=per_channel(rng, kind, 4)
    )
    network = compiled(
        first, conv_of(rng, neuron_of_kind(kind, 20), (6, 3, 5), name="layer1"), profile="ideal"
    )
    inputs = SpikeInput(spikes=rng.integers(-256, 255, (3, 4, 6, 7, 9)))
    expected = assert_engine_equals_reference(network, inputs)
    assert np.unique(expected.spikes.layer).size == 2


@pytest.mark.parametrize("scale", [3, -(1 << 20), (1 << 31) - 1])
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_at_the_input_beyond_32_bits(kind: NeuronKind, scale: int) -> None:
    # in 64 bits: divided and clipped before anything wraps
    rng = np.random.default_rng(4)
    fields: dict[str, Any] = {"current_exponent": 3} if kind is NeuronKind.ALIF else {}
    neuron = neuron_of_kind(kind, 9000, graded=True, **fields)
    network = compiled(
        InputLayer(name="layer0", shape=(70,), weight=scale, bias=4000, neuron=neuron),
        profile="ideal",
    )
    numbers = rng.integers(-(1 << 31) + 1, 1 << 31, (2, 70, 6))
    numbers[:, ::3] >>= 16
    assert len(assert_engine_equals_reference(network, SpikeInput(spikes=numbers)).spikes) > 50


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("kind", [NeuronKind.ALIF, NeuronKind.SDNN])
def test_recurrent_layers(kind: NeuronKind, graded: bool) -> None:
    rng = np.random.default_rng(5)
    layer = RecurrentLayer(
        name="layer0",
        shape=(9,),
        weight=even_weights(rng, 9, 12),
        weight_rec=even_weights(rng, 9, 9, most=30),
        neuron=neuron_of_kind(kind, 30, graded=graded)
        if kind is NeuronKind.ALIF
        else neuron_of_kind(kind, 3, vth_fraction=100, sigma_output=graded),
        bias=rng.integers(-90, 90, 9, dtype=np.int32),
        delay=np.arange(9, dtype=np.int32) % 3,
    )
    inputs = SpikeInput(spikes=random_spikes(rng, 3, 12, 15))
    expected = assert_engine_equals_reference(compiled(layer, profile="ideal"), inputs)
    assert len(expected.spikes) > 100


@pytest.mark.parametrize("reader", KINDS)
def test_spikes_payloads_and_sums_side_by_side(reader: NeuronKind) -> None:
    # units of 1, 2**-12 and 2**-18 meet; spikes in the finest unit need 35 bits
    rng = np.random.default_rng(6)
    fields: dict[str, Any] = {}
    if reader in RESONATORS:
        fields["weight_imag"] = even_weights(rng, 7, 27)
    layers = (
        InputLayer(name="layer0", shape=(12,)),
        dense(even_weights(rng, 9, 12), name="layer1", neuron=neuron_of_kind(NeuronKind.ALIF, 30)),
        dense(
            even_weights(rng, 3, 9),
            name="layer2",
            neuron=neuron_of_kind(NeuronKind.ALIF, graded=True),
        ),
        dense(
            even_weights(rng, 3, 3),
            name="layer3",
            neuron=neuron_of_kind(NeuronKind.SDNN, 1, sigma_output=True),
        ),
        ConcatLayer(name="layer4", shape=(27,), sources=(0, 1, 2, 3)),
        dense(even_weights(rng, 7, 27), name="layer5", neuron=neuron_of_kind(reader, 40), **fields),
    )
    counts = rng.integers(0, 3, (3, 12, 9))
    counts[:, 0, -1] <<= 16
    network = compiled(*layers, profile="ideal")
    expected = assert_engine_equals_reference(network, SpikeInput(spikes=counts))
    assert np.unique(expected.spikes.layer).size == 4


@pytest.mark.parametrize("reader", KINDS)
def test_images_of_several_units_side_by_side(reader: NeuronKind) -> None:
    rng = np.random.default_rng(7)
    fields: dict[str, Any] = {}
    if reader in RESONATORS:
        fields["weight_imag"] = even_weights(rng, 4, 7, 2, 2)
    one: dict[str, Any] = {"weight_imag": even_weights(rng, 3, 2, 1, 1)}
    layers = (
        InputLayer(name="layer0", shape=(2, 3, 3)),
        conv(
            even_weights(rng, 3, 2, 1, 1),
            (3, 3, 3),
            name="layer1",
            neuron=neuron_of_kind(NeuronKind.RF_IZ, graded=True),
            **one,
        ),
        conv(
            even_weights(rng, 2, 3, 1, 1),
            (2, 3, 3),
            name="layer2",
            neuron=neuron_of_kind(NeuronKind.SDNN, 1, sigma_output=True),
        ),
        ConcatLayer(name="layer3", shape=(7, 3, 3), sources=(0, 1, 2)),
        conv(
            even_weights(rng, 4, 7, 2, 2),
            (4, 2, 2),
            name="layer4",
            neuron=neuron_of_kind(reader, 20),
            **fields,
        ),
    )
    inputs = SpikeInput(spikes=rng.integers(0, 3, (3, 2, 3, 3, 9)))
    assert_engine_equals_reference(compiled(*layers, profile="ideal"), inputs)


def saturated(kind: NeuronKind, vth: int = 131071, **fields: Any) -> RunResult:
    """Run a layer whose input drives every state to its edges and back."""
    rng = np.random.default_rng(8)
    neuron = neuron_of_kind(kind, vth, step=131071, decays=(1, 0), **fields)
    weight = np.where(rng.random((6, 40)) < 0.5, 254, -256)
    weight[0], weight[1] = 254, -256
    more: dict[str, Any] = {"weight_imag": weight[::-1]} if is_complex(neuron) else {}
    network = compiled(dense(weight, neuron=neuron, bias=weight[:, 0], **more), profile="ideal")
    counts = rng.integers(0, 1 << 12, (3, 40, 30)) * (rng.random((3, 1, 30)) < 0.5)
    return assert_engine_equals_reference(network, SpikeInput(spikes=counts))


@pytest.mark.parametrize("kind", RESONATORS)
@pytest.mark.parametrize("angle", [(4096, 4096), (-4096, 4096), (4096, 0), (0, -4096)])
def test_resonators_clip_alike(kind: NeuronKind, angle: tuple[int, int]) -> None:
    states = saturated(kind, vth=20000, angle=angle).states[0].values
    assert {int(states["real"].min()), int(states["real"].max())} == {1 - (1 << 23), (1 << 23) - 1}


@pytest.mark.parametrize("kind", ADAPTIVE)
@pytest.mark.parametrize("vth", [0, 3, 131071])
def test_thresholds_and_refractory_terms_clip_alike(kind: NeuronKind, vth: int) -> None:
    states = saturated(kind, vth=vth, angle=(2287, 3148)).states[0].values
    assert int(states["threshold"].max()) == (1 << 23) - 1 or vth == 131071
    assert int(states["refractory"].max()) == (1 << 23) - 1 or vth == 131071


@pytest.mark.parametrize("exponent", [-3, 0, 3])
def test_adaptive_currents_wrap_and_are_divided_alike(exponent: int) -> None:
    states = saturated(NeuronKind.ALIF, current_exponent=exponent).states[0].values
    assert int(np.abs(states["current"]).max()) > 1 << 22


@pytest.mark.parametrize("sigma_output", [False, True])
@pytest.mark.parametrize("vth", [0, 1, 131071])
def test_sums_of_sigma_delta_neurons_wrap_at_32_bits(vth: int, sigma_output: bool) -> None:
    found = saturated(NeuronKind.SDNN, vth=vth, vth_fraction=vth and 1, sigma_output=sigma_output)
    sums = found.states[0].values["sigma"].astype(np.int64)
    assert int(np.abs(np.diff(sums)).max()) > 1 << 31  # from one end to the other


def test_a_change_of_exactly_the_threshold_is_sent_and_one_less_kept() -> None:
    # 64 in 1/64 is 2**18; the encoder sends changes of 2 weight units and 1 part
    neuron = neuron_of_kind(NeuronKind.SDNN, 2, vth_fraction=0)
    network = compiled(
        InputLayer(name="layer0", shape=(2,), weight=1, neuron=neuron), profile="ideal"
    )
    numbers = np.array([[[128, 0, -128], [127, 0, -127]]])  # times 1 in 1/4096
    found = assert_engine_equals_reference(network, SpikeInput(spikes=numbers))
    assert found.spikes.neuron.tolist() == [0, 0, 0]
    assert found.spikes.value.tolist() == [128, -128, -128]


def test_messages_that_are_cut_to_nothing_are_no_events() -> None:
    neuron = neuron_of_kind(NeuronKind.SDNN, 0, vth_fraction=1)
    first = InputLayer(name="layer0", shape=(1,), weight=1, neuron=neuron)
    network = compiled(first, dense([[1]], name="layer1", neuron=neuron), profile="ideal")
    inputs = SpikeInput(spikes=np.array([[[10, 30, 100, 300, 0]]]))  # in 1/4096
    found = assert_engine_equals_reference(network, inputs)
    messages = found.spikes.dense(1)[0, 0]
    assert messages.tolist() == [0, 0, 70 >> 6, 200 >> 6, -300 >> 6]
    states = found.states[1].values
    assert states["activation"][0, 0].tolist() == [10, 30, 100, 300, 0]
    assert not states["residue"].any()


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_kernels_wrap_at_24_bits(kind: NeuronKind) -> None:
    rng = np.random.default_rng(9)
    neuron = neuron_of_kind(kind, 3000, graded=True)
    more: dict[str, Any] = (
        {"weight_imag": even_weights(rng, 5, 2, 3, 3)} if is_complex(neuron) else {}
    )
    layer = conv(even_weights(rng, 5, 2, 3, 3), (5, 2, 3), neuron=neuron, **more)
    network = compiled(layer, profile="ideal", input_shape=(2, 4, 5))
    counts = rng.integers(0, 1 << 18, (2, 2, 4, 5, 6))
    assert_engine_equals_reference(network, SpikeInput(spikes=counts))


@pytest.mark.parametrize("kind", KINDS)
def test_wide_layers_cross_tiles_and_batches(kind: NeuronKind) -> None:
    rng = np.random.default_rng(10)
    more: dict[str, Any] = {}
    for decays, angle in (
        ((300, 40), (2287, 3148)),
        (rng.integers(0, 4096, (2, 3)), rng.integers(-2800, 2800, (2, 3))),
    ):
        neuron = neuron_of_kind(kind, 90, decays=decays, angle=angle)
        if is_complex(neuron):
            more = {"weight_imag": even_weights(rng, 3, 1, 3, 3)}
        layer = conv(even_weights(rng, 3, 1, 3, 3), (3, 28, 28), neuron=neuron, **more)
        network = compiled(layer, profile="ideal", input_shape=(1, 30, 30))
        inputs = SpikeInput(spikes=random_spikes(rng, 20, 1, 30, 30, 8))
        assert len(assert_engine_equals_reference(network, inputs, cuts=(2048, 5)).spikes) > 1000


@pytest.mark.parametrize("kind", RESONATORS)
def test_resonators_without_imaginary_weights_take_the_real_ones_twice(kind: NeuronKind) -> None:
    rng = np.random.default_rng(11)
    layer = dense(even_weights(rng, 8, 10), neuron=neuron_of_kind(kind, 30))
    inputs = SpikeInput(spikes=random_spikes(rng, 3, 10, 12))
    expected = assert_engine_equals_reference(compiled(layer, profile="ideal"), inputs)
    assert len(expected.spikes) > 10


@pytest.mark.parametrize("kind", PHASES)
def test_a_phase_that_passes_zero_from_exactly_zero_does_not_fire(kind: NeuronKind) -> None:
    neuron = neuron_of_kind(kind, 0, angle=(0, 4096))
    layer = dense([[64]], neuron=neuron, weight_imag=np.array([[0]], dtype=np.int32))
    inputs = SpikeInput(spikes=np.ones((1, 1, 4), dtype=np.uint8))
    assert len(assert_engine_equals_reference(compiled(layer, profile="ideal"), inputs).spikes) == 0
