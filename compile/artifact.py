"""The compiled artifact: a NetX file that lava-dl reads too, with registers and placement besides.

Groups ``layer/<i>`` are ordinary NetX: whole-number weights, conv, flatten and dense layers, so a
machine with nothing but lava-dl and a board can load the file. Root attributes and the groups
``registers`` and ``placement`` hold what only lavadeploy reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import TypeAdapter

from ..hw_profiles import HardwareProfile
from ..netx import PRODUCER, NetxFormatError
from ..netx.atomic_write import write_bytes_atomically
from ..netx.hdf5_schema import ARTIFACT_FORMAT as FORMAT
from ..netx.hdf5_store import RawArray, RawValue, StoredTree, read_tree, tree_bytes
from ..netx.reader import network_from_tree
from ..netx.writer import netx_values
from .chip_to_netx import as_netx
from .mesh import Site
from .passes.encode import chip_layer
from .passes.legalize import Legalize
from .placement import Core, Placement, Usage
from .stages import ChipNetwork, CompiledNetwork, neuron_count, weight_sets

FORMAT_VERSION = 2

TEXTS = TypeAdapter(list[str])
USAGE = TypeAdapter(list[list[Usage]])
SITES = TypeAdapter(list[Site])


def save_artifact(compiled: CompiledNetwork, path: str | Path) -> None:
    """Write a compiled network.

    Parameters
    ----------
    compiled : CompiledNetwork
        What to write.
    path : str or Path
        The file to create or replace, by habit ending in ``.ldc``.

    Raises
    ------
    OutputError
        When the file cannot be written; nothing is left behind.
    """
    write_bytes_atomically(Path(path), artifact_bytes(compiled))


def artifact_bytes(compiled: CompiledNetwork) -> bytes:
    """Return the artifact's content; the same compiled network gives the same bytes."""
    values = netx_values(as_netx(compiled.network))
    for layer in compiled.network.layers:
        for name, weights in weight_sets(layer):
            prefix = f"registers/{layer.name}/{name}"
            values[f"{prefix}/exponent"] = np.array(weights.exponent, dtype=np.int64)
            values[f"{prefix}/bits"] = np.array(weights.bits, dtype=np.int64)
            values[f"{prefix}/sign_mode"] = weights.sign_mode.value
    for core in compiled.placement.cores:
        values[f"placement/{core.index}/layer"] = core.layer
        values[f"placement/{core.index}/neurons"] = core.neurons
    return tree_bytes(
        values,
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "producer": PRODUCER,
            "profile": compiled.profile.model_dump_json(),
            "source_sha256": compiled.source_sha256,
            "passes": json.dumps(compiled.passes),
            "warnings": json.dumps(compiled.warnings),
            "layer_names": json.dumps([layer.name for layer in compiled.network.layers]),
            "core_usage": USAGE.dump_json(
                [list(c.usage) for c in compiled.placement.cores]
            ).decode(),
            "core_sites": SITES.dump_json([c.site for c in compiled.placement.cores]).decode(),
        },
    )


def load_artifact(path: str | Path) -> CompiledNetwork:
    """Read a compiled network.

    Parameters
    ----------
    path : str or Path
        A file that `save_artifact` wrote.

    Returns
    -------
    CompiledNetwork
        Equal to the one that was saved.

    Raises
    ------
    NetxFormatError
        When the file is not an artifact, is damaged, or was written by a later version.
    """
    tree = read_tree(Path(path))
    _check_format(tree)
    try:
        return _compiled(tree)
    except NetxFormatError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        reason = " ".join(str(error).split())
        raise NetxFormatError(
            f"'{path}': damaged artifact ({type(error).__name__}: {reason}). Compile it again."
        ) from error


def _check_format(tree: StoredTree) -> None:
    if tree.attributes.get("format") != FORMAT:
        raise NetxFormatError(
            f"'{tree.path}': is not a compiled artifact. Compile the network first: "
            f"lavadeploy compile {tree.path} --profile loihi2 -o net.ldc"
        )
    version = tree.attributes.get("format_version")
    if version != FORMAT_VERSION:
        raise NetxFormatError(
            f"'{tree.path}': has artifact version {version}; this lavadeploy reads version "
            f"{FORMAT_VERSION}. Compile it again."
        )


def _compiled(tree: StoredTree) -> CompiledNetwork:
    profile = HardwareProfile.model_validate_json(str(tree.attributes["profile"]))
    legal = Legalize().run(network_from_tree(tree))
    names = _texts(tree, "layer_names")
    network = ChipNetwork(
        input_shape=legal.input_shape,
        layers=tuple(
            chip_layer(layer, profile, name)
            for name, layer in zip(names, legal.layers, strict=True)
        ),
    )
    _check_registers(tree, network)
    usage = USAGE.validate_json(str(tree.attributes["core_usage"]))
    sites = SITES.validate_json(str(tree.attributes["core_sites"]))
    placement = Placement(
        cores=tuple(
            _core(tree, index, site, rows)
            for index, (site, rows) in enumerate(zip(sites, usage, strict=True))
        )
    )
    _check_placement(network, placement)
    return CompiledNetwork(
        network=network,
        placement=placement,
        profile=profile,
        source_sha256=str(tree.attributes["source_sha256"]),
        passes=_texts(tree, "passes"),
        warnings=_texts(tree, "warnings"),
    )


def _check_registers(tree: StoredTree, network: ChipNetwork) -> None:
    """Raise unless what is stored of the registers is what the weights become."""
    for layer in network.layers:
        for name, weights in weight_sets(layer):
            prefix = f"registers/{layer.name}/{name}"
            stored = (
                _integer(tree.values, f"{prefix}/exponent"),
                _integer(tree.values, f"{prefix}/bits"),
                tree.values[f"{prefix}/sign_mode"],
            )
            if stored != (weights.exponent, weights.bits, weights.sign_mode.value):
                raise ValueError(f"{layer.name}: registers and weights disagree")


def _core(tree: StoredTree, index: int, site: Site, rows: list[Usage]) -> Core:
    neurons = cast(RawArray, tree.values[f"placement/{index}/neurons"])
    if neurons.dtype != np.int32:
        raise ValueError(f"core {index}: neurons are {neurons.dtype}")
    return Core(
        index=index,
        site=site,
        layer=str(tree.values[f"placement/{index}/layer"]),
        neurons=neurons,
        usage=tuple(rows),
    )


def _check_placement(network: ChipNetwork, placement: Placement) -> None:
    known = {layer.name for layer in network.layers}
    if any(core.layer not in known for core in placement.cores):
        raise ValueError("a core holds neurons of no layer")
    for layer in network.layers:
        placed = [core.neurons for core in placement.cores_of(layer.name)]
        if not np.array_equal(np.sort(np.concatenate(placed)), np.arange(neuron_count(layer))):
            raise ValueError(f"{layer.name}: its neurons are not each on one core")


def _texts(tree: StoredTree, attribute: str) -> tuple[str, ...]:
    return tuple(TEXTS.validate_json(str(tree.attributes[attribute])))


def _integer(values: Mapping[str, RawValue], name: str) -> int:
    return int(cast(RawArray, values[name]).item())
