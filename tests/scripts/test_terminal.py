"""What people see on a real terminal of 80 and of 120 columns, through a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import dense
from hdf5_files import edit_hdf5
from rich.cells import cell_len

from lavadeploy.netx import Network, write_netx

Cli = Callable[..., subprocess.CompletedProcess[str]]

ENTRY_POINT = Path(sys.executable).with_name("lavadeploy")
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(width: int, *words: str | Path, json_apart: bool = False) -> tuple[str, str]:
    """Run the command on a terminal; what it shows, and stdout if that goes to a pipe instead."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"} | {"TERM": "xterm"}
    shown = b""
    with subprocess.Popen(
        [str(word) for word in (ENTRY_POINT, *words)],
        stdin=follower,
        stdout=subprocess.PIPE if json_apart else follower,
        stderr=follower,
        env=environment,
    ) as process:
        os.close(follower)
        try:
            while True:
                shown += os.read(leader, 1 << 16)
        except OSError:  # what Linux says when the last writer has gone
            pass
        finally:
            os.close(leader)
        piped = process.stdout.read().decode() if process.stdout else ""
    return shown.decode().replace("\r\n", "\n"), piped


def lines(shown: str) -> list[str]:
    """Lines without colors; what a carriage return overwrites counts as lines of their own."""
    return re.split(r"[\r\n]", STYLE.sub("", shown))


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, []),
        (80, ["run", "--help"]),
        (80, ["doctor"]),
        (80, ["profiles"]),
        (120, ["profiles"]),
        (80, ["profiles", "loihi2"]),
        (120, ["profiles", "loihi2"]),
        (80, ["compile", "net.net", "-o", "again.ldc"]),
        (80, ["run", "net.ldc", "--input", "test.npz", "--backend", "reference"]),
        (120, ["run", "net.ldc", "--input", "test.npz", "--backend", "reference"]),
        (80, ["inspect", "a/folder/of/networks/that/is/not/there/" * 3]),
    ],
)
@pytest.mark.usefixtures("artifact", "spikes")
def test_nothing_is_wider_than_the_terminal(width: int, words: list[str]) -> None:
    shown = lines(on_a_terminal(width, *words)[0])
    assert max(map(len, shown)) > 10
    assert [line for line in shown if cell_len(line.rstrip()) > width] == []


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "net.net"],
        ["inspect", "conv.net"],
        ["inspect", "every.net"],
        ["inspect", "conv.net", "--diff", "net.net"],
        ["inspect", "net.net", "--diff", "every.net"],
    ],
)
def test_a_terminal_shows_every_word_that_a_pipe_gets(
    words: list[str], width: int, net: Path, conv_net: Path, every_net: Path, entry_point: Cli
) -> None:
    shown = STYLE.sub("", on_a_terminal(width, *words)[0])
    assert [line for line in lines(shown) if cell_len(line.rstrip()) > width] == []
    # cells wrap between words, so that lines mix the words of their columns
    assert Counter(re.sub("─+", "", shown).split()) == Counter(
        re.sub("─+", "", entry_point(*words).stdout).split()
    )


@pytest.mark.parametrize("width", [80, 120])
def test_long_names_and_texts_are_broken_and_not_cut(width: int, net: Path) -> None:
    for name, value in (("a.net", "j" * 24), ("b.net", "z" * 24)):
        shutil.copy(net, name)
        edit_hdf5(Path(name), {"q" * 99: value})
    shown = on_a_terminal(width, "inspect", "a.net", "--diff", "b.net")[0]
    # the name stands in the table and in the warning of each file
    assert [shown.count(letter) for letter in "qjz"] == [3 * 99, 24, 24]
    assert max(map(cell_len, lines(STYLE.sub("", shown)))) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_the_widest_numbers_are_broken_and_not_cut(
    width: int, folder: Path, entry_point: Cli
) -> None:
    ends = np.array([-(2**31), 2**31 - 1], dtype=np.int32)
    layer = dense(ends.reshape(2, 1), bias=ends, delay=np.maximum(ends, 0))
    write_netx(Network(layers=(layer,)), folder / "wide.net")
    shown = lines(on_a_terminal(width, "inspect", "wide.net")[0])
    assert max(map(cell_len, shown)) <= width
    piped = entry_point("inspect", "wide.net").stdout
    assert piped.count("-2147483648..2147483647") == 2
    assert piped.count("0..2147483647") == 1
    assert sum(line.count("8") for line in shown) == piped.count("8")


def test_wrapped_source_of_a_number_stays_indented(folder: Path) -> None:
    shown = lines(on_a_terminal(80, "profiles", "loihi2")[0])
    limits = shown[shown.index("limits:") + 1 : shown.index("energy:")]
    heads = ("formats:", "mesh:")
    assert [line for line in limits if line and line not in heads and line[:2] != "  "] == []


@pytest.mark.lava
def test_progress_is_shown_on_the_terminal_and_json_alone_on_stdout(
    artifact: Path, spikes: Path
) -> None:
    run = ("run", artifact, "--input", spikes, "--json")
    shown, piped = on_a_terminal(80, *run, json_apart=True)
    assert "running on lava" in shown
    assert "4/4" in shown
    assert piped.startswith("{\n")
    assert piped.endswith("\n}\n")
    assert max(map(cell_len, lines(shown))) <= 80


@pytest.mark.lava
def test_progress_bar_is_gone_when_the_run_is_done(artifact: Path, spikes: Path) -> None:
    shown, _ = on_a_terminal(80, "run", artifact, "--input", spikes)
    erase = "\x1b[2K"
    after = shown[shown.rindex(erase) + len(erase) :]
    assert after.startswith("4 samples of 6 steps on lava in ")
    assert "━" not in after


def test_no_bar_and_no_colors_go_into_a_pipe(
    entry_point: Cli, artifact: Path, spikes: Path
) -> None:
    found = entry_point("run", artifact, "--input", spikes, "--backend", "reference")
    assert found.stderr == ""
    assert "\x1b" not in found.stdout
    assert "━" not in found.stdout


def test_sentences_in_a_pipe_stay_on_one_line(cli: Cli) -> None:
    deep = Path("a/folder/of/networks/that/is/not/there/" * 3)
    assert cli("inspect", deep).stderr == f"error: '{deep}': no such file.\n"
