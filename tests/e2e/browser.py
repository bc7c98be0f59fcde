"""A person with a browser in front of a page of the report. Not here: what a page is expected to say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (see pyproject.toml)")
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium on this machine to open the page with")

HOSTILE = "</script><img src=x onerror=document.title='harmed'>"
WIDTHS = (360, 768, 1440)


@contextmanager
def launched() -> Iterator[Any]:
    """The browser of this machine."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Reader:
    """A person with a browser, and what the browser did on the way."""

    def __init__(self, browser: Any, file: Path) -> None:
        self.browser = browser
        self.file = file
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def open(
        self, *, width: int = 1440, scheme: str = "light", address: str = "", today: str | None = "2026-06-30"
    ) -> Any:
        """Open the page on a day (None: now), wait until all is drawn."""
        page = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        if today:
            page.clock.set_fixed_time(f"{today}T08:00:00Z")
        page.goto(self.file.as_uri() + address)
        self.wait(page)
        return page

    @staticmethod
    def wait(page: Any) -> None:
        """Wait until all is drawn."""
        page.wait_for_selector("html[data-drawn=yes]", state="attached", timeout=60_000)

    def select(self, page: Any, **choices: str) -> None:
        """Choose in the page's lists, by their names."""
        for name, value in choices.items():
            page.select_option(f"#{name}", value)
            self.wait(page)

    def first_paints(self, times: int = 5) -> list[float]:
        """Milliseconds to the first paint, again while it takes a second: a busy machine makes any of them long."""
        paints: list[float] = []
        while len(paints) < times and not any(paint < 1000 for paint in paints):
            # A clock that was set measures nothing.
            page = self.open(today=None)
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            page.close()
        return paints
