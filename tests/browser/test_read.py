"""A picture of labels in a real browser: chosen on the start page, sent, and told code by code."""

from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from labels.pages import uploads
from tests.browser.viewing import DESK, PHONE, Viewer
from tests.labels.reading.pictures import beside, encoded, label, symbol
from tests.labels.story import GTIN, Story

HOST = "id.example.com"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_photo_leads_to_verdicts_and_pages(
    viewer: Viewer, story: Story, tmp_path: Path, viewport: ViewportSize, scheme: str
) -> None:
    """A genuine label in green, a changed one in red, an article number told as one; nothing is cut off."""
    links = [story.labels[0].link(HOST), story.labels[1].link(HOST).replace("/21/", "/21/Z")]
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encoded(beside(*map(label, links), symbol(GTIN[1:], "EAN13")), "JPEG"))
    shown = viewer.open("/", viewport=viewport, scheme=scheme)
    shown.page.set_input_files("#image", photo)
    shown.page.click("text=Read it")
    shown.page.wait_for_selector(".read")
    assert [card.inner_text() for card in shown.page.locator(".read h2").all()] == [
        "Genuine label", "Problem", "GS1 data",
    ]  # fmt: skip
    assert shown.page.locator(".read.genuine").count() == shown.page.locator(".read.problem").count() == 1
    assert "3 codes in the picture, 2 labels among them" in shown.text("h1")
    assert shown.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert shown.console == []
    shown.page.click(".read.genuine a")
    assert shown.text("h1") == "Genuine label" and shown.page.locator("#history").count() == 1
    shown.page.close()


def test_what_is_no_picture_gets_a_plain_word(viewer: Viewer, tmp_path: Path) -> None:
    """And the way back to the start page, where another one is chosen."""
    (tmp_path / "photo.png").write_bytes(b"hello")
    shown = viewer.open("/")
    shown.page.set_input_files("#image", tmp_path / "photo.png")
    shown.page.click("text=Read it")
    shown.page.wait_for_selector("#verdict")
    assert "It is no picture that is read here" in shown.text("#verdict")
    shown.page.click("text=Paste a link")
    assert shown.page.locator("#image").count() == 1
    shown.page.close()


def test_a_picture_that_is_not_taken_is_told_what_is_wrong_and_what_to_do(viewer: Viewer, tmp_path: Path) -> None:
    """On a phone: a headline that says it, a sentence, and a hint; nothing is cut off."""
    (tmp_path / "photo.png").write_bytes(bytes(uploads.BODY_BYTES_MAX + 1))
    shown = viewer.open("/")
    shown.page.set_input_files("#image", tmp_path / "photo.png")
    shown.page.click("text=Read it")
    shown.page.wait_for_selector("#verdict")
    assert shown.text("h1") == "This picture is too large"
    assert "It is larger than 16 MB." in shown.text("#verdict") and "Take a photo of the label alone" in shown.text(
        "main"
    )
    assert shown.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    shown.page.click("text=choose a photo")
    assert shown.page.locator("#image").count() == 1
    shown.page.close()
