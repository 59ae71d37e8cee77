"""All rules together: collected, raised once, in layer order; each with a sentence and a test."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import sentence
from profiles import SHIPPED

from lavadeploy.compile import Problem, compile_network
from lavadeploy.compile.problems import in_layer_order, raise_problems, sentence_of
from lavadeploy.compile.rules import RULES
from lavadeploy.compile.rules_of_lowering import REFUSALS
from lavadeploy.netx import (
    AverageLayer,
    ConvTransposeLayer,
    InputLayer,
    Network,
    SigmaDeltaNeuron,
    UnsupportedNetworkError,
)

TESTS = Path(__file__).parents[1]
SCALE = "Scale the layer's weights and threshold down together"


def two(value: int) -> Any:
    """A harmless number and the one in question."""
    return np.array([1, value], dtype=np.int32)


def raised(network: Network, profile: str = "loihi2") -> tuple[str, ...]:
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(network, SHIPPED[profile])
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_all_problems_of_a_layer_are_raised_at_once() -> None:
    neuron = cuba(vth=-5, du=5000)
    weight = np.array([[300, 1], [2, 2]])
    layers = (
        dense(weight, neuron=neuron, bias=two(9999), delay=two(100)),
        dense([[2, 2]], name="layer1"),
        dense([[-300]], name="layer2"),
    )
    assert raised(Network(layers=layers)) == (
        (
            f"layer0: weight 300; loihi2 allows -256 to 254. {SCALE}, or clamp in training. "
            "[weights_in_range]"
        ),
        (
            "layer0: bias 9999; loihi2 allows -4095 to 4095. "
            "Scale the layer's weights, bias and threshold down together. [bias_in_range]"
        ),
        (
            "layer0: delay 100; loihi2 allows 0 to 62 steps. "
            "Clamp the delays in training (SLAYER's max_delay). [delays_in_range]"
        ),
        f"layer0: threshold -5 (vThMant); loihi2 allows 0 to 131071. {SCALE}. [threshold_in_range]",
        (
            "layer0: current decay 5000; loihi2 allows 0 to 4096 (of 4096). "
            "Export the decay as round(4096 * decay). [decays_in_range]"
        ),
        (
            f"layer2: weight -300; loihi2 allows -256 to 254. {SCALE}, or clamp in training. "
            "[weights_in_range]"
        ),
    )


def test_problems_of_all_stages_are_raised_at_once_in_layer_order() -> None:
    layers = (
        dense([[301]], name="wide"),
        dense(np.full((4097, 1), 2), name="many"),
        dense(np.full((2, 4097), 2), name="large"),  # more inputs than a core of loihi1 has axons
        AverageLayer(name="mean", shape=(1,)),
        dense([[3]], name="odd"),  # cannot be halved
        dense([[253], [-1]], name="nine"),
    )
    assert raised(Network(layers=layers), "loihi1") == (
        (
            f"wide: weight 301; loihi1 allows -256 to 254. {SCALE}, or clamp in training. "
            "[weights_in_range]"
        ),
        (
            "large: 4097 input axons for a single neuron; loihi1 allows 4096 per core. "
            "All inputs of a neuron meet on one core: use a layer with fewer, or compile for "
            "another profile. [core_input_axons]"
        ),
        (
            "odd: weights that 2 does not divide, on means of 2 neurons; chips sum what fires, and "
            "weights are whole. Use weights that it divides, average behind the last layer, or "
            "allow rounding with --allow-approximate. [means_are_exact]"
        ),
        (
            "nine: weights between -1 and 253 with odd numbers among them need 9 bits; loihi1 "
            "allows 1, 2, 3, 4, 5, 6 or 8 bits. Round the weights to a coarser grid (to even "
            "numbers where signs are mixed, as SLAYER does), or compile for 'ideal'. [weight_width]"
        ),
    )


def test_a_layer_whose_weights_fit_nowhere_is_still_judged_by_its_size() -> None:
    found = raised(Network(layers=(dense(np.full((1, 4097), 999)),)), "loihi1")
    assert [problem.rsplit("[", 1)[1] for problem in found] == [
        "weights_in_range]",
        "core_input_axons]",
    ]


def test_layers_behind_one_that_is_refused_are_judged_too() -> None:
    upscaled = ConvTransposeLayer(
        name="layer1",
        shape=(16, 128, 128),
        weight=np.full((16, 16, 2, 2), 2, dtype=np.int32),
        stride=(2, 2),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        neuron=cuba(),
    )
    layers = (
        InputLayer(name="layer0", shape=(16, 64, 64)),
        upscaled,
        conv(np.full((1, 16, 1, 1), 300), (1, 128, 128), name="layer2"),
    )
    assert [problem.rsplit("[", 1)[1] for problem in raised(Network(layers=layers))] == [
        "lowered_layer_fits]",
        "weights_in_range]",
    ]


@pytest.mark.parametrize("profile", ["ideal", "loihi2"])
def test_sums_of_payloads_finer_than_voltages_are_refused(profile: str) -> None:
    mean = AverageLayer(name="mean", shape=(1,))
    neuron = SigmaDeltaNeuron(vth_mantissa=6)
    spikes = dense([[2], [4]], neuron=dataclasses.replace(cuba(), graded_spike=True))
    assert compile_network(Network(layers=(spikes, mean)), SHIPPED[profile]).placement.cores
    assert raised(Network(layers=(dense([[2], [4]], neuron=neuron), mean)), profile) == (
        (
            "mean: sums of payloads finer than voltages, over 2 neurons; voltages are whole in "
            "1/4096. Average what the layer before it sends on the host, or allow cutting with "
            "--allow-approximate. [summed_means_are_exact]"
        ),
    )


def test_names_tell_layers_apart() -> None:
    assert raised(Network(layers=(dense([[2]]), dense([[2]])))) == (
        (
            "layer0: 2 layers have this name; names tell layers apart. Give each its own. "
            "[names_are_unique]"
        ),
    )


def test_problems_of_the_whole_network_come_last() -> None:
    def problem(layer: str) -> Problem:
        return Problem(layer=layer, found="a", allowed="b", remedy="C.", rule="d")

    found = in_layer_order(map(problem, ("network", "b", "a", "b")), ["a", "b"])
    assert [p.layer for p in found] == ["a", "b", "b", "network"]


def test_no_problem_raises_nothing() -> None:
    raise_problems(())
    problem = Problem(layer="fc", found="a", allowed="b", remedy="C.", rule="d")
    assert sentence(UnsupportedNetworkError, raise_problems, (problem,)) == "fc: a; b. C. [d]"


def test_every_rule_is_a_sentence_with_a_remedy_under_its_own_name() -> None:
    names = [rule.name for rule in RULES] + [refusal.__name__ for refusal in REFUSALS]
    assert len(names) == len(set(names))
    sentences = [rule.sentence for rule in RULES] + [sentence_of(r) for r in REFUSALS]
    assert len(sentences) == len(set(sentences))
    for text in (*sentences, *(rule.remedy for rule in RULES)):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "\n" not in text


def test_every_rule_appears_in_a_test() -> None:
    text = "\n".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    for name in [rule.name for rule in RULES] + [refusal.__name__ for refusal in REFUSALS]:
        # at the end of a sentence, or given to what compares the sentence
        assert f"[{name}]" in text or f'"{name}"' in text or f"        ({name}, " in text, name
