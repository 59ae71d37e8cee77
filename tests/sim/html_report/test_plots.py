"""What the plots of a report show, number for number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.palettes import Blues256, Oranges256
from builders import compiled, dense
from saved_runs import CLASSES, HIDDEN, SAMPLES, STEPS, save_small_run

from lavadeploy.sim import SpikeInput, read_spike_log, spike_log_path
from lavadeploy.sim.energy import Estimate
from lavadeploy.sim.html_report import ReportedRun, read_reported_runs
from lavadeploy.sim.html_report.confusion import count_pairs
from lavadeploy.sim.html_report.core_panel import core_panel
from lavadeploy.sim.html_report.energy_plots import axis_decades, energy_panels, interval_plot
from lavadeploy.sim.html_report.raster import raster_panel
from lavadeploy.sim.html_report.raster_events import MOST_ROWS, read_raster
from lavadeploy.sim.html_report.rates import HEIGHT, rates_panel
from lavadeploy.sim.pages.figures import LEGEND_ROW, luminance, shades


@pytest.fixture
def run(tmp_path: Path) -> ReportedRun:
    save_small_run(tmp_path / "run")
    return read_reported_runs([tmp_path / "run"], sample=2)[0]


def columns_of(figure: Any, glyph: int = 0) -> dict[str, Any]:
    return figure.renderers[glyph].data_source.data


def test_raster_holds_every_spike_of_the_sample(run: ReportedRun) -> None:
    (plot,) = raster_panel(run).plots
    log = read_spike_log(spike_log_path(run.folder), samples=range(2, 3))
    for layer in range(2):
        shown, chosen = columns_of(plot.figure, layer), log.layer == layer
        assert np.array_equal(shown["neuron"], log.neuron[chosen])
        assert np.array_equal(shown["step"], log.step[chosen])
        assert np.all(np.abs(shown["y"] - layer) < 0.5)  # within the band of its layer


@pytest.mark.parametrize("budget", [1, 10, 40, 1000])
def test_neurons_that_are_shown_have_all_their_spikes(run: ReportedRun, budget: int) -> None:
    log = read_spike_log(spike_log_path(run.folder), samples=range(2, 3))
    for shown in read_raster(spike_log_path(run.folder), 2, 2 * budget):
        expected = (log.layer == shown.layer) & (log.neuron % shown.stride == 0)
        expected &= log.step < shown.steps
        assert np.array_equal(shown.neuron, log.neuron[expected])
        assert np.array_equal(shown.step, log.step[expected])
        assert shown.neuron.size <= budget
        # steps are cut only where one neuron is left
        assert shown.steps == STEPS or shown.stride == shown.neurons


def test_a_raster_says_which_neurons_and_steps_it_leaves_out(tmp_path: Path) -> None:
    network = compiled(dense(np.full((30, 1), 200), name="many"), dense([[2] * 30], name="one"))
    inputs = SpikeInput(spikes=np.ones((1, 1, 50), dtype=np.uint8))
    summary = save_small_run(tmp_path / "run", network, inputs)
    per_neuron = summary.activity.layers[0].spikes // 30
    (run,) = read_reported_runs([tmp_path / "run"], most_events=2 * (2 * per_neuron))
    assert "Not all neurons are shown: every 15th of many." in raster_panel(run).sentences
    (run,) = read_reported_runs([tmp_path / "run"], most_events=20)
    sentences = raster_panel(run).sentences
    (cut,) = [sentence for sentence in sentences if sentence.startswith("Not all steps")]
    assert f"of many steps 0 to {run.raster[0].steps - 1}" in cut
    assert run.raster[0].neuron.size == 10


def test_large_layers_have_as_many_rows_as_can_be_told_apart(tmp_path: Path) -> None:
    network = compiled(dense(np.full((5 * MOST_ROWS, 2), 200)))
    inputs = SpikeInput(spikes=np.ones((1, 2, 3), dtype=np.uint8))
    save_small_run(tmp_path / "run", network, inputs)
    (run,) = read_reported_runs([tmp_path / "run"])
    assert np.unique(run.raster[0].neuron).tolist() == list(range(0, 5 * MOST_ROWS, 5))


def test_a_layer_has_one_colour_in_all_plots(tmp_path: Path) -> None:
    save_small_run(tmp_path / "run", log="output")
    (run,) = read_reported_runs([tmp_path / "run"])
    raster = raster_panel(run).plots[0].figure
    rates = rates_panel(run).plots[0].figure
    colors = {line.name: line.glyph.line_color for line in rates.renderers}
    assert raster.renderers[0].glyph.fill_color == colors["classes"]


def test_legends_leave_plots_their_height(tmp_path: Path) -> None:
    long_names = [f"backbone.stage3.block{i:02}.conv1.spiking" for i in range(12)]
    layers = [dense([[200]], name=name) for name in long_names]
    inputs = SpikeInput(spikes=np.ones((1, 1, 9), dtype=np.uint8))
    save_small_run(tmp_path / "run", compiled(*layers), inputs)
    (run,) = read_reported_runs([tmp_path / "run"])
    over_time = rates_panel(run).plots[0].figure
    assert over_time.legend[0].ncols == 1
    assert over_time.height == HEIGHT + 12 * LEGEND_ROW


def test_rates_are_means_over_samples(run: ReportedRun) -> None:
    over_time, over_neurons = (plot.figure for plot in rates_panel(run).plots)
    log = read_spike_log(spike_log_path(run.folder))
    dense = log.dense(0)
    active = columns_of(over_time)["active"]
    expected = 100 * np.count_nonzero(dense, axis=(0, 1)) / (SAMPLES * HIDDEN)
    np.testing.assert_allclose(active, expected, rtol=1e-6)
    rates = columns_of(over_neurons)["rate"]
    by_neuron = np.count_nonzero(dense, axis=(0, 2)) / (SAMPLES * STEPS)
    np.testing.assert_allclose(rates, np.sort(by_neuron)[::-1], rtol=1e-6)


def test_confusion_counts_every_pair() -> None:
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 5, (2, 200))
    pairs = count_pairs(labels, predictions)
    assert pairs.count.sum() == 200
    for label, predicted, count, of_label in zip(
        pairs.label, pairs.predicted, pairs.count, pairs.of_label, strict=True
    ):
        assert count == np.count_nonzero((labels == label) & (predictions == predicted))
        assert of_label == np.count_nonzero(labels == label)


def test_confusion_of_many_classes_takes_memory_by_pairs() -> None:
    most = 10**6  # a matrix of all classes would take terabytes
    pairs = count_pairs(np.array([3, most]), np.array([3, 7]))
    assert (pairs.classes, pairs.count.tolist()) == (most + 1, [1, 1])


def test_interval_plot_keeps_low_and_high_and_holds_zero_at_the_border() -> None:
    rows = [
        ("some", Estimate(nominal=20.0, low=5.0, high=300.0, unit="nJ", evidence="inferred")),
        ("none", Estimate(nominal=0.0, low=0.0, high=40.0, unit="nJ", evidence="inferred")),
        ("any", Estimate(nominal=9.0, low=1.0, high=float("inf"), unit="nJ", evidence="inferred")),
    ]
    plot = interval_plot(rows, axis_decades(rows))
    shown = columns_of(plot)
    assert (plot.x_range.start, plot.x_range.end) == (1.0, 1000.0)
    assert shown["low"] == [5.0, 1.0, 1.0]
    assert shown["high"] == [300.0, 40.0, 1000.0]
    assert shown["text"][0] == "20 nJ (5 to 300)"
    assert columns_of(plot, 1)["name"] == ["some", "any"]


def test_terms_of_layers_add_up_to_their_energy(run: ReportedRun) -> None:
    energy = run.summary.energy
    assert energy is not None
    by_layer = energy_panels([run])[0].plots[1].figure
    shown = columns_of(by_layer)
    terms = [name for name in shown if name != "layer"]
    sums = np.sum([shown[name] for name in terms], axis=0)
    np.testing.assert_allclose(sums, [layer.energy.nominal for layer in energy.layers])


def test_core_map_has_every_core_and_the_messages_between(run: ReportedRun) -> None:
    full, traffic = (plot.figure for plot in core_panel(run).plots)
    cells = columns_of(full, 1)
    assert cells["core"] == [core.index for core in run.compiled.placement.cores]
    assert cells["neurons"] == [HIDDEN, CLASSES]
    lines = columns_of(traffic, 2)
    assert len(lines["x0"]) == 1  # from the one core to the other
    assert (lines["x0"][0], lines["y0"][0]) == (cells["x"][0], cells["y"][0])
    assert (lines["x1"][0], lines["y1"][0]) == (cells["x"][1], cells["y"][1])


@pytest.mark.parametrize("palette", [Blues256, Oranges256])
def test_text_can_be_read_on_every_shade(palette: tuple[str, ...]) -> None:
    fill, ink = shades(palette, np.linspace(0, 1, 200))
    for color, text in zip(fill, ink, strict=True):
        assert contrast(color, text) > 4.5


def contrast(a: str, b: str) -> float:
    """Contrast by WCAG 2.1, section 1.4.3."""
    lighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
