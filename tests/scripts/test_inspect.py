"""``lavadeploy inspect``: what is in a NetX file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from builders import conv
from hdf5_files import edit_hdf5

from lavadeploy.netx import InputLayer, Network, write_netx

Cli = Callable[..., CompletedProcess[str]]


def table(found: CompletedProcess[str], number: int) -> list[list[str]]:
    """Return the cells of a table, header first; cells are two spaces apart in a pipe."""
    blocks = re.split(r"\n +\n", found.stdout)
    lines = [line for line in blocks[number].splitlines() if line.strip()]
    return [re.split(r" {2,}", line.strip()) for line in lines if "─" not in line]


def test_tables_show_each_layer_and_sentences_their_units(cli: Cli, net: Path) -> None:
    found = cli("inspect", net)
    assert (found.returncode, found.stderr) == (0, "")
    rows = [line.split() for line in found.stdout.splitlines() if line.strip()]
    assert [row for row in rows if "─" not in row[0]] == [
        ["layer", "kind", "in", "out", "neurons"],
        ["layer0", "dense", "4", "3", "3"],
        ["layer1", "dense", "3", "2", "2"],
        ["layer", "weights", "range", "bits", "sparsity"],
        ["layer0", "12", "-2..20", "5", "50.0", "%"],
        ["layer1", "6", "-4..20", "4", "0.0", "%"],
        ["layer", "neuron", "vth", "time", "constants", "in", "steps", "(decay", "of", "4096)"],
        ["layer0", "CUBA", "10", "current", "0", "(4096),", "voltage", "0", "(4096)"],
        ["layer1", "CUBA", "10", "current", "0", "(4096),", "voltage", "0", "(4096)"],
        *(line.split() for line in found.stdout.splitlines()[-2:]),
    ]
    assert found.stdout.endswith(
        "\n5 neurons, 18 weights. Weights, biases and vth in units of 1/64,\n"
        "bits: what the weights need once their common power of two is taken out.\n"
    )


def test_shapes_and_kernels_of_every_kind_of_layer(cli: Cli, every_net: Path) -> None:
    assert table(cli("inspect", every_net), 0) == [
        ["layer", "kind", "in (C×H×W)", "out", "neurons", "kernel (H×W)"],
        ["layer0", "input", "2×4×4", "2×4×4", "32"],
        ["layer1", "conv", "2×4×4", "4×2×3", "24", "3×2, stride 2×1, padding 1×0, groups 2"],
        ["layer2", "convT", "4×2×3", "2×4×6", "48", "2×2, stride 2"],
        ["layer3", "pool", "2×4×6", "2×2×3", "12", "2×2, stride 2"],
        ["layer4", "unpool", "2×2×3", "2×4×6", "48", "2×2, stride 2"],
        ["layer5", "flatten", "2×4×6", "48", "-"],
        ["layer6", "dense", "48", "6", "6"],
        ["layer7", "dense_rec", "6", "6", "6"],
        ["layer8", "average", "6", "3", "-"],
        ["layer9", "concat", "-", "9", "-", "joins layer7, layer8"],
        ["layer10", "dense", "9", "2", "2"],
        ["layer11", "dense", "2", "1", "1"],
    ]


def test_weights_of_every_kind_of_layer(cli: Cli, every_net: Path) -> None:
    assert table(cli("inspect", every_net), 1) == [
        ["layer", "weights", "range", "bits", "sparsity", "bias", "delay (steps)"],
        ["layer0", "1", "64", "1", "0.0 %", "-3", "-"],
        ["layer1", "24", "-24..22", "5", "4.2 %", "-2..4", "1..7"],
        ["layer2", "64", "-16..8", "1", "0.0 %", "-5..2", "-"],
        ["layer3", "8", "-2..6", "3", "62.5 %", "-", "-"],
        ["layer4", "8", "-2..6", "3", "25.0 %", "-", "-"],
        ["layer6", "576", "0", "0", "100.0 %", "-", "-"],
        ["layer7", "72", "-128..35", "6", "43.1 %", "-", "-"],
        ["layer10", "18", "1", "1", "0.0 %", "-", "-"],
        ["layer11", "2", "-256..255", "9", "0.0 %", "-", "-"],
    ]


def test_every_kind_of_neuron_with_its_time_constants(cli: Cli, every_net: Path) -> None:
    adaptive = "threshold 1.44 (2048), refractory 0 (4096)"
    quarter = "amplitude 1.44, period 4 (sin 2048, cos 0)"
    assert table(cli("inspect", every_net), 2)[1:] == [
        ["layer0", "CUBA", "80", "current 3.48 (1024), voltage ∞ (0)", "16-bit messages"],
        [
            *("layer1", "ALIF", "80"),
            f"current 0..∞ (0..4096), voltage 9.48 (410), {adaptive}",
            "vth step 5, graded spikes",
        ],
        ["layer2", "RF_PHASE", "80", quarter],
        [
            *("layer3", "RF_IZHIKEVICH", "80"),
            "amplitude 9361..∞, period 8..∞ (sin 0..2896, cos 2896..4096)",
        ],
        ["layer4", "ADRF_PHASE", "80", f"{quarter}, {adaptive}", "vth step 5"],
        [
            *("layer6", "ADRF_IZHIKEVICH", "80"),
            (
                "amplitude 7.84..grows, period 6.39..∞ (sin 0..3000, cos 2000..4000), "
                "threshold 3.55..3.57 (1000..1005), refractory 273..409 (10..15)"
            ),
            "vth step 5",
        ],
        [
            *("layer7", "LOIHI", "80", "current 3.48 (1024), voltage 31.5 (128)"),
            "refractory delay 3, current / 2^2, no delay shift",
        ],
        ["layer10", "SDNN", "6.25", "activation tanh, sigma output"],
        ["layer11", "CUBA", "262143", "current 0 (4096), voltage ∞ (0)", "never fires"],
    ]


def test_network_without_neurons_or_weights_is_a_table_of_shapes(cli: Cli, folder: Path) -> None:
    write_netx(Network(layers=(InputLayer(name="layer0", shape=(2, 3, 4)),)), folder / "no.net")
    rows = [line.split() for line in cli("inspect", "no.net").stdout.splitlines() if line.strip()]
    assert rows[0] == ["layer", "kind", "in", "(C×H×W)", "out"]
    assert rows[2:] == [
        ["layer0", "input", "2×3×4", "2×3×4"],
        *(line.split() for line in cli("inspect", "no.net").stdout.splitlines()[-2:]),
    ]


def test_numbers_stand_right_aligned_beside_layers_that_have_none(
    cli: Cli, conv_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = cli("inspect", conv_net).stdout.splitlines()
    places = [re.search(r" (144|81920) ", line) for line in lines]
    assert len({place.end() for place in places if place}) == 1


def test_table_in_a_pipe_is_not_broken_at_the_width_of_a_terminal(
    cli: Cli, conv_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    rows = table(cli("inspect", conv_net), 2)
    assert [
        *("layer1", "CUBA", "80"),
        "current 3.54..3.57 (1000..1007), voltage 31.5 (128)",
    ] in rows


def test_json_holds_every_figure_of_each_layer_and_the_hash(cli: Cli, net: Path) -> None:
    found = cli("inspect", net, "--json", "-o", "net.json")
    assert (found.returncode, found.stderr) == (0, "")
    data = json.loads(found.stdout)
    assert data["file"] == "net.net"
    assert data["sha256"] == sha256(net.read_bytes()).hexdigest()
    assert data["warnings"] == []
    assert data["has_fractions"] is False
    assert data["layers"][1] == {
        "name": "layer1",
        "kind": "dense",
        "shape_in": [3],
        "shape_out": [2],
        "sources": None,
        "kernel": None,
        "stride": None,
        "padding": None,
        "dilation": None,
        "groups": None,
        "neurons": 2,
        "weights": 6,
        "weight_min": -4,
        "weight_max": 20,
        "used_bits": 4,
        "zero_weights": 0,
        "sparsity": 0.0,
        "bias_min": None,
        "bias_max": None,
        "delay_min": None,
        "delay_max": None,
        "delay_shift": None,
        "neuron": {
            "kind": "CUBA",
            "is_readout": False,
            "vth_mantissa": 10,
            "vth_step": None,
            "vth_fraction": None,
            "decays": {"current": [4096, 4096], "voltage": [4096, 4096]},
            "time_constants_steps": {"current": [0.0, 0.0], "voltage": [0.0, 0.0]},
            "period_steps": None,
            "refractory_delay": 1,
            "graded_spike": False,
            "current_exponent": 0,
            "activation": None,
            "sigma_output": None,
            "message_bits": None,
        },
    }
    assert json.loads(Path("net.json").read_text(encoding="utf-8")) == data


def test_real_numbers_are_said_to_be_rounded(cli: Cli, net: Path) -> None:
    whole = cli("inspect", net)
    edit_hdf5(net, {"layer/1/weight": np.array([[20.25, 19.5, -4.5], [-4, -4, 20]])})
    found = cli("inspect", net)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == whole.stdout + (
        "Its numbers are real; shown are the nearest whole ones. Quantize it: "
        "lavadeploy compile net.net --bits 8\n"
    )
    data = json.loads(cli("inspect", net, "--json").stdout)
    assert data["has_fractions"] is True
    assert (data["layers"][1]["weight_min"], data["layers"][1]["weight_max"]) == (-4, 20)


def no_such_number(name: str) -> None:
    pytest.fail(f"JSON has no {name}")


def test_json_of_infinite_time_constants_is_strict(cli: Cli, every_net: Path) -> None:
    data = json.loads(cli("inspect", every_net, "--json").stdout, parse_constant=no_such_number)
    neuron = data["layers"][1]["neuron"]
    assert neuron["time_constants_steps"]["current"] == [0.0, None]
    assert data["layers"][3]["neuron"]["period_steps"] == [pytest.approx(8), None]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["mnist/network", "oxford/network", "tinynet/tiny", "pilotnet_lif/network"]
)
def test_networks_trained_by_others_can_be_inspected(
    cli: Cli, shared_data: Path, name: str
) -> None:
    found = cli("inspect", shared_data / "netx" / f"{name}.net")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.shared_data
def test_sigma_delta_network_has_thresholds_and_no_time_constants(
    cli: Cli, shared_data: Path
) -> None:
    rows = table(cli("inspect", shared_data / "netx/pilotnet_sdnn/network.net"), 2)
    assert rows[0] == ["layer", "neuron", "vth", "more"]
    assert rows[-1] == ["layer9", "SDNN", "6", "sigma output"]


def test_file_is_written_beside_the_human_output_too(cli: Cli, net: Path) -> None:
    found = cli("inspect", net, "-o", "net.json")
    assert "5 neurons, 18 weights." in found.stdout
    assert json.loads(Path("net.json").read_text(encoding="utf-8"))["file"] == "net.net"


def test_compiled_artifact_can_be_inspected_as_the_netx_file_it_is(
    cli: Cli, artifact: Path
) -> None:
    found = cli("inspect", artifact)
    assert (found.returncode, found.stderr) == (0, "")
    assert "5 neurons, 18 weights." in found.stdout


def test_what_is_not_understood_is_a_warning(cli: Cli, net: Path) -> None:
    edit_hdf5(net, {"layer/0/neuron/tauRho": 1, "layer/1/neuron/tauRho": 1})
    found = cli("inspect", net)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.endswith(
        "\nwarning: layer0, layer1: not understood, kept as it is: neuron/tauRho.\n"
    )
    warnings = json.loads(cli("inspect", net, "--json").stdout)["warnings"]
    assert warnings == ["layer0, layer1: not understood, kept as it is: neuron/tauRho."]


def test_input_shape_that_the_file_does_not_tell_is_asked_for(cli: Cli, folder: Path) -> None:
    strided = conv(np.full((2, 1, 2, 2), 2), (2, 3, 3), stride=(2, 2))
    write_netx(Network(layers=(strided,)), folder / "strided.net")
    found = cli("inspect", "strided.net")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: 'strided.net', layer0: NetX does not store its input shape, and with stride (2, 2) "
        "the output shape does not tell it. Give it (--input-shape C,H,W, or input_shape=).\n"
    )
    found = cli("inspect", "strided.net", "--input-shape", "1,7,6", "--json")
    assert json.loads(found.stdout)["layers"][0]["shape_in"] == [1, 7, 6]
    found = cli("inspect", "strided.net", "--input-shape", "7x6")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: input shape '7x6'; N or C,H,W was expected, for example 1,28,28.\n"
    )
