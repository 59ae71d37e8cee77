"""Coefficients that are fitted to runs of known coefficients, and to a published series."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest
from measured_runs import STEPS, microbenchmarks, record

from lavadeploy.hw_profiles import Evidence, HardwareProfile, load_profile, save_profile
from lavadeploy.netx import MeasurementError, OptionError, ProfileError
from lavadeploy.sim import (
    CalibrationFit,
    Fit,
    FitOptions,
    FittedCoefficient,
    Measurement,
    fit_profile,
    fitted_profile,
)

LOIHI1, LOIHI2 = load_profile("loihi1"), load_profile("loihi2")
TRIALS = 30


def true_coefficients(rng: np.random.Generator) -> tuple[dict[str, float], dict[str, float]]:
    """A chip as the profile allows it; costs of steps and cores, of which it knows nothing."""

    def within(section: Any, *names: str) -> dict[str, float]:
        found = {name: getattr(section, name) for name in names}
        return {n: rng.uniform(c.low, c.high) for n, c in found.items()}

    energy = within(
        LOIHI2.energy, "synaptic_operation", "neuron_update", "spike", "message_out", "inference"
    )
    energy |= {"step": float(rng.uniform(0, 5e5)), "core_step": float(rng.uniform(0, 2e4))}
    time = within(LOIHI2.time, "synaptic_operation", "neuron_update", "spike", "step_overhead")
    return energy, time | {"message_in": float(rng.uniform(0, 10))}


@cache
def trial(seed: int) -> tuple[CalibrationFit, dict[str, float], dict[str, float]]:
    rng = np.random.default_rng(seed)
    energy, time = true_coefficients(rng)
    runs = microbenchmarks(rng, LOIHI2, energy, time)
    return fit_profile(runs, LOIHI2, FitOptions(draws=100, seed=seed)), energy, time


def test_known_coefficients_are_within_their_interval_in_nine_of_ten_trials() -> None:
    hits: dict[str, list[bool]] = defaultdict(list)
    for seed in range(TRIALS):
        fit, energy, time = trial(seed)
        for kind, found, true in (("energy", fit.energy, energy), ("time", times(fit), time)):
            for c in found.coefficients:
                hits[f"{kind} {c.name}"].append(c.low <= true[c.name] <= c.high)
    assert len(hits) == 12
    assert {name: np.mean(found) for name, found in hits.items() if np.mean(found) < 0.9} == {}


def beyond_the_profile(seed: int, strength: float) -> tuple[CalibrationFit, dict[str, float]]:
    """A fit to runs of a chip that costs half as much again as the profile's high ends."""
    assert LOIHI2.energy is not None
    assert LOIHI2.time is not None
    names = ("synaptic_operation", "neuron_update", "spike", "message_out")
    energy = {name: 1.5 * getattr(LOIHI2.energy, name).high for name in names}
    energy |= {"step": 2e5, "core_step": 1e4, "inference": 1e6}
    names = ("synaptic_operation", "neuron_update", "spike")
    time = {name: 1.5 * getattr(LOIHI2.time, name).high for name in names}
    time |= {"message_in": 5.0, "step_overhead": 500.0}
    runs = microbenchmarks(np.random.default_rng(seed), LOIHI2, energy, time)
    options = FitOptions(strength=strength, draws=100, seed=seed)
    return fit_profile(runs, LOIHI2, options), energy


def test_a_board_beyond_the_profiles_interval_is_found_without_the_profile() -> None:
    """The profile's values pull, so such coefficients are marked, and a fit without them is due."""
    hits: list[bool] = []
    for seed in range(TRIALS):
        free, energy = beyond_the_profile(seed, strength=0.0)
        hits += [c.low <= energy[c.name] <= c.high for c in free.energy.coefficients]
        operation = coefficient(beyond_the_profile(seed, strength=1.0)[0], "synaptic_operation")
        assert (operation.beyond, operation.identified) == (True, True)
    assert np.mean(hits) >= 0.9


def test_coefficients_within_the_profiles_interval_are_not_marked() -> None:
    energy = {"synaptic_operation": 20.0, "neuron_update": 160.0, "spike": 69.3}
    energy |= {"message_out": 111.0, "step": 2e5, "core_step": 1e4, "inference": 1e6}
    time = {"synaptic_operation": 0.75, "neuron_update": 2.6, "spike": 3.0, "message_in": 5.0}
    runs = microbenchmarks(
        np.random.default_rng(0), LOIHI2, energy, time | {"step_overhead": 500.0}
    )
    fit = fit_profile(runs, LOIHI2, FitOptions(draws=20))
    assert [c.name for c in fit.energy.coefficients + times(fit).coefficients if c.beyond] == []


def test_what_dominates_is_found_within_a_tenth() -> None:
    errors = [
        abs(c.nominal / energy[c.name] - 1)
        for fit, energy, _ in map(trial, range(TRIALS))
        for c in fit.energy.coefficients
        if c.name in ("synaptic_operation", "neuron_update")
    ]
    assert np.median(errors) < 0.1


def test_networks_that_were_left_out_are_predicted_as_well_as_noise_allows() -> None:
    for fit, _, _ in map(trial, range(TRIALS)):
        assert set(fit.energy.left_out) == {f"net{k}" for k in range(5)}
        assert max(fit.energy.left_out.values()) < 0.15  # noise is 3 %
        assert fit.energy.error < 0.06


def test_the_same_seed_gives_the_same_fit() -> None:
    again = trial.__wrapped__(3)[0]
    assert again == trial(3)[0]


def times(fit: CalibrationFit) -> Fit:
    assert fit.time is not None
    return fit.time


def test_a_profile_of_ones_own_may_be_of_any_chip() -> None:
    runs = [proportional(scale, k) for k, scale in enumerate((1, 2, 4))]
    own = LOIHI1.model_copy(update={"name": "my_board"})
    assert fit_profile(runs, own, FitOptions(draws=20)).profile == "my_board"


def coefficient(fit: CalibrationFit, name: str) -> FittedCoefficient:
    (found,) = [c for c in fit.energy.coefficients if c.name == name]
    return found


def proportional(scale: float, run: int, *, noise: float = 1.0) -> Measurement:
    """A run whose spikes, messages and operations all grow with its neurons."""
    neurons = 1000 * scale
    core: dict[str, Any] = {
        "id": 0,
        "neurons": round(neurons),
        "syn_ops": 10 * neurons * STEPS,
        "dendrite_updates": 2 * neurons * STEPS,
        "spikes_in": 0,
        "spikes_out": 0.1 * neurons * STEPS,
        "axon_out": 0.1 * neurons * STEPS,
    }
    # twice what the profile says, and 1 uJ a step
    joules = (2 * (200 + 160 + 18.03) * neurons + 1e6) * 1e-12 * STEPS * noise
    return Measurement.model_validate(
        record(
            run_id=f"run{run}",
            network=f"net{run}",
            counters={"core": [core]},
            time={"total_s": 0.05, "host_excluded": True},
            power_W={"total": 0.2 + joules / 0.05, "static": 0.2, "dynamic": joules / 0.05},
        )
    )


def test_collinear_columns_are_merged_and_keep_the_profiles_ratio() -> None:
    runs = [proportional(scale, k) for k, scale in enumerate((1, 2, 4, 8, 16))]
    fit = fit_profile(runs, LOIHI2, FitOptions(draws=50))
    operation, update = (coefficient(fit, n) for n in ("synaptic_operation", "neuron_update"))
    assert operation.merged_with == ("neuron_update", "spike", "message_out")
    assert operation.nominal / update.nominal == pytest.approx(20 / 160)
    # the profile's values hold it back a little: their interval is a factor, the noise 5 %
    assert operation.nominal == pytest.approx(40, rel=0.05)
    assert coefficient(fit, "step").merged_with == ("core_step", "inference")
    assert fit.energy.condition > 1e6
    assert fit.energy.condition_merged < 10


def test_what_no_run_shows_is_not_identified_and_keeps_the_profiles_value() -> None:
    runs = [proportional(scale, k) for k, scale in enumerate((1, 2, 4, 8, 16))]
    fit = fit_profile(runs, LOIHI2, FitOptions(draws=50))
    kept = [c.name for c in fit.energy.coefficients if not c.identified]
    assert kept  # of those that follow the step, one stands for all
    profile = fitted_profile(fit, LOIHI2)
    for name in kept:
        assert getattr(profile.energy, name) == getattr(LOIHI2.energy, name)


def test_costs_that_nobody_knew_and_that_may_be_nothing_stay_unknown() -> None:
    found = [c for seed in range(TRIALS) for c in trial(seed)[0].energy.coefficients]
    unknown = [c for c in found if c.name in ("step", "core_step")]
    assert {c.before for c in unknown} == {None}
    assert [c.identified for c in unknown] == [c.low > 0 for c in unknown]
    assert len({c.identified for c in unknown}) == 2
    fit = next(
        trial(seed)[0]
        for seed in range(TRIALS)
        if not coefficient(trial(seed)[0], "core_step").identified
    )
    profile = fitted_profile(fit, LOIHI2)
    assert profile.energy is not None
    assert profile.energy.core_step is None


# Loihi 1, abr/power_benchmarks (Blouw 2019, arXiv:1812.01739), logs/running/loihi_C*L10_run1:
# copies of 10 layers of 256 neurons besides 512; mean of the log while it runs, in W, to 0.1 mW.
# The warm chip idles at 0.0985 W; 1000 inferences take 16.12 s whatever the size.
SERIES = {2: 0.1053, 4: 0.1074, 6: 0.1088, 8: 0.1104, 10: 0.1120}
WARM = 0.0985


def published_run(copies: int) -> Measurement:
    """A run of the series; 10 steps an inference and 5 % activity are assumed."""
    steps, neurons = 10_000, 10 * 256 * copies + 512
    core = {
        "id": 0,
        "neurons": neurons,
        "syn_ops": 0.05 * 256 * neurons * steps,
        "dendrite_updates": neurons * steps,
        "spikes_in": 0,
        "axon_out": 0.05 * neurons * steps,
    }
    power = SERIES[copies]
    return Measurement.model_validate(
        record(
            run_id=f"C{copies:02}",
            network=f"{copies} copies",
            chip="loihi1",
            board="Wolf Mountain",
            steps=steps,
            inferences=1000,
            counters={"core": [core]},
            time={"total_s": 16.12, "host_excluded": False},
            power_W={"total": power, "static": WARM, "dynamic": power - WARM},
        )
    )


def test_the_published_scaling_series_is_a_line_whose_parts_cannot_be_told_apart() -> None:
    fit = fit_profile([published_run(c) for c in SERIES], LOIHI1, FitOptions(draws=50))
    operation = coefficient(fit, "synaptic_operation")
    assert set(operation.merged_with) == {"neuron_update", "spike", "message_out"}
    # each size is predicted from the other four; the smallest one lies 9 % below their line
    assert max(fit.energy.left_out.values()) < 0.1
    assert fit.energy.error < 0.05
    # 5.2 mW whatever the size: embedded processors and host, here a cost of the step
    step = coefficient(fit, "step")
    assert step.nominal * 1e-12 * 10_000 / 16.12 == pytest.approx(5.2e-3, rel=0.1)
    # 0.83 mW a copy
    slope = sum(
        c.nominal * events
        for name, events in (
            ("synaptic_operation", 0.05 * 256),
            ("neuron_update", 1.0),
            ("spike", 0.05),
            ("message_out", 0.05),
        )
        for c in (coefficient(fit, name),)
    )
    assert 2560 * slope * 1e-12 * 10_000 / 16.12 == pytest.approx(0.83e-3, rel=0.1)


def with_rails(run: Measurement) -> Measurement:
    """Six tenths of the dynamic power on the rail of the SRAM, the rest on that of the logic."""
    power = run.power_W
    idle = {"vdd": 0.09, "vddm": 0.11, "vddio": 0.0}
    running = {
        "vdd": idle["vdd"] + 0.4 * power.dynamic,
        "vddm": idle["vddm"] + 0.6 * power.dynamic,
        "vddio": 0.0,
    }
    content = run.model_dump(by_alias=True)
    content["power_W"] |= {"rails": running, "static_rails": idle}
    return Measurement.model_validate(content)


def test_rails_are_fitted_each_by_itself() -> None:
    rng = np.random.default_rng(1)
    energy, time = true_coefficients(rng)
    runs = microbenchmarks(rng, LOIHI2, energy, time, noise=0.001)
    fit = fit_profile([with_rails(run) for run in runs], LOIHI2, FitOptions(draws=20))
    assert set(fit.rails) == {"vdd", "vddm"}
    for name in ("synaptic_operation", "step"):
        parts = [
            next(c.nominal for c in rail.coefficients if c.name == name)
            for rail in fit.rails.values()
        ]
        assert sum(parts) == pytest.approx(coefficient(fit, name).nominal, rel=0.05)
    assert fit_profile(runs, LOIHI2, FitOptions(draws=20)).rails == {}


def test_a_rail_that_one_run_does_not_draw_from_is_not_fitted() -> None:
    runs = [with_rails(proportional(scale, k)) for k, scale in enumerate((1, 2, 4, 8, 16))]
    power = runs[2].power_W
    content = runs[2].model_dump(by_alias=True)
    content["power_W"]["rails"] |= {"vdd": 0.09, "vddm": 0.11 + power.dynamic}
    runs[2] = Measurement.model_validate(content)
    assert set(fit_profile(runs, LOIHI2, FitOptions(draws=20)).rails) == {"vddm"}


def test_runs_that_draw_nothing_are_left_out_by_name() -> None:
    runs = [proportional(scale, k) for k, scale in enumerate((1, 2, 4, 8, 16))]
    idle = Measurement.model_validate(
        record(run_id="idle", power_W={"total": 0.2, "static": 0.2, "dynamic": -0.001})
    )
    fit = fit_profile([*runs, idle], LOIHI2, FitOptions(draws=50))
    assert fit.dropped == {"idle": "dynamic power is within noise of 0"}
    assert fit.runs == 5


def changed(run: Measurement, **values: Any) -> Measurement:
    return run.model_copy(update=values)


def test_runs_that_do_not_belong_together_are_refused() -> None:
    runs = [proportional(scale, k) for k, scale in enumerate((1, 2, 4))]
    for other, sentence in (
        (
            changed(runs[2], boundary="board"),
            "runs of different boundary: 'board', 'neurocores'. Fit each by itself.",
        ),
        (
            changed(runs[2], chip="loihi1"),
            "runs of different chip: 'loihi1', 'loihi2'. Fit each by itself.",
        ),
        (changed(runs[2], run_id="run0"), "run 'run0' is given twice."),
    ):
        with pytest.raises(MeasurementError) as raised:
            fit_profile([*runs[:2], other], LOIHI2)
        assert str(raised.value) == sentence
    with pytest.raises(
        MeasurementError, match="runs with dynamic power above noise: 2; at least 3"
    ):
        fit_profile(runs[:2], LOIHI2)
    with pytest.raises(MeasurementError) as raised:
        fit_profile(runs, LOIHI1)
    assert str(raised.value) == (
        "runs on 'loihi2', but profile 'loihi1' is of another chip. Start from profile 'loihi2', "
        "or from one of your own."
    )
    with pytest.raises(ProfileError, match="no energy and time coefficients to start from"):
        fit_profile(runs, load_profile("ideal"))


@pytest.mark.parametrize("options", [{"strength": -1.0}, {"relative_error": 0.0}, {"draws": 5}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="were expected"):
        FitOptions(**options)


def test_the_fitted_profile_is_read_again_and_says_that_it_was_measured(tmp_path: Any) -> None:
    fit, _, _ = trial(0)
    profile: HardwareProfile = fitted_profile(fit, LOIHI2, "my_board")
    save_profile(profile, tmp_path / "my_board.yaml")
    assert load_profile(tmp_path / "my_board.yaml") == profile
    assert profile.name == "my_board"
    assert profile.energy is not None
    operation = profile.energy.synaptic_operation
    assert operation.nominal == coefficient(fit, "synaptic_operation").nominal
    assert operation.evidence is Evidence.MEASURED
    assert operation.source == "fitted to 30 runs on a board, from profile 'loihi2'"
    assert LOIHI2.energy is not None
    assert profile.energy.hop_east_west == LOIHI2.energy.hop_east_west
    assert profile.static_power is not None
    assert profile.static_power.nominal == 200
    assert profile.limits == LOIHI2.limits


def test_power_of_a_board_becomes_the_boards() -> None:
    runs = [changed(proportional(s, k), boundary="board") for k, s in enumerate((1, 2, 4))]
    fit = fit_profile(runs, LOIHI2, FitOptions(draws=20))
    profile = fitted_profile(fit, LOIHI2)
    assert profile.power is not None
    assert profile.power.board is not None
    assert profile.power.board.nominal == pytest.approx(200)
    assert profile.static_power == LOIHI2.static_power


def test_a_fitted_update_has_the_active_neurons_in_it() -> None:
    energy = {"synaptic_operation": 30.0, "neuron_update": 75.0, "spike": 69.3}
    energy |= {"message_out": 111.0, "step": 1e5, "core_step": 1e4, "inference": 1e6}
    time = {"synaptic_operation": 3.5, "neuron_update": 8.4, "spike": 30.0, "message_in": 16.0}
    runs = microbenchmarks(
        np.random.default_rng(0), LOIHI1, energy, time | {"step_overhead": 5e3}, runs=60
    )
    fit = fit_profile(runs, LOIHI1, FitOptions(draws=50, relative_error=0.03))
    update = coefficient(fit, "neuron_update")
    assert update.before == pytest.approx(72.8)  # the profile's update and active neuron together
    profile = fitted_profile(fit, LOIHI1)
    assert profile.energy is not None
    assert update.identified == (profile.energy.active_neuron is None)
    assert update.identified
