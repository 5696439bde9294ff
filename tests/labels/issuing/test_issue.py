"""Issuing against a real ledger: a key with a scope, and a batch that is there whole or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from labels import gs1, listed
from labels.book import Book
from labels.clock import today
from labels.issuing import issue as issuing
from labels.issuing.issue import issue, key_file, make_key
from labels.keeper import BookKeeper
from labels.signature import verify_label
from labels.typed import gtin_of, lot_of
from ledger.database import connect
from ledger.errors import UserError
from tests.labels.story import GTIN, LOT, issue_lot, while_ticking
from tests.world import World


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    """A ledger without label keys."""
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def new_key(world: World, **options: Any) -> issuing.NewKey:
    """A label key, registered while the gateway runs."""
    chosen: dict[str, Any] = {"gtins": [GTIN], "days": 10, "timeout_s": 20, **options}
    made: issuing.NewKey = while_ticking(world, lambda: make_key(world.folder, world.dsn, **chosen))
    return made


def book(world: World) -> Book:
    """The registry as it is published."""
    with connect(world.dsn) as connection:
        return BookKeeper(world.folder).book(connection)


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    """What the database holds."""
    with connect(world.dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_key_is_registered_with_its_scope_and_kept_for_its_owner_alone(world: World) -> None:
    """The registry has the key's GTINs and days; the secret is a file of mode 600."""
    made = new_key(world, prefixes=["09506000"])
    assert book(world).label_keys == (made.line,)
    assert made.line.gtins == (GTIN, "09506000") and (made.line.first_day, made.line.last_day) == (today(), today() + 9)
    assert made.line.organisation == "https://example.com"
    assert made.file == key_file(world.folder, made.line.thumbprint) and made.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"gtins": []}, "named products only"),
        ({"gtins": ["09506000134353"]}, "GTIN '09506000134353' has a wrong check digit"),
        ({"gtins": ["x"]}, "GTIN 'x' is not GS1's"),
        ({"prefixes": ["095"]}, "not what 14-digit GTINs begin with"),
        ({"organisation": "https://nobody.example"}, "no organisation 'https://nobody.example'"),
    ],
)
def test_a_key_without_a_good_scope_is_refused(world: World, options: dict[str, Any], complaint: str) -> None:
    """Nothing is written then."""
    chosen: dict[str, Any] = {"gtins": [GTIN], "days": 10, "timeout_s": 1, **options}
    with pytest.raises(UserError, match=complaint):
        make_key(world.folder, world.dsn, **chosen)
    assert not list((world.folder.path / "keys").glob("label-*"))


def test_labels_are_issued_as_one_published_batch(world: World) -> None:
    """All verify under the registered key, stand in the database in order, and are committed to by one entry."""
    key = new_key(world)
    issued = issue_lot(world, 30)
    batch = issued.batch.batch
    assert (batch.gtin, batch.lot, batch.size, batch.kid, batch.day) == (GTIN, LOT, 30, key.line.thumbprint, today())
    links = [gs1.parse(label.link("id.example.com")) for label in issued.labels]
    assert all(verify_label(link, [key.line], today()) for link in links)
    assert len({link.serial for link in links}) == 30 and all(link.lot is None for link in links)
    with connect(world.dsn) as connection:
        assert tuple(listed.batch_labels(connection, batch.root)) == issued.labels
    assert book(world).batches == {batch.root: issued.batch}
    assert rows(world, "select gtin, lot, size, root from label_batch") == [(GTIN, LOT, 30, batch.root)]


def test_a_lot_may_be_issued_again(world: World) -> None:
    """As another batch of the same lot."""
    new_key(world)
    first, second = issue_lot(world, 3), issue_lot(world, 4, lot_in_link=True)
    assert [found.batch.size for found in book(world).lots(GTIN, LOT)] == [3, 4]
    assert first.batch.batch.root != second.batch.batch.root
    assert all(label.path.startswith(f"/01/{GTIN}/10/{LOT}/21/") for label in second.labels)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"gtin": "09506000134369"}, "no key here may sign labels of GTIN 09506000134369"),
        ({"gtin": "09506000134353"}, "wrong check digit"),
        ({"lot": "x" * 21}, "lot 'x+' is not GS1's"),
        ({"lot": "tally"}, "not in upper case"),
        ({"lot": ""}, "lot '' is not GS1's"),
        ({"count": 0}, "1 to 100,000 labels, not 0"),
        ({"count": 100_001}, "1 to 100,000 labels"),
    ],
)
def test_what_cannot_be_issued_is_refused(world: World, options: dict[str, Any], complaint: str) -> None:
    """Nothing is stored then."""
    new_key(world)
    chosen: dict[str, Any] = {"gtin": GTIN, "lot": LOT, "count": 1, "timeout_s": 1, **options}
    with pytest.raises(UserError, match=complaint):
        issue(world.folder, world.dsn, **chosen)
    assert rows(world, "select count(*) from label") == rows(world, "select count(*) from inbox") == [(0,)]


def test_a_key_that_is_revoked_or_whose_secret_is_gone_signs_nothing(world: World) -> None:
    """The newest good key here is taken, and without one there is a hint."""
    old, new = new_key(world), new_key(world)
    assert issue_lot(world, 1).batch.batch.kid == new.line.thumbprint
    new.file.unlink()
    assert issue_lot(world, 1).batch.batch.kid == old.line.thumbprint
    world.operator_says({"type": "revocation", "kid": old.line.thumbprint, "reason": "stolen"})
    assert old.line.thumbprint in book(world).revoked_at
    with pytest.raises(UserError, match="no key here may sign"):
        issue(world.folder, world.dsn, gtin=GTIN, lot=LOT, count=1, timeout_s=1)


def test_labels_and_their_entry_are_stored_together_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the labels were written leaves neither them nor an entry."""
    new_key(world)

    def crash(*_: object) -> None:
        raise psycopg.OperationalError("the server is gone")

    monkeypatch.setattr(issuing, "_post", crash)
    with pytest.raises(psycopg.OperationalError):
        issue(world.folder, world.dsn, gtin=GTIN, lot=LOT, count=5, timeout_s=1)
    assert rows(world, "select count(*) from label") == rows(world, "select count(*) from inbox") == [(0,)]


def test_without_a_gateway_it_says_what_is_missing(world: World) -> None:
    """The labels are stored, their batch waits in the inbox, and the next gateway seals it."""
    new_key(world)
    with pytest.raises(UserError, match="5 labels are signed and stored, but nobody has sealed"):
        issue(world.folder, world.dsn, gtin=GTIN, lot=LOT, count=5, timeout_s=0.2)
    assert not book(world).batches
    world.tick()
    assert [found.batch.size for found in book(world).lots(GTIN, LOT)] == [5]


def test_a_batch_entry_of_anyone_but_the_label_service_has_no_effect(world: World) -> None:
    """The operator's own key cannot publish a batch."""
    new_key(world)
    entry = issue_lot(world, 2).batch.batch.entry()
    world.operator_says({**entry, "root": bytes(32)})
    assert len(book(world).batches) == 1


def test_gtins_and_lots_are_read_as_people_write_them() -> None:
    """A GTIN of 8, 12 or 13 digits is completed to 14."""
    assert gtin_of("9506000134352") == GTIN and lot_of(GTIN, LOT) == LOT
