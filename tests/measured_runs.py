"""Measured runs that nobody measured: made of known coefficients and noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.sim.energy.design import energy_equations, time_equations
from lavadeploy.sim.energy.measurement import Measurement
from lavadeploy.sim.energy.step_time import StepModel

STEPS = 10000
# coefficients of a board that nobody has, in picojoules and nanoseconds
ENERGY = {
    "synaptic_operation": 12.0,
    "neuron_update": 90.0,
    "spike": 50.0,
    "message_out": 80.0,
    "step": 2e5,
    "core_step": 1e4,
    "inference": 1e6,
}
TIME = {
    "synaptic_operation": 0.5,
    "neuron_update": 2.0,
    "spike": 3.0,
    "message_in": 5.0,
    "step_overhead": 1000.0,
}


def record(**changes: Any) -> dict[str, Any]:
    """A record as JSON has it: one core, 100 neurons, 1 ms, 0.3 W."""
    core = {
        "id": 0,
        "neurons": 100,
        "syn_ops": 1e6,
        "dendrite_updates": 2e6,
        "spikes_in": 5e4,
        "spikes_out": 1e4,
        "axon_out": 2e4,
    }
    known = {
        "schema": 1,
        "evidence": "measured",
        "run_id": "run0",
        "network": "a",
        "chip": "loihi2",
        "board": "a board",
        "boundary": "neurocores",
        "chips": 1,
        "cores_used": 1,
        "steps": STEPS,
        "inferences": 100,
        "time": {"total_s": 0.05, "host_excluded": True},
        "power_W": {"total": 0.3, "static": 0.2, "dynamic": 0.1},
        "counters": {"core": [core]},
    }
    return known | changes


def microbenchmarks(
    rng: np.random.Generator,
    profile: HardwareProfile,
    energy: dict[str, float],
    time: dict[str, float],
    *,
    runs: int = 30,
    noise: float = 0.03,
) -> list[Measurement]:
    """Runs whose counters do not grow together, of a chip with these coefficients.

    Coefficients are pJ by step's events and ns on the busiest core; the profile's barrier comes on
    top.
    """
    found: list[Measurement] = []
    assert profile.energy is not None
    assert profile.time is not None
    for k in range(runs):
        cores = [_core(rng, index) for index in range(int(rng.integers(1, 9)))]
        content = record(
            run_id=f"run{k}",
            network=f"net{k % 5}",
            chip=profile.name,
            cores_used=len(cores),
            inferences=int(rng.integers(50, 2000)),
            counters={"core": cores},
        )
        run = Measurement.model_validate(content)
        events = energy_equations([run], profile.energy)
        picojoules = sum(energy[name] * events.matrix[0, i] for i, name in enumerate(events.names))
        parts = time_equations([run], profile.time, StepModel.SUM, time)
        step_ns = profile.time.step_barrier.nominal + sum(
            time[name] * parts.matrix[0, i] for i, name in enumerate(parts.names)
        )
        seconds = step_ns * 1e-9 * STEPS * float(1 + noise * rng.standard_normal())
        joules = (float(picojoules) + float(events.known[0])) * 1e-12 * STEPS
        dynamic = joules * float(1 + noise * rng.standard_normal()) / seconds
        content["time"] = {"total_s": seconds, "host_excluded": True}
        content["power_W"] = {"total": 0.2 + dynamic, "static": 0.2, "dynamic": dynamic}
        found.append(Measurement.model_validate(content))
    return found


def _core(rng: np.random.Generator, index: int) -> dict[str, Any]:
    """A core that does a lot of one thing and little of another, over four decades."""

    def some(most: float) -> float:
        return round(most * 10 ** float(rng.uniform(-3, 0)))

    neurons = int(some(4000)) + 1
    return {
        "id": index,
        "neurons": neurons,
        "syn_ops": some(2e5) * STEPS,
        "dendrite_updates": 2 * neurons * STEPS,
        "spikes_in": some(2000) * STEPS,
        "spikes_out": some(1000) * STEPS,
        "axon_out": some(3000) * STEPS,
    }
