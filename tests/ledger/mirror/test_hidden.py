"""Claims about sources that hide what the registry says, or say it otherwise: audit, mirror and monitor notice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.audit.published_source import PublishedSource
from ledger.audit.walk import audit
from ledger.block import Header
from ledger.database import connect
from ledger.errors import SourceRefused
from ledger.monitor.alarm import Kind
from ledger.monitor.state import State
from ledger.monitor.watch import Limits, Watch
from ledger.published import content
from ledger.published.blocks import Block, decode_blocks, decode_head, encode_blocks, encode_head
from ledger.published.content import Content, Held
from ledger.published.paths import Kind as Part
from ledger.published.paths import Place
from ledger.registry import REGISTRY
from ledger.statement import Statement
from ledger.tile import decode_entries, encode_entries
from tests.ledger.mirror.test_mirror import audited, mirror
from tests.ledger.published.made import Copy, Made, everything
from tests.world import World

ORIGIN = "example.com/tallystick/registry"
Hide = Callable[[dict[str, bytes]], None]


@pytest.fixture
def revoked(fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[Made]:
    """A ledger whose newest registry entry revokes a device's key."""
    world = World(fresh_database(), tmp_path / "data")
    press = world.register_device("press-1")
    world.publish(press, press.readings(1.0))
    world.tick()
    world.operator_says({"type": "revocation", "kid": press.key.kid, "reason": "it was stolen"})
    world.tick()
    with connect(world.dsn, autocommit=True) as connection:
        yield Made(world, press, connection)
    world.close()


def _size(files: dict[str, bytes]) -> int:
    return Header.decode(decode_head(files[f"{ORIGIN}/head"]).header).size


def _change(files: dict[str, bytes], change: Callable[[Content], Content]) -> None:
    path = Place(Part.CONTENT, ORIGIN, 0, 0, _size(files)).path
    contents = content.decode(files[path], _size(files))
    files[path] = content.encode([*contents[:-1], change(contents[-1])])


def unlisted(files: dict[str, bytes]) -> None:
    """The revocation's section never came."""
    _change(files, lambda one: Content(None, ()))


def withheld(files: dict[str, bytes]) -> None:
    """The revocation's section is erased."""
    _change(files, lambda one: Content(None, tuple(shown._replace(data=None) for shown in one.sections)))


def erased(files: dict[str, bytes]) -> None:
    """The revocation is erased."""
    path = Place(Part.ENTRIES, ORIGIN, 0, 0, _size(files)).path
    entries = decode_entries(files[path], _size(files))
    gone = Statement.decode(entries[-1])
    files[path] = encode_entries([*entries[:-1], b""])
    held = Held(gone.kid, gone.tally.lane, gone.tally.stream, gone.tally.seq, len(gone.manifest), gone.hash)
    _change(files, lambda one: Content(held, ()))


hides = pytest.mark.parametrize("hide", [unlisted, withheld, erased])


def _hidden(made: Made, hide: Hide) -> Copy:
    files = everything(made.reader(), made.every_path())
    hide(files)
    return Copy(files)


@hides
def test_an_audit_does_not_pass_over_it(revoked: Made, hide: Hide) -> None:
    """A registry of which an entry's word is hidden is not whole: who may speak cannot be said."""
    report = audit(PublishedSource(_hidden(revoked, hide), revoked.world.trust), revoked.world.trust)
    assert not report.ok
    [problem] = report.problems
    assert problem.chain == REGISTRY and "hidden" in problem.what


@hides
def test_a_mirror_does_not_take_it(revoked: Made, hide: Hide, tmp_path: Path) -> None:
    """What is held stays without it, audits, and takes the entry from who shows it."""
    folder, trust = tmp_path / "mirror", revoked.world.trust
    problem = mirror(_hidden(revoked, hide), folder, trust)[REGISTRY].problem
    assert isinstance(problem, SourceRefused) and "hidden" in str(problem)
    assert audited(folder, trust).ok
    assert all(outcome.problem is None for outcome in mirror(revoked.reader(), folder, trust).values())
    assert audited(folder, trust).ok


@hides
def test_a_monitor_says_that_it_cannot_read_it(revoked: Made, hide: Hide) -> None:
    """And tells of the revocation once it is shown."""
    watch = Watch(revoked.world.trust, State(), Limits())
    alarms = watch.round({"here": _hidden(revoked, hide)}, revoked.world.now_ms)
    assert {alarm.kind for alarm in alarms} == {Kind.UNREACHABLE}
    alarms = watch.round({"here": revoked.reader()}, revoked.world.now_ms)
    assert {alarm.kind for alarm in alarms} == {Kind.REVOCATION}


def test_a_monitor_believes_no_section_that_its_entry_does_not_name(revoked: Made) -> None:
    """One bit of the revocation's salt or kid is another, and the source is called wrong."""

    def other(one: Content) -> Content:
        [shown] = one.sections
        assert shown.data is not None
        return Content(None, (shown._replace(data=bytes([*shown.data[:-1], shown.data[-1] ^ 1])),))

    watch = Watch(revoked.world.trust, State(), Limits())
    alarms = watch.round({"here": _hidden(revoked, lambda files: _change(files, other))}, revoked.world.now_ms)
    assert {alarm.kind for alarm in alarms} == {Kind.UNREACHABLE}


def test_a_block_beyond_its_head(made: Made, tmp_path: Path) -> None:
    """Heights are not signed: a later block in an earlier one's place is refused as any other lie."""
    files, origin = everything(made.reader(), made.every_path()), "example.com/tallystick/production"
    first, head, later = (decode_blocks(files[f"{origin}/blocks/000"], 256)[height] for height in (0, 1, 5))
    header, before = Header.decode(later.header), Header.decode(first.header)
    moved = Block(replace(header, height=1, first=before.size, prev=before.hash).encode(), later.checkpoint)
    files[f"{origin}/head"], files[f"{origin}/checkpoint"] = encode_head(head), head.checkpoint.encode()
    files[f"{origin}/blocks/000.p/2"] = encode_blocks([first, moved])
    problem = mirror(Copy(files), tmp_path, made.world.trust)["production"].problem
    assert isinstance(problem, SourceRefused)
