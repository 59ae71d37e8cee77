"""Reading artifacts of older versions: each is turned into what the present one would have written.

Files of every version stay in ``tests/archives`` and are read for ever.

Version 1 (until November 2026)
    Biases act in exactly the steps of the sample: layers have no ``delayShift``.
Version 2
    Registers stand under ``registers/<layer>``, since layers had one set of weights; each core has
    a group under ``placement``; passes are names; no lowerings, losses or hash of the content.
    All cores are on one chip, and nothing is said of where. Profiles have no mesh, count discrete
    axons and cut layers into the fewest cores.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ..netx.hdf5_schema import DELAY_SHIFT
from ..netx.hdf5_store import AttributeValue, RawArray, RawValue, StoredTree

OLD_VERSIONS = (1, 2)


def upgraded(tree: StoredTree, version: int) -> StoredTree:
    """Return what the present version would have written.

    Parameters
    ----------
    tree : StoredTree
        Of an artifact of an old version.
    version : int
        Of `OLD_VERSIONS`.

    Raises
    ------
    LookupError, ValueError, TypeError
        When the artifact is damaged.
    """
    if version == 1:
        tree = _from_1_to_2(tree)
    return _from_2_to_3(tree)


def _from_1_to_2(tree: StoredTree) -> StoredTree:
    unshifted: dict[str, RawValue] = {
        f"{name.removesuffix('weight')}{DELAY_SHIFT}": np.array(False)
        for name in tree.values
        if name.startswith("layer/") and name.endswith("/weight")
    }
    return replace(tree, values={**tree.values, **unshifted})


def _from_2_to_3(tree: StoredTree) -> StoredTree:
    names: list[str] = json.loads(str(tree.attributes["layer_names"]))
    usage: list[list[dict[str, Any]]] = json.loads(str(tree.attributes["core_usage"]))
    values = {
        _register_of_weight(name): value
        for name, value in tree.values.items()
        if not name.startswith("placement/")
    }
    neurons = [cast(RawArray, tree.values[f"placement/{k}/neurons"]) for k in range(len(usage))]
    if any(part.dtype != np.int32 for part in neurons):
        raise ValueError("neurons of a core are no whole numbers of 32 bits")
    layers = [names.index(str(tree.values[f"placement/{k}/layer"])) for k in range(len(usage))]
    values |= {
        "placement/layer": np.array(layers, dtype=np.int64),
        "placement/size": np.array([part.size for part in neurons], dtype=np.int64),
        "placement/used": np.array([[u["used"] for u in row] for row in usage], dtype=np.int64),
        "placement/neurons": np.concatenate(neurons),
    }
    # numbered along one chip: chip, column, row, core
    sites = np.zeros((len(usage), 4), dtype=np.int64)
    sites[:, 3] = np.arange(len(usage))
    values["placement/site"] = sites
    passes: list[str] = json.loads(str(tree.attributes["passes"]))
    attributes: dict[str, AttributeValue] = {
        **tree.attributes,
        "profile": json.dumps(_profile_3(json.loads(str(tree.attributes["profile"])))),
        "passes": json.dumps([{"name": name, "options": {}} for name in passes]),
        "resources": json.dumps([[u["resource"], u["available"]] for u in usage[0]]),
        "calibration_sha256": "",
        "lowerings": "[]",
        "losses": "[]",
    }
    return replace(tree, values=values, attributes=attributes)


def _profile_3(profile: dict[str, Any]) -> dict[str, Any]:
    """Return a profile as version 3 has it, saying what the compilers before it did."""
    then = {"source": "artifacts before version 3", "evidence": "defined"}
    added = (
        "neuron_groups_per_core",
        "synapse_formats_per_core",
        "axon_map_per_core",
        "axon_memory_per_core",
        "total_per_core",
    )
    return {
        **profile,
        "limits": {**profile["limits"], **dict.fromkeys(added)},
        "formats": {
            **profile["formats"],
            "sign_modes": {"value": ["mixed", "excitatory", "inhibitory"], "unit": "modes", **then},
            "bias_exponent_max": {"value": 7, "unit": "power of 2", **then},
            "refractory_max": {"value": 1, "unit": "steps", **then},
            "current_exponent_max": {"value": 0, "unit": "power of 2", **then},
            "neuron_kinds": {"value": ["CUBA", "LOIHI"], "unit": "kinds", **then},
        },
        "mesh": None,
        "axons": {"model": "discrete", **then},
        "partition": {"model": "fewest-cores", **then},
    }


def _register_of_weight(name: str) -> str:
    """``registers/layer0/bits`` becomes ``registers/layer0/weight/bits``; other names stay."""
    if not name.startswith("registers/"):
        return name
    layer, _, register = name.rpartition("/")
    return f"{layer}/weight/{register}"
