"""The page in headless Chromium: ``python -m pytest -m browser``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser_pages import chromium, opened
from playwright.sync_api import Browser
from sweep_cases import InlineWorkers, small_plan

from lavadeploy.sim.sweep import SweepReport, report_sweep, run_sweep, write_report

pytestmark = pytest.mark.browser
__all__ = ["chromium"]  # the fixture `browser`
# The points of each plot that lie inside its frame, where the browser draws them.
DRAWN_POINTS = """() => Bokeh.documents[0].roots().map(plot => {
    const view = Bokeh.index.get_one(plot), frame = view.frame.bbox, names = [];
    for (const renderer of plot.renderers.filter(r => r.glyph.type == "Scatter")) {
        const {sx, sy} = view.views.get_one(renderer).glyph;
        const said = [...renderer.data_source.get("name")];
        said.forEach((name, i) => {
            const [x, y] = [sx[i] / frame.width, sy[i] / frame.height];
            const inside = x >= 0 && x <= 1 && y >= 0 && y <= 1;
            if (inside && renderer.visible) names.push(name);
        });
    }
    return {height: frame.height, names: [...new Set(names)].sort()};
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def report(folder: Path) -> SweepReport:
    plan = small_plan(folder)
    report = report_sweep(plan, run_sweep(plan, folder / "x", InlineWorkers(plan)))
    write_report(report, folder / "x")
    return report


def test_every_point_is_drawn_inside_the_frame_of_every_plot_that_can_have_it(
    browser: Browser, folder: Path, report: SweepReport
) -> None:
    complaints: list[str] = []
    plots = opened(browser, folder / "x" / "sweep.html", complaints).evaluate(DRAWN_POINTS)
    with_joules = sorted(
        result.point.name for result in report.results if result.point.profile == "loihi2"
    )
    everything = sorted(result.point.name for result in report.results)
    assert (len(with_joules), len(everything)) == (4, 8)
    assert complaints == []
    assert [plot["names"] for plot in plots] == [with_joules, with_joules, everything]
    assert all(plot["height"] > 250 for plot in plots)


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 22, 26)")]
)
@pytest.mark.usefixtures("report")
def test_the_page_follows_the_scheme_and_paper_is_white(
    browser: Browser, folder: Path, scheme: Any, background: str
) -> None:
    complaints: list[str] = []
    page = opened(browser, folder / "x" / "sweep.html", complaints, color_scheme=scheme)
    color = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(color) == background
    page.emulate_media(media="print", color_scheme=scheme)
    assert page.evaluate(color) == "rgb(255, 255, 255)"
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.usefixtures("report")
def test_the_page_is_never_wider_than_its_window(
    browser: Browser, folder: Path, width: int
) -> None:
    complaints: list[str] = []
    page = opened(
        browser, folder / "x" / "sweep.html", complaints, viewport={"width": width, "height": 800}
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
