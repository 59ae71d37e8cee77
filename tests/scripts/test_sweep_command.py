"""``lavadeploy sweep``: one network at several chips, widths and steps."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from process_sessions import members, wait_until

from lavadeploy.hw_profiles import load_profile
from lavadeploy.hw_profiles.writer import save_profile

Cli = Callable[..., subprocess.CompletedProcess[str]]

INTERRUPTED = "interrupted; nothing half-written was left behind.\n"
PATIENCE_S = 30


def sweep(net: Path, spikes: Path, *more: str) -> tuple[str | Path, ...]:
    return ("sweep", net, "--input", spikes, "-o", "sweeps/x", *more)


def test_a_sweep_shows_a_row_a_point_and_writes_its_files(
    cli: Cli, net: Path, spikes: Path
) -> None:
    words = sweep(net, spikes, "--bits", "file,4", "--steps", "3,6", "--profile", "loihi2,ideal")
    found = cli(*words)
    assert (found.returncode, found.stderr) == (0, "")
    lines = [line for line in found.stdout.splitlines() if line.strip()]
    assert lines[0].split()[:4] == ["chip", "bits", "steps", "accuracy"]
    rows = [line.lstrip(" *").split() for line in lines[2:10]]
    assert [row[:3] for row in rows] == [
        [chip, bits, steps]
        for chip in ("loihi2", "ideal")
        for bits in ("file", "4")
        for steps in ("3", "6")
    ]
    # the third sample's spikes come in steps 3 and 5; before, class 0 is taken
    assert [row[3] for row in rows] == ["50.00", "75.00"] * 4
    assert lines[-1] == "Written: sweeps/x"
    written = {path.name for path in Path("sweeps/x").iterdir()}
    assert written == {"points", "sweep.json", "sweep.csv", "sweep.md", "sweep.html"}
    again = cli(*words)
    assert again.stderr == "8 of 8 points are finished already\n"
    assert again.stdout == found.stdout


def test_json_is_the_file_and_nothing_else(cli: Cli, net: Path, spikes: Path) -> None:
    found = cli(*sweep(net, spikes, "--json", "--samples", "3", "--boundary", "board"))
    assert (found.returncode, found.stderr) == (0, "")
    data = json.loads(found.stdout)
    assert data == json.loads(Path("sweeps/x/sweep.json").read_text(encoding="utf-8"))
    (result,) = data["results"]
    assert result["point"] == {"profile": "loihi2", "bits": "file", "steps": 6}
    assert (data["samples"], result["accuracy"], data["boundary"]) == (3, 1.0, "board")


def test_the_command_that_a_sweep_names_finds_all_its_points_finished(
    cli: Cli, net: Path, spikes: Path
) -> None:
    with np.load(spikes) as held:
        np.save("answers.npy", held["labels"])
    shutil.copy(spikes, "it's training.npz")
    save_profile(load_profile("loihi1"), Path("my board.yaml"))
    choices = {
        "--bits": "file, 4",
        "--steps": "3,6",
        "--profile": "loihi2,my board.yaml",
        "--labels": "answers.npy",
        "--samples": "3",
        "--calibration": "it's training.npz",
        "--objective": "spikes",
        "--input-shape": "4",
        "--boundary": "board",
    }
    words = [word for pair in choices.items() for word in pair]
    flags = ("--allow-approximate", "--strict", "--jobs", "1")
    found = cli("sweep", net, "--input", spikes, "-o", "sweeps/a b", *words, *flags)
    assert (found.returncode, found.stderr) == (0, "")
    said = json.loads(Path("sweeps/a b/sweep.json").read_text(encoding="utf-8"))
    assert (said["network"], said["input"]) == (str(net), str(spikes))
    assert (said["labels"], said["calibration"]) == ("answers.npy", "it's training.npz")
    assert said["profiles"] == {"loihi2": "loihi2", "my board": "my board.yaml"}
    program, *repeated = shlex.split(said["command"])
    assert program == "lavadeploy"
    again = cli(*repeated)
    assert again.stderr == "8 of 8 points are finished already\n"
    assert again.stdout == found.stdout
    now = json.loads(Path("sweeps/a b/sweep.json").read_text(encoding="utf-8"))
    assert now | {"created": ""} == said | {"created": ""}


def test_the_command_names_method_and_percentile(cli: Cli, net: Path, spikes: Path) -> None:
    words = ("--bits", "4", "--method", "percentile", "--percentile", "99.5")
    assert cli(*sweep(net, spikes, *words)).returncode == 0
    command = json.loads(Path("sweeps/x/sweep.json").read_text(encoding="utf-8"))["command"]
    assert cli(*shlex.split(command)[1:]).stderr == "1 of 1 points are finished already\n"


def test_failed_points_are_said_below_the_table_and_make_the_exit_code_1(
    cli: Cli, net: Path, spikes: Path
) -> None:
    found = cli(*sweep(net, spikes, "--bits", "file,7", "--steps", "6,8", "--profile", "loihi1"))
    assert (found.returncode, found.stderr) == (1, "")
    lines = found.stdout.splitlines()
    start = lines.index("Failed: loihi1-file-8steps")
    assert lines[start:] == [
        "Failed: loihi1-file-8steps",
        (
            "  8 steps were asked for, and the samples of the input have 6. Ask for fewer, or "
            "encode the input with more."
        ),
        "Failed: loihi1-7bit-6steps, loihi1-7bit-8steps",
        *(
            f"  {layer}: weights of 7 bits were asked for; loihi1 has weights of 1, 2, 3, 4, 5, 6, "
            "8 bits. Ask for 8. [weight_width]"
            for layer in ("layer0", "layer1")
        ),
        "3 of 4 points failed; the same command tries them again.",
        "Written: sweeps/x",
    ]
    assert sum(" loihi1 " in line for line in lines[:start]) == 1


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (
            ("--bits", "4,x"),
            (
                "--bits '4,x'; widths with commas were expected: 4,6,8, or 'file' for whole "
                "numbers as the file has them."
            ),
        ),
        (("--steps", "8,0"), "--steps '8,0'; whole numbers with commas were expected: 8,16,32."),
        (
            ("--profile", "loihi2,lohi1"),
            (
                "unknown profile 'lohi1'; did you mean 'loihi1'? Valid: 'ideal', 'loihi1', "
                "'loihi2', or the path of a YAML file."
            ),
        ),
        (("--profile", ","), "a sweep needs at least one value of profile."),
        (("--jobs", "0"), "0 jobs; at least 1 was expected."),
        (
            ("--jobs", "2", "--scheduler", "tcp://127.0.0.1:9"),
            "--jobs is for processes of this machine; --scheduler has its workers.",
        ),
        (
            ("--method", "calibrated"),
            "the method 'calibrated' needs training samples: give --calibration samples.npz.",
        ),
    ],
)
def test_wrong_options_are_said_before_anything_is_written(
    cli: Cli, net: Path, spikes: Path, more: tuple[str, ...], error: str
) -> None:
    found = cli(*sweep(net, spikes, *more))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"error: {error}\n"
    assert not Path("sweeps").exists()


def test_somebody_elses_folder_is_refused(cli: Cli, net: Path, spikes: Path) -> None:
    Path("sweeps/x").mkdir(parents=True)
    Path("sweeps/x/thesis.tex").touch()
    found = cli(*sweep(net, spikes))
    assert found.returncode == 2
    assert "it exists, is not empty and holds no 'points'" in found.stderr


def test_a_cluster_gives_the_same_table(cli: Cli, net: Path, spikes: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs Dask's distributed")
    words = sweep(net, spikes, "--bits", "file,4")
    here = cli(*words).stdout
    shutil.rmtree("sweeps")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        found = cli(*words, "--scheduler", cluster.scheduler_address)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == here


def test_without_dask_a_scheduler_is_refused_with_the_remedy(
    cli: Cli, net: Path, spikes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    found = cli(*sweep(net, spikes, "--scheduler", "tcp://127.0.0.1:9"))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "error: sweeps on a cluster need Dask's 'distributed': pip install 'lavadeploy[cluster]'.\n"
    )


def points() -> list[Path]:
    return sorted(Path("sweeps/x/points").glob("*.json"))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_an_ended_sweep_leaves_its_finished_points_and_no_process(
    net: Path, cli: Cli, number: signal.Signals, code: int
) -> None:
    np.savez("long.npz", spikes=np.ones((3000, 4, 400), dtype=np.uint8))
    steps = ",".join(str(count) for count in range(350, 400))
    words = sweep(net, Path("long.npz"), "--steps", steps, "--jobs", "2")
    entry = Path(sys.executable).with_name("lavadeploy")
    with subprocess.Popen(
        [str(word) for word in (entry, *words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert wait_until(lambda: len(points()) >= 2, PATIENCE_S)
            if number is signal.SIGINT:  # a terminal sends it to all
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            _, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == code
            assert wait_until(lambda: not members(process.pid), PATIENCE_S), (
                "processes were left behind"
            )
        finally:
            for pid in members(process.pid):
                os.kill(pid, signal.SIGKILL)
    kept = points()
    assert 2 <= len(kept) < 50
    said = f"{len(kept)} of 50 points are finished and kept; the same command goes on after them.\n"
    if number is signal.SIGKILL:  # Python says what it cleans up
        assert "Traceback" not in err
    else:
        assert err == {130: said + INTERRUPTED, 143: said}[code]
    # a grid of what is there needs nobody to run it
    done = ",".join(str(json.loads(p.read_bytes())["outcome"]["point"]["steps"]) for p in kept)
    again = cli(*sweep(net, Path("long.npz"), "--steps", done))
    assert again.stderr == f"{len(kept)} of {len(kept)} points are finished already\n"
    assert again.returncode == 0
