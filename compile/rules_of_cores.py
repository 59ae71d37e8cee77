"""Limits of cores, chips and boards, one function each; see `rules_of_layers`.

A rule of cores looks at what a block takes of a core (`core_resources`). Before anything is cut it
is asked about the least block of each layer, a single neuron that nobody is known to hear: where
that is too much, no way of cutting helps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..hw_profiles import HardwareProfile
from ..netx import InputLayer
from .axis_cuts import different_channels, finest
from .core_resources import (
    AXON_MAP,
    AXON_MEMORY,
    INPUT_AXONS,
    NEURON_GROUPS,
    NEURONS,
    OUTPUT_AXONS,
    SYNAPSE_FORMATS,
    SYNAPSE_WORDS,
    TOTAL,
    Extent,
    Readers,
    core_usage,
    limit_of,
)
from .legal_to_chip import chip_layer
from .placement import Usage
from .problems import NETWORK, Problem, Rule, rule
from .rules_of_layers import weight_width, weights_in_range
from .stages import ChipLayer, LegalLayer

Taken: TypeAlias = tuple[Usage, ...]

FEWER_INPUTS = (
    "All inputs of a neuron meet on one core: use a layer with fewer, or compile for another "
    "profile."
)
FEWER_READERS = (
    "Let fewer cores hear it, with narrower layers behind it, or compile for another profile."
)


def _limit(resource: str) -> Callable[[HardwareProfile], str | None]:
    def limit(profile: HardwareProfile) -> str | None:
        found = limit_of(profile, resource)
        return None if found is None else f"{found} per core"

    return limit


def _overrun(taken: Taken, resource: str) -> str | None:
    """Return what is too much of a resource."""
    used = max((u.used for u in taken if u.resource == resource and u.exceeds), default=None)
    return None if used is None else f"{used} {resource} for a single neuron"


@rule(limit=_limit(NEURONS), remedy="Compile for another profile.")
def core_neurons(taken: Taken, profile: HardwareProfile) -> str | None:
    """The neurons of a core fit its neuron memory."""
    return _overrun(taken, NEURONS)


@rule(limit=_limit(NEURON_GROUPS), remedy="Compile for another profile.")
def core_neuron_groups(taken: Taken, profile: HardwareProfile) -> str | None:
    """A core has a neuron group for each run of channels that it holds, one for a dense layer."""
    return _overrun(taken, NEURON_GROUPS)


@rule(limit=_limit(SYNAPSE_WORDS), remedy=FEWER_INPUTS)
def core_synapse_words(taken: Taken, profile: HardwareProfile) -> str | None:
    """The synapses of a core fit its synapse memory, in words of 64 bits."""
    return _overrun(taken, SYNAPSE_WORDS)


@rule(
    limit=_limit(SYNAPSE_FORMATS),
    remedy="Use a layer with fewer sets of weights, or compile for another profile.",
)
def core_synapse_formats(taken: Taken, profile: HardwareProfile) -> str | None:
    """A core has a synapse format for each set of weights: real, imaginary and recurrent."""
    return _overrun(taken, SYNAPSE_FORMATS)


@rule(limit=_limit(INPUT_AXONS), remedy=FEWER_INPUTS)
def core_input_axons(taken: Taken, profile: HardwareProfile) -> str | None:
    """Fan-in: a core has an input axon for whatever its neurons hear, recurrent input included."""
    return _overrun(taken, INPUT_AXONS)


@rule(limit=_limit(OUTPUT_AXONS), remedy=FEWER_READERS)
def core_output_axons(taken: Taken, profile: HardwareProfile) -> str | None:
    """Fan-out: a core has an output axon for each of its neurons and each core that hears it."""
    return _overrun(taken, OUTPUT_AXONS)


@rule(limit=_limit(AXON_MAP), remedy=FEWER_READERS)
def core_axon_map_entries(taken: Taken, profile: HardwareProfile) -> str | None:
    """Fan-out: a core's axon map has an entry for a neuron or place and layer that hears it."""
    return _overrun(taken, AXON_MAP)


@rule(limit=_limit(AXON_MEMORY), remedy=FEWER_READERS)
def core_axon_memory_entries(taken: Taken, profile: HardwareProfile) -> str | None:
    """Fan-out: a core's axon memory has an entry for a place and part of the next convolution."""
    return _overrun(taken, AXON_MEMORY)


@rule(limit=_limit(TOTAL), remedy=FEWER_INPUTS)
def core_entries_in_total(taken: Taken, profile: HardwareProfile) -> str | None:
    """Neurons, groups, words, axons and entries of a core together fit its tables."""
    parts = any(usage.exceeds for usage in taken if usage.resource != TOTAL)
    return None if parts else _overrun(taken, TOTAL)  # one of the parts says more than the sum


def _cores_of_a_chip(profile: HardwareProfile) -> str | None:
    limit = profile.limits.cores_per_chip
    return None if limit is None else f"{limit.value} cores per chip"


@rule(limit=_cores_of_a_chip, remedy="Use a smaller network, or a profile with more chips.")
def cores_per_chip(cores: int, profile: HardwareProfile) -> str | None:
    """A network on one chip takes no more cores than the chip has."""
    limit, chips = profile.limits.cores_per_chip, profile.limits.chips
    if limit is None or chips is None or chips.value > 1 or cores <= limit.value:
        return None
    return f"{cores} cores needed"


def _chips_of_a_board(profile: HardwareProfile) -> str | None:
    limit = profile.limits.chips
    if limit is None:
        return None
    return f"{limit.value} chip{'s' if limit.value > 1 else ''} per board"


@rule(limit=_chips_of_a_board, remedy="Use a smaller network, or a profile of a larger board.")
def chips_per_board(cores: int, profile: HardwareProfile) -> str | None:
    """A network takes no more chips than the board has."""
    limit, chips = profile.limits.cores_per_chip, profile.limits.chips
    if limit is None or chips is None or chips.value == 1:
        return None
    needed = -(-cores // limit.value)
    return f"{cores} cores needed, on {needed} chips" if needed > chips.value else None


RULES_OF_CORES: tuple[Rule[Taken], ...] = (
    core_neurons,
    core_neuron_groups,
    core_synapse_words,
    core_synapse_formats,
    core_input_axons,
    core_output_axons,
    core_axon_map_entries,
    core_axon_memory_entries,
    core_entries_in_total,
)
RULES_OF_BOARDS: tuple[Rule[int], ...] = (cores_per_chip, chips_per_board)


def core_problems(layer: str, taken: Taken, profile: HardwareProfile) -> tuple[Problem, ...]:
    """Return what is wrong with a layer whose single neuron takes so much of a core."""
    found = (rule.problem(layer, taken, profile) for rule in RULES_OF_CORES)
    return tuple(problem for problem in found if problem is not None)


def board_problems(cores: int, profile: HardwareProfile) -> tuple[Problem, ...]:
    """Return what is wrong with a network that takes so many cores."""
    found = (rule.problem(NETWORK, cores, profile) for rule in RULES_OF_BOARDS)
    return tuple(problem for problem in found if problem is not None)


def least_block(legal: LegalLayer, profile: HardwareProfile) -> Taken:
    """Return what a single neuron of a layer takes of a core at least.

    Parameters
    ----------
    legal : LegalLayer
        The layer; where no registers hold its weights, it is judged as if all were zero.
    profile : HardwareProfile
        Limits and formulas.

    Returns
    -------
    tuple of Usage
        For a neuron that has most inputs. Layers that hear it are not counted, nor the bits that
        synapses spend on delays: the layers around it may be unknown.
    """
    layer = _storable_layer(legal, profile)
    channels, rows, columns = finest(layer)
    extents = (
        Extent(
            neurons=channels.nominal * rows.nominal * columns.nominal,
            positions=rows.nominal * columns.nominal,
            channels=part,
            heard=channels.heard * rows.heard * columns.heard,
            pairs=0,
            delay_bits=0,
        )
        for part in different_channels(layer, channels)
    )
    nobody = Readers(dense=0, convolutions=())
    return tuple(u for extent in extents for u in core_usage(layer, extent, nobody, profile))


def _storable_layer(legal: LegalLayer, profile: HardwareProfile) -> ChipLayer:
    broken = (weights_in_range, weight_width)
    layer = legal.layer
    if not isinstance(layer, InputLayer) and any(r.check(legal, profile) for r in broken):
        nothing = {
            name: np.zeros_like(getattr(layer, name))
            for name in ("weight", "weight_imag", "weight_rec")
            if getattr(layer, name, None) is not None
        }
        legal = dataclasses.replace(legal, layer=dataclasses.replace(layer, **nothing))
    return chip_layer(legal, profile)
