"""What the browser's tests share: the browser, and a service over the told story."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from deploy.postgres import Postgres
from tests.browser.viewing import Viewer, launch
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
