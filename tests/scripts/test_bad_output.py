"""Results that cannot be written: one sentence, and what was there before is there still."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(cli: Cli, artifact: Path, spikes: Path) -> Run:
    return lambda *more: cli("run", artifact, "--input", spikes, "--backend", "reference", *more)


def names() -> set[str]:
    return {str(path) for path in Path().rglob("*")}


def assert_refused(found: CompletedProcess[str], sentence: str) -> None:
    assert (found.returncode, found.stdout, found.stderr) == (2, "", f"error: {sentence}\n")


def test_artifact_in_a_missing_folder(cli: Cli, net: Path) -> None:
    assert_refused(
        cli("compile", net, "-o", "no/such/net.ldc"),
        "cannot write 'no/such/net.ldc': No such file or directory. Nothing was left behind.",
    )
    assert names() == {"net.net"}


def test_artifact_below_a_file(cli: Cli, net: Path) -> None:
    assert_refused(
        cli("compile", net, "-o", "net.net/x.ldc"),
        "cannot write 'net.net/x.ldc': Not a directory. Nothing was left behind.",
    )
    assert names() == {"net.net"}


def test_artifact_in_the_place_of_a_folder(cli: Cli, net: Path) -> None:
    Path("net.ldc").mkdir()
    assert_refused(
        cli("compile", net, "-o", "net.ldc"),
        "cannot write 'net.ldc': it is a folder. Name a file.",
    )


def test_artifact_in_the_place_of_a_device_leaves_it_a_device(cli: Cli, net: Path) -> None:
    # stands for /dev/null, which root would replace by a file
    os.mkfifo("null")
    found = cli("compile", net, "-o", "null")
    assert_refused(found, "cannot write 'null': it is no ordinary file. Name a file.")
    assert stat.S_ISFIFO(os.stat("null").st_mode)


@pytest.mark.parametrize("command", ["doctor", "profiles", "inspect", "compare"])
def test_json_in_a_missing_folder(cli: Cli, run: Run, net: Path, command: str) -> None:
    run("-o", "x")
    arguments = {"inspect": [net], "compare": ["x", "x"]}.get(command, [])
    assert_refused(
        cli(command, *arguments, "-o", "no/x.json"),
        "cannot write 'no/x.json': No such file or directory. Nothing was left behind.",
    )


def test_name_longer_than_the_system_allows(cli: Cli, net: Path) -> None:
    name = "n" * 300
    found = cli("compile", net, "-o", name)
    assert_refused(found, f"cannot write '{name}': File name too long. Nothing was left behind.")


def test_run_in_missing_folders_makes_them(run: Run) -> None:
    assert run("-o", "runs/of/today/x").returncode == 0
    assert Path("runs/of/today/x/run.json").is_file()


def test_run_below_a_file(run: Run) -> None:
    before = names()
    assert_refused(run("-o", "net.net/x"), "cannot write folder 'net.net/x': 'net.net' is a file.")
    assert names() == before


def test_run_in_the_place_of_a_file(run: Run) -> None:
    before = names()
    assert_refused(
        run("-o", "net.net"), "cannot write folder 'net.net': a file of that name is there."
    )
    assert names() == before


def test_run_in_the_place_of_somebodys_folder(run: Run) -> None:
    Path("thesis").mkdir()
    Path("thesis/chapter1").write_text("dear reader", encoding="utf-8")
    before = names()
    assert_refused(
        run("-o", "thesis"),
        "cannot write folder 'thesis': it exists, is not empty and holds no 'run.json', "
        "so it is not ours to replace. Choose another name.",
    )
    assert names() == before


def test_place_of_a_run_is_looked_at_before_the_run(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_anything: object) -> None:
        pytest.fail("the samples were run for nothing")

    monkeypatch.setattr("lavadeploy.sim.reference.ReferenceBackend.run", never)
    found = run("-o", "net.net")
    assert found.stderr == "error: cannot write folder 'net.net': a file of that name is there.\n"


def test_run_into_an_empty_folder_takes_its_place(run: Run) -> None:
    Path("x").mkdir()
    assert run("-o", "x").returncode == 0
    assert Path("x/run.json").is_file()


@pytest.mark.parametrize("place", [".", "../earlier"])
def test_run_in_the_folder_of_an_earlier_run_loses_nothing(
    run: Run, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    run("-o", "earlier")
    monkeypatch.chdir(folder / "earlier")
    again = ("run", "../net.ldc", "--input", "../test.npz", "--backend", "reference", "-o", place)
    cli(*again)
    kept = {path.name for path in (folder / "earlier").iterdir()}
    assert kept == {
        "activity.npz",
        "compiled.ldc",
        "report.md",
        "run.json",
        "spikes.parquet",
    }


def test_link_to_a_folder_of_runs_is_followed(run: Run) -> None:
    Path("big disk").mkdir()
    Path("runs").symlink_to("big disk")
    assert run("-o", "runs/x").returncode == 0
    assert Path("big disk/x/run.json").is_file()


def test_results_are_readable_as_the_umask_says(run: Run, cli: Cli, net: Path) -> None:
    before = os.umask(0o027)
    try:
        cli("compile", net, "-o", "net.ldc")
        run("-o", "x")
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE(os.stat(name).st_mode) for name in ("net.ldc", "x", "x/run.json")}
    assert modes == {"net.ldc": 0o640, "x": 0o750, "x/run.json": 0o640}
