"""Every rule of cores, chips and boards at its limit and one beyond, with its sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import conv, cuba, dense
from netx_examples import neuron_of
from profiles import SHIPPED, limited
from rule_problems import problems

from lavadeploy.compile import Usage, compile_network
from lavadeploy.compile.core_resources import (
    AXON_MAP,
    AXON_MEMORY,
    LIMIT_OF,
    NEURONS,
    OUTPUT_AXONS,
    TOTAL,
)
from lavadeploy.compile.problems import Rule
from lavadeploy.compile.rules_of_cores import (
    RULES_OF_CORES,
    board_problems,
    core_axon_map_entries,
    core_axon_memory_entries,
    core_neurons,
    core_output_axons,
    core_problems,
)
from lavadeploy.hw_profiles import HardwareProfile
from lavadeploy.netx import Layer, Network, NeuronKind, RecurrentLayer

ONLY_INPUTS: dict[str, int | None] = {"synapse_words_per_core": None, "total_per_core": None}


def too_much(found: str, allowed: str, rule: str, remedy: str) -> list[str]:
    return [f"layer0: {found} for a single neuron; {allowed} per core. {remedy} [{rule}]"]


def fewer_inputs(found: str, allowed: str, rule: str) -> list[str]:
    remedy = (
        "All inputs of a neuron meet on one core: use a layer with fewer, or compile for another "
        "profile."
    )
    return too_much(found, allowed, rule, remedy)


def recurrent(neurons: int) -> RecurrentLayer:
    return RecurrentLayer(
        name="layer0",
        shape=(neurons,),
        weight=np.full((neurons, 1), 2, dtype=np.int32),
        weight_rec=np.full((neurons, neurons), 2, dtype=np.int32),
        neuron=cuba(),
    )


def resonator() -> Layer:
    weight = np.full((1, 1), 2, dtype=np.int32)
    neuron = neuron_of(NeuronKind.RF)
    return dense(weight, weight_imag=weight, neuron=neuron)


@pytest.mark.parametrize(("profile", "limit"), [("loihi1", 4096), ("loihi2", 16000)])
def test_a_neuron_hears_as_many_as_a_core_has_input_axons(profile: str, limit: int) -> None:
    chip = limited(profile, **ONLY_INPUTS)
    weight = np.full((1, limit + 1), 2)
    assert problems(dense(weight[:, :limit]), profile=chip) == []
    assert problems(dense(weight), profile=chip) == fewer_inputs(
        f"{limit + 1} input axons", f"{profile} allows {limit}", "core_input_axons"
    )


def test_the_own_spikes_of_a_recurrent_layer_take_input_axons() -> None:
    chip = limited("loihi1", input_axons_per_core=6)
    assert problems(recurrent(5), profile=chip) == []
    assert problems(recurrent(6), profile=chip) == fewer_inputs(
        "7 input axons", "loihi1 allows 6", "core_input_axons"
    )


def test_the_neuron_that_hears_most_is_judged() -> None:
    layer = conv(np.full((1, 2, 3, 3), 2), (1, 3, 3), padding=(1, 1))
    assert problems(layer, profile=limited("loihi1", input_axons_per_core=18)) == []
    assert problems(layer, profile=limited("loihi1", input_axons_per_core=17)) == fewer_inputs(
        "18 input axons", "loihi1 allows 17", "core_input_axons"
    )


def test_synapses_of_a_neuron_fit_the_synapse_memory() -> None:
    chip = limited("loihi1", synapse_words_per_core=9)
    assert problems(dense(np.full((3, 9), 2)), profile=chip) == []
    assert problems(dense(np.full((3, 10), 2)), profile=chip) == fewer_inputs(
        "10 synapse words", "loihi1 allows 9", "core_synapse_words"
    )


def test_all_entries_of_a_core_together_fit() -> None:
    # a word and an axon for each input; a neuron, a group and a map entry
    weight = np.full((1, 9999), 2)
    assert problems(dense(weight[:, :9998])) == []
    assert problems(dense(weight)) == fewer_inputs(
        "20001 entries in total", "loihi2 allows 20000", "core_entries_in_total"
    )


def test_the_sum_is_not_blamed_beside_one_of_its_parts() -> None:
    weight = np.full((1, 20001), 2)
    assert problems(dense(weight)) == [
        *fewer_inputs("20001 synapse words", "loihi2 allows 16000", "core_synapse_words"),
        *fewer_inputs("20001 input axons", "loihi2 allows 16000", "core_input_axons"),
    ]


def test_every_set_of_weights_takes_a_synapse_format() -> None:
    for layer in (recurrent(2), resonator()):
        assert problems(layer, profile=limited("loihi2", synapse_formats_per_core=2)) == []
        found = problems(layer, profile=limited("loihi2", synapse_formats_per_core=1))
        assert found == too_much(
            "2 synapse formats",
            "loihi2 allows 1",
            "core_synapse_formats",
            "Use a layer with fewer sets of weights, or compile for another profile.",
        )


def test_a_core_holds_a_neuron_group() -> None:
    assert problems(dense([[2]]), profile=limited("loihi2", neuron_groups_per_core=1)) == []
    assert problems(dense([[2]]), profile=limited("loihi2", neuron_groups_per_core=0)) == too_much(
        "1 neuron groups",
        "loihi2 allows 0",
        "core_neuron_groups",
        "Compile for another profile.",
    )


def taken(resource: str, used: int, profile: HardwareProfile) -> tuple[Usage, ...]:
    limit = getattr(profile.limits, LIMIT_OF[resource])
    return (Usage(resource=resource, used=used, available=limit.value),)


@pytest.mark.parametrize(
    ("rule", "resource", "profile", "limit", "remedy"),
    [
        (core_neurons, NEURONS, "loihi1", 1024, "Compile for another profile."),
        (core_output_axons, OUTPUT_AXONS, "loihi1", 4096, ""),
        (core_axon_map_entries, AXON_MAP, "loihi2", 16000, ""),
        (core_axon_memory_entries, AXON_MEMORY, "loihi2", 16000, ""),
    ],
)
def test_what_a_core_takes_is_compared_with_what_it_has(
    rule: Rule[Any], resource: str, profile: str, limit: int, remedy: str
) -> None:
    chip = SHIPPED[profile]
    readers = (
        "Let fewer cores hear it, with narrower layers behind it, or compile for another profile."
    )
    assert core_problems("layer0", taken(resource, limit, chip), chip) == ()
    found = core_problems("layer0", taken(resource, limit + 1, chip), chip)
    assert [str(problem) for problem in found] == too_much(
        f"{limit + 1} {resource}", f"{profile} allows {limit}", rule.name, remedy or readers
    )


def test_the_cores_that_hear_a_neuron_are_counted_when_layers_are_cut() -> None:
    # 11 cores of one neuron each hear the single neuron of the first layer
    def layers(readers: int) -> tuple[Layer, Layer]:
        return dense([[2]]), dense(np.full((readers, 1), 2), name="layer1")

    chip = limited("loihi1", output_axons_per_core=10, neurons_per_core=1)
    assert problems(*layers(11), profile=chip) == []
    assert len(compile_network(Network(layers=layers(10)), chip).placement.cores) == 11
    with pytest.raises(ValueError, match="11 output axons for a single neuron; loihi1 allows 10 "):
        compile_network(Network(layers=layers(11)), chip)


def test_no_limit_is_never_broken() -> None:
    unlimited = tuple(Usage(resource=name, used=1 << 40, available=None) for name in LIMIT_OF)
    assert core_problems("layer0", unlimited, SHIPPED["ideal"]) == ()
    assert board_problems(1 << 40, SHIPPED["ideal"]) == ()


def test_every_resource_of_a_core_has_a_rule() -> None:
    for resource in LIMIT_OF:
        row = (Usage(resource=resource, used=2, available=1),)
        broken = [rule.name for rule in RULES_OF_CORES if rule.check(row, SHIPPED["loihi1"])]
        assert broken == ["core_" + resource.replace(" ", "_")]
    assert len(RULES_OF_CORES) == len(LIMIT_OF)
    assert TOTAL in LIMIT_OF


def test_a_network_on_one_chip_takes_at_most_its_cores() -> None:
    chip = limited("loihi1", chips=1)
    assert board_problems(128, chip) == ()
    assert [str(problem) for problem in board_problems(129, chip)] == [
        (
            "network: 129 cores needed; loihi1 allows 128 cores per chip. "
            "Use a smaller network, or a profile with more chips. [cores_per_chip]"
        )
    ]


@pytest.mark.parametrize(
    ("profile", "cores", "chips"), [("loihi1", 32 * 128, 32), ("loihi2", 8 * 120, 8)]
)
def test_a_network_takes_at_most_the_chips_of_a_board(profile: str, cores: int, chips: int) -> None:
    assert board_problems(cores, SHIPPED[profile]) == ()
    assert [str(problem) for problem in board_problems(cores + 1, SHIPPED[profile])] == [
        (
            f"network: {cores + 1} cores needed, on {chips + 1} chips; {profile} allows {chips} "
            "chips per board. Use a smaller network, or a profile of a larger board. "
            "[chips_per_board]"
        )
    ]
