"""``lavadeploy report``: a page about runs."""

from __future__ import annotations

import html
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from lavadeploy.sim import load_summary

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def runs(cli: Cli, artifact: Path, spikes: Path) -> tuple[Path, Path]:
    for name, samples in (("a", 4), ("b", 3)):
        options = ("--backend", "reference", "--samples", samples, "-o", f"runs/{name}")
        assert cli("run", artifact, "--input", spikes, *map(str, options)).returncode == 0
    return Path("runs/a"), Path("runs/b")


def test_page_of_one_run_goes_into_its_folder(cli: Cli, runs: tuple[Path, Path]) -> None:
    found = cli("report", runs[0])
    assert (found.returncode, found.stdout) == (0, "Written: runs/a/report.html\n")
    page = Path("runs/a/report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "lavadeploy run runs/a/compiled.ldc --input test.npz --samples 4" in page
    assert cli("compare", runs[0], runs[0]).returncode == 0  # still a run


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--labels", "my labels.npy"),
        ("--log", "layer1", "--record", "layer0.v", "--timeline", "chip"),
    ],
)
def test_the_commands_that_repeat_a_run_do(
    cli: Cli, artifact: Path, spikes: Path, options: tuple[str, ...]
) -> None:
    np.save("my labels.npy", np.array([0, 0, 1, 1]))
    np.save("spikes.npy", np.load(spikes)["spikes"])
    run = ("run", artifact, "--input", "spikes.npy", "--backend", "reference", *options)
    assert cli(*run, "-o", "runs/a b").returncode == 0
    cli("report", "runs/a b")
    page = Path("runs/a b/report.html").read_text(encoding="utf-8")
    listing = html.unescape(page.split("<pre>")[1].split("</pre>")[0])
    repeat, compare = (cli(*shlex.split(line)[1:]) for line in listing.splitlines())
    assert repeat.returncode == 0
    assert compare.stdout.splitlines()[-1].startswith("Equal: ")
    first, again = (load_summary(f"runs/a b{end}") for end in ("", "-again"))
    same = ("accuracy", "labels", "logged", "timeline", "samples", "hashes", "predictions")
    assert [getattr(first, name) for name in same] == [getattr(again, name) for name in same]
    states = [
        sorted(p.name for p in Path(f"runs/a b{end}").glob("states/*")) for end in ("", "-again")
    ]
    assert states[0] == states[1]


def test_several_runs_need_a_file(cli: Cli, runs: tuple[Path, Path]) -> None:
    found = cli("report", *runs)
    assert found.returncode == 2
    assert found.stderr == "error: a report of several runs needs a file: -o report.html.\n"
    found = cli("report", *runs, "-o", "both.html", "--sample", "2")
    assert (found.returncode, found.stdout) == (0, "Written: both.html\n")
    assert "Sample 2, labelled 1" in Path("both.html").read_text(encoding="utf-8")


def test_markdown_is_short_and_on_stdout(cli: Cli, runs: tuple[Path, Path]) -> None:
    found = cli("report", runs[0], "--markdown")
    assert found.returncode == 0
    assert found.stdout == (runs[0] / "report.md").read_text(encoding="utf-8")
    assert not (runs[0] / "report.html").exists()
    found = cli("report", *runs, "--markdown", "-o", "both.md")
    assert found.stdout == "Written: both.md\n"
    lines = Path("both.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "|  | a | b |"
    assert "| samples × steps | 4 × 6 | 3 × 6 |" in lines


def test_json_says_what_was_written(cli: Cli, runs: tuple[Path, Path]) -> None:
    found = json.loads(cli("report", *runs, "-o", "both.html", "--json").stdout)
    assert found == {"runs": ["runs/a", "runs/b"], "written": "both.html", "markdown": None}
    found = json.loads(cli("report", runs[0], "--markdown", "--json").stdout)
    assert found["written"] is None
    assert found["markdown"].splitlines()[0] == "# Run on reference, compiled for loihi2"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("runs/none",), "error: 'runs/none': no such run folder.\n"),
        (("runs/b", "--sample", "3"), "error: sample 3: 'runs/b' has samples 0 to 2; "),
        (("runs/a", "-o", "."), "error: cannot write '.': it is a folder. Name a file.\n"),
    ],
)
def test_what_cannot_be_reported_is_said(
    cli: Cli, runs: tuple[Path, Path], words: tuple[str, ...], sentence: str
) -> None:
    found = cli("report", *words)
    assert found.returncode == 2
    assert found.stderr.startswith(sentence)
    assert len(found.stderr.splitlines()) < 4  # of the words, none of a traceback


def test_bokeh_is_loaded_by_reports_only() -> None:
    code = "import sys, lavadeploy.scripts.cli; sys.exit('bokeh' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
