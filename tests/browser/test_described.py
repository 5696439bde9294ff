"""A described product's page in a real browser: its picture, its links, and a recall at a glance."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from deploy import jar
from labels.catalogue import pictures
from labels.catalogue.picture import prepare
from ledger.database import connect
from tests.browser.viewing import DESK, PHONE, Viewer, good
from tests.labels.pages.test_described import LINK, product, recall
from tests.labels.serving import served
from tests.labels.story import GTIN, LOT, Story, make_story

EVIL = "\"'><script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"


@pytest.fixture(scope="module")
def described(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A lot of honey with a picture, and one that is recalled."""
    dsn = postgres_server.create_database("described_in_browser")
    made = make_story(dsn, tmp_path_factory.mktemp("described") / "ledger", count=2)
    picture = prepare(jar.png())
    with connect(dsn) as connection:
        pictures.keep(connection, picture)
    made.world.operator_says(
        product(name="Honey", text="From the hills.", picture=picture.sha256, links=[LINK]),
        product(serial=made.link(1).serial, name=EVIL[:120], text=EVIL, links=[{**LINK, "title": EVIL[:120]}]),
        recall(serial=made.link(1).serial, advice=EVIL),
    )
    yield made
    made.world.close()
    postgres_server.drop_database("described_in_browser")


@pytest.fixture(scope="module")
def viewer(browser: Browser, described: Story) -> Iterator[Viewer]:
    """The browser before a service over it."""
    with served(described.world.folder.path.parent, described.world.dsn) as address:
        yield Viewer(browser, address)


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_the_picture_is_seen_and_links_say_where_they_lead(
    viewer: Viewer, described: Story, viewport: ViewportSize
) -> None:
    """It comes from here, under the page's own policy; nothing is cut off, and the console is silent."""
    shown = viewer.open(good(described), viewport=viewport)
    assert shown.page.evaluate("document.querySelector('.picture').naturalWidth") == 800
    box = shown.page.locator(".picture").bounding_box()
    assert box is not None and box["width"] >= 100 and box["y"] < viewport["height"]
    assert shown.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    link = shown.page.get_by_role("link", name="Our honey")
    assert link.get_attribute("href") == LINK["href"] and "noreferrer" in (link.get_attribute("rel") or "")
    assert "example.com" in shown.text(".links") and "About this product" in shown.text("#product")
    assert shown.console == []
    shown.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_recall_is_seen_at_a_glance_and_markup_in_it_stays_text(
    viewer: Viewer, described: Story, viewport: ViewportSize, scheme: str
) -> None:
    """In the first words, in red; that the label is genuine is said below; hostile words run and load nothing."""
    shown = viewer.open(f"{described.labels[1].path}?s={described.labels[1].digits}", viewport=viewport, scheme=scheme)
    box = shown.page.locator("h1").bounding_box()
    assert shown.text("h1") == "Recalled: do not use" and box is not None and box["y"] + box["height"] < 300
    red, green, blue = shown.page.eval_on_selector(
        "h1", "e => getComputedStyle(e).color.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert red > green + 60 and red > blue + 60
    told = shown.text("#verdict")
    assert "glass in it" in told and "Genuine label" in told and "<script>document.title" in told
    assert shown.page.evaluate("document.scripts.length") == 0 and shown.page.locator("main img").count() == 1
    assert shown.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert shown.page.title().startswith("Recalled: do not use") and shown.console == []
    shown.page.close()


def test_a_products_page_leads_to_what_is_recalled_of_it(viewer: Viewer, described: Story) -> None:
    """By its serial, or its lot."""
    shown = viewer.open(f"/01/{GTIN}")
    shown.page.get_by_role("link", name=f"serial {described.link(1).serial}").click()
    assert shown.text("h1") == "Recalled: do not use" and LOT not in shown.text("#verdict")
    shown.page.close()
