"""Random networks of every form do the same on every backend, and reach the edges where not to.

Without a marker the networks are the same in every run; the slow tests draw new ones.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, reject, settings
from network_edges import EDGES, edges_of
from numpy.typing import NDArray
from random_layers import ALL_FORMS, KINDS, RESONATORS
from random_networks import RandomRun, assert_runs_are_equal, random_runs
from random_repertoire import forms_of, timelines_of
from strategies import UNHURRIED

from lavadeploy.hw_profiles.arithmetic import divide_toward_zero, wrap_signed
from lavadeploy.hw_profiles.units import SPIKE
from lavadeploy.netx import UnsupportedNetworkError
from lavadeploy.sim import RunOptions, Timeline, interpreter
from lavadeploy.sim.neurons import Rules


def compare_with_reference(
    backend: str, networks: int, *, same_each_time: bool, most_layers: int = 4
) -> None:
    """Run so many random networks of every form on a backend and on the reference."""
    forms, timelines = forms_of(backend), timelines_of(backend)
    assert forms == frozenset(ALL_FORMS)
    assert set(timelines) == set(Timeline)
    compared = 0

    @settings(
        max_examples=networks,
        derandomize=same_each_time,
        database=None,
        deadline=None,
        suppress_health_check=UNHURRIED,
    )
    @given(random_runs(forms, timelines, most_layers))
    def check(run: RandomRun) -> None:
        nonlocal compared
        try:
            found = run.on(backend)
        except UnsupportedNetworkError:
            reject()
        assert_runs_are_equal(found, run.on("reference"))
        compared += 1

    check()
    assert compared >= networks


@pytest.mark.parametrize("networks", [2000])
def test_the_engine_equals_the_reference(networks: int) -> None:
    compare_with_reference("engine", networks, same_each_time=True)


@pytest.mark.slow
@pytest.mark.parametrize("networks", [10_000])
def test_the_engine_equals_the_reference_on_more(networks: int) -> None:
    compare_with_reference("engine", networks, same_each_time=False)


@pytest.mark.lava
@pytest.mark.parametrize("networks", [300])
def test_lava_equals_the_reference(networks: int) -> None:
    # every layer is two operating system processes, whose start takes most of the time
    compare_with_reference("lava", networks, same_each_time=True, most_layers=2)


@pytest.mark.lava
@pytest.mark.slow
@pytest.mark.parametrize("networks", [2000])
def test_lava_equals_the_reference_on_more(networks: int) -> None:
    compare_with_reference("lava", networks, same_each_time=False, most_layers=3)


# ---- the strategy itself


@pytest.fixture(scope="module")
def drawn() -> list[RandomRun]:
    """Sixteen hundred runs, the same each time; Hypothesis draws numbers of loaded modules, too."""
    runs: list[RandomRun] = []

    @settings(
        max_examples=1600,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=UNHURRIED,
    )
    @given(random_runs())
    def collect(run: RandomRun) -> None:
        runs.append(run)

    collect()
    return runs


def test_random_networks_reach_every_edge_and_form(drawn: list[RandomRun]) -> None:
    reached = Counter(found for run in drawn for found in edges_of(run))
    forms = {f"{kind} {form}" for kind in KINDS for form in ("input", "dense", "conv")}
    real = set(KINDS) - {kind.value for kind in RESONATORS}
    forms |= {f"{kind} recurrent" for kind in real}
    assert {what for what in EDGES | forms if reached[what] < 3} == set()


def clipped_one_lower(value: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.clip(value, -(1 << 23), (1 << 23) - 1)


def decayed_down(state: NDArray[np.int64], decay: NDArray[Any]) -> NDArray[np.int64]:
    return (state * (4096 - decay.astype(np.int64))) >> 12


def turned_and_rounded_once(
    real: NDArray[np.int64], imag: NDArray[np.int64], sine: NDArray[Any], cosine: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        divide_toward_zero(cosine * real - sine * imag, 4096),
        divide_toward_zero(sine * real + cosine * imag, 4096),
    )


def not_wrapped(value: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    return value


def delayed_one_more(delay: NDArray[np.int32] | None, fired: NDArray[np.int64]) -> Any:
    return DELAYED(None if delay is None else delay + (delay > 0), fired)


DELAYED = interpreter.delayed
WRONG_RULES = {
    "fires at equality": Rules(threshold_shift=-1),
    "current in two's complement": Rules(hold_current=partial(wrap_signed, bits=24)),
    "voltage clipped one lower": Rules(hold_voltage=clipped_one_lower),
    "states clipped one lower": Rules(hold_state=clipped_one_lower),
    "decay rounded down": Rules(decay=decayed_down),
    "turned and rounded once": Rules(turn=turned_and_rounded_once),
    "sums of kernels of 25 bits": Rules(hold_sum=partial(wrap_signed, bits=25)),
}
WRONG: dict[str, tuple[str, Any]] = {
    "payloads taken for spikes": ("lavadeploy.sim.neurons.cuba.GRADED", SPIKE),
    "sigma-delta not wrapped": ("lavadeploy.sim.neurons.sigma_delta.wrap_signed", not_wrapped),
    "delays one longer": ("lavadeploy.sim.interpreter.delayed", delayed_one_more),
    **{
        name: ("lavadeploy.sim.interpreter.run_layer", partial(interpreter.run_layer, rules=rules))
        for name, rules in WRONG_RULES.items()
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_error_is_found(
    drawn: list[RandomRun], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in drawn:
        expected = run.on("reference")
        with monkeypatch.context() as planted:
            planted.setattr(*WRONG[name])
            found = run.on("reference")
        try:
            assert_runs_are_equal(found, expected)
        except AssertionError:
            return
    pytest.fail("no network shows it")


def test_a_register_off_by_one_is_found_by_spikes_alone(drawn: list[RandomRun]) -> None:
    found = 0
    for run in drawn[:200]:
        network = run.compiled.network
        first = network.layers[0]
        neuron = dataclasses.replace(first.neuron, vth_mantissa=first.neuron.vth_mantissa + 1)
        layers = (dataclasses.replace(first, neuron=neuron), *network.layers[1:])
        changed = dataclasses.replace(network, layers=layers)
        quiet = dataclasses.replace(run, options=RunOptions(timeline=run.options.timeline))
        compiled = dataclasses.replace(run.compiled, network=changed)
        other = dataclasses.replace(quiet, compiled=compiled).on("reference").spikes
        mine = quiet.on("reference").spikes
        found += not np.array_equal(other.step, mine.step)
    assert found >= 5
