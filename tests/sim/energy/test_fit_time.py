"""Times of steps that are fitted to runs."""

from __future__ import annotations

import numpy as np
import pytest
from measured_runs import ENERGY, STEPS, TIME, microbenchmarks, record

from lavadeploy.hw_profiles import load_profile
from lavadeploy.sim import (
    CalibrationFit,
    Fit,
    FitOptions,
    Measurement,
    StepModel,
    fit_profile,
    fitted_profile,
)
from lavadeploy.sim.energy.design import time_equations

LOIHI2 = load_profile("loihi2")


def times(fit: CalibrationFit) -> Fit:
    assert fit.time is not None
    return fit.time


def some_with_the_host(without: int) -> list[Measurement]:
    """Thirty runs; the first are without the host's time, and of another board."""
    runs = microbenchmarks(np.random.default_rng(0), LOIHI2, ENERGY, TIME)
    with_host = [
        run.model_copy(
            update={
                "board": "other",
                "time": run.time.model_copy(update={"host_excluded": False}),
            }
        )
        for run in runs[without:]
    ]
    return [*runs[:without], *with_host]


def test_times_are_fitted_to_runs_without_the_host_only_and_say_so() -> None:
    fit = fit_profile(some_with_the_host(20), LOIHI2, FitOptions(draws=20))
    assert (fit.energy.runs, fit.energy.boards) == (30, ("a board", "other"))
    assert (times(fit).runs, times(fit).boards) == (20, ("a board",))
    source = "fitted to 20 runs without the host's time on a board, from profile 'loihi2'"
    profile = fitted_profile(fit, LOIHI2)
    assert profile.description.endswith(f"; times {source}.")
    assert profile.time is not None
    assert profile.time.neuron_update.source == source


def test_fewer_than_three_runs_without_the_host_leave_the_profiles_times() -> None:
    assert times(fit_profile(some_with_the_host(3), LOIHI2, FitOptions(draws=20))).runs == 3
    for without in (0, 1, 2):
        fit = fit_profile(some_with_the_host(without), LOIHI2, FitOptions(draws=20))
        assert fit.time is None
        profile = fitted_profile(fit, LOIHI2)
        assert profile.time == LOIHI2.time
        assert profile.description.endswith("; times are that profile's.")


def test_the_max_affine_form_is_fitted_to_what_dominates() -> None:
    rng = np.random.default_rng(5)
    runs: list[Measurement] = []
    for k in range(20):
        neurons, operations = (int(10 ** rng.uniform(2, 4.5)) for _ in range(2))
        core = record()["counters"]["core"][0] | {
            "neurons": neurons,
            "syn_ops": operations * STEPS,
            "spikes_in": 0,
            "spikes_out": 0,
            "axon_out": 0,
        }
        step_ns = 200 + max(3.0 * neurons, 0.6 * operations)
        runs.append(
            Measurement.model_validate(
                record(
                    run_id=f"run{k}",
                    counters={"core": [core]},
                    time={"total_s": step_ns * 1e-9 * STEPS, "host_excluded": True},
                )
            )
        )
    options = FitOptions(draws=50, step_model=StepModel.MAX_AFFINE, relative_error=0.01)
    fit = fit_profile(runs, LOIHI2, options)
    found = {c.name: c.nominal for c in times(fit).coefficients}
    assert found["neuron_update"] == pytest.approx(3.0, rel=0.02)
    assert found["synaptic_operation"] == pytest.approx(0.6, rel=0.02)


def timed(step_ns: float, run: int, neurons: int) -> Measurement:
    """A run of one core that updates its neurons and does nothing else."""
    core = record()["counters"]["core"][0] | {
        "neurons": neurons,
        "syn_ops": 0,
        "spikes_in": 0,
        "spikes_out": 0,
        "axon_out": 0,
    }
    return Measurement.model_validate(
        record(
            run_id=f"run{run}",
            counters={"core": [core]},
            time={"total_s": step_ns * 1e-9 * STEPS, "host_excluded": True},
        )
    )


def test_a_step_shorter_than_the_barrier_does_not_decide_the_fit() -> None:
    assert LOIHI2.time is not None
    barrier = LOIHI2.time.step_barrier.nominal
    sizes = (1000, 2000, 3000, 4000)
    runs = [timed(barrier + 100 + 3.0 * n, k, n) for k, n in enumerate(sizes)]
    short = timed(0.9 * barrier, 4, 1)
    fit = fit_profile([*runs, short], LOIHI2, FitOptions(draws=20))
    (update,) = [c.nominal for c in times(fit).coefficients if c.name == "neuron_update"]
    assert update == pytest.approx(3.0, rel=0.1)


def test_the_error_of_times_is_relative_to_the_whole_step() -> None:
    assert LOIHI2.time is not None
    barrier = LOIHI2.time.step_barrier.nominal
    # equal runs but for their times, 10 % of the step to either side of its mean
    runs = [timed(1.5 * barrier * f, k, 100) for k, f in enumerate((0.9, 1.1) * 3)]
    fit = fit_profile(runs, LOIHI2, FitOptions(draws=20, strength=0.0))
    assert 0.09 < times(fit).error < 0.11


def test_equations_add_up_to_what_was_measured() -> None:
    assert LOIHI2.time is not None
    runs = [timed(10.0, 0, 50), timed(5000.0, 1, 50)]
    found = time_equations(runs, LOIHI2.time, StepModel.SUM)
    assert found.target + found.known == pytest.approx([10.0, 5000.0], rel=1e-12)
    assert found.target[0] < 0
