"""The page in headless Chromium: drawn, in light and dark, and nothing fetched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sweep_cases import InlineWorkers, small_plan

from lavadeploy.sim.sweep import report_sweep, run_sweep, write_report

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_are_drawn_and_nothing_is_fetched(tmp_path: Path, scheme: str) -> None:
    sync_api: Any = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    plan = small_plan(tmp_path)
    report = report_sweep(plan, run_sweep(plan, tmp_path / "x", InlineWorkers(plan)))
    write_report(report, tmp_path / "x")
    fetched: list[str] = []
    complaints: list[str] = []

    def fetch(request: Any) -> None:
        fetched.append(request.url)

    def complain(error: object) -> None:
        complaints.append(str(error))

    def listen(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_context(color_scheme=scheme).new_page()
        shown.on("request", fetch)
        shown.on("pageerror", complain)
        shown.on("console", listen)
        shown.goto((tmp_path / "x" / "sweep.html").as_uri())
        shown.wait_for_function("Bokeh.documents.length == 1 && Bokeh.documents[0].is_idle")
        canvases = shown.locator("canvas").count()
        background = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    assert canvases >= 2
    assert complaints == []
    assert [url for url in fetched if not url.startswith(("file:", "data:", "blob:"))] == []
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]
