"""A batch of which all, or single items, are recalled: that is told, and what was seen since."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tallystick
from labels import gs1, uses
from labels.judgement import LabelVerdict, Standing
from labels.keeper import BookKeeper
from labels.reconciling import scans
from labels.use import Use
from ledger.database import connect
from tests.labels.made import recorded
from tests.labels.story import GTIN, LOT, Story, issue_lot, make_story, public_event

RECALL = {
    "type": "recall",
    "organisation": "https://example.com",
    "gtin": GTIN,
    "reason": "glass",
    "since": "2026-11-26",
}
HOUR = timedelta(hours=1)


@pytest.fixture
def lot(postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A lot of eight labels, in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", postgres_dsn)
    made = make_story(postgres_dsn, tmp_path / "ledger", count=8)
    yield made
    made.world.close()


def recalled(story: Story, **place: str) -> tuple[datetime, int]:
    """The operator recalls a place; when that was said, and by which registry entry."""
    story.world.operator_says({**RECALL, **place})
    with connect(story.world.dsn) as connection:
        *_, entered = BookKeeper(story.world.folder).book(connection).catalogue.recalls.values()
    return datetime.fromtimestamp(entered.issued_at, UTC), entered.index


def seen(story: Story, index: int, at: datetime) -> None:
    """Somebody asked for a label's page."""
    with connect(story.world.dsn) as connection:
        uses.record(connection, story.issued.batch.batch.root, [index], Use.SEEN, at=at)
        connection.commit()


def observed(story: Story, link: gs1.DigitalLink, at: datetime) -> None:
    """An event tells that a label's item was somewhere."""
    event = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": at.isoformat().replace("+00:00", "Z"),
        "eventTimeZoneOffset": "+00:00", "epcList": [link.epc], "bizStep": "receiving",
    }  # fmt: skip
    story.world.publish(story.line, public_event(event))
    story.world.tick()


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `labels reconcile --json` says of the batch's recall; a recall alone is no finding."""
    capsys.readouterr()
    assert tallystick.run(["labels", "reconcile", "--json"]) == 0
    [batch] = json.loads(capsys.readouterr().out)["batches"]
    assert batch["findings"] == []
    return {name: batch[name] for name in ("recall", "recalled", "seen_since_recall")}


@pytest.mark.parametrize(("place", "level"), [({"lot": LOT}, "lot"), ({}, "product")])
def test_a_recalled_batch_is_told_and_what_was_seen_since(
    lot: Story, capsys: pytest.CaptureFixture[str], place: dict[str, str], level: str
) -> None:
    """Asked for before the recall, after it, and twice after it; told of in an event after it: three are about."""
    assert told(capsys) == {"recall": None, "recalled": 0, "seen_since_recall": 0}
    said, entry = recalled(lot, **place)
    for index, at in ((0, said - HOUR), (1, said + HOUR), (2, said + HOUR), (2, said + 2 * HOUR)):
        seen(lot, index, at)
    observed(lot, lot.link(3), said + HOUR)
    recall = {"level": level, "reason": "glass", "since": "2026-11-26", "registry_entry": entry}
    assert told(capsys) == {"recall": recall, "recalled": 8, "seen_since_recall": 3}
    assert tallystick.run(["labels", "reconcile"]) == 0
    what = f"  RECALLED since 2026-11-26, this {level}: glass (registry entry {entry})"
    assert capsys.readouterr().out.splitlines()[2] == f"{what}; 3 labels were seen after that was said"


def test_items_are_recalled_one_by_one(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Each since its own recall; one of another product's batch, and one that was lifted, do not count."""
    serials = [lot.link(index).serial or "" for index in range(3)]
    for serial in serials:
        said, _ = recalled(lot, serial=serial)
    recalled(lot, serial="OTHER")
    lot.world.operator_says({**RECALL, "type": "recall-lifting", "serial": serials[2]})
    for index in (0, 2, 4):
        seen(lot, index, said + HOUR)
    assert told(capsys) == {"recall": None, "recalled": 2, "seen_since_recall": 1}
    assert tallystick.run(["labels", "reconcile"]) == 0
    assert "  RECALLED: 2 items of it; 1 label was seen after that was said\n" in capsys.readouterr().out


@pytest.mark.parametrize("place", [{"lot": LOT}, {}, {"serial": ""}])
def test_an_event_of_before_the_recall_is_none_since(
    lot: Story, capsys: pytest.CaptureFixture[str], place: dict[str, str]
) -> None:
    """An item was observed an hour before, another just then, and a third an hour later: one is about."""
    if "serial" in place:
        for index in range(3):
            said, _ = recalled(lot, serial=lot.link(index).serial or "")
    else:
        said, _ = recalled(lot, **place)
    for index, at in enumerate((said - HOUR, said - timedelta(seconds=2), said + HOUR)):
        observed(lot, lot.link(index), at)
    assert told(capsys)["seen_since_recall"] == 1


def test_an_item_whose_link_holds_the_lot_is_recalled_too(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """It is recalled by its serial, as any other; and an event names it without its lot."""
    issued = issue_lot(lot.world, 2, lot="L-IN-LINK", lot_in_link=True)
    link = gs1.parse(issued.labels[0].link("id.example.com"))
    said, _ = recalled(lot, serial=link.serial or "")
    observed(lot, gs1.item(GTIN, serial=link.serial), said + HOUR)
    capsys.readouterr()
    assert tallystick.run(["labels", "reconcile", "--gtin", GTIN, "--lot", "L-IN-LINK", "--json"]) == 0
    [batch] = json.loads(capsys.readouterr().out)["batches"]
    assert (batch["recalled"], batch["seen_since_recall"]) == (1, 1)


@pytest.mark.parametrize("level", ["product", "lot", "item"])
def test_a_label_seen_just_before_its_recall_is_seen_since_by_the_next_scan(
    lot: Story, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    """That it was seen within the hour hides nothing; and a page that is asked for again is one scan still."""
    said, _ = recalled(lot, **{"product": {}, "lot": {"lot": LOT}, "item": {"serial": lot.link(0).serial or ""}}[level])
    seen(lot, 0, said - timedelta(minutes=1))
    assert told(capsys)["seen_since_recall"] == 0
    verdict = LabelVerdict(Standing.GENUINE, "", batch=lot.issued.batch, index=0)
    with connect(lot.world.dsn) as connection:
        catalogue = BookKeeper(lot.world.folder).book(connection).catalogue
        for minute in range(1, 4):
            at = said + timedelta(minutes=minute)
            scans.note(connection, lot.link(0), verdict, at, catalogue=catalogue)
        connection.commit()
    assert told(capsys)["seen_since_recall"] == 1
    with connect(lot.world.dsn) as connection:
        uses_of_it = recorded(connection, lot.issued.batch.batch.root, 0)
    assert [one.use for one in uses_of_it] == [Use.SEEN] * 2
