"""A network that was lowered answers as the user's: every output of every layer, in every step."""

from __future__ import annotations

from typing import Any

import numpy as np
from builders import cuba, dense, random_spikes
from every_kind import network_of_every_kind
from expect import sentence
from hypothesis import HealthCheck, assume, given, settings
from lowering_strategies import fitting_networks

from lavadeploy.compile import ChipInput, ChipNetwork, Lowering, as_netx
from lavadeploy.compile.passes.encode import Encode
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import (
    NEVER_FIRES,
    AverageLayer,
    ConcatLayer,
    ConvTransposeLayer,
    FlattenLayer,
    InputLayer,
    Network,
    UnsupportedNetworkError,
    infer_shapes,
    size_of,
)
from lavadeploy.sim import LayerRun, run_network

IDEAL = load_profile("ideal")
MANY = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def lowered(network: Network, **options: Any) -> tuple[ChipNetwork, tuple[Lowering, ...]]:
    legal = Legalize(**options).run(network)
    encode = Encode(profile=IDEAL)
    chip = encode.run(legal)
    encode.ensures(legal, chip)
    return chip, legal.lowerings


def check_same_answers(network: Network) -> tuple[Lowering, ...]:
    """Run both and compare what every layer with neurons puts out, states included."""
    chip, lowerings = lowered(network)
    shape = infer_shapes(network)[0].shape_in
    spikes = random_spikes(np.random.default_rng(0), 2, *shape, 10, rate=0.5)
    before = {run.name: run for run in run_network(network, spikes)}
    as_lowered = as_netx(chip)
    after = [
        run
        for run, layer in zip(run_network(as_lowered, spikes), as_lowered.layers, strict=True)
        if not isinstance(layer, FlattenLayer | ConcatLayer) and run.states
    ]
    assert len(after) == len(chip.layers)
    for layer, run in zip(chip.layers, after, strict=True):
        original = before[layer.name]
        if not original.states:
            check_means(original, run, network)
            continue
        assert run.unit == original.unit
        assert np.array_equal(run.output, original.output), layer.name
        for name, values in original.states.items():
            assert np.array_equal(run.states[name], values), (layer.name, name)
    return lowerings


def check_means(original: LayerRun, readout: LayerRun, network: Network) -> None:
    """A voltage of 4096 is a sum of 1, and the mean is the sum over the neurons of a group."""
    assume(not readout.overflows)  # sums of payloads that leave the 24 bits
    assert not readout.output.any()
    group = infer_group(network)
    sums = readout.states["voltage"].astype(np.int64) * original.unit.denominator
    means = original.output * original.unit.numerator
    assert np.array_equal(sums, means * group * 4096)


def infer_group(network: Network) -> int:
    """Neurons in a group of all the average layers at the end."""
    group = 1
    for layer, shape in zip(reversed(network.layers), reversed(infer_shapes(network)), strict=True):
        match layer:
            case AverageLayer():
                group *= size_of(shape.shape_in) // size_of(shape.shape_out)
            case FlattenLayer():
                pass
            case _:
                break
    return group


@MANY
@given(fitting_networks())
def test_networks_of_every_kind_answer_the_same(network: Network) -> None:
    _, problems = Legalize().examine(network)
    assume(not problems)
    check_same_answers(network)


def test_every_kind_of_layer_of_one_network() -> None:
    legal, problems = Legalize().examine(network_of_every_kind())
    assert [str(problem) for problem in problems] == [
        (
            "layer9: joins means with other outputs; only dense layers take means. "
            "Average behind the last layer. [means_meet_dense_layers]"
        )
    ]
    found = [(lowering.layer, lowering.before, lowering.after) for lowering in legal.lowerings]
    assert found == [
        ("layer2", "convT", "dense"),
        ("layer3", "pool", "convolution in 2 groups"),
        ("layer4", "unpool", "dense"),
        ("layer5", "flatten", "order of the next weights"),
        ("layer9", "concat", "sum over 2 sources"),
        ("layer11", "dense", "dense with the largest threshold, read by its voltage"),
    ]
    assert all(lowering.exact for lowering in legal.lowerings)


def means_of_two(weight: int) -> Network:
    """Six inputs, means of pairs, and two neurons on the three means."""
    return Network(
        layers=(
            AverageLayer(name="layer0", shape=(3, 1, 1)),
            dense(np.full((2, 3), weight), name="layer1"),
        )
    )


def test_means_are_divided_weights_where_these_stay_whole() -> None:
    shape = Network(layers=(dense(np.full((6, 6), 64), name="layer9"), *means_of_two(4).layers))
    chip, lowerings = lowered(shape)
    layer = chip.layers[1]
    assert not isinstance(layer, ChipInput)
    assert np.array_equal(layer.weights.effective(), np.full((2, 6), 2))
    assert lowerings == (
        Lowering(layer="layer0", before="average", after="weights divided by 2", exact=True),
    )
    check_same_answers(shape)


def test_weights_that_cannot_be_divided_need_leave_to_round() -> None:
    network = Network(layers=(dense(np.full((6, 6), 64), name="layer9"), *means_of_two(3).layers))
    assert sentence(UnsupportedNetworkError, lowered, network) == (
        "layer1: weights that 2 does not divide, on means of 2 neurons; chips sum what fires, and "
        "weights are whole. Use weights that it divides, average behind the last layer, or allow "
        "rounding with --allow-approximate. [means_are_exact]"
    )
    chip, lowerings = lowered(network, allow_approximate=True)
    layer = chip.layers[1]
    assert not isinstance(layer, ChipInput)
    assert np.array_equal(layer.weights.effective(), np.full((2, 6), 2))  # 1.5, half to even
    assert [lowering.exact for lowering in lowerings] == [False]


def test_a_last_layer_that_never_fires_gets_the_largest_threshold_of_the_chip() -> None:
    affine = Network(layers=(dense([[2, -4]], neuron=cuba((1 << 18) - 1)),))
    chip, lowerings = lowered(affine)
    neuron = chip.layers[0].neuron
    assert neuron.vth_mantissa == NEVER_FIRES
    assert lowerings[0].after == "dense with the largest threshold, read by its voltage"
    check_same_answers(affine)


def test_a_layer_in_the_middle_keeps_its_impossible_threshold_for_the_rules() -> None:
    middle = dense([[2]], neuron=cuba((1 << 18) - 1))
    chip, lowerings = lowered(Network(layers=(middle, dense([[2]], name="layer1"))))
    assert chip.layers[0].neuron.vth_mantissa == (1 << 18) - 1
    assert lowerings == ()


def test_a_kernel_larger_than_any_chip_is_refused() -> None:
    upscaled = ConvTransposeLayer(
        name="layer1",
        shape=(16, 128, 128),
        weight=np.full((16, 16, 2, 2), 2),
        stride=(2, 2),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        neuron=cuba(),
    )
    network = Network(layers=(InputLayer(name="layer0", shape=(16, 64, 64)), upscaled))
    assert sentence(UnsupportedNetworkError, lowered, network) == (
        "layer1: is no convolution, and as a dense layer has 65536 x 262144 weights; no chip holds "
        "as many. Use a pooling whose stride is its kernel, or a ConvT without stride. "
        "[lowered_layer_fits]"
    )
