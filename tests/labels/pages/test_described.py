"""What the catalogue says on the pages of a product, a lot and an item: each entry proven, or nothing told of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tallystick
from labels import gs1
from labels.catalogue import pictures
from labels.catalogue.picture import Picture, prepare
from labels.judgement import Standing
from labels.pages.page import Page
from labels.pages.resolve import Resolver
from ledger.database import connect
from tests import seeds
from tests.labels.story import GTIN, LOT, Story, make_story
from tests.world import ORGANISATION

LINK = {"rel": "gs1:pip", "href": "https://example.com/honey", "title": "Our honey"}


def product(**said: Any) -> dict[str, Any]:
    """A description's entry, of the product if it names no lot or serial."""
    return {"type": "product", "organisation": ORGANISATION, "gtin": GTIN, **said}


def recall(**said: Any) -> dict[str, Any]:
    """A recall's."""
    return {**product(reason="glass in it", since="2026-11-26", **said), "type": "recall"}


@pytest.fixture
def own(postgres_dsn: str, tmp_path: Path) -> Iterator[Story]:
    """A small story of the test's own, told to the end."""
    made = make_story(postgres_dsn, tmp_path / "ledger", count=3)
    made.tell()
    yield made
    made.world.close()


def page(story: Story, link: gs1.DigitalLink | None = None) -> Page:
    """The page, by a resolver that remembers nothing."""
    resolver = Resolver(story.world.folder, story.world.dsn)
    try:
        return resolver.page(link or story.link())
    finally:
        resolver.close()


def kept(story: Story) -> Picture:
    """A picture in the database."""
    picture = prepare(seeds.picture("PNG", size=(40, 30)))
    with connect(story.world.dsn) as connection:
        pictures.keep(connection, picture)
    return picture


def test_an_item_has_from_above_what_is_not_said_of_it(own: Story) -> None:
    """Its own name, its lot's limits, its product's picture and links: each entry is a proven record of the page."""
    picture, serial = kept(own), own.link().serial or ""
    before = page(own).counts.total
    own.world.operator_says(
        product(name="Honey", text="From the hills.", picture=picture.sha256, links=[LINK],
                limits={"temperature": ["Cel", 2, 8]}),
        product(lot=LOT, name="Honey of June", limits={"temperature": ["Cel", 0, 15]}),
        product(serial=serial, name="The first jar"),
        product(lot="OTHER", name="Not this one"),
    )  # fmt: skip
    shown = page(own)
    described = shown.described
    assert (shown.product, described.text, described.picture) == (
        "The first jar", "From the hills.", f"/picture/{picture.sha256.hex()}",
    )  # fmt: skip
    assert (described.width, described.height, described.lacks) == (40, 30, False)
    assert [(link.title, link.host, link.level) for link in described.links] == [
        ("Our honey", "example.com", "product")
    ]
    assert [(limit.low, limit.high, limit.level) for limit in described.limits] == [(0, 15, "lot")]
    assert [said.level for said in described.said] == ["product", "lot", "item"]
    assert all(said.proof.verified and said.proof.device == "operator" for said in described.said)
    assert shown.counts.total == shown.counts.verified == before + 3 and shown.standing is Standing.GENUINE
    assert page(own, own.link(1)).product == "Honey of June"
    [series] = shown.series
    assert (series.low, series.high) == (0, 15) and 0 < series.outside < series.readings
    assert (
        page(own, gs1.item(GTIN)).product == "Honey" and page(own, gs1.item(GTIN, lot=LOT)).product == "Honey of June"
    )


def test_of_an_item_nothing_is_said_to_who_does_not_show_its_label(own: Story) -> None:
    """Without a signature the page says the same of described and undescribed serials; of a forged label nothing."""
    serial = own.link().serial
    own.world.operator_says(product(name="Honey"), product(serial=serial, name="The first jar"))
    assert page(own, gs1.item(GTIN, serial=serial)).product == "Honey"
    label = own.labels[0]
    forged = gs1.parse(f"https://id.example.com{label.path}?s={label.digits[:-1]}{(int(label.digits[-1]) + 1) % 10}")
    shown = page(own, forged)
    assert shown.standing is Standing.PROBLEM and shown.product == "" and shown.described.said == ()


def test_a_genuine_label_of_a_recalled_lot_is_genuine_and_recalled(own: Story) -> None:
    """Both are said plainly, though the link names no lot; until the recall is lifted."""
    own.world.operator_says(recall(lot=LOT, advice="Bring it back.", href="https://example.com/recall"))
    shown = page(own)
    assert (shown.headline, shown.label, shown.standing) == ("Recalled: do not use", "Genuine label", "genuine")
    [told] = shown.recalls
    assert (told.what, told.reason, told.since, told.advice) == (
        f"lot {LOT}", "glass in it", "2026-11-26", "Bring it back.",
    )  # fmt: skip
    assert told.href == "https://example.com/recall" and told.proof.verified
    assert page(own, gs1.item(GTIN, lot=LOT)).headline == "Recalled: do not use"
    whole = page(own, gs1.item(GTIN))
    assert whole.headline == "A product" and [lot.recalled for lot in whole.lots] == [True]
    lifting = {**product(lot=LOT, reason="an error"), "type": "recall-lifting"}
    own.world.operator_says(lifting)
    assert page(own).headline == "Genuine label" and page(own).recalls == ()


def test_a_typed_serial_s_page_tells_which_lots_are_recalled(own: Story) -> None:
    """Nobody knows its lot, and no serial is told by a page without a signature: so all of them, as of the product."""
    own.world.operator_says(recall(lot=LOT))
    for link in (gs1.item(GTIN), gs1.item(GTIN, serial="ANY")):
        assert page(own, link).described.below == ((f"lot {LOT}", f"/01/{GTIN}/10/{LOT}"),)
    assert page(own, gs1.item(GTIN, serial="ANY")).meaning[0].startswith("Part of this product is recalled")
    assert page(own).described.below == page(own, gs1.item(GTIN, lot=LOT)).described.below == ()


def test_a_recall_of_a_product_or_an_item_is_told_of_every_link_to_it(own: Story) -> None:
    """Of the product on all pages; of one item by its serial, with or without a signature."""
    serial = own.link().serial
    own.world.operator_says(recall(serial=serial))
    assert page(own).recalls[0].level == "item" and page(own, own.link(1)).recalls == ()
    assert page(own, gs1.item(GTIN, serial=serial)).headline == "Recalled: do not use"
    own.world.operator_says(recall())
    for link in (own.link(1), gs1.item(GTIN), gs1.item(GTIN, lot="ANY"), gs1.item(GTIN, serial="ANY")):
        assert page(own, link).headline == "Recalled: do not use"
    assert [one.level for one in page(own).recalls] == ["product", "item"]


def test_a_copy_that_cannot_count_says_that_it_may_be_of_a_recalled_lot(own: Story) -> None:
    """The label names no lot, and which labels a batch has is not known: certain only if all of them are recalled."""
    own.world.operator_says(recall(lot=LOT))
    with connect(own.world.dsn, role=None) as connection:
        connection.execute("delete from tallystick.label")
    shown = page(own)
    assert shown.standing is Standing.SIGNED and shown.headline == "Recalled: do not use"


def test_what_the_operator_did_not_sign_is_not_told(own: Story) -> None:
    """A name that was changed in the database is no name; a recall is told all the same, as not verified."""
    own.world.operator_says(product(name="Honey"), recall(lot=LOT))
    with connect(own.world.dsn, role=None) as connection:
        for true, false in ((b"Honey", b"Money"), (b"glass", b"grass")):
            connection.execute(
                "update tallystick.section set data = overlay(data placing %(false)s from position(%(true)s in data))"
                " where position(%(true)s in data) > 0",
                {"true": true, "false": false},
            )
    shown = page(own)
    assert shown.product != "Money" and not shown.described.said[0].proof.verified
    assert shown.recalls[0].reason == "grass in it" and not shown.recalls[0].proof.verified
    assert shown.standing is Standing.PROBLEM


def test_a_picture_that_was_changed_is_not_here(own: Story) -> None:
    """The registry has its hash: other bytes are not shown, and the page says that there is one."""
    picture = kept(own)
    own.world.operator_says(product(picture=picture.sha256))
    with connect(own.world.dsn, role=None) as connection:
        connection.execute("update tallystick.product_picture set data = '\\x00'")
    shown = page(own)
    assert shown.described.picture == "" and shown.described.lacks


def test_show_says_it_on_a_terminal(
    own: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """First that it is recalled, then that its label is genuine; what it is, where more is said, and the proofs."""
    own.world.operator_says(
        product(name="Honey", links=[LINK], limits={"temperature": ["Cel", None, 8]}), recall(lot=LOT, advice="Stop.")
    )
    monkeypatch.setenv("TALLYSTICK_DATA", str(own.world.folder.path.parent))
    monkeypatch.setenv("TALLYSTICK_DSN", own.world.dsn)
    assert tallystick.run(["labels", "show", own.labels[0].link("id.example.com")]) == 0
    told = capsys.readouterr().out
    first, why, advice, genuine, *rows = told.splitlines()
    assert (first, why, advice) == ("RECALLED: DO NOT USE", f"  lot {LOT}, since 2026-11-26: glass in it", "  Stop.")
    assert genuine.startswith("GENUINE LABEL: ") and "at most 8 °C" in told
    assert {row.find(value) for row in rows for value in ("Honey", "at most", "Our honey:") if value in row} == {15}
    assert "gs1:pip      Our honey: https://example.com/honey" in told and "said of this product: registry" in told
    assert tallystick.run(["labels", "show", GTIN]) == 0
    assert f"recalled of this product: lot {LOT}" in capsys.readouterr().out
