"""What a fit of coefficients to measured runs says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCoefficient:
    """One coefficient.

    Attributes
    ----------
    name : str
        As in the profile; 'hop' stands for both directions.
    nominal, low, high : float
        pJ or ns; the 95 % interval of the bootstrap.
    before : float or None
        The profile's nominal value.
    identified : bool
        Whether the runs say more of it than the profile did; else the profile's value is to be
        kept.
    beyond : bool
        Whether it is farther from the profile's value than that is uncertain. The profile's value
        held it back then, and the interval may miss the truth: of trials whose truth is half as
        much again as the profile's high end, a half to nine tenths had it inside. Fitted with
        strength 0, nine tenths had.
    merged_with : tuple of str
        Coefficients of columns proportional to its own, to which it keeps the profile's ratio.
    """

    name: str
    nominal: float
    low: float
    high: float
    before: float | None
    identified: bool
    beyond: bool
    merged_with: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Coefficients of one kind.

    Attributes
    ----------
    runs : int
        How many it was fitted to.
    boards : tuple of str
        Where these ran.
    coefficients : tuple of FittedCoefficient
        Those that the runs have columns for.
    condition, condition_merged : float
        Condition number of the weighted columns, before and after merging.
    error : float
        Root mean square of relative errors on the runs that were fitted.
    left_out : dict of str to float
        The same for each network, by a fit without it; empty for a single network.
    """

    runs: int
    boards: tuple[str, ...]
    coefficients: tuple[FittedCoefficient, ...]
    condition: float
    condition_merged: float
    error: float
    left_out: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPower:
    """Measured static power of a chip in mW, within the boundary of the runs."""

    boundary: str
    nominal: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationFit:
    """All that runs say of a profile.

    Attributes
    ----------
    profile : str
        Whose values were the starting point.
    runs : int
        How many energies were fitted to.
    boards : tuple of str
        Where all runs were, those too that were not fitted.
    dropped : dict of str to str
        Runs that were not fitted to energy, and why.
    energy : Fit
        In pJ.
    time : Fit or None
        In ns, by the runs without the host's time; None where these are too few, so that the
        profile's times are to be kept.
    static : StandingPower
        By chip.
    rails : dict of str to Fit
        The same for each rail alone, by name, in pJ; empty where not all runs measured rails.
    """

    profile: str
    runs: int
    boards: tuple[str, ...]
    dropped: dict[str, str]
    energy: Fit
    time: Fit | None
    static: StandingPower
    rails: dict[str, Fit]
