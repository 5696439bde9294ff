"""A real browser before a service, and what its console says."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserType, Page, ViewportSize

from tests.labels.story import Story

PHONE: ViewportSize = {"width": 375, "height": 760}
DESK: ViewportSize = {"width": 1100, "height": 900}
_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(chromium: BrowserType, *more: str) -> Browser:
    """Debian's Chromium."""
    return chromium.launch(executable_path="/usr/bin/chromium", args=[*_ARGS, *more])


@dataclass
class Shown:
    """A page in the browser, and what its console said."""

    page: Page
    console: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """What a part of the page says."""
        return self.page.inner_text(selector)


def open_page(browser: Browser, address: str, *, viewport: ViewportSize = PHONE, scheme: Any = "light") -> Shown:
    """Load whatever stands at an address."""
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    shown = Shown(page)
    page.on("console", lambda message: shown.console.append(message.text))
    page.on("pageerror", lambda error: shown.console.append(str(error)))
    page.goto(address)
    return shown


@dataclass
class Viewer:
    """A browser before a service."""

    browser: Browser
    address: str

    def open(self, path: str, *, viewport: ViewportSize = PHONE, scheme: Any = "light") -> Shown:
        """Load a page, without scripts being any different from with."""
        return open_page(self.browser, self.address + path, viewport=viewport, scheme=scheme)


def good(story: Story) -> str:
    """The path of a label's page."""
    return f"{story.labels[0].path}?s={story.labels[0].digits}"
