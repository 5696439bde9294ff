"""The product page in a real browser, as a customer's phone and a customs officer's desk show it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from labels.listed import StoredLabel
from labels.printing.files import write_overview
from labels.printing.outlet import Numbered
from labels.printing.renderers import Job, LotFace, Pictures
from ledger.database import connect
from tests.browser.viewing import DESK, PHONE, Shown, Viewer, good
from tests.labels.serving import served
from tests.labels.story import GTIN, LOT, Story, make_story, public_event

EVIL = "\"'><script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"


def test_printed_labels_lead_to_their_genuine_pages(viewer: Viewer, story: Story, tmp_path: Path) -> None:
    """The folder's page shows every picture, with the whole link to its page here beside it; also on a phone."""
    lot_face = LotFace("id.example.com", LOT, EVIL)
    labels = [Numbered(n + 1, StoredLabel(label, b"", n)) for n, label in enumerate(story.labels)]
    for part in Pictures(lot_face).draw(Job(tuple(labels))).parts:
        (tmp_path / part.name).write_bytes(part.data)
    file = write_overview(labels, lot_face, tmp_path, gtin=GTIN, address=viewer.address)
    assert file is not None
    for viewport in (PHONE, DESK):
        page = viewer.browser.new_page(viewport=viewport)
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        assert page.inner_text("h1") == EVIL
        assert "A phone that scans the code goes to id.example.com." in page.inner_text("body")
        page.emulate_media(media="print")
        assert [link.inner_text() for link in page.locator("li a").all()] == [
            f"{viewer.address}{label.path}?s={label.digits}" for label in story.labels
        ]
        for picture in page.locator("img").all():
            picture.scroll_into_view_if_needed()
            picture.evaluate("e => e.decode()")  # fails where there is no picture
        page.locator("li a").nth(3).click()
        assert page.inner_text("h1") == "Genuine label"
        page.close()


def luminance(shown: Shown, selector: str, name: str) -> float:
    """How light a colour is, from 0 to 255."""
    colour = shown.page.eval_on_selector(selector, f"e => getComputedStyle(e).{name}")
    channels = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(channels) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_page_says_at_a_glance_what_it_says(
    viewer: Viewer, story: Story, viewport: ViewportSize, scheme: str
) -> None:
    """The verdict stands in the first screen; nothing is cut off; the console is silent; text is readable."""
    shown = viewer.open(good(story), viewport=viewport, scheme=scheme)
    box = shown.page.locator("h1").bounding_box()
    assert shown.text("h1") == "Genuine label" and box is not None and box["y"] + box["height"] < 300
    assert shown.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert shown.console == []
    contrast = luminance(shown, "body", "color") - luminance(shown, "body", "backgroundColor")
    assert contrast < -150 if scheme == "light" else contrast > 150
    shown.page.close()


def test_the_timeline_tells_where_it_was_and_who_says_so(viewer: Viewer, story: Story) -> None:
    """Six steps, each with a place, a time, a device, an organisation, a tick and its proof."""
    shown = viewer.open(good(story))
    steps = shown.page.locator(".steps > li")
    assert steps.count() == 6 and steps.locator(".tick-icon.good").count() == 6
    received = steps.nth(4).inner_text()
    for words in ("Received", "Warehouse, Seattle", "cargo-7", "Carrier Ltd", "logistics block"):
        assert words in received
    with shown.page.expect_download() as download:
        steps.nth(4).get_by_role("link", name="proof").click()
    assert download.value.suggested_filename.endswith(".bundle")
    shown.page.close()


@pytest.mark.parametrize(("viewport", "kind"), [(PHONE, "narrow"), (DESK, "wide")], ids=["phone", "desk"])
def test_the_chart_is_drawn_to_the_screens_size(
    viewer: Viewer, story: Story, viewport: ViewportSize, kind: str
) -> None:
    """One of the two charts is seen, its letters no smaller than on the page; the replay is told beside it."""
    shown = viewer.open(good(story), viewport=viewport)
    assert shown.page.locator("svg.chart:visible").count() == 1
    chart = shown.page.locator(f".{kind} svg.chart")
    box, view = chart.bounding_box(), chart.get_attribute("viewBox")
    assert box is not None and view is not None and 0.85 < box["width"] / float(view.split()[2]) < 1.2
    assert chart.locator(".line").count() >= 2 and chart.locator(".dot").count() == 72
    assert "recorded 2010, replayed" in shown.text("#readings").lower()
    assert "NOAA, Seattle; replayed" in shown.text("#readings")
    shown.page.close()


def test_a_changed_label_shows_the_problem_and_no_history(viewer: Viewer, story: Story) -> None:
    """One digit of `s` changed."""
    path = good(story)
    shown = viewer.open(path[:-1] + str((int(path[-1]) + 1) % 10))
    assert shown.text("h1") == "Problem" and "changed after it was signed" in shown.text("#verdict")
    assert shown.page.locator("#history, #readings, #limits").count() == 0
    assert shown.console == []
    shown.page.close()


def test_a_pasted_link_leads_to_the_page(viewer: Viewer, story: Story) -> None:
    """From the start page, by hand."""
    shown = viewer.open("/")
    shown.page.fill("#link", story.labels[0].link("id.example.com"))
    shown.page.click("button")
    shown.page.wait_for_selector("#history")
    assert shown.text("h1") == "Genuine label" and shown.console == []
    shown.page.close()


def test_the_details_hold_checkpoints_and_every_proof(viewer: Viewer, story: Story) -> None:
    """Closed at first; open they name each log's size and root, and twenty records."""
    shown = viewer.open(good(story), viewport=DESK)
    assert not shown.page.locator("#expert table").first.is_visible()
    shown.page.click("#expert summary")
    assert shown.page.locator("#expert table").first.is_visible()
    assert shown.page.locator("#expert table").nth(1).locator("tbody tr").count() == 20
    assert "example.com/tallystick/logistics" in shown.text("#expert")
    shown.page.close()


@pytest.fixture
def own(postgres_dsn: str, tmp_path: Path) -> Iterator[Story]:
    """A story of the test's own."""
    made = make_story(postgres_dsn, tmp_path / "ledger", count=1)
    yield made
    made.world.close()


def test_markup_in_events_stays_text(browser: Browser, own: Story) -> None:
    """A hostile device's names run nothing and load nothing."""
    place = {"id": "urn:x:'onclick=alert(1)", "name": EVIL}
    event = {
        "type": "ObjectEvent", "action": "ADD", "eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00",
        "epcList": [own.link().epc], "readPoint": place, "ilmd": {"cbvmda:descriptionShort": EVIL},
    }  # fmt: skip
    own.world.publish(own.line, public_event(event))
    own.world.tick()
    with served(own.world.folder.path.parent, own.world.dsn) as address:
        shown = Viewer(browser, address).open(good(own))
        assert "<script>document.title" in shown.text("#history") and "<img" in shown.text("#product")
        assert shown.page.title().startswith("Genuine label") and shown.page.locator("main img").count() == 0
        assert shown.page.evaluate("document.scripts.length") == 0 and shown.console == []
        shown.page.close()


def test_a_record_that_was_changed_stands_out(browser: Browser, own: Story) -> None:
    """The label is genuine, a record behind it is not: the page says problem, and which."""
    own.tell()
    with connect(own.world.dsn, role=None) as connection:
        connection.execute(
            """update tallystick.entry set data = set_byte(data, 60, get_byte(data, 60) # 1)
                where entry_id = (select entry_id from tallystick.event where biz_step = 'shipping')"""
        )
    with served(own.world.folder.path.parent, own.world.dsn) as address:
        shown = Viewer(browser, address).open(good(own))
        assert shown.text("h1") == "Problem" and "1 record behind this page" in shown.text("#verdict")
        assert shown.page.locator(".steps > li.bad").count() == 1
        assert "not verified" in shown.text(".steps > li.bad")
        shown.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_copy_of_the_ledger_says_in_amber_that_it_cannot_count(
    browser: Browser, postgres_dsn: str, tmp_path: Path, scheme: str
) -> None:
    """Where the batch is known and its labels are not, neither green nor "one too many"; the history stays there."""
    story = make_story(postgres_dsn, tmp_path / "ledger", count=3)
    story.tell()
    with connect(postgres_dsn, role=None) as connection:
        connection.execute("delete from tallystick.label")
    with served(tmp_path, postgres_dsn) as address:
        shown = Viewer(browser, address).open(good(story), scheme=scheme)
        assert shown.text("h1") == "Signed, but not counted here"
        assert shown.page.locator("#verdict.unproven").count() == 1
        assert shown.page.locator(".steps > li").count() == 6
        assert "It may be a label of" in shown.text("#lots") and "too new" not in shown.text("body")
        assert shown.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        shown.page.close()
    story.world.close()
