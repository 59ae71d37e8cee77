"""Pages in headless Chromium, for tests marked ``browser``."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="module", name="browser")
def chromium() -> Generator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no Chromium here; install Debian's package 'chromium'"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Browser, path: Path, complaints: list[str], **options: Any) -> Page:
    """Open a page without a network; what goes wrong is added to `complaints`."""
    page = browser.new_context(offline=True, **options).new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle")
    return page
