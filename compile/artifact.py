"""The compiled artifact: a NetX file that lava-dl reads too, with registers and placement besides.

Groups ``layer/<i>`` are ordinary NetX: whole-number weights and layers that chips have, so a
machine with nothing but lava-dl and a board can load the file. Root attributes and the groups
``registers`` and ``placement`` hold what only lavadeploy reads:

=========================  ====================================================================
``format_version``         of this layout; `artifact_versions` reads the older ones
``producer``, ``created``  who wrote it, and when (left out where bytes must not change)
``source_sha256``          of the NetX file it was compiled from
``profile``                the whole profile as JSON; ``profile_name`` and ``profile_sha256``
``passes``                 names and options, in order
``calibration_sha256``     of the data that quantization was calibrated on
``lowerings``, ``losses``  what became of layers, and what quantization lost, scales among it
``warnings``               what the user should know
``layer_names``            the user's names of the layers with neurons
``resources``              names and limits of the columns of ``placement/used``
``content_sha256``         of all the others and all datasets
=========================  ====================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from pydantic import TypeAdapter

from ..hw_profiles import HardwareProfile
from ..netx import PRODUCER, NetxFormatError
from ..netx.atomic_write import write_bytes_atomically
from ..netx.hdf5_schema import ARTIFACT_FORMAT as FORMAT
from ..netx.hdf5_store import AttributeValue, RawArray, RawValue, StoredTree, read_tree, tree_bytes
from ..netx.reader import network_from_tree
from ..netx.writer import netx_values
from .artifact_versions import OLD_VERSIONS, upgraded
from .chip_to_netx import as_netx
from .legal_to_chip import chip_layer
from .mesh import Site
from .passes.legalize import Legalize
from .placement import Core, Placement, Usage
from .quantization_loss import LayerLoss
from .stages import (
    ChipNetwork,
    CompiledNetwork,
    Lowering,
    PassRecord,
    neuron_count,
    weight_sets,
)

FORMAT_VERSION = 3

T = TypeVar("T")


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
    names = [layer.name for layer in compiled.network.layers]
    values |= _placement_values(compiled.placement, names)
    profile = compiled.profile.model_dump_json()
    attributes: dict[str, AttributeValue] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "producer": PRODUCER,
        "source_sha256": compiled.source_sha256,
        "profile": profile,
        "profile_name": compiled.profile.name,
        "profile_sha256": hashlib.sha256(profile.encode()).hexdigest(),
        "passes": json.dumps([asdict(record) for record in compiled.passes]),
        "calibration_sha256": compiled.calibration_sha256,
        "lowerings": json.dumps([asdict(lowering) for lowering in compiled.lowerings]),
        "losses": json.dumps([asdict(loss) for loss in compiled.losses]),
        "warnings": json.dumps(compiled.warnings),
        "layer_names": json.dumps(names),
        "resources": json.dumps(
            [[usage.resource, usage.available] for usage in compiled.placement.cores[0].usage]
        ),
    }
    if compiled.created:
        attributes["created"] = compiled.created
    attributes["content_sha256"] = content_sha256(values, attributes)
    return tree_bytes(values, attributes)


def load_artifact(path: str | Path) -> CompiledNetwork:
    """Read a compiled network.

    Parameters
    ----------
    path : str or Path
        A file that `save_artifact` wrote, of this version or an older one.

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
    version = _checked_version(tree)
    try:
        if version != FORMAT_VERSION:
            return _compiled(upgraded(tree, version))
        if tree.attributes["content_sha256"] != content_sha256(tree.values, tree.attributes):
            raise ValueError("its content is not what was written")
        return _compiled(tree)
    except NetxFormatError:
        raise
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        reason = " ".join(str(error).split())
        raise NetxFormatError(
            f"'{path}': damaged artifact ({type(error).__name__}: {reason}). Compile it again."
        ) from error


def _checked_version(tree: StoredTree) -> int:
    if tree.attributes.get("format") != FORMAT:
        raise NetxFormatError(
            f"'{tree.path}': is not a compiled artifact. Compile the network first: "
            f"lavadeploy compile {tree.path} --profile loihi2 -o net.ldc"
        )
    version = tree.attributes.get("format_version")
    if version not in (*OLD_VERSIONS, FORMAT_VERSION):
        raise NetxFormatError(
            f"'{tree.path}': has artifact version {version}; this lavadeploy reads versions 1 to "
            f"{FORMAT_VERSION}. Update lavadeploy."
        )
    return int(version)


def _compiled(tree: StoredTree) -> CompiledNetwork:
    profile = HardwareProfile.model_validate_json(str(tree.attributes["profile"]))
    legal = Legalize().run(network_from_tree(tree))
    names = _parsed(tree, "layer_names", list[str])
    network = ChipNetwork(
        input_shape=legal.input_shape,
        layers=tuple(
            chip_layer(layer, profile, name)
            for name, layer in zip(names, legal.layers, strict=True)
        ),
    )
    _check_registers(tree, network)
    placement = _placement(tree, names)
    _check_placement(network, placement)
    return CompiledNetwork(
        network=network,
        placement=placement,
        profile=profile,
        source_sha256=str(tree.attributes["source_sha256"]),
        passes=tuple(_parsed(tree, "passes", list[PassRecord])),
        warnings=tuple(_parsed(tree, "warnings", list[str])),
        lowerings=tuple(_parsed(tree, "lowerings", list[Lowering])),
        losses=tuple(_parsed(tree, "losses", list[LayerLoss])),
        calibration_sha256=str(tree.attributes["calibration_sha256"]),
        created=str(tree.attributes.get("created", "")),
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


def _placement_values(placement: Placement, names: list[str]) -> dict[str, RawValue]:
    """Return the cores as a few tables: thousands of small datasets would take seconds."""
    cores = placement.cores
    columns = {
        "layer": [names.index(core.layer) for core in cores],
        "size": [core.neurons.size for core in cores],
        "site": [astuple(core.site) for core in cores],
        "used": [[usage.used for usage in core.usage] for core in cores],
    }
    values: dict[str, RawValue] = {
        f"placement/{name}": np.array(column, dtype=np.int64) for name, column in columns.items()
    }
    values["placement/neurons"] = np.concatenate([core.neurons for core in cores])
    return values


def _placement(tree: StoredTree, names: list[str]) -> Placement:
    columns = ("layer", "size", "site", "used", "neurons")
    layer, size, site, used, neurons = (_integers(tree, f"placement/{c}") for c in columns)
    resources = _parsed(tree, "resources", list[tuple[str, int | None]])
    if int(size.sum()) != neurons.size:
        raise ValueError("cores and neurons disagree")
    if used.shape != (size.size, len(resources)):
        raise ValueError("cores and resources disagree")
    if site.shape != (size.size, 4):
        raise ValueError("cores and sites disagree")
    on_core = np.split(neurons.astype(np.int32), np.cumsum(size)[:-1])
    for part in on_core:
        part.setflags(write=False)
    return Placement(
        cores=tuple(
            Core(
                index=k,
                site=_site(site[k]),
                layer=names[int(layer[k])],
                neurons=on_core[k],
                usage=tuple(
                    Usage(resource=name, used=int(used[k, n]), available=available)
                    for n, (name, available) in enumerate(resources)
                ),
            )
            for k in range(size.size)
        )
    )


def _site(row: RawArray) -> Site:
    chip, column, tile_row, core = (int(number) for number in row)
    return Site(chip=chip, column=column, row=tile_row, core=core)


def _check_placement(network: ChipNetwork, placement: Placement) -> None:
    for layer in network.layers:
        placed = [core.neurons for core in placement.cores_of(layer.name)]
        if not np.array_equal(np.sort(np.concatenate(placed)), np.arange(neuron_count(layer))):
            raise ValueError(f"{layer.name}: its neurons are not each on one core")


def content_sha256(values: Mapping[str, RawValue], attributes: Mapping[str, AttributeValue]) -> str:
    """Return a hash of all datasets and attributes but the one that states it."""
    digest = hashlib.sha256()
    for name in sorted(values):
        value = values[name]
        array = np.array(value.encode()) if isinstance(value, str) else np.asarray(value)
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    for name in sorted(attributes):
        if name != "content_sha256":
            digest.update(f"{name} {attributes[name]}\n".encode())
    return digest.hexdigest()


def _parsed(tree: StoredTree, attribute: str, kind: type[T]) -> T:
    # by way of json, which knows infinity
    return TypeAdapter(kind).validate_python(json.loads(str(tree.attributes[attribute])))


def _integers(tree: StoredTree, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    array = cast(RawArray, tree.values[name])
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} is {array.dtype}")
    return array.astype(np.int64)


def _integer(values: Mapping[str, RawValue], name: str) -> int:
    return int(cast(RawArray, values[name]).item())
