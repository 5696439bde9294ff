"""Reconciling a lot that is printed, applied, spoiled, scanned and told of in events: commands, pages, entries."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

import tallystick
from labels import gs1, uses
from labels.catalogue.catalogue import Catalogue
from labels.clock import today
from labels.hidden import asked, code
from labels.hidden import keys as hidden_keys
from labels.hidden.answer import Result
from labels.hidden.redeem import Redeemer
from labels.judgement import UNPUBLISHED, LabelVerdict, Standing
from labels.keeper import BookKeeper
from labels.reconciling import scans
from labels.reconciling.reconcile import undeclared
from labels.serial import new_serials
from labels.signature import LabelKey, sign_label
from labels.use import Use
from ledger.database import connect
from ledger.keys import SigningKey
from tests.labels.made import recorded
from tests.labels.serving import served
from tests.labels.story import GTIN, LOT, Story, issue_lot, make_story, public_event, while_ticking

COUNT = 8


@pytest.fixture
def lot(postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A lot of which nothing is told yet, in a data folder that the environment names."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", postgres_dsn)
    made = make_story(postgres_dsn, tmp_path / "ledger", count=COUNT)
    yield made
    made.world.close()


def labels(*args: str) -> int:
    """The exit code of `tallystick labels ARGS`."""
    return tallystick.run(["labels", *args])


def serial(story: Story, index: int) -> str:
    """The serial of a label."""
    return story.link(index).serial or ""


def printed(story: Story, *indices: int) -> None:
    """A run has printed these."""
    for index in indices:
        became(story, index, Use.PRINTED)


def became(story: Story, index: int, *whats: Use) -> None:
    """What became of a label, in this order."""
    with connect(story.world.dsn) as connection:
        for what in whats:
            uses.record(connection, story.issued.batch.batch.root, [index], what, at=datetime.now(UTC))
        connection.commit()


def scan(address: str, story: Story, index: int) -> int:
    """Somebody's phone asks for a label's page."""
    label = story.labels[index]
    return httpx.get(f"{address}{label.path}?s={label.digits}", timeout=20).status_code


def told(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, dict[str, Any]]:
    """`labels reconcile --json`: its exit code and document."""
    capsys.readouterr()
    code = labels("reconcile", "--gtin", GTIN, "--lot", LOT, "--json", *args)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def findings(batch: dict[str, Any]) -> dict[str, tuple[int, str | None]]:
    """A batch's findings: how many labels, and the serial of the first."""
    return {one["finding"]: (one["labels"], one["first_serial"]) for one in batch["findings"]}


def test_a_lot_that_fits(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing printed yet; then all printed, six applied by serial, one spoiled and one returned by number."""
    code, document = told(capsys)
    assert code == 0 and document["batches"][0]["unprinted"] == COUNT
    printed(lot, *range(COUNT))
    assert labels("mark", "applied", "--gtin", GTIN, *(serial(lot, index) for index in range(6))) == 0
    assert labels("mark", "spoiled", "--gtin", GTIN, "--lot", LOT, "--numbers", "7") == 0
    assert labels("mark", "returned", "--gtin", GTIN, "--lot", LOT, "--numbers", "8-8") == 0
    code, document = told(capsys, "--closed")
    [batch] = document["batches"]
    assert code == 0 and batch["findings"] == []
    counted = {name: batch[name] for name in ("issued", "printed", "applied", "spoiled", "returned", "unused", "seen")}
    assert counted == {
        "issued": 8, "printed": 8, "applied": 6, "spoiled": 1, "returned": 1, "unused": 0, "seen": 0
    }  # fmt: skip


def test_what_does_not_fit_is_found_and_published_once(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """A spoiled label is scanned, one that was never printed is in an event, one waits for ever: exit code 2."""
    printed(lot, *range(COUNT - 1))
    assert labels("mark", "applied", "--gtin", GTIN, *(serial(lot, index) for index in range(4))) == 0
    assert labels("mark", "spoiled", "--gtin", GTIN, serial(lot, 4)) == 0
    time.sleep(0.01)
    with served(lot.world.folder.path.parent, lot.world.dsn) as address:
        assert [scan(address, lot, index) for index in (0, 4, 4)] == [200] * 3
    event = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-11-26T10:00:00Z",
        "eventTimeZoneOffset": "+00:00", "epcList": [lot.link(COUNT - 1).epc], "bizStep": "receiving",
    }  # fmt: skip
    lot.world.publish(lot.line, public_event(event))
    lot.world.tick()
    code, document = told(capsys, "--closed")
    [batch] = document["batches"]
    assert code == 2 and batch["seen"] == 3
    assert findings(batch) == {
        "seen-spoiled": (1, serial(lot, 4)),
        "seen-unprinted": (1, serial(lot, COUNT - 1)),
        "unaccounted": (2, serial(lot, 5)),
    }
    for new in (3, 0):
        code, document = while_ticking(lot.world, lambda: told(capsys, "--closed", "--publish"))
        assert (code, document["published"]) == (2, new)
    with connect(lot.world.dsn) as connection:
        said = connection.execute("select reason from finding order by entry_id").fetchall()
    assert ("1 label: seen after it was spoiled",) in said and len(said) == 3


def test_it_is_told_to_a_person(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a batch, and below it what does not fit, by the serial."""
    printed(lot, 0, 0)
    capsys.readouterr()
    assert labels("reconcile") == 2
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["GTIN", "lot", "issued", "printed", "applied", "spoiled", "returned", "left", "seen"]
    assert out[1].split() == [GTIN, LOT, "8", "1", "0", "0", "0", "1", "0"]
    assert out[2] == f"  ! 1 label: printed more than once ({serial(lot, 0)})"
    assert len(out[0]) == len(out[1]) <= 80


def test_labels_that_were_printed_elsewhere_are_told_and_their_work_is_closed(
    lot: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was printed here, seven are applied: that is told, no finding; at the end the eighth is one."""
    assert labels("mark", "applied", "--gtin", GTIN, "--lot", LOT, "--numbers", "1-7") == 0
    code, document = told(capsys)
    [batch] = document["batches"]
    assert code == 0 and (batch["printed"], batch["elsewhere"]) == (0, 7)
    assert labels("reconcile", "--closed") == 2
    how = "not printed here: 7 labels were used or seen, and so printed elsewhere"
    what = "1 label: neither applied, spoiled nor returned; none of its batch was printed here"
    assert capsys.readouterr().out.splitlines()[2:] == [f"  {how}", f"  ! {what} ({serial(lot, 7)})"]


@pytest.mark.parametrize("confirmed", [None, Use.PRINTED])
def test_a_label_that_is_marked_before_its_print_is_confirmed_came_out(
    lot: Story, capsys: pytest.CaptureFixture[str], confirmed: Use | None
) -> None:
    """It was sent to a printer that said nothing, and applied; that it came out is said later, or never."""
    printed(lot, 0)
    became(lot, 1, Use.SENT, Use.APPLIED, *([confirmed] if confirmed else []))
    code, document = told(capsys)
    [batch] = document["batches"]
    assert code == 0 and (batch["printed"], batch["applied"], batch["unused"]) == (2, 1, 1)


@pytest.mark.parametrize("order", [(Use.REFUSED, Use.APPLIED), (Use.APPLIED, Use.REFUSED)])
def test_a_label_that_is_applied_and_known_not_to_have_come_out_is_found(
    lot: Story, capsys: pytest.CaptureFixture[str], order: tuple[Use, Use]
) -> None:
    """Whichever is said first."""
    printed(lot, 0)
    became(lot, 1, Use.SENT, *order)
    code, document = told(capsys)
    assert code == 2 and findings(document["batches"][0]) == {"applied-unprinted": (1, serial(lot, 1))}


def test_a_label_that_is_printed_again_after_it_was_spoiled_waits_for_its_use(
    lot: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was said of the first print is of that alone."""
    became(lot, 0, Use.SENT, Use.PRINTED, Use.SPOILED, Use.SENT, Use.PRINTED)
    code, document = told(capsys)
    [batch] = document["batches"]
    assert code == 0 and (batch["spoiled"], batch["unused"]) == (0, 1)


def test_what_is_redeemed_is_counted_and_must_fit(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Of four labels with hidden codes one is spoiled, one returned, one never printed: their codes are redeemed."""
    issued = issue_lot(lot.world, 4, lot="H1", hidden=True)
    batch, folder = issued.batch.batch, lot.world.folder
    [key] = hidden_keys.of_batches(folder, [batch]).values()
    with connect(lot.world.dsn) as connection:
        uses.record(connection, batch.root, range(3), Use.PRINTED, at=datetime.now(UTC))
        uses.record(connection, batch.root, [1], Use.SPOILED, at=datetime.now(UTC))
        uses.record(connection, batch.root, [2], Use.RETURNED, at=datetime.now(UTC))
    redeemer = Redeemer(folder, lot.world.dsn, BookKeeper(folder))
    for label in issued.labels:
        question = asked.read(label.path, code.make(key, label.path).code, asked.new_nonce())
        assert redeemer.redeem(question).result is Result.FIRST
    assert labels("reconcile", "--gtin", GTIN, "--lot", "H1") == 2
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[-1] == "redeemed" and out[1].split()[-1] == "4"
    odd = [f"redeemed, though it was {how}" for how in ("never printed here", "spoiled", "returned unused")]
    assert all(f"1 label: the hidden code {what} (" in line for what, line in zip(odd, out[2:], strict=True))


def test_one_unknown_label_and_nothing_is_marked(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Out of a file, the line is named."""
    file = lot.world.folder.path.parent / "scanned.txt"
    file.write_text(f"{lot.labels[0].link('id.example.com')}\n\n{serial(lot, 1)}X\n")
    assert labels("mark", "applied", "--gtin", GTIN, "--file", str(file)) == 1
    assert f"line 3 of {file}" in capsys.readouterr().err
    assert told(capsys)[1]["batches"][0]["applied"] == 0


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["mark", "applied"], "no label is named"),
        (["mark", "applied", "--numbers", "1-2"], "--numbers are of one lot"),
        (["mark", "applied", "--gtin", GTIN, "--lot", LOT, "--numbers", "two"], "are no numbers of labels"),
        (["mark", "applied", "--gtin", GTIN, "--lot", "NONE", "--numbers", "1"], "no labels of this lot are published"),
        (["mark", "applied", "--gtin", GTIN, "A"], "error: no label 'A' was issued here"),
        (["mark", "applied", "A"], "error: 'A' is no link"),
        (["mark", "applied", "--lot", LOT, "x"], "a lot is of a product"),
        (["mark", "applied", "--gtin", GTIN, "--note", "x" * 201, "A"], "a note has at most 200 characters"),
        (["mark", "applied", "--file", "/nowhere"], "cannot read /nowhere"),
        (["reconcile", "--gtin", GTIN, "--lot", "NONE"], "no published batch has labels of GTIN"),
    ],
)
def test_wrong_words(lot: Story, capsys: pytest.CaptureFixture[str], args: list[str], complaint: str) -> None:
    """Each is refused in plain words, with exit code 1."""
    assert labels(*args) == 1
    assert complaint in capsys.readouterr().err


def test_a_signed_label_of_no_batch_is_undeclared(lot: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever holds the label key signs one more: its first scan betrays it."""
    key_file = next(file for file in (lot.world.folder.path / "keys").glob("label-*.key"))
    key, batch = SigningKey.load(key_file), lot.issued.batch.batch
    path = gs1.item(GTIN, serial=new_serials(1)[0]).canonical_path
    with served(lot.world.folder.path.parent, lot.world.dsn) as address:
        for _ in range(2):
            answer = httpx.get(f"{address}{path}?s={sign_label(key, batch.day, path)}", timeout=20)
            assert answer.status_code == 200 and "Genuine" not in answer.text
        httpx.get(f"{address}{path}?s={sign_label(SigningKey.generate(), batch.day, path)}", timeout=20)
    code, document = told(capsys)
    assert code == 2 and document["undeclared"] == {GTIN: 1}


def test_made_up_labels_of_a_key_are_bounded(lot: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of products that have labels so many each; of all others so many a key, however many products it is for."""
    monkeypatch.setattr(scans, "STRAYS_MAX", 3)
    keys, others = [SigningKey.generate() for _ in range(2)], [made_up(number) for number in range(5)]
    with connect(lot.world.dsn) as connection:
        for key in keys:
            for gtin in [*others, GTIN, GTIN]:
                _stray(connection, key, gtin)
        by_key = "select kid, count(*) from label_stray where gtin <> %s group by kid"
        assert dict(connection.execute(by_key, [GTIN])) == {key.kid: 3 for key in keys}
        assert strays(lot, connection).startswith("3 or more labels: signed by a key")


def test_a_label_that_is_published_later_leaves_the_count_of_strays_bounded(
    lot: Story, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three were noted, and one of them is in a batch by now: two are left, or more that found no room."""
    monkeypatch.setattr(scans, "STRAYS_MAX", 3)
    key = SigningKey.generate()
    with connect(lot.world.dsn) as connection:
        _seen_stray(connection, key, lot.link(0))
        for _ in range(3):
            _stray(connection, key, GTIN)
        connection.commit()
    code, document = told(capsys)
    assert (code, document["undeclared"], document["undeclared_or_more"]) == (2, {GTIN: 2}, [GTIN])
    assert labels("reconcile") == 2
    assert f"  ! GTIN {GTIN}: 2 or more labels: signed by" in capsys.readouterr().out


def test_what_a_key_had_no_room_for_before_the_product_had_labels_may_be_more(
    lot: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its flood of other products came first, and may have kept out what it signed for this one."""
    monkeypatch.setattr(scans, "STRAYS_MAX", 2)
    key = SigningKey.generate()
    with connect(lot.world.dsn) as connection:
        for number in range(2):
            _stray(connection, key, made_up(number), ago=timedelta(days=1))
        _stray(connection, key, GTIN)
        assert strays(lot, connection).startswith("1 or more labels: signed by a key")


def test_strays_of_a_product_that_has_labels_take_no_others_room(lot: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key's strays for products without labels are bounded by themselves."""
    monkeypatch.setattr(scans, "STRAYS_MAX", 2)
    key, other = SigningKey.generate(), made_up(0)
    with connect(lot.world.dsn) as connection:
        for gtin in (GTIN, GTIN, other):
            _stray(connection, key, gtin)
        assert connection.execute("select count(*) from label_stray where gtin = %s", [other]).fetchone() == (1,)


def test_strays_of_products_without_labels_are_told_in_a_line(
    lot: Story, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are; not where one product is asked for, nor of those that have labels."""
    assert labels("reconcile") == 0
    with connect(lot.world.dsn) as connection:
        for number in (1, 0, 1):
            _stray(connection, SigningKey.generate(), made_up(number))
        connection.commit()
    assert told(capsys)[0] == 0
    assert labels("reconcile") == 2
    what = "3 labels: signed by a key that may sign it, seen, and in no published batch"
    line = f"  ! 2 products without labels, such as GTIN {made_up(0)}: {what}"
    assert capsys.readouterr().out.splitlines()[2:] == [line]
    monkeypatch.setattr(scans, "STRAYS_MAX", 1)
    assert labels("reconcile", "--json") == 2
    document = json.loads(capsys.readouterr().out)
    of_others = {"labels": 3, "products": 2, "first": made_up(0), "or_more": True}
    assert document["undeclared"] == {} and document["undeclared_of_others"] == of_others


def test_a_flood_of_made_up_products_hides_no_stray_of_a_real_one(lot: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the key asks for all he likes first: the product that has labels is counted still."""
    monkeypatch.setattr(scans, "STRAYS_MAX", 2)
    key = SigningKey.generate()
    with connect(lot.world.dsn) as connection:
        for number in range(4):
            _stray(connection, key, made_up(number))
        _stray(connection, key, GTIN)
        assert strays(lot, connection).startswith("1 label: signed by a key")


def made_up(number: int) -> str:
    """A GTIN of which there are no labels."""
    digits = f"00950600{number:05}"
    return digits + gs1.check_digit(digits)


def strays(story: Story, connection: psycopg.Connection) -> str:
    """What is said of the product's labels that are in no batch."""
    book = BookKeeper(story.world.folder).book(connection)
    return undeclared(connection, book, [GTIN]).by_gtin[GTIN].reason


def _stray(connection: psycopg.Connection, key: SigningKey, gtin: str, *, ago: timedelta = timedelta(0)) -> None:
    """Somebody asks, or asked, for the page of a new label that this key signed."""
    path = gs1.item(gtin, serial=new_serials(1)[0]).canonical_path
    link = gs1.parse(f"https://id.example.com{path}?s={sign_label(key, today(), path)}")
    _seen_stray(connection, key, link, ago=ago)


def _seen_stray(
    connection: psycopg.Connection, key: SigningKey, link: gs1.DigitalLink, *, ago: timedelta = timedelta(0)
) -> None:
    """The page of a label that is in no published batch is asked for; its key is said to be for all these products."""
    line = LabelKey(key.public, "https://example.com", ("00950600", "0950600"), today(), today())
    verdict = LabelVerdict(Standing.NOT_PROVEN, "", UNPUBLISHED, line, today())
    scans.note(connection, link, verdict, datetime.now(UTC) - ago, catalogue=Catalogue())


def test_a_page_that_is_asked_for_again_is_one_scan_an_hour(lot: Story) -> None:
    """So nobody fills the table by one label; another hour is another scan."""
    root, at = lot.issued.batch.batch.root, datetime.now(UTC)
    with served(lot.world.folder.path.parent, lot.world.dsn) as address, connect(lot.world.dsn) as connection:
        for _ in range(3):
            assert scan(address, lot, 0) == 200
        assert _scans(connection, root) == 1
        connection.rollback()
        with psycopg.connect(lot.world.dsn) as owner:
            owner.execute("update tallystick.label_use set at = %s", [at - scans.AGAIN_AFTER - timedelta(seconds=9)])
        assert scan(address, lot, 0) == 200
        assert _scans(connection, root) == 2


@pytest.mark.parametrize("what", ["spoiled", "returned"])
def test_a_label_seen_before_and_after_it_was_taken_back_is_found(
    lot: Story, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """Within the same hour: what became of it in between makes it news, once."""
    printed(lot, 0)
    with served(lot.world.folder.path.parent, lot.world.dsn) as address, connect(lot.world.dsn) as connection:
        assert [scan(address, lot, 0) for _ in range(2)] == [200] * 2
        assert labels("mark", what, "--gtin", GTIN, serial(lot, 0)) == 0
        assert told(capsys)[0] == 0
        assert [scan(address, lot, 0) for _ in range(3)] == [200] * 3
        assert _scans(connection, lot.issued.batch.batch.root) == 2
    code, document = told(capsys)
    assert code == 2 and findings(document["batches"][0]) == {f"seen-{what}": (1, serial(lot, 0))}


def _scans(connection: psycopg.Connection, root: bytes) -> int:
    return sum(one.use is Use.SEEN for one in recorded(connection, root, 0))


def test_a_database_that_only_reads_still_shows_pages(lot: Story) -> None:
    """A scan that cannot be noted costs the note, not the page."""
    with psycopg.connect(lot.world.dsn) as owner:
        owner.execute("drop table tallystick.label_use cascade")
    with served(lot.world.folder.path.parent, lot.world.dsn) as address:
        assert scan(address, lot, 0) == 200
