"""All rules of a chip, and the check of a network against them.

Every limit of a profile is one function; its docstring is the sentence that SUPPORTED.md shows. The
functions stand in `rules_of_layers`, `rules_of_neurons` and `rules_of_cores`, those that need no
profile in `rules_of_lowering`.
"""

from __future__ import annotations

from typing import Any

from ..hw_profiles import HardwareProfile
from .problems import Problem, Rule
from .rules_of_cores import RULES_OF_BOARDS, RULES_OF_CORES, core_problems, least_block
from .rules_of_layers import RULES_OF_LAYERS
from .rules_of_neurons import RULES_OF_NEURONS
from .stages import LegalNetwork

RULES: tuple[Rule[Any], ...] = (
    *RULES_OF_LAYERS,
    *RULES_OF_NEURONS,
    *RULES_OF_CORES,
    *RULES_OF_BOARDS,
)


def check_rules(network: LegalNetwork, profile: HardwareProfile) -> tuple[Problem, ...]:
    """Check every layer against every rule that needs no placement.

    Parameters
    ----------
    network : LegalNetwork
        After legalization; layers that could not be lowered may be missing.
    profile : HardwareProfile
        The chip.

    Returns
    -------
    tuple of Problem
        In layer order; empty when all is well.
    """
    problems: list[Problem] = []
    for legal in network.layers:
        name = legal.layer.name
        found = (r.problem(name, legal, profile) for r in (*RULES_OF_LAYERS, *RULES_OF_NEURONS))
        problems += [problem for problem in found if problem is not None]
        problems += core_problems(name, least_block(legal, profile), profile)
    return tuple(problems)
