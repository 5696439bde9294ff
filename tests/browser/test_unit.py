"""A pallet's page in a real browser, as a warehouse's phone and its office show it."""

import pytest
from playwright.sync_api import ViewportSize

from deploy.story import SSCC
from tests.browser.viewing import DESK, PHONE, Viewer

UNKNOWN = "095060001343520024"


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("sscc", [SSCC, UNKNOWN], ids=["known", "unknown"])
def test_a_pallets_page_fits_and_says_first_what_is_not_proven(
    viewer: Viewer, viewport: ViewportSize, sscc: str
) -> None:
    """That its label is not signed stands in the first screen; nothing is cut off; the console is silent."""
    shown = viewer.open(f"/00/{sscc}", viewport=viewport)
    box = shown.page.locator("#verdict").bounding_box()
    assert box is not None and box["y"] + box["height"] < viewport["height"]
    assert "label is not signed" in shown.text("#verdict") and shown.text("h1") == "A pallet or a case"
    assert shown.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert shown.page.locator(".steps > li").count() == (5 if sscc == SSCC else 0)
    assert shown.console == []
    shown.page.close()
