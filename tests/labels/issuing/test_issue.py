"""Issuing against a real ledger: a key with a scope, and a batch that is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from labels import gs1, listed
from labels.clock import today
from labels.issuing import issue as issuing
from labels.issuing.issue import issue
from labels.issuing.keys import NewKey, key_file, make_key
from labels.issuing.order import Order, Own, Random, Told
from labels.issuing.refused import Clashing, Foreign
from labels.signature import verify_label
from labels.typed import gtin_of, lot_of
from ledger.database import connect
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.registry import Role
from tests.labels.issuing.asking import book, rows
from tests.labels.story import GTIN, LOT, issue_lot, while_ticking
from tests.world import World


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    """A ledger without label keys."""
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


def new_key(world: World, **options: Any) -> NewKey:
    """A label key, registered while the gateway runs."""
    chosen: dict[str, Any] = {"gtins": [GTIN], "days": 10, "timeout_s": 20, **options}
    made: NewKey = while_ticking(world, lambda: make_key(world.folder, world.dsn, **chosen))
    return made


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
    issued = issue_lot(world, 30)
    batch = issued.batch.batch
    (key,) = book(world).label_keys
    assert (batch.gtin, batch.lot, batch.size, batch.kid, batch.day) == (GTIN, LOT, 30, key.thumbprint, today())
    links = [gs1.parse(label.link("id.example.com")) for label in issued.labels]
    assert all(verify_label(link, [key], today()) for link in links)
    assert len({link.serial for link in links}) == 30 and all(link.lot is None for link in links)
    with connect(world.dsn) as connection:
        assert tuple(listed.batch_labels(connection, batch.root)) == issued.labels
    assert book(world).batches == {batch.root: issued.batch}
    assert rows(world, "select gtin, lot, size, root from label_batch") == [(GTIN, LOT, 30, batch.root)]


def test_whoever_issues_hears_how_far_it_is(world: World) -> None:
    """At what, how many labels are done, and of how many: of serials that are read nobody knows before the end."""
    heard = list[tuple[str, int, int]]()
    order = Order(GTIN, LOT, Own((number, f"SN-{number}") for number in range(2_500)))
    told = Told(progress=lambda *said: heard.append(said))
    while_ticking(world, lambda: issue(world.folder, world.dsn, order, timeout_s=20, told=told))
    steps = [(about, done, 2_500) for about in ("comparing", "signing", "storing") for done in (1_000, 2_000, 2_500)]
    assert heard == [("reading", 1_000, 0), ("reading", 2_000, 0), *steps]


def test_a_lot_may_be_issued_again(world: World) -> None:
    """As another batch of the same lot."""
    first, second = issue_lot(world, 3), issue_lot(world, 4, lot_in_link=True)
    assert [found.batch.size for found in book(world).lots(GTIN, LOT)] == [3, 4]
    assert first.batch.batch.root != second.batch.batch.root
    assert all(label.path.startswith(f"/01/{GTIN}/10/{LOT}/21/") for label in second.labels)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"gtin": "09506000134353"}, "wrong check digit"),
        ({"lot": "x" * 21}, "lot 'x+' is not GS1's"),
        ({"lot": "tally"}, "not in upper case"),
        ({"lot": ""}, "lot '' is not GS1's"),
        ({"source": Random(0)}, "1 to 1,000,000 labels, not 0"),
        ({"source": Random(-1)}, "1 to 1,000,000 labels, not -1"),
        ({"source": Random(1_000_001)}, "1 to 1,000,000 labels, not 1,000,001"),
        ({"organisation": "https://nobody.example"}, "no organisation 'https://nobody.example' is registered"),
    ],
)
def test_what_cannot_be_issued_is_refused(world: World, options: dict[str, Any], complaint: str) -> None:
    """Nothing is stored then."""
    order = Order(**{"gtin": GTIN, "lot": LOT, "source": Random(1), **options})
    with pytest.raises(UserError, match=complaint):
        issue(world.folder, world.dsn, order, timeout_s=1)
    assert rows(world, "select count(*) from label") == rows(world, "select count(*) from inbox") == [(0,)]


ONE = Order(GTIN, LOT, Random(1))


def test_a_batch_is_signed_by_a_key_that_nobody_keeps(world: World) -> None:
    """Each has its own, of this GTIN, day, lot and root; no file holds its secret."""
    first, second = issue_lot(world, 2).batch.batch, issue_lot(world, 3).batch.batch
    lines = book(world).label_keys
    assert [line.thumbprint for line in lines] == [first.kid, second.kid]
    assert [(line.gtins, line.lot, line.batch) for line in lines] == [
        ((GTIN,), LOT, first.root), ((GTIN,), LOT, second.root)
    ]  # fmt: skip
    assert all((line.first_day, line.last_day) == (first.day, first.day) for line in lines)
    assert not list((world.folder.path / "keys").glob("label-*"))


def test_a_batch_keys_entry_comes_before_its_batch(world: World) -> None:
    """Both are in the registry, and no entry of another batch by that key would count."""
    batch = issue_lot(world, 2).batch
    assert book(world).key_entries[batch.batch.kid] < batch.index


@contextmanager
def without_operator(world: World) -> Iterator[None]:
    """The operator's key is somewhere else: not on the machine that issues labels."""
    key = world.folder.key_file(Role.OPERATOR)
    elsewhere = key.rename(key.with_name("elsewhere"))
    yield
    elsewhere.rename(key)


def test_without_the_operators_key_one_that_is_kept_signs(world: World) -> None:
    """The newest good one here is taken, and without one there is a hint; a batch's own key is none."""
    issue_lot(world, 1)
    old, new = new_key(world), new_key(world)
    with without_operator(world):
        assert issue_lot(world, 1).batch.batch.kid == new.line.thumbprint
        new.file.unlink()
        assert issue_lot(world, 1).batch.batch.kid == old.line.thumbprint
    world.operator_says({"type": "revocation", "kid": old.line.thumbprint, "reason": "stolen"})
    assert old.line.thumbprint in book(world).revoked_at
    with without_operator(world), pytest.raises(Foreign, match=f"no key here may sign labels of GTIN {GTIN}") as error:
        issue(world.folder, world.dsn, ONE, timeout_s=1)
    assert "labels key --gtin" in error.value.hint


def test_a_key_that_is_named_signs_if_it_may(world: World, tmp_path: Path) -> None:
    """Of another product's key, of a stranger's, and of one that is none, there is a plain word."""
    kept = new_key(world)
    assert issue_lot(world, 1, key_file=kept.file).batch.batch.kid == kept.line.thumbprint
    other = new_key(world, gtins=["09506000134369"])
    with pytest.raises(UserError, match="this key may not sign labels of GTIN 09506000134352 today"):
        issue(world.folder, world.dsn, replace(ONE, key_file=other.file), timeout_s=1)
    stranger = tmp_path / "stranger.key"
    SigningKey.generate().save(stranger, "nobody's")
    with pytest.raises(UserError, match="the registry knows this key as none"):
        issue(world.folder, world.dsn, replace(ONE, key_file=stranger), timeout_s=1)


def declare(world: World, uri: str, *prefixes: str, name: str = "Other") -> None:
    """An organisation declares its GS1 Company Prefixes."""
    world.operator_says({"type": "organisation", "uri": uri, "name": name, "prefixes": list(prefixes)})


OTHER, THIRD = "https://other.example.com", "https://third.example.com"


def test_a_gtin_is_its_organisations(world: World) -> None:
    """Whoever has declared its prefix has it, without being named; the operator is refused."""
    declare(world, OTHER, "9506000")
    issue_lot(world, 1)
    assert [line.organisation for line in book(world).label_keys] == [OTHER]
    with pytest.raises(Foreign, match=f"{OTHER} has declared its GS1 Company Prefix"):
        issue(world.folder, world.dsn, replace(ONE, organisation="https://example.com"), timeout_s=1)


def test_an_organisation_that_has_declared_others_is_refused(world: World) -> None:
    """No label is issued for it, and no key made."""
    declare(world, THIRD, "9501101", name="Third")
    with pytest.raises(Foreign, match="its GS1 Company Prefixes are 9501101") as error:
        issue(world.folder, world.dsn, replace(ONE, organisation=THIRD), timeout_s=1)
    assert "--gs1-prefix" in error.value.hint
    with pytest.raises(UserError, match="its GS1 Company Prefixes are 9501101"):
        make_key(world.folder, world.dsn, gtins=[GTIN], days=1, organisation=THIRD, timeout_s=1)


def test_a_recalled_lot_gets_no_labels(world: World) -> None:
    """Nor does a lot of a recalled product; what is recalled otherwise is nothing to it."""
    recall = {"type": "recall", "organisation": "https://example.com", "gtin": GTIN, "reason": "glass"}
    world.operator_says({**recall, "lot": LOT, "since": "2026-11-26"})
    with pytest.raises(Clashing, match=rf"GTIN {GTIN}, lot {LOT} is recalled: glass \(registry entry [0-9]+\)"):
        issue(world.folder, world.dsn, ONE, timeout_s=1)
    assert issue_lot(world, 1, lot="OTHER").batch.batch.size == 1
    world.operator_says({**recall, "since": "2026-11-26"})
    with pytest.raises(Clashing, match=f"GTIN {GTIN} is recalled: glass"):
        issue(world.folder, world.dsn, replace(ONE, lot="OTHER"), timeout_s=1)


def test_labels_and_their_entry_are_stored_together_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the labels were written leaves neither them nor an entry."""

    def crash(*_: object) -> None:
        raise psycopg.OperationalError("the server is gone")

    monkeypatch.setattr(issuing, "_post", crash)
    with pytest.raises(psycopg.OperationalError):
        issue(world.folder, world.dsn, replace(ONE, source=Random(5)), timeout_s=1)
    assert rows(world, "select count(*) from label") == rows(world, "select count(*) from inbox") == [(0,)]


def test_without_a_gateway_it_says_what_is_missing(world: World) -> None:
    """The labels are stored, their batch waits in the inbox, and the next gateway seals it."""
    with pytest.raises(UserError, match="5 labels are signed and stored, but nobody has sealed"):
        issue(world.folder, world.dsn, replace(ONE, source=Random(5)), timeout_s=0.2)
    assert not book(world).batches
    world.tick()
    assert [found.batch.size for found in book(world).lots(GTIN, LOT)] == [5]


def test_a_batch_entry_of_anyone_but_the_label_service_has_no_effect(world: World) -> None:
    """The operator's own key cannot publish a batch."""
    entry = issue_lot(world, 2).batch.batch.entry()
    world.operator_says({**entry, "root": bytes(32)})
    assert len(book(world).batches) == 1


def test_gtins_and_lots_are_read_as_people_write_them() -> None:
    """A GTIN of 8, 12 or 13 digits is completed to 14."""
    assert gtin_of("9506000134352") == GTIN and lot_of(GTIN, LOT) == LOT
