"""Chromium against the real system."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from testing.system import System, started

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
SECONDS = 30_000
"""Timeout of every browser action, in milliseconds."""


@dataclass(frozen=True)
class Visitor:
    """Opens pages as a visitor with a given browser configuration."""

    browser: Browser
    url: str

    @contextmanager
    def visiting(self, path: str = "/", *, expects_errors: bool = False, **options: Any) -> Iterator[Page]:
        """Open a page; on exit, its console must hold no errors or warnings unless the test provokes them.

        Args:
            path: Path, with the fragment of the part to open.
            expects_errors: Whether responses that the test provokes show as errors in the console.
            options: Options of Playwright's context, such as the locale; wide and English by default.
        """
        context = self.browser.new_context(**{"base_url": self.url, "locale": "en-GB", "viewport": WIDE, **options})
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if not expects_errors:
            page.on("console", lambda line: troubles.append(line.text) if line.type in ("error", "warning") else None)
        try:
            page.goto(path)
            page.wait_for_selector("#sizes label", state="attached")
            yield page
            assert not troubles, troubles
        finally:
            context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with started(tmp_path_factory.mktemp("store"), {}) as running:
        yield running


@pytest.fixture
def visitor(browser: Browser, system: System) -> Visitor:
    return Visitor(browser, str(system.client.base_url))


def throttled(context: BrowserContext, page: Page) -> None:
    """Throttle a page to a round trip of 400 ms and 100 kB/s."""
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": 100_000, "uploadThroughput": 100_000},
    )
