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
from lavadeploy.sim.html_report.confusion import confusion_counts
from lavadeploy.sim.html_report.core_panel import core_panel
from lavadeploy.sim.html_report.energy_plots import axis_decades, energy_panels, interval_plot
from lavadeploy.sim.html_report.raster import MOST_ROWS, raster_panel
from lavadeploy.sim.html_report.rates import rates_panel
from lavadeploy.sim.pages.figures import luminance, shades


@pytest.fixture
def run(tmp_path: Path) -> ReportedRun:
    save_small_run(tmp_path / "run")
    return read_reported_runs([tmp_path / "run"], sample=2)[0]


def columns_of(figure: Any, glyph: int = 0) -> dict[str, Any]:
    return figure.renderers[glyph].data_source.data


def test_raster_holds_every_spike_of_the_sample(run: ReportedRun) -> None:
    (plot,) = raster_panel(run, most_events=10_000).plots
    log = read_spike_log(spike_log_path(run.folder), samples=range(2, 3))
    for layer in range(2):
        shown, chosen = columns_of(plot.figure, layer), log.layer == layer
        assert np.array_equal(shown["neuron"], log.neuron[chosen])
        assert np.array_equal(shown["step"], log.step[chosen])
        assert np.all(np.abs(shown["y"] - layer) < 0.5)  # within the band of its layer


def test_raster_of_many_spikes_shows_every_kth_neuron_and_says_so(run: ReportedRun) -> None:
    few = 20
    panel = raster_panel(run, most_events=2 * few)
    shown = columns_of(panel.plots[0].figure)["neuron"]
    (said,) = [text for text in panel.sentences if text.startswith("Of large layers")]
    stride = int("".join(c for c in said.split(" of hidden")[0].split("every ")[-1] if c.isdigit()))
    assert stride > 1
    assert all(int(neuron) % stride == 0 for neuron in shown)
    assert len(shown) <= 2 * few


def test_large_layers_have_as_many_rows_as_can_be_told_apart(tmp_path: Path) -> None:
    network = compiled(dense(np.full((5 * MOST_ROWS, 2), 200)))
    inputs = SpikeInput(spikes=np.ones((1, 2, 3), dtype=np.uint8))
    save_small_run(tmp_path / "run", network, inputs)
    (run,) = read_reported_runs([tmp_path / "run"])
    shown = columns_of(raster_panel(run, most_events=10_000).plots[0].figure)["neuron"]
    assert np.unique(shown).tolist() == list(range(0, 5 * MOST_ROWS, 5))


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
    found = confusion_counts(labels, predictions)
    for label in range(5):
        for predicted in range(5):
            pairs = np.count_nonzero((labels == label) & (predictions == predicted))
            assert found[label, predicted] == pairs


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
