"""What the browser's tests share: the browser, and a service over the told story."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

import tallystick
from deploy.postgres import Postgres
from tests.browser.checking import ready
from tests.browser.parts import parts
from tests.browser.viewing import Shown, Viewer, launch, open_page
from tests.labels.serving import served
from tests.labels.story import Story, telling


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What starts browsers. It runs an event loop in this thread: no test of other modules shall find that."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, for all tests of a module."""
    browser = launch(playwright.chromium)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def story(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The demo's story, told to the end; no test changes it."""
    with telling(postgres_server, "story_for_browser", tmp_path_factory.mktemp("story")) as told:
        yield told


@pytest.fixture(scope="module")
def viewer(browser: Browser, story: Story) -> Iterator[Viewer]:
    """The browser before a service over the story."""
    with served(story.world.folder.path.parent, story.world.dsn) as address:
        yield Viewer(browser, address)


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """The page's modules in the browser."""
    with parts(browser) as page:
        yield page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as one file on a disk, as the command writes it."""
    path = tmp_path_factory.mktemp("disk") / "verify.html"
    assert tallystick.run(["labels", "verify-page", "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def from_disk(browser: Browser, file: Path) -> Iterator[Shown]:
    """The page opened from a disk, for `reports`."""
    shown = ready(open_page(browser, file.as_uri()))
    yield shown
    assert shown.console == []
    shown.page.close()
