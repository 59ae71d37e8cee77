"""What the rules say about a few layers, for tests."""

from __future__ import annotations

from lavadeploy.compile import Problem, check_rules
from lavadeploy.compile.passes.legalize import Legalize
from lavadeploy.hw_profiles import HardwareProfile, load_profile
from lavadeploy.netx import Layer, Network


def problems(
    *layers: Layer,
    profile: str | HardwareProfile = "loihi2",
    input_shape: tuple[int, ...] | None = None,
) -> list[str]:
    """Return the sentences about a network that can be lowered."""
    chip = load_profile(profile) if isinstance(profile, str) else profile
    legal = Legalize(input_shape=input_shape).run(Network(layers=layers))
    found = check_rules(legal, chip)
    assert all(isinstance(problem, Problem) for problem in found)
    return [str(problem) for problem in found]
