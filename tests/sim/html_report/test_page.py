"""The page of a report: whole, by itself, and small enough."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from builders import compiled, dense
from saved_runs import (
    CLASSES,
    HIDDEN,
    INPUTS,
    SAMPLES,
    STEPS,
    classifier,
    labelled_input,
    save_small_run,
)

from lavadeploy.netx import OptionError, OutputError, RunFolderError
from lavadeploy.sim import SpikeInput
from lavadeploy.sim.html_report import html_report, read_reported_runs, write_html_report
from lavadeploy.sim.html_report import page as page_module

SECTIONS = (
    "What was run",
    "Accuracy",
    "Layers",
    "Spikes",
    "Activity and sparsity",
    "Energy and time, estimated",
    "Cores and traffic",
    "What quantization lost",
    "Warnings",
    "To repeat it",
)


class Page(HTMLParser):
    """Tags, titles and cells of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.titles: list[str] = []
        self.cells: list[str] = []
        self.tags: list[str] = []
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside == "h2":
            self.titles.append(data)
        elif inside in ("td", "th", "h3", "p", "li", "pre", "figcaption", "h1"):
            self.cells.append(data)


def page_of(*folders: Path) -> Page:
    return Page(html_report(read_reported_runs(folders)))


def has_cells(page: Page, cells: Sequence[str]) -> bool:
    """Tell whether cells stand beside each other."""
    found = page.cells
    return any(found[i : i + len(cells)] == list(cells) for i in range(len(found)))


def test_page_has_every_section_and_asks_for_nothing_outside(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run")
    page = page_of(tmp_path / "run")
    assert tuple(page.titles) == SECTIONS
    assert all(link.startswith("#") for link in page.links)
    assert "link" not in page.tags
    assert "iframe" not in page.tags


def test_tables_hold_the_figures_of_the_run(tmp_path: Path) -> None:
    summary = save_small_run(tmp_path / "run")
    page = page_of(tmp_path / "run")
    for layer in summary.activity.layers:
        row = (layer.name, "dense", str(layer.neurons), str(layer.spikes))
        assert has_cells(page, row)
    assert has_cells(page, ("samples × steps", f"{SAMPLES} × {STEPS}"))
    assert has_cells(page, ("artifact", summary.hashes["artifact"]))
    assert has_cells(page, ("seed", "3"))
    assert summary.accuracy is not None
    assert any(f"{100 * summary.accuracy:.2f} %" in cell for cell in page.cells)


def test_several_runs_stand_side_by_side(tmp_path: Path) -> None:
    save_small_run(tmp_path / "a")
    save_small_run(tmp_path / "b", classifier("loihi1"))
    page = page_of(tmp_path / "a", tmp_path / "b")
    assert has_cells(page, ("a", "b"))
    assert has_cells(page, ("compiled for", "loihi2", "loihi1"))
    # a panel each in all sections but the first
    assert [cell for cell in page.cells if cell in ("a", "b")].count("a") >= len(SECTIONS)


def test_chip_without_coefficients_and_mesh_has_neither_joules_nor_map(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run", classifier("ideal"))
    page = page_of(tmp_path / "run")
    assert any("has no coefficients, so none are given" in cell for cell in page.cells)
    assert any(cell.endswith("says nothing of where cores lie: no map.") for cell in page.cells)
    assert not any("Utilization" in cell for cell in page.cells)


def test_run_without_labels_has_no_accuracy(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run", inputs=labelled_input(with_labels=False))
    page = page_of(tmp_path / "run")
    assert tuple(page.titles) == tuple(title for title in SECTIONS if title != "Accuracy")


@pytest.mark.parametrize("log", ["none", "output"])
def test_layers_that_were_not_logged_are_named(tmp_path: Path, log: str) -> None:
    save_small_run(tmp_path / "run", log=log)
    page = page_of(tmp_path / "run")
    missing = "hidden, classes" if log == "none" else "hidden"
    assert f"Not in the log: {missing}." in page.cells
    assert has_cells(page, ("hidden", str(HIDDEN)))  # counted all the same
    assert not any(cell.startswith("Lines: ") for cell in page.cells)


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    name = "</script><b>&amp;'\""
    save_small_run(tmp_path / "run", classifier(name=name))
    text = html_report(read_reported_runs([tmp_path / "run"]))
    page = Page(text)
    assert "b" not in page.tags
    assert tuple(page.titles) == SECTIONS
    assert any(cell == name for cell in page.cells)
    # nothing but our own scripts ends: the library, the plots, the printing
    assert len(re.findall("</script>", text)) == 3


def test_a_large_run_stays_below_six_megabytes(tmp_path: Path) -> None:
    neurons, steps = 6000, 400
    network = compiled(
        dense(np.full((neurons, 2), 200), name="large"), dense(np.full((2, neurons), 2), name="out")
    )
    inputs = SpikeInput(spikes=np.ones((1, 2, steps), dtype=np.uint8))
    summary = save_small_run(tmp_path / "run", network, inputs)
    assert summary.activity.layers[0].spikes > 1_000_000
    path = tmp_path / "report.html"
    write_html_report(read_reported_runs([tmp_path / "run"]), path)
    assert path.stat().st_size < 6_000_000


def test_too_many_runs_are_refused_with_the_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_small_run(tmp_path / "run")
    monkeypatch.setattr(page_module, "MOST_BYTES", 1_000_000)
    with pytest.raises(OutputError, match=r"takes 1\.\d MB; .* is 1 MB"):
        write_html_report(read_reported_runs([tmp_path / "run"]), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_runs_are_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    for folder in ("a/run", "b/run", "c/last"):
        save_small_run(tmp_path / folder)
    folders = [tmp_path / "a/run", tmp_path / "b/run", tmp_path / "c/last"]
    assert [run.name for run in read_reported_runs(folders)] == ["a/run", "b/run", "c/last"]
    assert [run.name for run in read_reported_runs(folders[1:])] == ["run", "last"]


def test_spikes_of_neurons_are_those_of_all_samples(tmp_path: Path) -> None:
    summary = save_small_run(tmp_path / "run")
    (run,) = read_reported_runs([tmp_path / "run"], sample=SAMPLES - 1)
    sizes = {name: spikes.size for name, spikes in run.neuron_spikes.items()}
    assert sizes == {"hidden": HIDDEN, "classes": CLASSES}
    for layer in summary.activity.layers:
        assert int(run.neuron_spikes[layer.name].sum()) == layer.spikes
    assert run.sample == SAMPLES - 1


def test_impossible_reports_say_why(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run")
    run = tmp_path / "run"
    with pytest.raises(OptionError, match="no run to report"):
        read_reported_runs([])
    with pytest.raises(OptionError, match="given twice"):
        read_reported_runs([run, tmp_path / "x" / ".." / "run"])
    with pytest.raises(OptionError, match=f"has samples 0 to {SAMPLES - 1}"):
        read_reported_runs([run], sample=SAMPLES)
    (run / "compiled.ldc").unlink()
    with pytest.raises(RunFolderError, match=r"compiled\.ldc is missing"):
        read_reported_runs([run])


def test_odd_runs_have_a_page(tmp_path: Path) -> None:
    silent = SpikeInput(spikes=np.zeros((2, INPUTS, STEPS), dtype=np.uint8))
    one_neuron = compiled(dense([[0, 0]], name="one"))
    cases = {
        "silent": (classifier(), silent),
        "one": (one_neuron, SpikeInput(spikes=np.ones((1, 2, 1), dtype=np.uint8))),
        "ideal": (classifier("ideal"), silent),
    }
    for name, (network, inputs) in cases.items():
        save_small_run(tmp_path / name, network, inputs)
        assert page_of(tmp_path / name).titles


def test_a_run_without_any_plot_has_a_page(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run", classifier("ideal"), labelled_input(with_labels=False), "none")
    (tmp_path / "run" / "activity.npz").unlink()
    page = page_of(tmp_path / "run")
    assert "figure" not in page.tags
    assert "To repeat it" in page.titles
