"""Reading NetX HDF5 files into a `Network`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from . import hdf5_schema as schema
from .errors import NetxFormatError
from .fields import LayerFields
from .hdf5_store import StoredTree, read_tree
from .layer_reader import read_layer
from .layers import Layer, SynapticLayer
from .network import Network, Source
from .real_network import RealNetwork, RealValues, real_values

NUMBER = re.compile("0|[1-9][0-9]{0,8}")
LAYER_FIELD = re.compile("layer/[0-9]+/")


def read_netx(path: str | Path) -> Network:
    """Read a NetX file as SLAYER, lava-dl or lavadeploy wrote it.

    Parameters
    ----------
    path : str or Path
        The HDF5 file; a compiled artifact is one too.

    Returns
    -------
    Network
        Layers in forward order, numbers as stored, and a warning for each dataset not understood.

    Raises
    ------
    NetxFormatError
        When the file cannot be read, has no layers, lacks a field, holds a number that is not
        whole (for networks that are not quantized see `read_any_netx`), or a layer or neuron kind
        that nobody knows.

    Notes
    -----
    Accepts what is found in the wild: strings as scalars or arrays of one, bytes or text; shapes of
    one or three elements; dense weights of one dimension; convolution weights of five (the last
    of size 1); the neuron spelling ``LOIHI``. Datasets that are not understood are kept, and
    `write_netx` writes them back.
    """
    return network_from_tree(read_tree(Path(path)))


def network_from_tree(tree: StoredTree) -> Network:
    """Read the layers of an HDF5 file that is already in memory; see `read_netx`."""
    return _read(tree, real=False).nearest


def real_network_from_tree(tree: StoredTree) -> RealNetwork:
    """Do the same with numbers that may be real."""
    return _read(tree, real=True)


def _read(tree: StoredTree, *, real: bool) -> RealNetwork:
    _check_version(tree)
    warnings: list[str] = []
    layers: list[Layer] = []
    values: dict[str, RealValues] = {}
    places: dict[str, list[str]] = {}
    for index in _layer_indices(tree):
        fields = LayerFields(tree, index, real=real)
        layer = read_layer(fields, index, warnings)
        layers.append(dataclasses.replace(layer, extra=fields.extra()))
        if real and isinstance(layer, SynapticLayer):
            values[layer.name] = real_values(layer, fields.reals)
        names = ", ".join(fields.not_understood())
        if names:
            places.setdefault(names, []).append(layer.name)
    warnings += [
        f"{', '.join(where)}: not understood, kept as it is: {names}."
        for names, where in places.items()
    ]
    # what stands in the group `layer` beside the numbered groups belongs to no layer either
    outside = {n: v for n, v in tree.values.items() if not LAYER_FIELD.match(n)}
    attributes = {n: v for n, v in tree.attributes.items() if n not in schema.OWN_ATTRIBUTES}
    warnings += _file_warnings(tree, outside, attributes)
    network = Network(
        layers=tuple(layers),
        source=Source(path=tree.path, sha256=tree.sha256),
        warnings=tuple(warnings),
        extra=outside,
        extra_attributes=attributes,
    )
    return RealNetwork(nearest=network, values=values)


def _check_version(tree: StoredTree) -> None:
    version = tree.attributes.get("format_version")
    if tree.attributes.get("format") == schema.FORMAT and version not in schema.VERSIONS_READ:
        raise NetxFormatError(
            f"'{tree.path}': has format version {version}; this lavadeploy reads versions "
            f"{', '.join(map(str, schema.VERSIONS_READ))}. Update lavadeploy."
        )


def _file_warnings(
    tree: StoredTree, outside: Iterable[str], attributes: Iterable[str]
) -> list[str]:
    """Say what a file holds besides layers; artifacts hold more, which their loader reads."""
    written_by = tree.attributes.get("format")
    if written_by == schema.ARTIFACT_FORMAT:
        return []
    warnings: list[str] = []
    names = {name if name.startswith("layer/") else name.split("/")[0] for name in outside}
    names |= {f"attribute {name}" for name in attributes}
    if names:
        warnings.append(f"file: not understood, kept as it is: {', '.join(sorted(names))}.")
    if tree.dropped:
        warnings.append(f"file: not kept: {', '.join(tree.dropped)}.")
    taken = [name for name in schema.OWN_ATTRIBUTES if name in tree.attributes]
    if taken and written_by != schema.FORMAT:
        warnings.append(
            f"file: attributes that lavadeploy writes itself are not kept: {', '.join(taken)}."
        )
    return warnings


def _layer_indices(tree: StoredTree) -> list[int]:
    if "layer" not in tree.groups:
        raise NetxFormatError(
            f"'{tree.path}': has no group 'layer', so it is not a NetX file "
            f"(found: {', '.join(sorted(tree.groups | set(tree.values))[:5]) or 'nothing'})."
        )
    names = [g[len("layer/") :] for g in tree.groups if g.startswith("layer/")]
    names = [n for n in names if "/" not in n]
    if not names:
        raise NetxFormatError(f"'{tree.path}': group 'layer' is empty; the network has no layers.")
    wrong = sorted(n for n in names if not NUMBER.fullmatch(n))
    if wrong:
        raise NetxFormatError(f"'{tree.path}': layer '{wrong[0]}' is not numbered.")
    # h5py orders names as text, '10' before '2'; the forward order is that of the numbers
    indices = sorted(int(n) for n in names)
    if indices != list(range(len(indices))):
        raise NetxFormatError(f"'{tree.path}': layers are numbered {indices}; one is missing.")
    return indices
