"""What changed between two compiled networks, as data for tables and JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np

from ..netx import Change
from ..netx.diff import change_between
from .core_resources import SYNAPSE_WORDS
from .placement import Placement
from .stages import ChipLayer, CompiledNetwork
from .weight_registers import WeightRegisters

# What a profile says about its numbers; only the numbers change what is compiled.
WORDS = ("source", "evidence", "description", "unit")
# What `Site` states, in its order.
SITE = ("chip", "column", "row", "core of tile")


def diff_artifacts(a: CompiledNetwork, b: CompiledNetwork) -> tuple[Change, ...]:
    """Compare two compiled networks: where they come from, registers and placement.

    Parameters
    ----------
    a, b : CompiledNetwork
        Before and after.

    Returns
    -------
    tuple of Change
        First what holds for the whole (``profile.<number>``, ``passes.<pass>.<option>``,
        ``source_sha256`` ...), then layer by layer in forward order, paired by name: registers,
        parameters of neurons, the number of cores and how many neurons sit elsewhere. Empty when
        both are the same, whenever they were compiled.
    """
    changes: list[Change] = []
    same_chip = a.profile.name == b.profile.name  # of two chips nearly every number is another
    for field, before, after in _both(*(_stated(c, with_profile=same_chip) for c in (a, b))):
        changes += change_between(None, None, field, before, after)
    layers, others = ({x.name: x for x in c.network.layers} for c in (a, b))
    for name in dict.fromkeys((*layers, *others)):
        layer, other = layers.get(name), others.get(name)
        if layer is None or other is None:
            before, after = _kind(layer), _kind(other)
            names = (name if layer else None, name if other else None)
            changes += change_between(*names, "layer", before, after)
            continue
        facts = {**_fields(layer), **_placed(a.placement, name)}
        other_facts = {**_fields(other), **_placed(b.placement, name)}
        for field, before, after in _both(facts, other_facts):
            changes += change_between(name, name, field, before, after)
    return tuple(changes)


def _stated(compiled: CompiledNetwork, *, with_profile: bool) -> dict[str, object]:
    """Return what holds for the whole; not when it was compiled, nor what follows from the rest."""
    passes: dict[str, object] = {}
    for record in compiled.passes:
        for option, value in record.options.items():
            # a plan of quantization is a table of its own
            stated = json.loads(value) if option == "plan" and isinstance(value, str) else value
            passes |= _flat(f"{record.name}.{option}", stated)
    numbers = _flat("profile", json.loads(compiled.profile.model_dump_json()))
    profile = {n: v for n, v in numbers.items() if n.rpartition(".")[2] not in WORDS}
    return {
        "source_sha256": compiled.source_sha256,
        "calibration_sha256": compiled.calibration_sha256,
        "input_shape": compiled.network.input_shape,
        "profile": compiled.profile.name,
        **(profile if with_profile else {}),
        "passes": ", ".join(record.name for record in compiled.passes),
        **passes,
        **{f"warning {number}": text for number, text in enumerate(compiled.warnings, start=1)},
        "cores": len(compiled.placement.cores),
        **_words(compiled.placement),
    }


def _words(placement: Placement) -> dict[str, object]:
    used = (u.used for c in placement.cores for u in c.usage if u.resource == SYNAPSE_WORDS)
    return {SYNAPSE_WORDS: sum(used)}


def _flat(prefix: str, value: Any) -> dict[str, object]:
    """Return a tree of JSON as one table, named by the way down."""
    if not isinstance(value, dict):
        return {prefix: value if not isinstance(value, list) else tuple(cast(list[Any], value))}
    table: dict[str, object] = {}
    for name, child in cast(dict[str, Any], value).items():
        table |= _flat(f"{prefix}.{name}", child)
    return table


def _kind(layer: ChipLayer | None) -> str | None:
    return None if layer is None else f"{type(layer).__name__} {layer.shape_out}"


def _fields(layer: ChipLayer) -> dict[str, object]:
    """Return every number of a layer by name; weights by what they are and how they are stored."""
    table: dict[str, object] = {"kind": type(layer).__name__}
    for field in dataclasses.fields(layer):
        value = getattr(layer, field.name)
        if isinstance(value, WeightRegisters):
            table[field.name] = value.effective()
            table[f"{field.name}.bits"] = value.bits
            table[f"{field.name}.exponent"] = value.exponent
            table[f"{field.name}.sign_mode"] = value.sign_mode.value
        elif field.name == "neuron":
            table["neuron.kind"] = value.kind.value
            for parameter in dataclasses.fields(value):
                if parameter.name != "kind":
                    table[f"neuron.{parameter.name}"] = getattr(value, parameter.name)
        else:
            table[field.name] = value
    return table


def _placed(placement: Placement, name: str) -> dict[str, object]:
    """Return on how many cores a layer sits, and for each of its neurons on which and where."""
    cores = placement.cores_of(name)
    size = sum(core.neurons.size for core in cores)
    where = np.zeros(size, dtype=np.int32)
    sites = np.zeros((size, len(SITE)), dtype=np.int32)
    for number, core in enumerate(cores):  # cores of the layers before may be more or fewer
        where[core.neurons] = number
        sites[core.neurons] = dataclasses.astuple(core.site)
    columns = {f"{name} of each neuron": sites[:, n] for n, name in enumerate(SITE)}
    return {"cores": len(cores), "core of each neuron": where, **columns}


def _both(a: Mapping[str, object], b: Mapping[str, object]) -> Iterator[tuple[str, object, object]]:
    for name in dict.fromkeys((*a, *b)):
        yield name, a.get(name), b.get(name)
