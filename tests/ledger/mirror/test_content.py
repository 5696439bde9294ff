"""Claims about what stands beside a mirror's entries: it comes late, and it goes when the registry says so."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger import message
from ledger.author import Content
from ledger.database import connect
from ledger.published.database import DatabaseReader
from ledger.statement import Statement
from tests.ledger.mirror.test_mirror import audited, mirror
from tests.world import Device, World


class Live:
    """A ledger that goes on, its device, and its mirror."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.press: Device = world.register_device("press-1")
        self._connection = connect(world.dsn, autocommit=True)

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()
        self.world.close()

    def mirror(self) -> str:
        """One round; what it says of production."""
        outcomes = mirror(DatabaseReader(self._connection, self.world.folder), self.folder, self.world.trust)
        assert all(outcome.problem is None for outcome in outcomes.values())
        report = audited(self.folder, self.world.trust)
        assert report.ok, report.problems
        return str(outcomes["production"])

    def publish_without_its_section(self, *contents: Content) -> tuple[Statement, bytes]:
        """A statement whose sections do not come with it; and the message in which they do."""
        statement, payload = self.world.sign(self.press, contents, tally=self.press.next_tally("production", 1))
        self.press.heads["production", 1] = statement
        lines = [None] * len(message.decode(payload).sections)
        self.world.send("press-1", message.encode(message.decode(payload).statement, lines))
        self.world.tick()
        return statement, payload

    def holds(self, data: bytes) -> bool:
        """Whether any file of the mirror has these bytes in it."""
        return any(data in path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def live(fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[Live]:
    """A ledger of one device."""
    live = Live(World(fresh_database(), tmp_path / "data"), tmp_path / "mirror")
    yield live
    live.close()


def test_a_section_that_comes_late(live: Live) -> None:
    """What had not come whole is asked for again, also below files that are full by now, and taken once."""
    live.world.publish(live.press, live.press.readings(1.0))
    _, payload = live.publish_without_its_section(live.press.readings(777.0))
    [section] = message.decode(payload).sections
    assert section and "late" not in live.mirror() and not live.holds(section)
    for _ in range(300):
        live.world.publish(live.press, live.press.readings(2.0))
    live.world.tick()
    assert "late" not in live.mirror()
    live.world.send("press-1", payload)
    live.world.tick()
    assert "1 came late" in live.mirror() and live.holds(section)
    assert "late" not in live.mirror()


def test_what_is_shredded_is_deleted(live: Live) -> None:
    """Bytes that the registry says are shredded are nowhere in the mirror, though the source still shows them."""
    live.world.publish(live.press, live.press.readings(1.0))
    kept = live.world.publish(live.press, live.press.readings(3.0))
    _, payload = live.world.sign(live.press, [live.press.readings(777.0)], tally=live.press.next_tally("production", 1))
    [section] = message.decode(payload).sections
    assert section
    live.press.heads["production", 1] = Statement.decode(message.decode(payload).statement)
    live.world.send("press-1", payload)
    live.world.tick()
    live.mirror()
    assert live.holds(section)
    index = 3  # after the stream's opening and two packs
    live.world.operator_says(_shredding([[index, 0]]))
    live.world.publish(live.press, live.press.readings(4.0))
    live.world.tick()
    assert "1 shredded" in live.mirror()
    assert not live.holds(section) and live.holds(kept.encode())
    assert "shredded" not in live.mirror() and not live.holds(section)


def test_what_was_shredded_before_is_never_taken(live: Live) -> None:
    """A source that still shows what the registry has shredded does not bring it into a new mirror."""
    live.world.publish(live.press, live.press.readings(1.0))
    live.world.tick()
    live.world.operator_says(_shredding([[1, 0]]))
    live.mirror()
    [content] = (path for path in live.folder.rglob("content/*/*") if "production" in str(path))
    assert content.read_bytes().count(b"\xf6") >= 1  # CBOR's null


def test_a_section_stays_that_the_source_withholds(live: Live) -> None:
    """What is held and verified is not deleted because a source shows it no more: only the registry's word counts."""
    live.world.publish(live.press, live.press.readings(1.0))
    live.publish_without_its_section(live.press.readings(2.0))
    live.mirror()
    held = {path: path.read_bytes() for path in live.folder.rglob("content/*/*")}
    with connect(live.world.dsn, role=None, autocommit=True) as connection:
        connection.execute("update section set data = null where content_format = 112")
    live.mirror()
    assert {path: path.read_bytes() for path in live.folder.rglob("content/*/*")} == held


def _shredding(items: list[list[int]]) -> dict[str, object]:
    return {"type": "shredding", "chain": "production", "items": items, "reason": "a request of its subject"}
