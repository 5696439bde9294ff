"""A recall that is said while a batch is made: whichever comes first, no batch is stored after it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labels.catalogue.place import Place
from labels.describing import describe
from labels.issuing import issue as issuing
from labels.issuing.issue import issue
from labels.issuing.keys import make_key
from labels.issuing.order import Order, Own, Random, Told
from labels.issuing.refused import Clashing
from labels.keeper import BookKeeper
from ledger import inbox
from ledger.database import connect
from ledger.registry import REGISTRY, Role
from tests.labels.issuing.asking import book, rows
from tests.labels.story import GTIN, LOT, while_ticking
from tests.world import World

RECALL = {"type": "recall", "organisation": "https://example.com", "reason": "glass", "since": "2026-11-26"}


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    """A ledger without label keys, whose gateway holds its chains."""
    with World(postgres_dsn, tmp_path / "ledger") as made:
        made.tick()
        yield made


def recall(**place: str) -> dict[str, Any]:
    """The entry that recalls what is at a place."""
    return {**RECALL, "gtin": GTIN, **place}


def issue_while(world: World, meanwhile: Callable[[], object], **order: Any) -> None:
    """Issue a lot; once its labels are being stored, something happens `meanwhile`."""
    waiting = [meanwhile]

    def progress(about: str, done: int, of: int) -> None:
        if about == "storing" and waiting:
            waiting.pop()()

    ordered = Order(**{"gtin": GTIN, "lot": LOT, "source": Random(3), **order})
    issue(world.folder, world.dsn, ordered, timeout_s=20, told=Told(progress))


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize(
    ("place", "order"),
    [
        ({"lot": LOT}, {}),
        ({}, {}),
        ({"serial": "A/2"}, {"source": Own(((1, "A-1"), (2, "A/2")))}),
        ({"lot": LOT}, {"hidden": True}),
    ],
)
def test_a_recall_that_waits_or_is_sealed_by_now_stops_the_batch(
    world: World, place: dict[str, str], order: dict[str, Any], is_sealed: bool
) -> None:
    """Nothing of it is there, though it was not recalled when it was ordered."""

    def meanwhile() -> None:
        world.post(Role.OPERATOR, recall(**place))
        if is_sealed:
            world.tick()

    with pytest.raises(Clashing, match="was recalled while its labels were made: glass"):
        issue_while(world, meanwhile, **order)
    world.tick()
    assert rows(world, "select count(*) from label") == [(0,)] and not book(world).batches
    assert len(book(world).catalogue.recalls) == 1 and not book(world).label_keys


def test_the_kept_keys_batch_is_stopped_too(world: World) -> None:
    """The operator's key is not there, and what is said by it counts all the same."""
    while_ticking(world, lambda: make_key(world.folder, world.dsn, gtins=[GTIN], days=9, timeout_s=20))
    operator = world.author(Role.OPERATOR).key
    world.folder.key_file(Role.OPERATOR).unlink()

    def meanwhile() -> None:
        operator.save(world.folder.key_file(Role.OPERATOR), "the operator's")
        world.post(Role.OPERATOR, recall(lot=LOT))

    with pytest.raises(Clashing, match="was recalled while"):
        issue_while(world, meanwhile)
    assert rows(world, "select count(*) from label") == [(0,)]


@pytest.mark.parametrize("entry", [recall(lot="OTHER"), recall(gtin="09501101530003"), recall(serial="A-1")])
def test_another_recall_stops_nothing(world: World, entry: dict[str, Any]) -> None:
    """Of another lot, another product, or an item that is not among these."""
    while_ticking(world, lambda: issue_while(world, lambda: world.post(Role.OPERATOR, entry)))
    assert len(book(world).batches) == 1


def test_a_recall_that_is_lifted_by_now_stops_nothing(world: World) -> None:
    """Both wait to be sealed, in their order."""
    lifting = {"type": "recall-lifting", "organisation": "https://example.com", "gtin": GTIN, "reason": "none"}
    while_ticking(world, lambda: issue_while(world, lambda: world.post(Role.OPERATOR, recall(), lifting)))
    assert len(book(world).batches) == 1


def test_a_recall_of_anyone_but_the_operator_stops_nothing(world: World) -> None:
    """The registry will refuse it, so it is none."""
    while_ticking(world, lambda: issue_while(world, lambda: world.post(Role.LABELS, recall())))
    assert len(book(world).batches) == 1


def test_a_recall_waits_for_the_batch_that_is_being_posted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the last look on a recall, in a session of its own, waits until the batch is stored: then it covers that."""
    post, said = issuing._post, {"reason": "glass", "since": "2026-11-26"}
    recalling = threading.Thread(
        target=lambda: describe.recall(world.folder, world.dsn, Place(GTIN, lot=LOT), timeout_s=20, **said)
    )

    def posting(*given: Any) -> None:
        if not recalling.ident:
            recalling.start()
            recalling.join(0.5)
            assert recalling.is_alive() and rows(world, "select count(*) from inbox") == [(0,)]
        post(*given)

    monkeypatch.setattr(issuing, "_post", posting)
    while_ticking(world, lambda: issue_while(world, lambda: None))
    while_ticking(world, recalling.join)
    assert len(book(world).batches) == 1 and book(world).recalled(GTIN, LOT)


def test_a_recall_does_not_wait_while_labels_are_signed_and_stored(world: World) -> None:
    """A large batch takes minutes; the recall is in the inbox before that is done."""
    posted: list[bool] = []

    def meanwhile() -> None:
        world.post(Role.OPERATOR, recall())
        posted.append(rows(world, "select count(*) from inbox") == [(2,)])  # with the opening of its stream

    with pytest.raises(Clashing):
        issue_while(world, meanwhile)
    assert posted == [True]


def test_what_is_to_come_is_the_same_whether_it_waits_or_is_sealed(world: World) -> None:
    """And what is published stays as it was until it is published."""
    keeper = BookKeeper(world.folder)
    with connect(world.dsn) as connection:
        before = keeper.book(connection)
        world.post(Role.OPERATOR, recall(lot=LOT))
        assert len(inbox.waiting(connection, REGISTRY)) == 2  # the opening of a stream, and the recall
        waits = keeper.coming(connection)
        assert keeper.book(connection) == before and waits.recalled(GTIN, LOT)
        connection.commit()
        world.tick()
        assert keeper.coming(connection).catalogue.recalls.keys() == waits.catalogue.recalls.keys()
        assert keeper.coming(connection).size == keeper.book(connection).size


def test_what_is_looked_at_before_it_comes_changes_nothing_of_what_is_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits may come otherwise, or not at all: the book goes on from what was published."""
    keeper = BookKeeper(world.folder)
    with connect(world.dsn) as connection:
        world.post(Role.OPERATOR, recall(lot=LOT))
        waiting = inbox.waiting(connection, REGISTRY)
        connection.commit()
        world.tick()
        published = keeper.book(connection)
        monkeypatch.setattr(inbox, "waiting", lambda *_: waiting)
        again = keeper.coming(connection)
        assert again.size > published.size and again.catalogue.recalls != published.catalogue.recalls
        connection.commit()
        world.post(Role.OPERATOR, {"type": "organisation", "uri": "https://partner.example.com", "name": "Partner"})
        world.tick()
        later = keeper.book(connection)
        assert "https://partner.example.com" in later.organisations
        assert later.catalogue.recalls == published.catalogue.recalls
