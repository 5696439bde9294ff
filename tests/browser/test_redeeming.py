"""The form for a hidden code, in a real browser: with a script that fills it in, without one, and never by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from deploy.postgres import Postgres
from labels.hidden import code
from ledger.database import connect
from tests.browser.viewing import PHONE, Shown, Viewer
from tests.labels.hidden.lot import HiddenLot, hidden_lot
from tests.labels.serving import served


@pytest.fixture(scope="module")
def lot(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HiddenLot]:
    """A lot with hidden codes; each test redeems others of them."""
    with hidden_lot(postgres_server, "hidden_in_browser", tmp_path_factory.mktemp("hidden")) as made:
        yield made


@pytest.fixture(scope="module")
def viewer(browser: Browser, lot: HiddenLot) -> Iterator[Viewer]:
    """The browser before a service over that lot."""
    with served(lot.world.folder.path.parent, lot.world.dsn) as address:
        yield Viewer(browser, address)


def redeemed(lot: HiddenLot) -> set[int]:
    """The numbers of the labels whose code is redeemed."""
    with connect(lot.world.dsn) as connection:
        return {index for (index,) in connection.execute("select index from redemption")}


def press(page: Page) -> str:
    """Press the button, and read the answer's headline."""
    page.click("#redeem button")
    page.wait_for_url("**/redeem")
    return page.inner_text("#verdict h1")


def done(shown: Shown) -> None:
    """Nothing broke the page's own policy, and nothing stands beyond a phone's edge."""
    assert shown.console == []
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown.page.close()


def test_a_scanned_code_is_filled_in_and_redeemed_by_a_press(viewer: Viewer, lot: HiddenLot) -> None:
    """The address loses it, so that it is not passed on; nothing is redeemed until the press; then once for ever."""
    shown = viewer.open(f"{lot.labels[0].path}#h={lot.code(0)}")
    assert shown.page.input_value("#code") == " ".join(code.groups(lot.code(0)))
    assert "#" not in shown.page.url and shown.page.is_visible("#filled") and 0 not in redeemed(lot)
    assert press(shown.page) == "First time" and 0 in redeemed(lot)
    shown.page.reload()  # the same form once more, by the same nonce
    assert shown.page.inner_text("#verdict h1") == "First time"
    done(shown)
    shown = viewer.open(f"{lot.labels[0].path}#h={lot.code(0)}")
    assert press(shown.page) == "Already redeemed"
    assert "If that was not you, this may be a copy." in shown.text("#verdict")
    done(shown)


def test_a_typed_code_needs_no_script(viewer: Viewer, lot: HiddenLot) -> None:
    """From the genuine label's page, with scripts switched off, in lower case and with spaces."""
    context = viewer.browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{viewer.address}{lot.signed(1)}#h={lot.code(1)}")
    assert page.inner_text("#verdict h1") == "Genuine label" and page.input_value("#code") == ""
    assert not page.is_visible("#filled")
    page.fill("#code", " ".join(code.groups(lot.code(2))).lower())
    assert press(page) == "Not the code of this label"
    page.fill("#code", " ".join(code.groups(lot.code(1))).lower())
    assert press(page) == "First time" and redeemed(lot) >= {1} and 2 not in redeemed(lot)
    context.close()


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "#",
        "#h=",
        "#h=SHORT",
        "#h=<img src=x onerror=alert(1)>",
        "#h=" + "2" * 17,
        "#h=" + "O" * 16,
        "#x=" + "2" * 16,
    ],
)
def test_what_is_no_code_is_not_filled_in(viewer: Viewer, lot: HiddenLot, fragment: str) -> None:
    """Whatever stands behind the # of a link: the field stays empty, and the page says nothing of it."""
    shown = viewer.open(f"{lot.labels[3].path}{fragment}")
    assert shown.page.input_value("#code") == "" and not shown.page.is_visible("#filled")
    done(shown)


def test_the_pages_fit_a_phone_in_light_and_dark(viewer: Viewer, lot: HiddenLot, tmp_path: Path) -> None:
    """The form, and each of its answers."""
    for number, scheme in ((4, "light"), (5, "dark")):
        for turn, headline in enumerate(("Not the code of this label", "First time", "Already redeemed")):
            text = lot.code(number) if turn else "2" * 16
            shown = viewer.open(f"{lot.signed(number)}#h={text}", scheme=scheme)
            shown.page.screenshot(path=tmp_path / f"{scheme}-{turn}-form.png", full_page=True)
            assert press(shown.page) == headline
            shown.page.screenshot(path=tmp_path / f"{scheme}-{turn}.png", full_page=True)
            done(shown)
