"""Claims about content that is not there: what was evicted, shredded or withheld is told as such, and is no problem."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import message, stream
from ledger.audit.database import DatabaseSource
from ledger.audit.report import Report
from ledger.audit.walk import audit
from ledger.author import Content
from ledger.database import connect
from ledger.registry import Role
from ledger.section import ContentFormat, Privacy
from ledger.statement import TELEMETRY, Statement
from tests.ledger.audit.test_audit import entry_id
from tests.world import Device, World


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    """A ledger."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        yield world


def run(world: World, tamper: str = "") -> Report:
    """What an audit finds after some SQL, which stays."""
    if tamper:
        with connect(world.dsn, role=None, autocommit=True) as connection:
            connection.execute(tamper.encode())
    with connect(world.dsn) as connection:
        return audit(DatabaseSource(connection, world.folder), world.trust)


def counts(report: Report) -> dict[str, int]:
    """The counts of what is not there."""
    return {name: report.count(name) for name in ("lacking", "evicted", "withheld", "shredded")}


def bare(world: World, device: Device, value: float) -> Statement:
    """The device's next statement, of which no section arrives."""
    signed, _ = world.sign(device, [device.readings(value)], tally=device.next_tally("production", TELEMETRY))
    device.heads["production", TELEMETRY] = signed
    world.send(device.name, message.encode(signed.encode(), [None]))
    return signed


def names(*statements: Statement, line: int = 0) -> Content:
    """A section that says that these statements' sections were evicted."""
    lines = [(one.tally.stream, one.tally.seq, line) for one in statements]
    return Content(Privacy.PUBLIC, ContentFormat.STREAM, stream.evicted(lines))


def test_what_a_device_evicted_is_evicted(world: World) -> None:
    """A spool that was full: its device says so later, by name. What it does not name is lacking."""
    press, other = world.register_device("press-1"), world.register_device("press-2")
    for device in (press, other):
        world.publish(device, device.readings(1.0))
    gone = [bare(world, press, float(n)) for n in range(3)]
    world.tick()
    assert counts(run(world)) == {"lacking": 3, "evicted": 0, "withheld": 0, "shredded": 0}
    world.publish(other, names(*gone))  # who speaks for a neighbour's sections says nothing
    world.tick()
    assert run(world).count("evicted") == 0
    world.publish(press, names(*gone[:2]))
    world.tick()
    report = run(world)
    assert report.ok and report.notes == []
    assert counts(report) == {"lacking": 1, "evicted": 2, "withheld": 0, "shredded": 0}


def test_a_section_that_is_here_was_not_evicted(world: World) -> None:
    """Whatever its device says."""
    press = world.register_device("press-1")
    world.publish(press, names(world.publish(press, press.readings(1.0))))
    world.tick()
    assert counts(run(world)) == {"lacking": 0, "evicted": 0, "withheld": 0, "shredded": 0}


def test_what_the_registry_says_was_shredded_is_shredded(world: World) -> None:
    """By chain, index and line; whether its row is left empty or is gone. What is erased without a word is noted."""
    press = world.register_device("press-1")
    for number in range(5):
        world.publish(press, press.readings(float(number)))
    world.tick()
    items = [[1, 0], [2, 0], [3, 0]]
    world.operator_says({"type": "shredding", "chain": "production", "items": items, "reason": "asked for"})
    erased = f"update section set data = null where entry_id in ({entry_id(1)}, {entry_id(4)})"
    report = run(world, f"{erased}; delete from section where entry_id = {entry_id(2)}")
    assert report.ok
    assert counts(report) == {"lacking": 0, "evicted": 0, "withheld": 1, "shredded": 2}
    assert [str(note) for note in report.notes] == [
        "production, entry 3: section 0 is here, and registry entry 3 says that it was shredded",
        "production, entry 4: section 0 was erased, and no entry of the registry says why",
    ]


def test_a_word_that_does_not_count_shreds_nothing(world: World) -> None:
    """A shredding that its signer may not say is none."""
    press = world.register_device("press-1")
    world.publish(press, press.readings(1.0))
    world.tick()
    entry = {"type": "shredding", "chain": "production", "items": [[1, 0]], "reason": "none"}
    world.post(Role.LABELS, entry)
    world.tick()
    report = run(world, f"update section set data = null where entry_id = {entry_id(1)}")
    assert counts(report) == {"lacking": 0, "evicted": 0, "withheld": 1, "shredded": 0}
