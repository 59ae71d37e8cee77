"""What is written of a sweep: JSON, CSV, Markdown and a page, all of the same figures."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sweep_cases import STEPS, InlineWorkers, small_plan, write_input, write_network

from lavadeploy.sim import Boundary
from lavadeploy.sim.energy import Estimate
from lavadeploy.sim.energy_text import three_digits
from lavadeploy.sim.sweep import (
    PointFailure,
    SweepPlan,
    SweepReport,
    point_rows,
    report_sweep,
    run_sweep,
    write_report,
)
from lavadeploy.sim.sweep.table import ENERGY_UNITS, common_unit, in_brackets


def report_of(plan: SweepPlan, folder: Path, **options: Boundary) -> SweepReport:
    return report_sweep(plan, run_sweep(plan, folder, InlineWorkers(plan)), **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("x")


@pytest.fixture(scope="module")
def report(folder: Path) -> SweepReport:
    """Eight points that have figures, and four that want more steps than there are."""
    return report_of(small_plan(folder, steps=(4, STEPS, 99)), folder / "x")


def test_results_and_failures_are_told_apart_in_the_plans_order(report: SweepReport) -> None:
    assert [result.point.name for result in report.results] == [
        f"{profile}-{bits}-{steps}steps"
        for profile in ("loihi2", "ideal")
        for bits in ("file", "3bit")
        for steps in (4, STEPS)
    ]
    assert {failure.point.steps for failure in report.failures} == {99}
    assert set(report.front) <= {result.point.name for result in report.results}
    assert report.front


def test_rows_have_one_unit_a_column_and_a_star_for_the_front(report: SweepReport) -> None:
    columns, rows = point_rows(report)
    assert columns[:5] == ("", "chip", "bits", "steps", "accuracy")
    assert re.fullmatch(r"energy, (nJ|µJ)", columns[5])
    assert columns[6:] == ("time, µs", "cores")
    for row, result in zip(rows, report.results, strict=True):
        assert (row[0] == "*") == (result.point.name in report.front)
        assert row[4] == f"{100 * (result.accuracy or 0):.2f} %"
        if result.latency is None:
            assert row[5:7] == ("-", "-")
        else:
            assert row[6].startswith(f"{three_digits(result.latency.nominal)} (")
    longest = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    assert sum(longest) + len(longest) <= 80


def estimate(nominal: float) -> Estimate:
    return Estimate(nominal=nominal, low=0.0, high=2e6, unit="nJ", evidence="inferred")


@pytest.mark.parametrize(
    ("nominals", "unit", "shown"),
    [
        ((999.0, 5e6), "nJ", "999 (0 to 2000000)"),
        ((1000.0, 5e6), "µJ", "1 (0 to 2000)"),
        ((0.0, 2e9), "J", "0 (0 to 0.002)"),
    ],
)
def test_the_unit_is_that_of_the_smallest_number(
    nominals: tuple[float, ...], unit: str, shown: str
) -> None:
    found, factor = common_unit([None, *map(estimate, nominals)], ENERGY_UNITS)
    assert found == unit
    assert in_brackets(estimate(nominals[0]), factor) == shown


def test_no_numbers_have_no_unit() -> None:
    assert common_unit([None], ENERGY_UNITS) == ("", 1.0)
    assert in_brackets(None, 1.0) == "-"


def test_json_and_csv_have_every_figure(report: SweepReport, folder: Path) -> None:
    paths = write_report(report, folder / "x")
    assert [path.name for path in paths] == ["sweep.json", "sweep.csv", "sweep.md", "sweep.html"]
    data = json.loads((folder / "x" / "sweep.json").read_text(encoding="utf-8"))
    assert data["schema"] == 1
    assert data["objectives"] == ["accuracy", "energy", "latency", "cores"]
    with (folder / "x" / "sweep.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == [o.point.name for o in report.outcomes]
    for line, result, said in zip(lines, report.results, data["results"], strict=False):
        energy = report.energy_of(result)
        assert float(line["accuracy"]) == said["accuracy"] == result.accuracy
        assert int(line["in_front"]) == (result.point.name in report.front)
        if energy is None:
            assert line["energy_nj"] == line["latency_us_high"] == ""
            continue
        assert said["energies"]["neurocores"]["low"] == energy.low == float(line["energy_nj_low"])
        assert result.latency is not None
        assert float(line["latency_us_high"]) == result.latency.high == said["latency"]["high"]
    assert {line["error"] for line in lines[-4:]} == {f.sentence for f in report.failures}
    assert lines[-1]["accuracy"] == ""


def markdown(report: SweepReport, folder: Path) -> str:
    write_report(report, folder)
    return (folder / "sweep.md").read_text(encoding="utf-8")


def test_markdown_has_the_table_and_what_failed(report: SweepReport, folder: Path) -> None:
    text = markdown(report, folder / "x")
    columns, rows = point_rows(report)
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert table[0] == "| " + " | ".join(columns) + " |"
    assert len(table) == 1 + len(rows)
    assert sum(line.startswith("| \\* |") for line in table) == len(report.front)
    for failure in report.failures:
        assert f"- {failure.point.name}: {failure.sentence}" in text


def test_markdown_escapes_names_and_sentences(report: SweepReport, folder: Path) -> None:
    point = dataclasses.replace(report.results[0].point, profile="a|b")
    failure = PointFailure(point=point, error="E", sentence="| of *three*\nlines")
    odd = dataclasses.replace(
        report,
        network="n|<b>.net",
        results=(dataclasses.replace(report.results[0], point=point),),
        failures=(failure,),
    )
    text = markdown(odd, folder / "x")
    assert text.startswith("# Sweep of n\\|\\<b\\>.net\n")
    assert f"- a\\|b-{point.name[4:]}: \\| of \\*three\\* lines\n" in text
    (row,) = [line for line in text.splitlines() if "| a\\|b |" in line]
    columns, _ = point_rows(odd)
    assert len(re.findall(r"(?<!\\)\|", row)) == len(columns) + 1


def test_what_repeats_it_is_on_the_page_and_in_markdown(tmp_path: Path) -> None:
    labels = write_input(tmp_path / "train.npz", seed=9)
    np.save(tmp_path / "labels.npy", np.load(labels)["labels"])
    plan = small_plan(
        tmp_path,
        bits=("file", 3),
        profiles=("loihi2",),
        labels=tmp_path / "labels.npy",
        calibration=tmp_path / "train.npz",
    )
    report = report_of(plan, tmp_path / "x")
    rows = dict(re.findall("<tr><td>(.*)</td><td>(.*)</td></tr>", page(report, tmp_path / "x")))
    assert rows["network"] == f"{tmp_path}/net.net, SHA-256 {report.network_sha256}"
    assert rows["input"] == f"{tmp_path}/test.npz, SHA-256 {report.input_sha256}"
    assert rows["labels"] == f"{tmp_path}/labels.npy, SHA-256 {report.labels_sha256}"
    assert rows["calibration samples"] == (
        f"{tmp_path}/train.npz, SHA-256 {report.calibration_sha256}"
    )
    assert (rows["bits"], rows["steps"]) == ("file, 3", f"4, {STEPS}")
    assert rows["profile loihi2"] == f"SHA-256 {report.profile_sha256['loihi2']}"
    assert (rows["method"], rows["energy covers"]) == ("calibrated", "neurocores")
    hashes = (report.network_sha256, report.input_sha256, report.labels_sha256)
    assert len(set(hashes)) == 3
    text = markdown(report, tmp_path / "x")
    assert f"```sh\n{report.command}\n```" in text
    for each in (*hashes, report.calibration_sha256, *report.profile_sha256.values()):
        assert f"`{each[:12]}`" in text


@pytest.mark.parametrize(
    ("bits", "method"), [(("file",), ""), (("file", 3), "least_squares"), ((3,), "least_squares")]
)
def test_a_method_is_named_where_something_is_quantized(
    tmp_path: Path, bits: tuple[int | str, ...], method: str
) -> None:
    report = report_of(small_plan(tmp_path, bits=bits, profiles=("loihi2",)), tmp_path / "x")
    assert report.method == method
    assert f"<td>{method or 'none; weights as stored'}</td>" in page(report, tmp_path / "x")


def test_a_plan_made_in_memory_has_no_command(tmp_path: Path) -> None:
    plan = dataclasses.replace(small_plan(tmp_path, profiles=("loihi2",)), files=None)
    report = report_of(plan, tmp_path / "x")
    assert (report.command, report.network, report.input) == ("", "a network", "an input")
    assert "<pre>" not in page(report, tmp_path / "x")
    assert "```" not in markdown(report, tmp_path / "x")


def test_an_interval_without_a_bound_is_written_everywhere(
    report: SweepReport, folder: Path
) -> None:
    result = report.results[0]
    assert result.latency is not None
    endless = dataclasses.replace(
        result, latency=dataclasses.replace(result.latency, low=0.0, high=math.inf)
    )
    odd = dataclasses.replace(report, results=(endless, *report.results[1:]))
    assert "(0 to any)" in markdown(odd, folder / "x")
    assert "(0 to any)" in page(odd, folder / "x")
    data = json.loads((folder / "x" / "sweep.json").read_text(encoding="utf-8"))
    assert data["results"][0]["latency"]["high"] is None


def page(report: SweepReport, folder: Path) -> str:
    write_report(report, folder)
    return (folder / "sweep.html").read_text(encoding="utf-8")


def test_the_page_holds_all_it_needs(report: SweepReport, folder: Path) -> None:
    text = page(report, folder / "x")
    assert len(text) < 6_000_000
    assert not re.search(r"<(?:link|img|iframe)|<script[^>]+src|@import", text)
    assert "default-src 'none'" in text  # a browser would refuse to fetch anything
    for result in report.results:
        assert f'"{result.point.name}"' in text
    for failure in report.failures:
        assert f"<td>{failure.point.name}</td><td>{failure.sentence}</td>" in text


def test_names_on_the_page_are_text_not_markup(folder: Path) -> None:
    plan = small_plan(folder)
    name = "<script>alert(1)</script>.net"
    outcomes = run_sweep(plan, folder / "x", InlineWorkers(plan))
    report = dataclasses.replace(report_sweep(plan, outcomes), network=name)
    text = page(report, folder / "x")
    assert name not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.net" in text


def test_without_labels_or_joules_the_page_says_which_plots_it_lacks(tmp_path: Path) -> None:
    write_network(tmp_path / "net.net")
    np.savez(tmp_path / "test.npz", spikes=np.ones((2, 6, STEPS), dtype=np.uint8))
    unlabelled = report_of(small_plan(tmp_path), tmp_path / "a")
    assert "The input has no labels, so there is no accuracy to draw." in page(
        unlabelled, tmp_path / "a"
    )
    (tmp_path / "test.npz").unlink()
    countless = report_of(small_plan(tmp_path, profiles=("ideal",)), tmp_path / "b")
    text = page(countless, tmp_path / "b")
    assert "No profile has coefficients for energy or time" in text
    assert re.findall("<h2>Accuracy against (.*)</h2>", text) == ["cores"]


def test_all_points_may_have_failed(tmp_path: Path) -> None:
    report = report_of(small_plan(tmp_path, steps=(99,)), tmp_path / "x")
    text = page(report, tmp_path / "x")
    assert "<h2>Points</h2>" not in text
    assert text.count("99 steps were asked for") == 4


def test_the_boundary_chooses_energies_and_runs_nothing_again(
    report: SweepReport, folder: Path
) -> None:
    plan = small_plan(folder)
    workers = InlineWorkers(plan)
    outcomes = run_sweep(plan, folder / "x", workers)
    assert workers.ran == []
    board = report_sweep(plan, outcomes, boundary=Boundary.BOARD)
    for result in board.results:
        wider, narrower = board.energy_of(result), report.energy_of(result)
        if result.point.profile == "loihi2":
            assert wider is not None
            assert narrower is not None
            assert wider.nominal > narrower.nominal
        else:
            assert wider is narrower is None


def test_bokeh_dask_and_numba_are_loaded_by_those_only_who_need_them() -> None:
    code = (
        "import sys, lavadeploy.scripts.cli; heavy = 'bokeh', 'jinja2', 'dask', 'numba'; "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
