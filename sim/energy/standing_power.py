"""Power that is drawn whether or not anything happens: by which rule, and within which boundary."""

from __future__ import annotations

from enum import Enum

from ...hw_profiles import Coefficient, HardwareProfile
from ...netx import ProfileError
from .counts import OperationCounts
from .ranges import NOTHING, Range


class Boundary(str, Enum):
    """What an energy covers; each includes the one before."""

    NEUROCORES = "neurocores"
    CHIP = "chip"  # embedded processors, too
    BOARD = "board"  # a board's share, input and output among it


class StaticRule(str, Enum):
    """Whose static power is a network's.

    Published figures of one chip differ tenfold by the rule that was used, which is why there is
    no estimate without one.
    """

    CHIPS = "chips"  # all cores of every chip in use
    USED_CORES = "used_cores"
    POWERED_CORES = "powered_cores"  # every core of every chip in use, at what one core draws


_LACKING = {
    Boundary.NEUROCORES: "static power by the rule '{rule}'",
    Boundary.CHIP: "power of embedded processors",
    Boundary.BOARD: "power of a board",
}


def standing_power(
    counts: OperationCounts,
    profile: HardwareProfile,
    boundary: Boundary,
    rule: StaticRule,
    duty: float,
) -> Range:
    """Return the power of a network that waits, in mW.

    Parameters
    ----------
    counts : OperationCounts
        Give the cores and chips in use.
    profile : HardwareProfile
        Gives the coefficients.
    boundary : Boundary
        What is covered.
    rule : StaticRule
        How much of the neurocores; a board's share has them all.
    duty : float
        Part of the time that embedded processors run code, 0 to 1.

    Raises
    ------
    ProfileError
        When the profile knows nothing of that rule or boundary.
    """
    found = _known_power(counts, profile, boundary, rule, duty)
    if found is None:
        lacking = _LACKING[boundary].format(rule=rule.value)
        if boundary is Boundary.CHIP and _static(counts, profile, rule) is None:
            lacking = _LACKING[Boundary.NEUROCORES].format(rule=rule.value)
        raise ProfileError(
            f"profile '{profile.name}' has no {lacking}. Ask for another boundary or rule, or add "
            "the coefficient to a profile of your own."
        )
    return found


def known_powers(
    counts: OperationCounts, profile: HardwareProfile, rule: StaticRule, duty: float
) -> dict[Boundary, Range]:
    """Return the power within every boundary that the profile has coefficients for, in mW."""
    found = {b: _known_power(counts, profile, b, rule, duty) for b in Boundary}
    return {boundary: power for boundary, power in found.items() if power is not None}


def boundary_text(
    counts: OperationCounts, profile: HardwareProfile, boundary: Boundary, rule: StaticRule
) -> str:
    """Return in words what is covered, for a report."""
    chips = "1 chip" if counts.chips == 1 else f"{counts.chips} chips"
    if boundary is Boundary.BOARD:
        return f"board share of {chips}"
    cores = len(counts.cores)
    neurocores = {
        StaticRule.CHIPS: f"neurocores of {chips}",
        StaticRule.USED_CORES: f"the {cores} neurocores in use",
        StaticRule.POWERED_CORES: f"{_powered(counts, profile)} powered neurocores",
    }[rule]
    return neurocores if boundary is Boundary.NEUROCORES else f"{neurocores} and processors"


def _known_power(
    counts: OperationCounts,
    profile: HardwareProfile,
    boundary: Boundary,
    rule: StaticRule,
    duty: float,
) -> Range | None:
    shares = profile.power
    code = NOTHING if shares is None else _times(shares.processor_code, duty * counts.chips)
    code = NOTHING if code is None else code  # which `left_out` then names
    match boundary:
        case Boundary.NEUROCORES:
            return _static(counts, profile, rule)
        case Boundary.CHIP:
            static = _static(counts, profile, rule)
            clock = None if shares is None else _times(shares.processor_clock, counts.chips)
            return None if static is None or clock is None else static + clock + code
        case Boundary.BOARD:
            board = None if shares is None else _times(shares.board, counts.chips)
            return None if board is None else board + code


def _static(counts: OperationCounts, profile: HardwareProfile, rule: StaticRule) -> Range | None:
    match rule:
        case StaticRule.CHIPS:
            return _times(profile.static_power, counts.chips)
        case StaticRule.USED_CORES:
            core = None if profile.power is None else profile.power.used_core
            return _times(core, len(counts.cores))
        case StaticRule.POWERED_CORES:
            core = None if profile.power is None else profile.power.powered_core
            return _times(core, _powered(counts, profile))


def _powered(counts: OperationCounts, profile: HardwareProfile) -> int:
    limit = profile.limits.cores_per_chip
    return len(counts.cores) if limit is None else counts.chips * limit.value


def _times(coefficient: Coefficient | None, count: float) -> Range | None:
    return None if coefficient is None else Range.of(coefficient).times(count)
