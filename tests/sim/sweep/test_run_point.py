"""A point is what compiling and running by hand gives, and every error is its outcome."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pytest
from builders import random_spikes
from expect import assert_same
from sweep_cases import STEPS, data_of, small_plan, write_input

from lavadeploy.compile import Method, QuantizedNetwork, compile_network
from lavadeploy.netx import Network, write_real_netx
from lavadeploy.sim import (
    SpikeInput,
    load_spike_input,
    measure_spike_rates,
    open_backend,
    quantize_uniformly,
    summarize_run,
)
from lavadeploy.sim.sweep import PointFailure, PointResult, PointSettings, SweepPlan, run_point


def by_hand(plan: SweepPlan, index: int) -> PointResult:
    """Return what the reference and the functions behind `compile` and `run` give for a point."""
    point = plan.points[index]
    profile = plan.profiles[point.profile]
    samples = plan.calibration
    found: Network | QuantizedNetwork = plan.network.nearest
    if point.bits != "file":
        found = quantize_uniformly(
            plan.network, profile, point.bits, inputs=samples, method=plan.settings.method
        )
    whole = found.network if isinstance(found, QuantizedNetwork) else found
    rates = None if samples is None else measure_spike_rates(whole, samples)
    compiled = compile_network(
        found,
        profile,
        spike_rates=rates,
        calibration_sha256="" if samples is None else samples.sha256(),
    )
    spikes = np.array(plan.inputs.spikes[..., : point.steps])
    inputs = SpikeInput(spikes=spikes, labels=plan.inputs.labels)
    summary = summarize_run(compiled, inputs, open_backend("reference").run(compiled, inputs))
    energy, activity = summary.energy, summary.activity
    return PointResult(
        point=point,
        samples=inputs.n_samples,
        accuracy=summary.accuracy,
        energies={} if energy is None else dict(energy.totals),
        dynamic_energy=None if energy is None else energy.dynamic_energy,
        terms={} if energy is None else dict(energy.terms),
        latency=None if energy is None else energy.time,
        busiest_core=None if energy is None else energy.busiest_core,
        basis=None if energy is None else energy.basis,
        excluded=() if energy is None else energy.excluded,
        cores=len(compiled.placement.cores),
        chips=compiled.placement.chips,
        synapse_words=sum(
            usage.used
            for core in compiled.placement.cores
            for usage in core.usage
            if usage.resource == "synapse words"
        ),
        weight_bits={
            layer.name: registers.bits
            for layer in compiled.network.layers
            for registers in [getattr(layer, "weights", None)]
            if registers is not None
        },
        spikes=sum(layer.spikes for layer in activity.layers) / inputs.n_samples,
        input_spikes=activity.input_spikes / inputs.n_samples,
        synaptic_operations=sum(layer.synaptic_operations for layer in activity.layers)
        / inputs.n_samples,
        quantization=compiled.losses,
        warnings=compiled.warnings,
        artifact_sha256=summary.hashes["artifact"],
        wall_s=0.0,
    )


@pytest.mark.parametrize("index", range(8))
def test_figures_are_those_of_compiling_and_running_by_hand(tmp_path: Path, index: int) -> None:
    plan = small_plan(tmp_path)
    made = run_point(data_of(plan), plan.task(plan.points[index]))
    assert_same(made, by_hand(plan, index), ignore=("wall_s",))
    assert isinstance(made, PointResult)
    assert made.spikes > 0
    assert made.synaptic_operations > 0
    assert (made.latency is None) == (plan.points[index].profile == "ideal")


def test_calibration_samples_choose_weights_and_places_as_in_compile(tmp_path: Path) -> None:
    write_input(tmp_path / "train.npz", seed=9, samples=20)
    options = {"bits": (3,), "steps": (STEPS,), "profiles": ("loihi2",)}
    plan = small_plan(tmp_path, calibration=tmp_path / "train.npz", **options)
    made = run_point(data_of(plan), plan.task(plan.points[0]))
    assert_same(made, by_hand(plan, 0), ignore=("wall_s",))
    assert isinstance(made, PointResult)
    assert all(step.spikes_changed is not None for step in made.quantization)
    plain = small_plan(tmp_path, **options)
    assert by_hand(plain, 0).artifact_sha256 != made.artifact_sha256


def test_the_method_may_be_named(tmp_path: Path) -> None:
    settings = PointSettings(method=Method.LARGEST)
    plan = small_plan(tmp_path, bits=(3,), steps=(STEPS,), settings=settings)
    made = run_point(data_of(plan), plan.task(plan.points[0]))
    assert isinstance(made, PointResult)
    assert {step.method for step in made.quantization} == {"largest"}


def test_weights_as_stored_lose_nothing(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    made = run_point(data_of(plan), plan.task(plan.points[0]))
    assert isinstance(made, PointResult)
    assert made.quantization == ()


def test_more_steps_than_the_input_has_are_said_with_both_numbers(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, steps=(STEPS, STEPS + 1))
    assert isinstance(run_point(data_of(plan), plan.task(plan.points[0])), PointResult)
    assert run_point(data_of(plan), plan.task(plan.points[1])) == PointFailure(
        point=plan.points[1],
        error="SpikeInputError",
        sentence=(
            "13 steps were asked for, and the samples of the input have 12. Ask for fewer, or "
            "encode the input with more."
        ),
    )


def test_bits_that_a_chip_does_not_have_fail_with_the_compilers_sentence(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, bits=(7,), profiles=("loihi1",))
    failed = run_point(data_of(plan), plan.task(plan.points[0]))
    assert isinstance(failed, PointFailure)
    assert failed.error == "UnsupportedNetworkError"
    assert failed.sentence.splitlines() == [
        f"{layer}: weights of 7 bits were asked for; loihi1 has weights of 1, 2, 3, 4, 5, 6, 8 "
        "bits. Ask for 8. [weight_width]"
        for layer in ("layer0", "layer1")
    ]
    assert failed.traceback == ""


def test_real_numbers_cannot_be_run_as_stored(tmp_path: Path) -> None:
    whole = small_plan(tmp_path).network
    values = {
        name: type(real)(weight=real.weight + 0.25, vth=real.vth, decays=real.decays)
        for name, real in whole.values.items()
    }
    write_real_netx(type(whole)(nearest=whole.nearest, values=values), tmp_path / "net.net")
    plan = small_plan(tmp_path)
    failed = run_point(data_of(plan), plan.task(plan.points[0]))
    assert isinstance(failed, PointFailure)
    assert failed.sentence == (
        "the file holds real numbers, which no register does; give a number of bits in the place "
        "of 'file'."
    )


def test_a_worker_of_another_version_refuses(tmp_path: Path) -> None:
    plan = small_plan(tmp_path)
    task = dataclasses.replace(plan.task(plan.points[0]), version="0.0.1")
    failed = run_point(data_of(plan), task)
    assert isinstance(failed, PointFailure)
    assert failed.error == "BackendUnavailableError"
    assert failed.sentence.endswith(
        "the sweep was started by 0.0.1. Install the same version on all workers."
    )


def test_an_error_that_nobody_raised_on_purpose_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("something\nof two lines")

    plan = small_plan(tmp_path)
    # the package's attribute of that name is the function
    monkeypatch.setattr(importlib.import_module("lavadeploy.sim.sweep.run_point"), "_run", fail)
    failed = run_point(data_of(plan), plan.task(plan.points[0]))
    assert isinstance(failed, PointFailure)
    assert failed.sentence == "ZeroDivisionError: something of two lines"
    assert "test_run_point.py" in failed.traceback


def test_packed_spikes_are_the_spikes(tmp_path: Path) -> None:
    counts = SpikeInput(spikes=3 * random_spikes(np.random.default_rng(0), 4, 6, STEPS))
    for inputs in (load_spike_input(write_input(tmp_path / "a.npz")), counts):
        packed = data_of(dataclasses.replace(small_plan(tmp_path), inputs=inputs)).spikes
        assert packed.open().sha256() == inputs.sha256()
