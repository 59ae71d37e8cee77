"""The installed command, as a user starts it: each sub-command once, and what goes wrong early."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]

COMMANDS = (
    "doctor",
    "profiles",
    "inspect",
    "compile",
    "diff",
    "estimate",
    "run",
    "sweep",
    "report",
    "compare",
    "convert-log",
    "calibrate",
)


def test_network_goes_all_the_way_through_the_real_commands(
    entry_point: Cli, net: Path, spikes: Path
) -> None:
    assert entry_point("doctor").returncode == 0
    assert "loihi2" in entry_point("profiles").stdout
    assert "5 neurons, 18 weights." in entry_point("inspect", net).stdout
    compiled = entry_point("compile", net, "--profile", "loihi2", "-o", "net.ldc")
    assert compiled.stdout.endswith("\nWritten: net.ldc\n")
    run = ("run", "net.ldc", "--input", spikes, "--backend", "reference", "-o")
    first, second = entry_point(*run, "runs/a"), entry_point(*run, "runs/b")
    assert (first.returncode, second.returncode) == (0, 0)
    same = entry_point("compare", "runs/a", "runs/b")
    assert (same.returncode, same.stdout, same.stderr) == (0, "Equal: all 12 spikes.\n", "")


@pytest.mark.lava
def test_default_backend_is_lava_and_equals_the_reference(
    entry_point: Cli, artifact: Path, spikes: Path
) -> None:
    on_lava = entry_point(
        "run", artifact, "--input", spikes, "--record", "all", "-o", "a", "--json"
    )
    assert (on_lava.returncode, on_lava.stderr) == (0, "")
    assert json.loads(on_lava.stdout)["backend"] == "lava"
    on_reference = ("--backend", "reference", "--record", "all", "-o", "b")
    assert entry_point("run", artifact, "--input", spikes, *on_reference).returncode == 0
    same = entry_point("compare", "a", "b")
    assert same.stdout == "Equal: all 12 spikes and all states.\n"


def test_json_is_all_there_is_on_stdout(entry_point: Cli, artifact: Path, spikes: Path) -> None:
    run = ("run", artifact, "--input", spikes, "--backend", "reference", "-o", "x", "--json")
    found = entry_point(*run)
    assert (found.returncode, found.stderr) == (0, "")
    assert json.loads(found.stdout)["accuracy"] == 0.75


def test_without_arguments_the_help_is_shown_and_exit_code_is_2(entry_point: Cli) -> None:
    found = entry_point()
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("Usage: lavadeploy [OPTIONS] COMMAND [ARGS]...\n")
    listed = [line.split()[0] for line in found.stderr.split("Commands:\n")[1].splitlines()]
    assert tuple(listed) == COMMANDS


def test_help_is_asked_for_and_goes_to_stdout(cli: Cli) -> None:
    found = cli("--help")
    assert (found.returncode, found.stderr) == (0, "")
    assert "Exit codes: 0 good, 1 a comparison or check did not hold, 2 bad input" in found.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_for_each_of_its_parameters(cli: Cli, command: str) -> None:
    found = cli(command, "--help")
    assert (found.returncode, found.stderr) == (0, "")
    assert "--json" in found.stdout
    parameters = [line for line in found.stdout.splitlines() if line.startswith("  -")]
    # rich_markup_mode is off: help stands behind the name, or alone on the next line
    rest = found.stdout.splitlines()
    for line in parameters:
        following = rest[rest.index(line) + 1] if rest.index(line) + 1 < len(rest) else ""
        assert "  " in line.strip() or following.startswith(" " * 20), line


@pytest.mark.parametrize(
    ("arguments", "command", "error"),
    [
        (["foo"], "lavadeploy", "No such command 'foo'."),
        (["run", "net.ldc"], "lavadeploy run", "Missing option '--input'."),
        (["compile"], "lavadeploy compile", "Missing argument 'network'."),
        (["inspect"], "lavadeploy inspect", "Missing argument 'network'."),
        (["doctor", "--colour"], "lavadeploy doctor", "No such option: --colour"),
    ],
)
def test_wrong_usage_is_said_in_one_sentence(
    entry_point: Cli, arguments: list[str], command: str, error: str
) -> None:
    found = entry_point(*arguments)
    assert (found.returncode, found.stdout) == (2, "")
    usage, hint, blank, sentence = found.stderr.splitlines()
    assert usage.startswith(f"Usage: {command} [OPTIONS]")
    assert (hint, blank) == (f"Try '{command} --help' for help.", "")
    assert sentence == f"Error: {error}"


def test_bad_input_ends_the_real_command_with_one_sentence_and_exit_code_2(
    entry_point: Cli, folder: Path
) -> None:
    found = entry_point("inspect", "nope.net")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "error: 'nope.net': no such file.\n"


def test_module_of_the_command_line_can_be_started_too(spawn: Cli) -> None:
    found = spawn(sys.executable, "-m", "lavadeploy.scripts.cli", "profiles", "--json")
    assert (found.returncode, found.stderr) == (0, "")
    assert sorted(json.loads(found.stdout)) == ["ideal", "loihi1", "loihi2"]


def test_reader_that_stops_reading_causes_no_traceback(spawn: Cli) -> None:
    entry = Path(sys.executable).with_name("lavadeploy")
    found = spawn("bash", "-c", f"'{entry}' profiles loihi2 --json | head -n 1")
    assert (found.stdout, found.stderr) == ("{\n", "")


def test_sentences_need_no_utf8_terminal(entry_point: Cli, artifact: Path, spikes: Path) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    run = ("run", artifact, "--input", spikes, "--backend", "reference")
    found = entry_point(*run, env=ascii_only)
    assert "Traceback" not in found.stderr
    assert found.returncode == 0
