"""Coefficients of a chip from measured runs; `sim.calibrate`, for weights, is something else.

Regularized non-negative least squares on dynamic energy and on step times; columns that are
proportional in all runs are fitted as one; intervals by bootstrap over runs; the error that counts
is that of networks that were left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from ...hw_profiles import Energy, HardwareProfile, Time
from ...netx import MeasurementError, OptionError, ProfileError
from .counts import FloatArray
from .design import Equations, energy_equations, rail_equations, time_equations
from .fit_results import CalibrationFit, Fit, FittedCoefficient, StandingPower
from .least_squares import Merging, Prior, condition_number, merged, merged_prior, solve
from .measurement import Chip, Measurement
from .step_time import StepModel

NOISE = 0.02  # dynamic power below this part of the total is taken for noise around 0
ENDS = (2.5, 97.5)  # percentiles of the bootstrap
FEWEST = 3  # runs that coefficients are fitted to
KEPT = 0.9  # of the profile's interval: a fit that is no narrower tells nothing new


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    strength : float
        Weight of the profile's values; 0 forgets them.
    relative_error : float
        Of each measured energy and time.
    draws : int
        Of the bootstrap.
    seed : int
        Of its random numbers.
    step_model : StepModel
        Form of the step time.
    """

    strength: float = 1.0
    relative_error: float = 0.05
    draws: int = 200
    seed: int = 0
    step_model: StepModel = StepModel.SUM

    def __post_init__(self) -> None:
        if self.strength < 0 or self.relative_error <= 0 or self.draws < 20:
            raise OptionError(
                f"regularization {self.strength:g}, relative error {self.relative_error:g}, "
                f"{self.draws} draws; at least 0, more than 0 and at least 20 were expected."
            )


def fit_profile(
    runs: Sequence[Measurement], profile: HardwareProfile, options: FitOptions | None = None
) -> CalibrationFit:
    """Fit the coefficients of a profile to measured runs.

    Parameters
    ----------
    runs : sequence of Measurement
        Of one chip, within one boundary; best of microbenchmarks whose counters do not grow
        together (idle neurons, spikes without targets, fan-outs, cores, tiles, throttled steps).
    profile : HardwareProfile
        Its values and their intervals are what is known beforehand.
    options : FitOptions, optional
        How to fit.

    Returns
    -------
    CalibrationFit
        Energies, times, static power, and how far all of it can be trusted.

    Raises
    ------
    MeasurementError
        When there are too few runs, they mix boundaries or chips, or are of another chip than a
        profile that is named like one.
    ProfileError
        When the profile has no coefficients to start from.
    """
    options = options or FitOptions()
    energy, time = profile.energy, profile.time
    if energy is None or time is None:
        raise ProfileError(
            f"profile '{profile.name}' has no energy and time coefficients to start from. Fit "
            "those of a chip."
        )
    _check_together(runs)
    _check_chip(runs, profile)
    dropped = {
        run.run_id: "dynamic power is within noise of 0"
        for run in runs
        if run.power_W.dynamic <= NOISE * run.power_W.total
    }
    powered = [run for run in runs if run.run_id not in dropped]
    if len(powered) < FEWEST:
        raise MeasurementError(
            f"runs with dynamic power above noise: {len(powered)}; at least {FEWEST} are needed. "
            "Measure longer runs, or more of them."
        )
    return CalibrationFit(
        profile=profile.name,
        runs=len(powered),
        boards=_boards(runs),
        dropped=dropped,
        energy=_fit(powered, lambda chosen: energy_equations(chosen, energy), options),
        time=_fit_time([run for run in runs if run.time.host_excluded], time, options),
        static=_standing(runs),
        rails={rail: _fit_rail(powered, energy, rail, options) for rail in _rails(powered)},
    )


def _check_together(runs: Sequence[Measurement]) -> None:
    for what in ("boundary", "chip"):
        found = sorted({getattr(run, what) for run in runs})
        if len(found) > 1:
            listed = ", ".join(f"'{value}'" for value in found)
            raise MeasurementError(f"runs of different {what}: {listed}. Fit each by itself.")
    names = [run.run_id for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise MeasurementError(f"run '{twice[0]}' is given twice.")


def _check_chip(runs: Sequence[Measurement], profile: HardwareProfile) -> None:
    """Refuse runs of another chip; which one a profile of the user's own is of is not known."""
    found = sorted({run.chip for run in runs} - {profile.name})
    if found and profile.name in get_args(Chip):
        raise MeasurementError(
            f"runs on '{found[0]}', but profile '{profile.name}' is of another chip. Start from "
            f"profile '{found[0]}', or from one of your own."
        )


def _rails(runs: Sequence[Measurement]) -> tuple[str, ...]:
    """Return the rails that every run measured and that deliver more than noise in each.

    One run at 0 would outweigh the others, since errors are relative.
    """
    if any(run.power_W.rails is None or run.power_W.static_rails is None for run in runs):
        return ()
    return tuple(
        rail
        for rail in ("vdd", "vddm", "vddio")
        if all(run.rail_pj(rail) > NOISE * run.dynamic_pj for run in runs)
    )


def _boards(runs: Sequence[Measurement]) -> tuple[str, ...]:
    return tuple(sorted({run.board for run in runs}))


def _fit_time(runs: Sequence[Measurement], time: Time, options: FitOptions) -> Fit | None:
    """Return the fit to runs without the host's time, if there are enough of them."""
    if len(runs) < FEWEST:
        return None

    def equations(chosen: Sequence[Measurement]) -> Equations:
        return _settled(
            lambda guess: time_equations(chosen, time, options.step_model, guess), options
        )

    return _fit(runs, equations, options)


def _fit_rail(runs: Sequence[Measurement], energy: Energy, rail: str, options: FitOptions) -> Fit:
    return _fit(runs, lambda chosen: rail_equations(chosen, energy, rail), options)


def _standing(runs: Sequence[Measurement]) -> StandingPower:
    found = [1e3 * run.power_W.static / run.chips for run in runs]
    return StandingPower(
        boundary=runs[0].boundary,
        nominal=float(np.mean(found)),
        low=min(found),
        high=max(found),
    )


def _settled(
    equations: Callable[[dict[str, float] | None], Equations], options: FitOptions
) -> Equations:
    """Return the equations whose busiest cores are those that their solution says."""
    found = equations(None)
    for _ in range(20):
        solution = _solved(found, found.prior, _merging(found, options), options)
        guess = dict(zip(found.names, solution.tolist(), strict=True))
        again = equations(guess)
        if again.names == found.names and np.array_equal(again.matrix, found.matrix):
            break
        found = again
    return found


def _fit(
    runs: Sequence[Measurement],
    equations: Callable[[Sequence[Measurement]], Equations],
    options: FitOptions,
) -> Fit:
    whole = equations(runs)
    merging = _merging(whole, options)
    best = _solved(whole, whole.prior, merging, options)
    ends = _bootstrap(whole, best, merging, options)
    weighted = _weighted(whole, options)[0]
    networks = sorted({run.network for run in runs})
    left_out: dict[str, float] = {}
    for network in networks if len(networks) > 1 else ():
        rest = [k for k, run in enumerate(runs) if run.network != network]
        own = [k for k, run in enumerate(runs) if run.network == network]
        found = _solved(whole.rows(rest), whole.prior, merging, options)
        left_out[network] = _error(whole.rows(own), found)
    group_of = {column: group for group in merging.groups for column in group}
    return Fit(
        runs=len(runs),
        boards=_boards(runs),
        coefficients=tuple(
            _coefficient(whole, k, best, ends, group_of[k]) for k in range(len(whole.names))
        ),
        condition=condition_number(weighted),
        condition_merged=condition_number(weighted @ merging.weights),
        error=_error(whole, best),
        left_out=left_out,
    )


def _coefficient(
    whole: Equations, column: int, best: FloatArray, ends: FloatArray, group: tuple[int, ...]
) -> FittedCoefficient:
    # what merged columns add up to is what the runs can tell
    members = [member for member in group if best[member] > 0]
    typical = whole.matrix.mean(axis=0)[members]
    width = float((typical * (ends[1] - ends[0])[members]).sum())
    before = 2 * float(np.sqrt(((typical * whole.prior.sd[members]) ** 2).sum()))
    # where nothing was known, it is something that it is there at all
    narrower = width < KEPT * before if np.isfinite(before) else bool(ends[0, column] > 0)
    return FittedCoefficient(
        name=whole.names[column],
        nominal=float(best[column]),
        low=float(ends[0, column]),
        high=float(ends[1, column]),
        before=float(whole.prior.mean[column]) if np.isfinite(whole.prior.sd[column]) else None,
        # a coefficient at its bound of 0 is not free of cost, it is not seen
        identified=bool(best[column] > 0 and narrower),
        # nothing is farther than an infinite uncertainty
        beyond=bool(abs(best[column] - whole.prior.mean[column]) > whole.prior.sd[column]),
        merged_with=tuple(whole.names[other] for other in group if other != column),
    )


def _weighted(equations: Equations, options: FitOptions) -> tuple[FloatArray, FloatArray]:
    """Return matrix and target in units of their error."""
    measured = equations.target + equations.known
    weight = 1.0 / (options.relative_error * np.maximum(measured, measured.max() * 1e-6))
    return equations.matrix * weight[:, None], equations.target * weight


def _merging(equations: Equations, options: FitOptions) -> Merging:
    return merged(_weighted(equations, options)[0], equations.prior)


def _solved(
    equations: Equations, prior: Prior, merging: Merging, options: FitOptions
) -> FloatArray:
    """Return the coefficients, those of merged columns in the proportions of the profile."""
    matrix, target = _weighted(equations, options)
    reduced = merged_prior(matrix, prior, merging)
    return merging.weights @ solve(matrix @ merging.weights, target, reduced, options.strength)


def _bootstrap(
    whole: Equations, best: FloatArray, merging: Merging, options: FitOptions
) -> FloatArray:
    """Return the ends of the interval of each coefficient, shape (2, columns).

    Runs are drawn with replacement, and what is known beforehand within its uncertainty, so that
    an interval is not narrow for the sole reason that the runs say nothing. Deviations are widened
    by the degrees of freedom that the fit takes.
    """
    rng = np.random.default_rng(options.seed)
    runs, columns = len(whole.target), len(whole.names)
    sd = np.where(np.isfinite(whole.prior.sd), whole.prior.sd, 0.0)
    draws: list[FloatArray] = []
    for _ in range(options.draws):
        chosen: Sequence[int] = rng.integers(0, runs, runs).tolist()
        drawn = whole.rows(chosen)
        mean = np.maximum(0.0, whole.prior.mean + sd * rng.standard_normal(columns))
        draws.append(_solved(drawn, Prior(mean=mean, sd=whole.prior.sd), merging, options))
    found: FloatArray = np.percentile(np.stack(draws), ENDS, axis=0)
    wider = float(np.sqrt(runs / max(1, runs - columns)))
    ends = best + wider * (found - best)
    return np.stack([np.clip(ends[0], 0.0, best), np.maximum(ends[1], best)])


def _error(equations: Equations, coefficients: FloatArray) -> float:
    predicted = equations.matrix @ coefficients + equations.known
    measured = equations.target + equations.known
    return float(np.sqrt(np.mean((predicted / measured - 1) ** 2)))
