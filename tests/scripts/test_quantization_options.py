"""``lavadeploy compile`` on networks of real numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from builders import random_spikes
from expect import sentence
from profiles import SHIPPED
from real_networks import real_dense, real_network

from lavadeploy.compile import Method, load_artifact, synaptic_layers
from lavadeploy.netx import OptionError, RealNetwork, write_real_netx
from lavadeploy.scripts.quantization_options import parse_bits, quantize_for_compile
from lavadeploy.sim import SpikeInput

Cli = Callable[..., CompletedProcess[str]]
ONE_SAMPLE = SpikeInput(spikes=np.zeros((1, 9, 1), dtype=np.uint8))


@pytest.fixture
def network() -> RealNetwork:
    rng = np.random.default_rng(0)
    return real_network(
        real_dense(rng.normal(0, 12, (6, 9)), name="layer0"),
        real_dense(rng.normal(0, 14, (3, 6)), name="layer1"),
    )


@pytest.fixture
def real_net(folder: Path, network: RealNetwork) -> Path:
    write_real_netx(network, folder / "real.net")
    return Path("real.net")


@pytest.fixture
def samples(folder: Path) -> Path:
    """Twenty samples without labels."""
    spikes = random_spikes(np.random.default_rng(1), 20, 9, 12)
    np.savez(folder / "train.npz", spikes=spikes)
    return Path("train.npz")


def weight_bits(path: str = "real.ldc") -> list[int]:
    return [layer.weights.bits for layer in synaptic_layers(load_artifact(path).network)]


def test_real_numbers_compile_in_8_bits_and_losses_are_shown(cli: Cli, real_net: Path) -> None:
    found = cli("compile", real_net, "-o", "real.ldc")
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.split() for line in found.stdout.splitlines() if line.strip()]
    assert lines[0][:4] == ["quantized", "bits", "method", "scale"]
    assert lines[2][:3] == ["layer0", "8", "least_squares"]
    assert lines[3][:3] == ["layer1", "8", "least_squares"]
    assert weight_bits() == [8, 8]


def test_bits_are_given_for_all_layers_or_for_each(cli: Cli, real_net: Path) -> None:
    assert cli("compile", real_net, "-o", "real.ldc", "--bits", "4").returncode == 0
    assert weight_bits() == [4, 4]
    bits = "layer0=3, layer1=6"
    assert cli("compile", real_net, "-o", "real.ldc", "--bits", bits).returncode == 0
    assert weight_bits() == [3, 6]


def test_calibration_counts_changed_spikes(cli: Cli, real_net: Path, samples: Path) -> None:
    found = cli("compile", real_net, "-o", "real.ldc", "--bits", "4", "--calibration", samples)
    assert (found.returncode, found.stderr) == (0, "")
    row = next(line.split() for line in found.stdout.splitlines() if line.startswith(" layer0"))
    assert row[2] == "calibrated"
    assert row[-2] == "of"
    plain = cli("compile", real_net, "-o", "x.ldc", "--calibration", samples, "--method", "largest")
    row = next(line.split() for line in plain.stdout.splitlines() if line.startswith(" layer0"))
    assert row[2] == "largest"
    assert row[-2] == "of"


def test_the_artifact_of_real_numbers_is_the_same_twice(
    cli: Cli, real_net: Path, samples: Path
) -> None:
    for name in ("a.ldc", "b.ldc"):
        cli(
            "compile",
            real_net,
            "--no-timestamp",
            "-o",
            name,
            "--bits",
            "3",
            "--calibration",
            samples,
        )
    assert Path("a.ldc").read_bytes() == Path("b.ldc").read_bytes()


@pytest.mark.parametrize("budget", [("--memory-budget", "30"), ("--accuracy-budget", "60")])
def test_a_budget_chooses_the_bits(
    cli: Cli, real_net: Path, samples: Path, budget: tuple[str, str]
) -> None:
    found = cli("compile", real_net, "-o", "real.ldc", "--calibration", samples, *budget)
    assert (found.returncode, found.stderr) == (0, "")
    assert sum(weight_bits()) < 16


def test_json_stays_json(cli: Cli, real_net: Path) -> None:
    found = cli("compile", real_net, "-o", "real.ldc", "--json")
    assert json.loads(found.stdout)["profile"] == "loihi2"


def test_a_width_that_the_chip_lacks_is_refused_with_those_it_has(cli: Cli, real_net: Path) -> None:
    found = cli("compile", real_net, "-o", "real.ldc", "--bits", "layer0=7,layer1=8")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: layer0: weights of 7 bits were asked for; loihi2 has weights of 1, 2, 3, 4, 5, 6, "
        "8 bits. Ask for 8. [weight_width]\n"
    )
    assert not Path("real.ldc").exists()


def test_whole_numbers_are_not_rounded_twice(cli: Cli, net: Path) -> None:
    found = cli("compile", net, "-o", "net.ldc", "--bits", "4")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: the file holds whole numbers already, so nothing is rounded: leave out the options "
        "of quantization, or compile the file of real numbers that it was made from.\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"method": Method.CALIBRATED},
            "the method 'calibrated' needs training samples: give --calibration samples.npz.",
        ),
        (
            {"accuracy_budget": 1.0},
            "a budget needs training samples: give --calibration samples.npz.",
        ),
        (
            {"percentile": 0.0, "method": Method.PERCENTILE},
            "percentile 0; a number above 0 and up to 100 was expected.",
        ),
        ({"percentile": 99.0}, "--percentile belongs to --method percentile."),
        (
            {
                "memory_budget": 5,
                "bits": "4",
                "inputs": SpikeInput(spikes=np.zeros((1, 9, 1), int)),
            },
            "a budget chooses bits and scales: leave out --bits and --method.",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    network: RealNetwork, options: dict[str, object], message: str
) -> None:
    found = sentence(OptionError, quantize_for_compile, network, SHIPPED["loihi2"], **options)
    assert found == message


def test_bits_are_a_number_or_a_number_for_each_layer() -> None:
    assert parse_bits(" 8 ") == 8
    assert parse_bits("a=8, b = 4") == {"a": 8, "b": 4}
    for wrong in ("", "a", "a=", "a=x", "=4", "a=4,a=5", "4.5", "-4"):
        assert sentence(OptionError, parse_bits, wrong) == (
            f"bits '{wrong}'; a number, or one for each layer was expected, for example 8 or "
            "layer0=8,layer1=4."
        )


def test_sensitivity_is_shown_by_layer_and_bits(cli: Cli, real_net: Path, samples: Path) -> None:
    options = ("--estimate-only", "--sensitivity", "--calibration", samples)
    found = cli("compile", real_net, *options)
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line.split() for line in found.stdout.splitlines() if line.strip()]
    widths = ["8", "6", "5", "4", "3", "2", "1"]
    assert lines[0] == ["output", "spikes", "changed,", "at", "bits", *widths]
    assert lines[2][:2] == ["layer0", "0"]  # compared with 8 bits in every layer
    assert lines[4] == ["predictions", "changed,", "at", "bits", *widths]
    rows = json.loads(cli("compile", real_net, *options, "--json").stdout)["sensitivity"]
    assert [row["output_spikes_changed"] for row in rows[:7]] == [int(n) for n in lines[2][1:]]


def test_sensitivity_needs_samples_and_real_numbers(cli: Cli, real_net: Path, net: Path) -> None:
    found = cli("compile", real_net, "--estimate-only", "--sensitivity")
    assert found.stderr == (
        "error: --sensitivity needs training samples: give --calibration samples.npz.\n"
    )
    found = cli("compile", net, "--estimate-only", "--sensitivity")
    assert found.stderr.startswith("error: the file holds whole numbers already")


def test_accuracy_is_shown_where_samples_have_labels(
    cli: Cli, real_net: Path, samples: Path
) -> None:
    with np.load(samples) as stored:
        np.savez("labelled.npz", spikes=stored["spikes"], labels=np.zeros(20, dtype=np.int64))
    options = ("--estimate-only", "--bits", "4", "--calibration", "labelled.npz")
    shown = cli("compile", real_net, *options).stdout
    assert "\nAccuracy on the 20 calibration samples: " in f"\n{shown}"
    found = json.loads(cli("compile", real_net, *options, "--json").stdout)["calibration_accuracy"]
    assert found["samples"] == 20
    assert 0 <= found["quantized"] <= 1
