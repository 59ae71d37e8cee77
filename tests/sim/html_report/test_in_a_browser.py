"""Reports in headless Chromium: ``python -m pytest -m browser``."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser_pages import chromium, opened
from playwright.sync_api import Browser
from saved_runs import classifier, save_small_run

from lavadeploy.sim.html_report import read_reported_runs, write_html_report

pytestmark = pytest.mark.browser
__all__ = ["chromium"]  # the fixture `browser`
FRAMES = """() => {
    const views = [...Bokeh.index].flatMap(view => [view, ...view.child_views ?? []]);
    return views.filter(view => view.frame).map(view => view.frame.bbox.height);
}"""
PLOTS = 9  # of a run with labels on a chip with coefficients


@pytest.fixture
def report(tmp_path: Path) -> Path:
    save_small_run(tmp_path / "a")
    save_small_run(tmp_path / "b", classifier("loihi1"))
    path = tmp_path / "report.html"
    write_html_report(read_reported_runs([tmp_path / "a", tmp_path / "b"]), path)
    return path


def test_all_plots_are_drawn_without_a_complaint(browser: Browser, report: Path) -> None:
    complaints: list[str] = []
    page = opened(browser, report, complaints)
    assert complaints == []
    # and energy and time of both, beside each other
    assert page.locator("figure").count() == 2 * PLOTS + 2
    heights = page.evaluate(FRAMES)
    assert len(heights) == 2 * PLOTS + 2
    assert min(heights) > 50
    left, right = (page.locator("#energy article").nth(i).bounding_box() for i in (0, 1))
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_page_is_never_wider_than_its_window(browser: Browser, report: Path, width: int) -> None:
    complaints: list[str] = []
    page = opened(browser, report, complaints, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


def test_dark_mode_is_dark_and_paper_is_white(browser: Browser, report: Path) -> None:
    complaints: list[str] = []
    page = opened(browser, report, complaints, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(20, 22, 26)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    widths = page.locator("figure").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert max(widths) <= 680  # of A4 at 96 dots an inch, less margins
    assert complaints == []


def test_raster_zooms_to_a_box_that_is_drawn(browser: Browser, report: Path) -> None:
    complaints: list[str] = []
    page = opened(browser, report, complaints, viewport={"width": 1400, "height": 900})
    title = "Spikes by step, layers above each other"
    figure = page.locator("figure", has_text=title).first
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    assert box is not None
    ranges = """() => {
        const all = [...Bokeh.documents[0]._all_models.values()];
        return all.filter(m => m.type == "Range1d").map(m => [m.start, m.end]);
    }"""
    before = page.evaluate(ranges)
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 160, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    after = page.evaluate(ranges)
    changed = [(b, a) for b, a in zip(before, after, strict=True) if a != b]
    assert len(changed) == 2  # steps and neurons
    for (start, end), (new_start, new_end) in changed:
        assert abs(new_end - new_start) < abs(end - start)
    assert complaints == []
