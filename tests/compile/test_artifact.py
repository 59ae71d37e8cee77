"""A compiled network is saved and loaded whole; anything else is refused in a sentence."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pytest
from builders import compiled, conv, cuba, dense, even_weights
from expect import assert_same, sentence
from hdf5_files import DENSE, edit_hdf5, write_layers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from profiles import SHIPPED, limited
from strategies import Case, conv_cases, dense_cases

from lavadeploy.compile import (
    CompiledNetwork,
    artifact_bytes,
    compile_network,
    load_artifact,
    save_artifact,
    synaptic_layers,
)
from lavadeploy.compile.artifact import content_sha256
from lavadeploy.compile.passes.quantize import Quantize
from lavadeploy.compile.quantization_plan import QuantizationPlan, plan_uniformly
from lavadeploy.netx import (
    PRODUCER,
    CubaNeuron,
    FlattenLayer,
    InputLayer,
    Network,
    NetxFormatError,
    Neuron,
    OutputError,
    RealNetwork,
    RealValues,
    read_netx,
    write_netx,
)
from lavadeploy.netx.hdf5_store import read_tree

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


def example(profile: str = "loihi2") -> CompiledNetwork:
    """An image through a convolution into two dense layers, everything that a layer can have."""
    rng = np.random.default_rng(0)
    pair = np.array([3, -4], dtype=np.int32)
    image = conv(
        even_weights(rng, 2, 1, 2, 3),
        (2, 3, 3),
        neuron=cuba(7, abs(pair), 9),
        bias=pair,
        delay=abs(pair),
        padding=(1, 2),
        dilation=(2, 1),
    )
    layers = (
        image,
        dense(even_weights(rng, 5, 18), name="layer1", neuron=cuba(4096), delay_shift=False),
        dense(np.zeros((2, 5)), name="layer2", bias=pair),
    )
    return compiled(*layers, profile=profile)


def is_cuba(neuron: Neuron) -> TypeGuard[CubaNeuron]:
    return isinstance(neuron, CubaNeuron)


@QUICK
@given(
    case=st.one_of(dense_cases(), conv_cases()),
    profile=st.sampled_from([*SHIPPED.values(), limited("loihi2", neurons_per_core=7)]),
)
def test_what_is_saved_is_loaded(case: Case, profile: Any, folder: Path) -> None:
    saved = compile_network(case.network, profile, input_shape=case.input_shape)
    # one decay for the one channel of a layer is read back as one for all
    decays = [x.neuron.current_decay for x in saved.network.layers if is_cuba(x.neuron)]
    assume(all(decay.shape != (1,) for decay in decays))
    save_artifact(saved, folder / "a.ldc")
    loaded = load_artifact(folder / "a.ldc")
    assert_same(loaded, saved)
    save_artifact(loaded, folder / "b.ldc")
    assert (folder / "a.ldc").read_bytes() == (folder / "b.ldc").read_bytes()


def test_warnings_and_source_are_kept(tmp_path: Path) -> None:
    path = write_layers(tmp_path / "a.net", {**DENSE, "neuron/vThMant": 5000, "extra": 1})
    saved = compile_network(read_netx(path), SHIPPED["loihi2"])
    assert len(saved.warnings) == 2
    save_artifact(saved, str(tmp_path / "a.ldc"))
    loaded = load_artifact(str(tmp_path / "a.ldc"))
    assert_same(loaded, saved)
    assert loaded.source_sha256 == read_tree(path).sha256


def test_layers_keep_their_own_names(tmp_path: Path) -> None:
    # in the artifact's NetX part they have other numbers: an input layer comes first
    saved = example()
    save_artifact(saved, tmp_path / "a.ldc")
    assert [layer.name for layer in load_artifact(tmp_path / "a.ldc").network.layers] == [
        "layer0",
        "layer1",
        "layer2",
    ]
    assert [layer.name for layer in read_netx(tmp_path / "a.ldc").layers] == [
        "layer0",
        "layer1",
        "layer2",
        "layer3",
        "layer4",
    ]


def test_the_artifact_says_which_layers_are_a_step_late(tmp_path: Path) -> None:
    saved = example()
    save_artifact(saved, tmp_path / "a.ldc")
    loaded = load_artifact(tmp_path / "a.ldc")
    assert_same(loaded, saved)
    assert [layer.delay_shift for layer in loaded.network.layers] == [True, False, True]


def test_loaded_arrays_cannot_be_written_to(tmp_path: Path) -> None:
    save_artifact(example(), tmp_path / "a.ldc")
    loaded = load_artifact(tmp_path / "a.ldc")
    first = synaptic_layers(loaded.network)[0]
    assert first.delay is not None
    assert is_cuba(first.neuron)
    assert not first.delay.flags.writeable
    assert not first.neuron.current_decay.flags.writeable
    assert not first.weights.mantissa.flags.writeable
    assert not loaded.placement.cores[0].neurons.flags.writeable


def test_many_cores_and_long_warnings_fit(tmp_path: Path) -> None:
    # attributes of HDF5 are limited to 64 KiB unless stored apart
    profile = limited("loihi2", neurons_per_core=1)
    network = Network(layers=(dense(np.full((600, 1), 2)),), warnings=("x" * 100_000,))
    saved = compile_network(network, profile)
    save_artifact(saved, tmp_path / "a.ldc")
    assert_same(load_artifact(tmp_path / "a.ldc"), saved)


def test_the_artifact_is_a_netx_file(tmp_path: Path) -> None:
    saved = example()
    save_artifact(saved, tmp_path / "a.ldc")
    network = read_netx(tmp_path / "a.ldc")
    assert network.warnings == ()
    again = compile_network(network, SHIPPED["loihi2"])
    for ours, theirs in zip(saved.network.layers, again.network.layers, strict=True):
        assert_same(ours, theirs, ignore=("name",))


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    save_artifact(example(), tmp_path / "a.ldc")
    attributes = read_tree(tmp_path / "a.ldc").attributes
    assert attributes["format"] == "lavadeploy-artifact"
    assert attributes["format_version"] == 3
    assert attributes["producer"] == PRODUCER
    assert json.loads(str(attributes["profile"]))["name"] == "loihi2"
    assert attributes["profile_name"] == "loihi2"
    profile = str(attributes["profile"])
    assert attributes["profile_sha256"] == hashlib.sha256(profile.encode()).hexdigest()
    assert json.loads(str(attributes["passes"])) == [
        {"name": "legalize", "options": {"input_shape": None, "allow_approximate": False}},
        {"name": "check", "options": {"strict": False}},
        {"name": "encode", "options": {}},
        {"name": "place", "options": {"by_spike_rates": False}},
    ]
    assert "created" not in attributes  # so that the same network gives the same bytes


def test_the_time_of_compilation_is_kept_where_it_is_given(tmp_path: Path) -> None:
    network = Network(layers=(dense([[2, -2]]),))
    saved = compile_network(network, SHIPPED["loihi2"], created="2026-11-22T10:00:00+00:00")
    save_artifact(saved, tmp_path / "a.ldc")
    assert load_artifact(tmp_path / "a.ldc").created == "2026-11-22T10:00:00+00:00"
    later = dataclasses.replace(saved, created="2026-11-23T10:00:00+00:00")
    assert artifact_bytes(later) != artifact_bytes(saved)
    without = dataclasses.replace(saved, created="")
    assert artifact_bytes(without) == artifact_bytes(dataclasses.replace(later, created=""))


def test_what_was_lowered_and_lost_is_kept(tmp_path: Path) -> None:
    real = RealNetwork(
        nearest=Network(
            layers=(
                InputLayer(name="layer0", shape=(2, 2, 2)),
                FlattenLayer(name="layer1", shape=(8, 1, 1)),
                dense(np.full((3, 8), 2), name="layer2", neuron=cuba(80, du=0)),
            )
        ),
        values={
            "layer2": RealValues(
                weight=np.linspace(-1.3, 2.7, 24).reshape(3, 8),
                vth=80.4,
                decays={"current_decay": np.array(0.3), "voltage_decay": np.array(128.6)},
            )
        },
    )
    quantize = Quantize(profile=SHIPPED["loihi2"], plan=plan_uniformly(real, 4))
    saved = compile_network(quantize.run(real), SHIPPED["loihi2"])
    save_artifact(saved, tmp_path / "a.ldc")
    loaded = load_artifact(tmp_path / "a.ldc")
    assert_same(loaded, saved)
    assert loaded.lowerings[0].layer == "layer1"
    assert loaded.losses[0].decays["current_decay"].half_life_error == np.inf
    assert loaded.passes[0].name == "quantize"
    plan = QuantizationPlan.from_json(str(loaded.passes[0].options["plan"]))
    assert plan.layers["layer2"].bits == 4


def test_nothing_is_written_over_a_folder(tmp_path: Path) -> None:
    assert sentence(OutputError, save_artifact, example(), tmp_path) == (
        f"cannot write '{tmp_path}': it is a folder. Name a file."
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing.ldc"
    assert sentence(NetxFormatError, load_artifact, path) == f"'{path}': no such file."


def test_a_plain_netx_file_is_to_be_compiled_first(tmp_path: Path) -> None:
    written, foreign = tmp_path / "ours.net", write_layers(tmp_path / "theirs.net", DENSE)
    write_netx(Network(layers=(dense([[2]]),)), written)
    for path in (written, foreign):
        assert sentence(NetxFormatError, load_artifact, path) == (
            f"'{path}': is not a compiled artifact. Compile the network first: "
            f"lavadeploy compile {path} --profile loihi2 -o net.ldc"
        )


@pytest.mark.parametrize(("version", "shown"), [(0, "0"), (4, "4"), ("3", "3"), (None, "None")])
def test_another_version_is_refused(version: Any, shown: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(example(), path)
    edit_hdf5(path, {"@format_version": version})
    assert sentence(NetxFormatError, load_artifact, path) == (
        f"'{path}': has artifact version {shown}; this lavadeploy reads versions 1 to 3. "
        "Update lavadeploy."
    )


def number(value: Any) -> Any:
    return np.array(value)


# Each breaks what is stored in another way; the hash of the content is made good, as if a writer
# had been wrong, so that every later check is met.
DAMAGE: list[tuple[str, Mapping[str, Any]]] = [
    ("register missing", {"registers/layer0/weight/exponent": None}),
    ("register of text", {"registers/layer0/weight/bits": np.array([b"x"])}),
    ("two exponents", {"registers/layer0/weight/exponent": number([0, 0])}),
    ("other exponent", {"registers/layer1/weight/exponent": number(-7)}),
    ("exponent that overflows", {"registers/layer0/weight/exponent": number(1 << 40)}),
    ("infinite exponent", {"registers/layer0/weight/exponent": number(np.inf)}),
    ("unknown sign mode", {"registers/layer0/weight/sign_mode": np.array([b"odd"])}),
    ("bits of no register", {"registers/layer0/weight/bits": number(77)}),
    ("no neurons", {"placement/neurons": None}),
    ("no layers of cores", {"placement/layer": None}),
    ("neurons are text", {"placement/neurons": np.array([b"x"])}),
    ("neuron missing", {"placement/neurons": np.arange(25)}),
    ("neuron twice", {"placement/neurons": np.minimum(np.arange(26), 16)}),
    ("half a neuron", {"placement/neurons": np.arange(26) + 0.5}),
    ("core of no layer", {"placement/layer": number([0, 1, 9])}),
    ("fewer cores", {"placement/size": number([18, 8])}),
    ("other usage", {"placement/used": number([[1, 2], [1, 2], [1, 2]])}),
    ("profile missing", {"@profile": None}),
    ("profile of nothing", {"@profile": "{}"}),
    ("profile is no JSON", {"@profile": "loihi2"}),
    ("names missing", {"@layer_names": None}),
    ("too few names", {"@layer_names": '["layer0"]'}),
    ("other names", {"@layer_names": '["a", "b", "c"]'}),
    ("names are no list", {"@layer_names": "3"}),
    ("resources are no JSON", {"@resources": "[["}),
    ("resources of another kind", {"@resources": "[1, 2]"}),
    ("passes of another kind", {"@passes": '["legalize"]'}),
    ("lowerings of another kind", {"@lowerings": '[{"x": 1}]'}),
    ("losses missing", {"@losses": None}),
    ("warnings missing", {"@warnings": None}),
    ("warnings are text", {"@warnings": '"abc"'}),
    ("nested without end", {"@warnings": "[" * 50_000}),
    ("source missing", {"@source_sha256": None}),
    ("layer of another kind", {"layer/4/type": np.array([b"average"]), "layer/4/shape": number(5)}),
    ("weights beyond registers", {"layer/3/weight": np.full((5, 18), 3e6)}),
]


def edit_as_a_writer(path: Path, changes: Mapping[str, Any]) -> None:
    """Change a file and make its hash good."""
    edit_hdf5(path, changes)
    tree = read_tree(path)
    edit_hdf5(path, {"@content_sha256": content_sha256(tree.values, tree.attributes)})


@pytest.mark.parametrize("changes", [pytest.param(changes, id=name) for name, changes in DAMAGE])
def test_damage_is_found(changes: Mapping[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(example(), path)
    edit_as_a_writer(path, changes)
    assert re.fullmatch(
        rf"'{path}': damaged artifact \(.+\)\. Compile it again\.",
        sentence(NetxFormatError, load_artifact, path),
        flags=re.DOTALL,
    )


def test_damage_of_the_network_is_told_in_the_readers_words(tmp_path: Path) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(example(), path)
    edit_as_a_writer(path, {"layer/1/type": np.array([b"pool"])})
    assert sentence(NetxFormatError, load_artifact, path) == (
        f"'{path}', layer1: weight has shape (2, 1, 2, 3); (1, 1, height, width) was expected."
    )


def test_a_wrong_weight_is_found_by_the_registers(tmp_path: Path) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(compiled(dense([[254, -256]])), path)
    for wrong in ([[254, 40_000]], [[254, (1 << 16) - 256]]):  # the second is -256 in 16 bits
        edit_as_a_writer(path, {"layer/0/weight": np.array(wrong, dtype=np.float32)})
        assert sentence(NetxFormatError, load_artifact, path) == (
            f"'{path}': damaged artifact (ValueError: no legal width holds the weights). "
            "Compile it again."
        )


def test_a_weight_that_wraps_to_the_right_one_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(compiled(dense([[254, 2]])), path)
    edit_as_a_writer(path, {"layer/0/weight": np.array([[(1 << 16) + 254, 2]], dtype=np.float32)})
    assert sentence(NetxFormatError, load_artifact, path) == (
        f"'{path}': damaged artifact (ValueError: no legal width holds the weights). "
        "Compile it again."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"layer/1/neuron/gradedSpike": number(1)},
        {"layer/1/neuron/vThMant": number(81)},
        {"layer/0/new": number(1)},
        {"@warnings": '["Fine."]'},
        {"@content_sha256": "0"},
    ],
)
def test_whatever_was_changed_is_found_by_the_hash(
    changes: Mapping[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(example(), path)
    edit_hdf5(path, changes)
    assert sentence(NetxFormatError, load_artifact, path) == (
        f"'{path}': damaged artifact (ValueError: its content is not what was written). "
        "Compile it again."
    )


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ldc"
    save_artifact(example(), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert re.fullmatch(
        rf"'{path}': damaged or truncated HDF5 file \(.+\)\.",
        sentence(NetxFormatError, load_artifact, path),
    )
