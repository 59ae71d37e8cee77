"""Network files that cannot be used: one sentence, exit code 2, and nothing written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from hdf5_files import DENSE, edit_hdf5, write_hdf5, write_layers
from numpy.typing import NDArray

Cli = Callable[..., CompletedProcess[str]]

WEIGHT_REMEDY = (
    "Scale the layer's weights and threshold down together, or clamp in training. "
    "[weights_in_range]"
)
OUT_OF_RANGE = "numbers between -2147483648 and 2147483647 were expected."


def weight(value: float) -> dict[str, NDArray[np.float64]]:
    """The weights of layer1 with another number at (1, 2)."""
    return {"layer/1/weight": np.array([[20, 20, -4], [-4, -4, value]])}


def refused(found: CompletedProcess[str], *written: str) -> str:
    """The sentence of a command that refused its input and wrote nothing besides what was there."""
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith("error: ")
    assert found.stderr.endswith("\n")
    assert sorted(path.name for path in Path().iterdir()) == sorted(written)
    return found.stderr[len("error: ") : -1]


def compile_edited(cli: Cli, net: Path, changes: Mapping[str, Any]) -> str:
    edit_hdf5(net, changes)
    return refused(cli("compile", net, "-o", "net.ldc"), "net.net")


@pytest.mark.parametrize("command", ["inspect", "compile"])
def test_missing_file(cli: Cli, command: str) -> None:
    output = ("-o", "net.ldc")
    assert refused(cli(command, "nope.net", *output)) == "'nope.net': no such file."


@pytest.mark.parametrize("command", ["inspect", "compile"])
def test_folder(cli: Cli, command: str) -> None:
    Path("networks").mkdir()
    found = cli(command, "networks", "-o", "net.ldc")
    assert refused(found, "networks") == "'networks': is a folder; a NetX file was expected."


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF", b"PK\x03\x04"])
@pytest.mark.parametrize("command", ["inspect", "compile"])
def test_file_that_is_not_hdf5(cli: Cli, command: str, content: bytes) -> None:
    Path("x.net").write_bytes(content)
    found = cli(command, "x.net", "-o", "net.ldc")
    assert refused(found, "x.net") == "'x.net': is not an HDF5 file, so it can not be NetX."


@pytest.mark.parametrize("part", [0.01, 0.3, 0.9, 0.9999])
@pytest.mark.parametrize("command", ["inspect", "compile"])
def test_truncated_hdf5(cli: Cli, net: Path, command: str, part: float) -> None:
    content = net.read_bytes()
    net.write_bytes(content[: int(len(content) * part)])
    sentence = refused(cli(command, net, "-o", "net.ldc"), "net.net")
    assert re.fullmatch(r"'net\.net': damaged or truncated HDF5 file \(.+\)\.", sentence)


def test_hdf5_without_layers(cli: Cli) -> None:
    write_hdf5(Path("x.net"), {"weights": 1, "biases": 2})
    assert refused(cli("compile", "x.net", "-o", "net.ldc"), "x.net") == (
        "'x.net': has no group 'layer', so it is not a NetX file (found: biases, weights)."
    )


def test_hdf5_without_anything(cli: Cli) -> None:
    write_hdf5(Path("x.net"), {})
    assert refused(cli("compile", "x.net", "-o", "net.ldc"), "x.net") == (
        "'x.net': has no group 'layer', so it is not a NetX file (found: nothing)."
    )


def test_empty_layer_group(cli: Cli) -> None:
    write_hdf5(Path("x.net"), {"layer": None})
    assert refused(cli("compile", "x.net", "-o", "net.ldc"), "x.net") == (
        "'x.net': group 'layer' is empty; the network has no layers."
    )


def test_layer_without_fields(cli: Cli) -> None:
    write_hdf5(Path("x.net"), {"layer/0": None})
    assert refused(cli("compile", "x.net", "-o", "net.ldc"), "x.net") == (
        "'x.net', layer0: field 'type' is missing or not a string."
    )


@pytest.mark.parametrize(
    ("value", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (1e12, "1000000000000.0")]
)
def test_weight_that_is_no_number_of_32_bits(cli: Cli, net: Path, value: float, shown: str) -> None:
    assert compile_edited(cli, net, weight(value)) == (
        f"'net.net', layer1: weight is {shown} at (1, 2); {OUT_OF_RANGE}"
    )


def test_a_weight_between_whole_numbers_makes_a_network_to_quantize(cli: Cli, net: Path) -> None:
    edit_hdf5(net, weight(0.5))
    found = cli("compile", net, "-o", "net.ldc")
    assert found.returncode == 0
    assert "least_squares" in found.stdout


@pytest.mark.parametrize("value", [255, 256, 300, -257, -258])
def test_weight_beyond_the_mantissa(cli: Cli, net: Path, value: int) -> None:
    assert compile_edited(cli, net, weight(value)) == (
        f"layer1: weight {value}; loihi2 allows -256 to 254. {WEIGHT_REMEDY}"
    )


@pytest.mark.parametrize("value", [254, -256])
def test_weight_at_its_limit_is_taken(cli: Cli, net: Path, value: int) -> None:
    edit_hdf5(net, weight(value))
    assert cli("compile", net, "-o", "net.ldc").returncode == 0


@pytest.mark.parametrize("value", [2**20, 2**17, -1])
def test_threshold_beyond_its_register(cli: Cli, net: Path, value: int) -> None:
    # a last layer that never fires would be read by its voltage
    assert compile_edited(cli, net, {"layer/0/neuron/vThMant": value}) == (
        f"layer0: threshold {value} (vThMant); loihi2 allows 0 to 131071. "
        "Scale the layer's weights and threshold down together. [threshold_in_range]"
    )


def test_delay_below_zero(cli: Cli, net: Path) -> None:
    assert compile_edited(cli, net, {"layer/0/delay": np.array([0, -1, 2])}) == (
        "'net.net', layer0: delay is -1; no spike leaves before it is made."
    )


def test_delay_beyond_its_field(cli: Cli, net: Path) -> None:
    assert compile_edited(cli, net, {"layer/0/delay": np.array([0, 63, 2])}) == (
        "layer0: delay 63; loihi2 allows 0 to 62 steps. "
        "Clamp the delays in training (SLAYER's max_delay). [delays_in_range]"
    )


@pytest.mark.parametrize("value", [5000, 4097, -1])
@pytest.mark.parametrize(("field", "name"), [("iDecay", "current"), ("vDecay", "voltage")])
def test_decay_beyond_4096(cli: Cli, net: Path, field: str, name: str, value: int) -> None:
    assert compile_edited(cli, net, {f"layer/0/neuron/{field}": value}) == (
        f"layer0: {name} decay {value}; loihi2 allows 0 to 4096 (of 4096). "
        "Export the decay as round(4096 * decay). [decays_in_range]"
    )


def test_all_problems_are_said_at_once(cli: Cli, net: Path) -> None:
    sentences = compile_edited(cli, net, weight(300) | {"layer/0/neuron/vDecay": np.array(5000)})
    assert sentences == (
        "layer0: voltage decay 5000; loihi2 allows 0 to 4096 (of 4096). "
        "Export the decay as round(4096 * decay). [decays_in_range]\n"
        f"layer1: weight 300; loihi2 allows -256 to 254. {WEIGHT_REMEDY}"
    )


def test_unknown_layer_kind(cli: Cli, net: Path) -> None:
    assert compile_edited(cli, net, {"layer/0/type": b"dens"}) == (
        "'net.net', layer0: unknown layer kind 'dens'; did you mean 'dense'? "
        "Valid: 'average', 'concat', 'conv', 'convT', 'dense', 'dense_rec', 'flatten', 'input', "
        "'pool', 'unpool'."
    )


def test_average_whose_size_does_not_divide_the_next_weights(cli: Cli) -> None:
    average = {"type": b"average", "shape": [1]}
    third = {**DENSE, "weight": np.array([[3.0], [4.0]])}
    write_layers(Path("x.net"), DENSE, average, third)
    assert refused(cli("compile", "x.net", "-o", "x.ldc"), "x.net") == (
        "layer2: weights that 2 does not divide, on means of 2 neurons; chips sum what fires, and "
        "weights are whole. Use weights that it divides, average behind the last layer, or allow "
        "rounding with --allow-approximate. [means_are_exact]"
    )


@pytest.mark.parametrize("kind", ["maxpool", "max_pool", "MaxPool2d"])
@pytest.mark.parametrize("command", ["inspect", "compile"])
def test_max_pooling(cli: Cli, net: Path, command: str, kind: str) -> None:
    edit_hdf5(net, {"layer/0/type": kind.encode()})
    assert refused(cli(command, net, "-o", "net.ldc"), "net.net") == (
        f"'net.net', layer0: layer kind '{kind}' is max pooling, which neither NetX nor the chips "
        "have: what comes in is summed. Train again with sum pooling (slayer.block.*.Pool) or with "
        "a strided convolution in its place."
    )


def test_layer_kind_that_does_not_go_with_the_shape(cli: Cli, net: Path) -> None:
    assert compile_edited(cli, net, {"layer/0/type": b"pool"}) == (
        "'net.net', layer0: shape is (3,); that of a pooling layer is (C, H, W)."
    )


def test_neuron_kind_that_the_chip_does_not_have(cli: Cli, net: Path) -> None:
    edit_hdf5(net, {"layer/0/neuron/type": b"SDNN"})
    found = cli("compile", net, "--profile", "loihi1", "-o", "net.ldc")
    assert refused(found, "net.net") == (
        "layer0: SDNN neurons; loihi1 allows CUBA, LOIHI. Train with CUBA neurons "
        "(slayer.block.cuba), or compile for another profile. [neuron_kind_exists]"
    )


def test_layers_that_do_not_fit_each_other(cli: Cli, net: Path) -> None:
    changes = {"layer/1/weight": np.zeros((2, 5)), "layer/1/inFeatures": None}
    assert compile_edited(cli, net, changes) == (
        "'net.net', layer1: its weight has 5 inputs, but 3 neurons (3,) come in."
    )


def test_weights_that_contradict_what_the_layer_states(cli: Cli, net: Path) -> None:
    assert compile_edited(cli, net, {"layer/1/weight": np.zeros((2, 5))}) == (
        "'net.net', layer1: inFeatures is (3,), but the weights make it (5,)."
    )


def test_unknown_profile_is_answered_with_the_nearest(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "--profile", "lohi2", "-o", "net.ldc")
    assert refused(found, "net.net") == (
        "unknown profile 'lohi2'; did you mean 'loihi2'? Valid: 'ideal', 'loihi1', 'loihi2', "
        "or the path of a YAML file."
    )


def test_network_in_the_place_of_an_artifact_is_told_the_way(
    cli: Cli, net: Path, spikes: Path
) -> None:
    found = cli("run", net, "--input", spikes, "-o", "runs/x")
    assert refused(found, "net.net", "test.npz") == (
        "'net.net': is not a compiled artifact. Compile the network first: "
        "lavadeploy compile net.net --profile loihi2 -o net.ldc"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"registers/layer0/weight/exponent": None},
        {"registers/layer0/weight/exponent": 3},
        {"registers/layer0/weight/exponent": 1 << 40},
        {"registers/layer0/weight/exponent": -100},
        {"registers/layer0/weight/sign_mode": b"odd"},
        {"placement/neurons": None},
        {"@core_usage": "[[{"},
        {"@profile": "{}"},
        {"@layer_names": None},
        {"layer/1/weight": None},
        {"layer/1/weight": np.array([[b"1", b"2", b"3"]] * 2)},
        {"registers/layer0/weight/exponent": np.array([b"1", b"2"])},
        {"registers/layer0/weight/exponent": np.array([1j])},
        {"registers/layer0/weight/sign_mode": np.array([b"mixed", b"mixed"])},
        {"placement/neurons": np.array([b"a", b"b"])},
        {"@profile": np.bytes_(b"\xff")},
    ],
    ids=str,
)
def test_damaged_artifact(
    cli: Cli, artifact: Path, net: Path, spikes: Path, changes: Mapping[str, Any]
) -> None:
    edit_hdf5(artifact, changes)
    found = cli("run", artifact, "--input", spikes, "--backend", "reference", "-o", "runs/x")
    sentence = refused(found, "net.net", "net.ldc", "test.npz")
    assert sentence.startswith("'net.ldc'")


def test_artifact_of_a_later_version(cli: Cli, artifact: Path, net: Path, spikes: Path) -> None:
    edit_hdf5(artifact, {"@format_version": 4})
    found = cli("run", artifact, "--input", spikes, "-o", "runs/x")
    assert refused(found, "net.net", "net.ldc", "test.npz") == (
        "'net.ldc': has artifact version 4; this lavadeploy reads versions 1 to 3. "
        "Update lavadeploy."
    )


def test_name_longer_than_the_system_allows(cli: Cli) -> None:
    name = "n" * 300
    assert refused(cli("inspect", name)).startswith(f"'{name}': ")
