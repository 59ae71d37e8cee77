"""Every format rule at its limit and one beyond, and all broken rules in one error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from expect import sentence

from lavadeploy.compile import Problem, check_rules, compile_network
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.compile.problems import raise_problems
from lavadeploy.compile.rules import RULES
from lavadeploy.hw_profiles import load_profile
from lavadeploy.netx import Layer, Network, UnsupportedNetworkError

SCALE = "Scale the layer's weights and threshold down together"


def problems(*layers: Layer, profile: str = "loihi2") -> list[str]:
    found = check_rules(Legalize().run(Network(layers=layers)), load_profile(profile))
    assert all(isinstance(problem, Problem) for problem in found)
    return [str(problem) for problem in found]


def two(value: int) -> Any:
    """A harmless number and the one in question."""
    return np.array([1, value], dtype=np.int32)


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
        (
            f"layer0: weight {weight}; {profile} allows {limits}. {SCALE}, or clamp in training. "
            "[weights_in_range]"
        )
    ]


def test_the_ideal_profile_allows_255() -> None:
    assert problems(dense([[255, -256]]), profile="ideal") == []


def test_kernels_are_checked_like_matrices() -> None:
    layer = conv(np.full((1, 1, 2, 2), 256), (1, 2, 2))
    assert problems(layer) == [
        (
            f"layer0: weight 256; loihi2 allows -256 to 254. {SCALE}, or clamp in training. "
            "[weights_in_range]"
        )
    ]


@pytest.mark.parametrize("vth", [0, 131071])
def test_thresholds_at_the_limit_are_allowed(vth: int) -> None:
    assert problems(dense([[2]], neuron=cuba(vth))) == []


@pytest.mark.parametrize("vth", [-1, 131072])
def test_thresholds_beyond_the_limit_are_refused(vth: int) -> None:
    assert problems(dense([[2]], neuron=cuba(vth))) == [
        (
            f"layer0: threshold {vth} (vThMant); loihi2 allows 0 to 131071. {SCALE}. "
            "[threshold_in_range]"
        )
    ]


@pytest.mark.parametrize("decay", [0, 4096])
def test_decays_at_the_limit_are_allowed(decay: int) -> None:
    assert problems(dense([[2]], neuron=cuba(du=decay, dv=decay))) == []
    assert problems(dense([[2], [2]], neuron=cuba(du=two(decay), dv=two(decay)))) == []


@pytest.mark.parametrize("decay", [-1, 4097])
@pytest.mark.parametrize("name", ["current", "voltage"])
def test_decays_beyond_the_limit_are_refused(decay: int, name: str) -> None:
    expected = [
        (
            f"layer0: {name} decay {decay}; loihi2 allows 0 to 4096 (of 4096). "
            "Export the decay as round(4096 * decay). [decays_in_range]"
        )
    ]
    field = "du" if name == "current" else "dv"
    shared: dict[str, Any] = {field: decay}
    own: dict[str, Any] = {field: two(decay)}
    assert problems(dense([[2]], neuron=cuba(**shared))) == expected
    assert problems(dense([[2], [2]], neuron=cuba(**own))) == expected


@pytest.mark.parametrize("bias", [-4095, 4095])
def test_biases_at_the_limit_are_allowed(bias: int) -> None:
    assert problems(dense([[2], [2]], bias=two(bias))) == []


@pytest.mark.parametrize("bias", [-4096, 4096, -(2**31)])
def test_biases_beyond_the_limit_are_refused(bias: int) -> None:
    assert problems(dense([[2], [2]], bias=two(bias))) == [
        (
            f"layer0: bias {bias}; loihi2 allows -4095 to 4095. "
            "Scale the layer's weights, bias and threshold down together. [bias_in_range]"
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


def broken() -> Network:
    weight = np.array([[300, 1], [2, 2]])
    neuron = cuba(vth=-5, du=5000)
    return Network(
        layers=(
            dense(weight, neuron=neuron, bias=two(9999), delay=two(100)),
            dense([[2, 2]], name="layer1"),
            dense([[-300]], name="layer2"),
        )
    )


EXPECTED = (
    (
        f"layer0: weight 300; loihi2 allows -256 to 254. {SCALE}, or clamp in training. "
        "[weights_in_range]"
    ),
    f"layer0: threshold -5 (vThMant); loihi2 allows 0 to 131071. {SCALE}. [threshold_in_range]",
    (
        "layer0: current decay 5000; loihi2 allows 0 to 4096 (of 4096). "
        "Export the decay as round(4096 * decay). [decays_in_range]"
    ),
    (
        "layer0: bias 9999; loihi2 allows -4095 to 4095. "
        "Scale the layer's weights, bias and threshold down together. [bias_in_range]"
    ),
    (
        "layer0: delay 100; loihi2 allows 0 to 62 steps. "
        "Clamp the delays in training (SLAYER's max_delay). [delays_in_range]"
    ),
    (
        f"layer2: weight -300; loihi2 allows -256 to 254. {SCALE}, or clamp in training. "
        "[weights_in_range]"
    ),
)


def test_all_problems_of_a_network_are_raised_at_once() -> None:
    with pytest.raises(UnsupportedNetworkError) as caught:
        compile_network(broken(), load_profile("loihi2"))
    assert caught.value.problems == EXPECTED
    assert str(caught.value) == "\n".join(EXPECTED)


def test_no_problem_raises_nothing() -> None:
    raise_problems(())
    problem = Problem(layer="fc", found="a", allowed="b", remedy="C.", rule="d")
    assert sentence(UnsupportedNetworkError, raise_problems, (problem,)) == "fc: a; b. C. [d]"


def test_every_rule_is_a_sentence_under_its_own_name() -> None:
    used = {line.rsplit("[", 1)[1].rstrip("]") for line in EXPECTED}
    assert {rule.__name__ for rule in RULES} == used
    for rule in RULES:
        assert rule.__doc__ is not None
        assert rule.__doc__.endswith(".")
