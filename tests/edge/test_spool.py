"""The spool and the signer: whatever happens, no stream has a hole, no seq is signed twice, nothing is half done."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.clock import Moment
from edge.confirm import Proven
from edge.signer import Content, Signer, SpoolFullError, StoppedError
from edge.spool import LINKS_KEPT, Spool, SpoolError
from ledger import merkle, message, stream
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.refusal import Reason, Refusal
from ledger.section import ContentFormat, Privacy, Section, matching
from ledger.statement import EVENTS, LANES, NO_PREVIOUS, TELEMETRY, Statement
from tests.edge.simulator import ISSUER, ORIGIN, URN

KEY = SigningKey(bytes(range(32)))
NOW = Moment(1_800_000_000.0, 0)
READINGS = Content(Privacy.PUBLIC, ContentFormat.SENML_CBOR, b"\x80")
EVENT = Content(Privacy.PRIVATE, ContentFormat.EPCIS, b"\xa0")


def make_signer(spool: Spool, *, bytes_max: int = 1 << 20, alive: bool = True) -> Signer:
    return Signer(
        key=KEY,
        issuer=ISSUER,
        subject=URN,
        audience=ORIGIN,
        spool=spool,
        bytes_max=bytes_max,
        clock_quality=lambda _: 2,
        may_continue=lambda: alive,
    )


def pack(signer: Signer, number: int, size: int = 1) -> Statement:
    body = bytes(size)
    content = Content(Privacy.PUBLIC, ContentFormat.SENML_CBOR, body)
    return signer.pack(content, NOW, sensor="s", cursor=str(number))


def refusal(statement: Statement, reason: Reason) -> Refusal:
    tally = statement.tally
    return Refusal(ORIGIN, statement.kid, tally.lane, tally.stream, tally.seq, statement.hash, reason, 0)


def check(path: Path) -> None:
    """Every stream in the file is contiguous and chained, every section is its line's, and the total is right."""
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for number, lane, name, next_seq, head in db.execute("SELECT id, lane, name, next_seq, head FROM stream"):
        rows = db.execute("SELECT id, seq, hash, leaf, bytes FROM statement WHERE stream = ? ORDER BY seq", [number])
        prev: bytes | None = None
        for statement_id, seq, hash_, leaf, data in rows:
            assert data is not None, "these tests prove nothing"
            statement = Statement.decode(data)
            statement.verify(KEY.public)
            assert (statement.tally.lane, statement.tally.stream, statement.tally.seq) == (lane, name, seq)
            assert statement.hash == hash_
            assert merkle.leaf_hash(data) == leaf
            assert prev is None or statement.tally.prev == prev
            assert seq > 0 or statement.tally.prev == NO_PREVIOUS
            prev = hash_
            for line, section in db.execute("SELECT line, bytes FROM section WHERE statement = ?", [statement_id]):
                assert matching(statement.manifest[line], section, kid=KEY.kid)
            last = statement
        assert prev is None or last.tally.seq < next_seq
        assert prev is None or last.tally.seq < next_seq - 1 or prev == head
        assert next_seq > 0, "no stream without its opening"
    sums = "SELECT (SELECT coalesce(sum(length(bytes)), 0) FROM statement) + (SELECT coalesce(sum(length(bytes)), 0) FROM section)"  # noqa: E501
    assert db.execute(sums).fetchone() == db.execute("SELECT bytes FROM total").fetchone()
    db.close()


def shape(path: Path) -> dict[str, object]:
    """How much there is of everything."""
    db = sqlite3.connect(path)
    tables = ("stream", "statement", "section", "evicted", "refused")
    counts: dict[str, object] = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables}
    counts["cursors"] = db.execute("SELECT * FROM cursor ORDER BY sensor").fetchall()
    counts["seqs"] = db.execute("SELECT next_seq, removed FROM stream ORDER BY id").fetchall()
    counts["stopped"] = db.execute("SELECT count(*) FROM state WHERE name = 'stopped'").fetchone()
    counts["size"] = db.execute("SELECT receipt_size FROM stream").fetchall()
    db.close()
    return counts


# Signing


def test_a_lane_opens_with_its_reason(tmp_path: Path) -> None:
    """The first statement of a new spool is the opening, alone and public; the content follows in seq 1."""
    spool = Spool(tmp_path / "s")
    statement = make_signer(spool).events([EVENT], NOW)[0]
    assert statement.tally.seq == 1
    opened = spool.open_stream(EVENTS)
    assert opened is not None
    first, second = (message.decode(spool.message(number) or b"") for number in spool.waiting(EVENTS, 9))
    opening = Statement.decode(first.statement)
    assert [(line.privacy, line.content_format) for line in opening.manifest] == [
        (Privacy.PUBLIC, ContentFormat.STREAM)
    ]
    assert stream.decode(Section.decode(first.sections[0] or b"").body) == stream.Opening("new", None)
    assert second.statement == statement.encode()
    spool.close()
    check(tmp_path / "s")


def test_lanes_have_streams_of_their_own(tmp_path: Path) -> None:
    """An event and a pack are each at seq 1 of two different streams."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    event, readings = signer.events([EVENT], NOW)[0], pack(signer, 1)
    assert event.tally.seq == readings.tally.seq == 1
    assert event.tally.stream != readings.tally.stream
    assert (event.tally.lane, readings.tally.lane) == (EVENTS, TELEMETRY)
    spool.close()


def test_an_uncleared_stream_is_not_signed_into(tmp_path: Path) -> None:
    """A process that does not know what happened to the file opens a new stream, naming the last it knows."""
    spool = Spool(tmp_path / "s")
    before = pack(make_signer(spool), 1)
    with spool.transaction():
        spool.unclear_all()
    after = pack(make_signer(spool), 2)
    assert after.tally.stream != before.tally.stream
    assert after.tally.seq == 1
    number = spool.waiting(TELEMETRY, 9)[-1]
    assert Statement.decode(message.decode(spool.message(number) or b"").statement).tally.stream == before.tally.stream
    opened = spool.open_stream(TELEMETRY)
    assert opened is not None and opened.reason == "lost"
    spool.close()
    check(tmp_path / "s")


def test_a_cleared_mark_of_a_dead_agent_counts_for_nothing(tmp_path: Path) -> None:
    """Beside no living agent, an event opens a stream, even though the last one is marked as cleared."""
    spool = Spool(tmp_path / "s")
    first = make_signer(spool).events([EVENT], NOW)[0]
    second, third = make_signer(spool, alive=False).events([EVENT, EVENT], NOW)
    assert second.tally.stream != first.tally.stream
    assert third.tally.stream == second.tally.stream  # one new stream for all of them
    spool.close()


def test_a_later_stream_waits_for_the_one_before(tmp_path: Path) -> None:
    """Its opening would close the earlier stream for ever: nothing of it is sent until all of that is proven."""
    spool = Spool(tmp_path / "s")
    first = make_signer(spool).events([EVENT], NOW)[0]
    make_signer(spool, alive=False).events([EVENT], NOW)
    assert len(spool.waiting(EVENTS, 99)) == 2
    before = spool.waiting(EVENTS, 99)
    spool.confirm(Proven(first.tally.stream, 1, 2, ((0, 2),), frozenset(), None))
    assert len(spool.waiting(EVENTS, 99)) == 2
    assert not set(before) & set(spool.waiting(EVENTS, 99))
    spool.close()


def test_several_processes_sign_into_one_stream(tmp_path: Path) -> None:
    """Two processes at once, a hundred events each: one stream, every seq once."""
    spool = Spool(tmp_path / "s")
    make_signer(spool).events([EVENT], NOW)
    assert not spool.changed_elsewhere()
    children = [_fork(lambda: _sign_many(tmp_path / "s", 100)) for _ in range(2)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert spool.changed_elsewhere()
    assert not spool.changed_elsewhere()
    opened = spool.open_stream(EVENTS)
    assert opened is not None and opened.next_seq == 202
    spool.close()
    check(tmp_path / "s")


def _sign_many(path: Path, count: int) -> None:
    spool = Spool(path)
    for _ in range(count):
        make_signer(spool).events([EVENT], NOW)
    spool.close()


def test_a_spool_belongs_to_one_key_and_ledger(tmp_path: Path) -> None:
    """What is signed is signed: another key or another ledger needs another spool."""
    spool = Spool(tmp_path / "s")
    make_signer(spool).bind()
    make_signer(spool).bind()
    with pytest.raises(UserError, match="another key"):
        spool.bind(key="00", name=URN, ledger=ORIGIN)
    with pytest.raises(UserError, match="another ledger"):
        spool.bind(key=KEY.kid.hex(), name=URN, ledger="example.org/tallystick/production")
    spool.close()


def test_a_file_that_is_no_spool_is_told_and_kept(tmp_path: Path) -> None:
    """It may be the only copy of something."""
    path = tmp_path / "s"
    path.write_bytes(b"something else entirely" * 99)
    with pytest.raises(SpoolError, match="cannot open the spool"):
        Spool(path)
    assert path.read_bytes() == b"something else entirely" * 99


def test_only_the_owner_may_read_a_spool(tmp_path: Path) -> None:
    """It holds private sections."""
    spool = Spool(tmp_path / "s")
    make_signer(spool).events([EVENT], NOW)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
    spool.close()


# Confirming


def test_confirming_deletes_exactly_what_is_proven(tmp_path: Path) -> None:
    """Two of four statements proven, one section lacking: that one stays with its statement, the rest goes."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    name = [pack(signer, number) for number in range(4)][-1].tally.stream
    moved = spool.confirm(Proven(name, 2, 3, ((1, 2),), frozenset({(2, 0)}), None))
    assert moved == 3
    waiting = [Statement.decode(message.decode(spool.message(n) or b"").statement) for n in spool.waiting(TELEMETRY, 9)]
    assert [statement.tally.seq for statement in waiting] == [0, 2, 3, 4]
    assert spool.counts(TELEMETRY) == {"unconfirmed": 3, "sections_waiting": 4}
    assert {seq: link.is_held for seq, link in spool.links(name, 0, 9).items()} == {
        0: True, 1: False, 2: True, 3: True, 4: True,
    }  # fmt: skip
    assert spool.confirm(Proven(name, 4, 5, ((0, 1), (2, 3)), frozenset(), None)) == 7
    assert spool.counts(TELEMETRY) == {"unconfirmed": 0, "sections_waiting": 0}
    assert spool.bytes_held() == 0
    assert spool.receipt_size(name) == 5
    spool.close()


def test_hashes_are_kept_long_enough_and_not_for_ever(tmp_path: Path) -> None:
    """The newest thousand hashes stay for later range proofs; before that, only what still waits and what follows."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool, bytes_max=1 << 30)
    with spool.transaction():
        name = [pack(signer, number) for number in range(LINKS_KEPT + 20)][-1].tally.stream
    spool.confirm(Proven(name, 1, 2, ((0, LINKS_KEPT),), frozenset({(5, 0)}), None))
    assert min(spool.links(name, 0, 1 << 40)) == 5
    spool.confirm(Proven(name, LINKS_KEPT + 20, 9, ((0, LINKS_KEPT + 21),), frozenset(), None))
    assert min(spool.links(name, 0, 1 << 40)) == 21
    assert spool.links(name, -5, 3) == {}
    assert spool.links(name, 2**62, 2**62) == {}
    spool.close()


# Eviction


def test_a_full_spool_drops_the_oldest_telemetry_and_says_so(tmp_path: Path) -> None:
    """Statements stay and go with an empty slot; the lines are named by a signed section; events stay whole."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool, bytes_max=64 * 1024)
    signer.events([Content(Privacy.PRIVATE, ContentFormat.EPCIS, bytes(20_000))], NOW)
    packs = [pack(signer, number, 10_000) for number in range(6)]
    gone = spool.evicted(99)
    assert [seq for _, seq, _ in gone] == [1, 2]
    assert spool.bytes_held() <= 64 * 1024
    first = message.decode(spool.message(spool.waiting(TELEMETRY, 9)[1]) or b"")
    assert (first.statement, first.sections) == (packs[0].encode(), (None,))
    assert spool.counts(EVENTS)["sections_waiting"] == 2
    assert signer.name_evicted(NOW)
    assert not signer.name_evicted(NOW)
    last = message.decode(spool.message(spool.waiting(TELEMETRY, 99)[-1]) or b"")
    assert Statement.decode(last.statement).manifest[0].privacy is Privacy.PUBLIC
    assert stream.decode(Section.decode(last.sections[0] or b"").body) == stream.Evicted(tuple(gone))
    spool.close()
    check(tmp_path / "s")


def test_events_are_never_evicted(tmp_path: Path) -> None:
    """Events go in beyond the limit; telemetry then waits, with its cursor where it was."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool, bytes_max=64 * 1024)
    pack(signer, 1)
    for _ in range(5):
        signer.events([Content(Privacy.PRIVATE, ContentFormat.EPCIS, bytes(20_000))], NOW)
    assert spool.counts(EVENTS) == {"unconfirmed": 6, "sections_waiting": 6}
    with pytest.raises(SpoolFullError):
        pack(signer, 2)
    assert spool.cursor("s") == "1"
    spool.close()
    check(tmp_path / "s")


# Refusals and restored spools


def test_what_followed_a_refused_statement_is_signed_anew(tmp_path: Path) -> None:
    """The refused bytes go on record; the later manifests and sections move to a new stream, digests unchanged."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    packs = [pack(signer, number) for number in range(5)]
    assert signer.refuse(refusal(packs[1], Reason.ENVELOPE), NOW)
    old, new = spool.stream(packs[0].tally.stream), spool.open_stream(TELEMETRY)
    assert old is not None and new is not None and old.id != new.id
    assert [held.seq for held in spool.held(old, 0)] == [0, 1]
    moved = [Statement.decode(held.bytes) for held in spool.held(new, 0)]
    assert [statement.manifest for statement in moved[2:]] == [item.manifest for item in packs[2:]]
    opening, notice = (message.decode(spool.message(held.id) or b"") for held in spool.held(new, 0)[:2])
    previous = (old.name, 1, packs[0].hash)
    assert stream.decode(Section.decode(opening.sections[0] or b"").body) == stream.Opening("refused", previous)
    assert stream.decode(Section.decode(notice.sections[0] or b"").body) == stream.RefusedBytes(packs[1].encode())
    assert spool.signed(TELEMETRY) == 2 + 2 + 3
    assert not signer.refuse(refusal(packs[1], Reason.ENVELOPE), NOW), "the second time there is nothing to refuse"
    spool.close()
    check(tmp_path / "s")


@pytest.mark.parametrize("reason", [Reason.CLOSED_STREAM, Reason.LINK])
def test_what_was_only_misplaced_is_signed_anew_itself(reason: Reason, tmp_path: Path) -> None:
    """A statement in a stream that somebody else closed has done nothing wrong: its content is not left out."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    packs = [pack(signer, number) for number in range(3)]
    signer.refuse(refusal(packs[0], reason), NOW)
    new = spool.open_stream(TELEMETRY)
    assert new is not None
    moved = [Statement.decode(held.bytes).manifest for held in spool.held(new, 2)]
    assert moved == [item.manifest for item in packs]
    spool.close()
    check(tmp_path / "s")


def test_a_closed_stream_moves_into_the_open_one(tmp_path: Path) -> None:
    """If a later stream is open already, what is left of the refused one goes there, and no third one opens."""
    spool = Spool(tmp_path / "s")
    old = make_signer(spool).events([EVENT], NOW)[0]
    make_signer(spool, alive=False).events([EVENT], NOW)
    make_signer(spool).refuse(refusal(old, Reason.CLOSED_STREAM), NOW)
    opened = spool.open_stream(EVENTS)
    assert opened is not None and opened.reason == "lost"
    assert opened.next_seq == 4  # its opening, its event, the notice, and the moved event
    spool.close()
    check(tmp_path / "s")


@pytest.mark.parametrize("reason", [Reason.REVOKED, Reason.SUSPENDED, Reason.FORK])
def test_a_bad_key_stops_everything_and_loses_nothing(reason: Reason, tmp_path: Path) -> None:
    """Nothing is signed any more, and the spool stays as it is."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    packs = [pack(signer, number) for number in range(3)]
    before = shape(tmp_path / "s")["statement"]
    assert signer.refuse(refusal(packs[1], reason), NOW)
    assert signer.waits_for_refused()
    with pytest.raises(StoppedError, match=str(reason)):
        signer.events([EVENT], NOW)
    with pytest.raises(StoppedError, match=str(reason)):
        pack(signer, 9)
    assert shape(tmp_path / "s")["statement"] == before
    spool.close()


def test_an_opening_that_is_refused_stops_instead_of_opening_for_ever(tmp_path: Path) -> None:
    """A device that is registered by another name would else open and have refused stream upon stream."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    pack(signer, 1)
    opened = spool.open_stream(TELEMETRY)
    assert opened is not None
    opening = Statement.decode(spool.held(opened, 0)[0].bytes)
    assert signer.refuse(refusal(opening, Reason.ENVELOPE), NOW)
    with pytest.raises(StoppedError, match="envelope"):
        pack(signer, 2)
    spool.close()


def test_another_statements_refusal_changes_nothing(tmp_path: Path) -> None:
    """Stream, seq and hash must be those of a statement that waits."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool)
    first, second = pack(signer, 1), pack(signer, 2)
    good = refusal(first, Reason.REVOKED)
    for wrong in (
        Refusal(ORIGIN, KEY.kid, TELEMETRY, b"whosever", 1, first.hash, Reason.REVOKED, 0),
        Refusal(ORIGIN, KEY.kid, EVENTS, good.stream, 1, first.hash, Reason.REVOKED, 0),
        Refusal(ORIGIN, KEY.kid, TELEMETRY, good.stream, 1, second.hash, Reason.REVOKED, 0),
        Refusal(ORIGIN, KEY.kid, TELEMETRY, good.stream, 9, first.hash, Reason.REVOKED, 0),
    ):
        assert not signer.refuse(wrong, NOW)
    pack(signer, 3)
    spool.close()


def test_evicted_lines_that_move_are_named_where_they_are(tmp_path: Path) -> None:
    """A line that was evicted and then moved is named by its new seq: the old one never entered the ledger."""
    spool = Spool(tmp_path / "s")
    signer = make_signer(spool, bytes_max=64 * 1024)
    packs = [pack(signer, number, 15_000) for number in range(5)]
    assert [seq for _, seq, _ in spool.evicted(9)] == [1]
    signer.refuse(refusal(packs[0], Reason.CLOSED_STREAM), NOW)
    opened = spool.open_stream(TELEMETRY)
    assert opened is not None
    assert spool.evicted(9) == [(opened.name, 2, 0)]
    spool.close()


# Crashes


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


def _killed_at(path: Path, step: int, work: Callable[[Spool], object]) -> bool:
    """Do `work` in a child that is killed when it begins its SQL statement number `step`; whether it was."""

    def child() -> None:
        spool, steps = Spool(path), iter(range(1, 1_000_000))

        def trace(_sql: str) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        spool._db.set_trace_callback(trace)
        work(spool)
        os._exit(0)  # without closing: nothing may depend on it

    status = os.waitstatus_to_exitcode(os.waitpid(_fork(child), 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def _prepare(path: Path) -> list[Statement]:
    spool = Spool(path)
    signer = make_signer(spool, bytes_max=64 * 1024)
    packs = [pack(signer, number, 10_000) for number in range(5)]
    signer.events([EVENT], NOW)
    spool.close()
    return packs


def _sign_into_full(spool: Spool) -> None:
    pack(make_signer(spool, bytes_max=64 * 1024), 9, 30_000)


OPERATIONS: dict[str, Callable[[Spool, list[Statement]], object]] = {
    "event": lambda spool, _: make_signer(spool).events([EVENT, EVENT], NOW),
    "event in a new stream": lambda spool, _: make_signer(spool, alive=False).events([EVENT, EVENT], NOW),
    "pack": lambda spool, _: pack(make_signer(spool), 9),
    "pack that evicts": lambda spool, _: _sign_into_full(spool),
    "refusal": lambda spool, packs: make_signer(spool).refuse(refusal(packs[1], Reason.ENVELOPE), NOW),
    "stop": lambda spool, packs: make_signer(spool).refuse(refusal(packs[1], Reason.REVOKED), NOW),
    "restore": lambda spool, packs: make_signer(spool).restore(TELEMETRY, (packs[0].tally.stream, 9, bytes(32)), NOW),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_any_step_it_is_as_before_or_as_after(name: str, tmp_path: Path) -> None:
    """kill -9 at each SQL statement of each operation: the file is sound, and the operation is whole or not there."""
    packs = _prepare(tmp_path / "base")
    before, found, step = shape(tmp_path / "base"), [], 0
    while True:
        step += 1
        path = tmp_path / str(step)
        shutil.copy(tmp_path / "base", path)
        was_killed = _killed_at(path, step, lambda spool: OPERATIONS[name](spool, packs))
        check(path)
        found.append(shape(path))
        if not was_killed:
            break
    assert step > 5
    after = found[-1]
    assert after != before
    assert all(item in (before, after) for item in found)


def test_confirming_killed_at_any_step_loses_nothing_unproven(tmp_path: Path) -> None:
    """kill -9 within a confirmation: all of it is done, or none."""
    packs = _prepare(tmp_path / "base")
    verdict = Proven(packs[0].tally.stream, 3, 4, ((0, 4),), frozenset({(2, 0)}), None)
    before, found, step, was_killed = shape(tmp_path / "base"), [], 0, True
    while was_killed:
        step += 1
        path = tmp_path / str(step)
        shutil.copy(tmp_path / "base", path)
        was_killed = _killed_at(path, step, lambda spool: spool.confirm(verdict))
        found.append(shape(path))
    assert found[-1] != before
    assert all(item in (before, found[-1]) for item in found)


CHILD = """
import sys
from pathlib import Path
from edge.spool import Spool
from tests.edge.test_spool import EVENT, NOW, make_signer, pack
spool = Spool(Path(sys.argv[1]))
signer = make_signer(spool)
number = int(spool.cursor("s") or 0)
while True:
    number += 1
    pack(signer, number)
    signer.events([EVENT], NOW)
    print(number, flush=True)
"""


def test_killed_again_and_again_while_it_signs(tmp_path: Path) -> None:
    """Five processes, each killed at work: no hole, no fork, no row twice, nothing printed is lost."""
    root = Path(__file__).parents[2]
    path, told = tmp_path / "s", 0
    for killed in range(1, 6):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], cwd=root, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.05)
        child.kill()
        lines = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        told = int(lines[-1]) if lines else told
        check(path)
        spool = Spool(path)
        signed = spool.signed(TELEMETRY) - 1
        assert int(spool.cursor("s") or 0) == signed >= told
        assert signed - killed <= spool.signed(EVENTS) - 1 <= signed
        assert len({stream.id for lane in LANES if (stream := spool.open_stream(lane))}) == 2
        spool.close()
