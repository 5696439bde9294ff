"""The spool: what the device has signed and cannot yet forget, in one SQLite file.

A statement is *proven* once a receipt has shown it in the log. Its bytes go when no section of it waits any more; its
hashes stay a while, so that later range proofs over its neighbours can be checked. Every change happens in a
transaction that is on the disk before the call returns (WAL, synchronous=FULL): a crash leaves the state before or the
state after. Several processes may hold the file open: writers take their turn (BEGIN IMMEDIATE).
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.confirm import Link, Proven
from ledger import merkle, message
from ledger.errors import UserError
from ledger.statement import NO_PREVIOUS, TELEMETRY, Statement

VERSION = 1
LINKS_KEPT = 1_024  # more than the statements that one block can hold
REFUSED_KEPT = 1_000
BUSY_S = 30.0

_SCHEMA = """
CREATE TABLE stream (
  id INTEGER PRIMARY KEY AUTOINCREMENT,     -- in order of opening
  lane INTEGER NOT NULL,
  name BLOB NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  next_seq INTEGER NOT NULL DEFAULT 0,
  head BLOB NOT NULL,                       -- hash of its newest statement
  cleared INTEGER NOT NULL DEFAULT 1,       -- good only while an agent holds the folder's locks
  receipt_size INTEGER NOT NULL DEFAULT 0,  -- tree size of its newest receipt
  removed INTEGER NOT NULL DEFAULT 0        -- statements that were taken out unproven
) STRICT;
CREATE INDEX stream_lane ON stream (lane, id);

CREATE TABLE statement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,     -- within a lane, in the order in which they must be sent
  lane INTEGER NOT NULL,
  stream INTEGER NOT NULL REFERENCES stream (id),
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  leaf BLOB NOT NULL,
  lines INTEGER NOT NULL,
  bytes BLOB,                               -- null once it is proven and no section waits
  proven INTEGER NOT NULL DEFAULT 0,
  UNIQUE (stream, seq)
) STRICT;
CREATE INDEX statement_unproven ON statement (lane, stream, seq) WHERE proven = 0;
CREATE INDEX statement_lacking ON statement (lane, id) WHERE proven = 1 AND bytes IS NOT NULL;

CREATE TABLE section (
  statement INTEGER NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  evictable INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (statement, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX section_evictable ON section (statement, line) WHERE evictable = 1;

CREATE TABLE evicted (                      -- lines whose eviction is not yet signed for
  stream BLOB NOT NULL, seq INTEGER NOT NULL, line INTEGER NOT NULL,
  PRIMARY KEY (stream, seq, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE refused (                      -- what was refused for good, kept for people
  id INTEGER PRIMARY KEY AUTOINCREMENT, reason TEXT NOT NULL, message BLOB NOT NULL
) STRICT;

CREATE TABLE cursor (sensor TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE total (bytes INTEGER NOT NULL) STRICT;
INSERT INTO total VALUES (0);
CREATE TRIGGER statement_in AFTER INSERT ON statement BEGIN
  UPDATE total SET bytes = bytes + coalesce(length(new.bytes), 0); END;
CREATE TRIGGER statement_change AFTER UPDATE OF bytes ON statement BEGIN
  UPDATE total SET bytes = bytes - coalesce(length(old.bytes), 0) + coalesce(length(new.bytes), 0); END;
CREATE TRIGGER statement_out AFTER DELETE ON statement BEGIN
  UPDATE total SET bytes = bytes - coalesce(length(old.bytes), 0); END;
CREATE TRIGGER section_in AFTER INSERT ON section BEGIN
  UPDATE total SET bytes = bytes + length(new.bytes); END;
CREATE TRIGGER section_out AFTER DELETE ON section BEGIN
  UPDATE total SET bytes = bytes - length(old.bytes); END;
"""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of ours: where its next link goes, and whether it may be signed into."""

    id: int
    lane: int
    name: bytes
    reason: str
    next_seq: int
    head: bytes
    is_cleared: bool
    receipt_size: int

    @property
    def last(self) -> tuple[bytes, int, bytes] | None:
        """(stream, seq, hash) of its newest statement, as a later stream's opening names it."""
        return (self.name, self.next_seq - 1, self.head) if self.next_seq else None


@dataclass(frozen=True, slots=True)
class Held:
    """A statement that is not proven yet."""

    id: int
    seq: int
    hash: bytes
    bytes: bytes
    lines: int


class SpoolError(UserError):
    """The spool cannot be read or written."""

    def __init__(self, message: str) -> None:
        hint = "it may hold statements that nobody else has: keep it, and see that its disk is sound and not full"
        super().__init__(message, hint)


class Spool:
    """An open spool. Only one thread may use it; other processes may use the same file."""

    def __init__(self, path: Path) -> None:
        """Open the spool at `path`, and make it if there is none; raises UserError if it cannot be read."""
        try:
            path.touch(mode=0o600)  # it holds private sections; SQLite's side files take its mode
            self._db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except (sqlite3.DatabaseError, OSError) as error:
            raise SpoolError(f"cannot open the spool {path}: {error}") from error
        self._version = self._data_version()

    def _prepare(self) -> None:
        with self.transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == VERSION:
                return
            if version:
                raise UserError(f"the spool is of version {version}", "it was made by a newer Tallystick: use that one")
            for sql in _statements(_SCHEMA):
                self._db.execute(sql)
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else writes meanwhile. An inner block is part of the outer one."""
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise SpoolError(f"cannot write the spool: {error}") from error
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def changed_elsewhere(self) -> bool:
        """Whether another process has written since the last call; costs some microseconds."""
        before, self._version = self._version, self._data_version()
        return before != self._version

    def _data_version(self) -> int:
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version)

    def bind(self, **names: str) -> None:
        """Remember whose spool this is, or raise UserError if it is another's: its statements are signed already."""
        with self.transaction():
            for name, value in names.items():
                known = self.state(name)
                if known is None:
                    self.set_state(name, value)
                elif known != value:
                    raise UserError(
                        f"the spool holds statements of another {name}: {known}, not {value}",
                        "put the old key, name and trust file back, or name another spool in [spool]",
                    )

    # Streams

    def open_stream(self, lane: int) -> Stream | None:
        """The lane's open stream: the one opened last."""
        return self._stream("lane = ? ORDER BY id DESC LIMIT 1", lane)

    def stream(self, name: bytes) -> Stream | None:
        """The stream of this name, if it is ours."""
        return self._stream("name = ?", name)

    def _stream(self, where: str, value: object) -> Stream | None:
        columns = "id, lane, name, reason, next_seq, head, cleared, receipt_size"
        row = self._db.execute(f"SELECT {columns} FROM stream WHERE {where}", [value]).fetchone()  # noqa: S608
        if row is None:
            return None
        number, lane, name, reason, next_seq, head, cleared, receipt_size = row
        return Stream(number, lane, name, reason, next_seq, head, bool(cleared), receipt_size)

    def add_stream(self, lane: int, name: bytes, reason: str) -> Stream:
        """Open a stream; its seq 0 is still to be signed."""
        self._db.execute(
            "INSERT INTO stream (lane, name, reason, head) VALUES (?, ?, ?, ?)", [lane, name, reason, NO_PREVIOUS]
        )
        stream = self.stream(name)
        assert stream is not None
        return stream

    def clear(self, stream: Stream) -> None:
        """The ledger has shown that it knows no more of this stream than the spool: it may be signed into."""
        self._db.execute("UPDATE stream SET cleared = 1 WHERE id = ?", [stream.id])

    def unclear_all(self) -> None:
        """A new process knows nothing of what happened to the file before."""
        self._db.execute("UPDATE stream SET cleared = 0")

    # Statements

    def add(self, stream: Stream, statement: Statement, sections: Sequence[tuple[bytes, bool] | None]) -> int:
        """Spool a signed statement, and for each line the section's bytes and whether it may be evicted; or None."""
        seq, data = statement.tally.seq, statement.encode()
        row = (stream.lane, stream.id, seq, statement.hash, merkle.leaf_hash(data), len(statement.manifest), data)
        number = self._db.execute(
            "INSERT INTO statement (lane, stream, seq, hash, leaf, lines, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)", row
        ).lastrowid
        assert number is not None
        self._db.executemany(
            "INSERT INTO section (statement, line, bytes, evictable) VALUES (?, ?, ?, ?)",
            [(number, line, *section) for line, section in enumerate(sections) if section is not None],
        )
        self._db.execute("UPDATE stream SET next_seq = ?, head = ? WHERE id = ?", [seq + 1, statement.hash, stream.id])
        return number

    def held(self, stream: Stream, first: int) -> list[Held]:
        """The stream's statements from seq `first` on that are not proven, in order."""
        query = """SELECT id, seq, hash, bytes, lines FROM statement
                    WHERE lane = ? AND stream = ? AND seq >= ? AND proven = 0 ORDER BY seq"""
        return [Held(*row) for row in self._db.execute(query, [stream.lane, stream.id, first])]

    def kept(self, stream: Stream, first: int) -> list[Held]:
        """As `held`, and with them those that were proven and of which a section still waits."""
        query = """SELECT id, seq, hash, bytes, lines FROM statement
                    WHERE stream = ? AND seq >= ? AND bytes IS NOT NULL ORDER BY seq"""
        return [Held(*row) for row in self._db.execute(query, [stream.id, first])]

    def unproven_before(self, stream: Stream) -> list[Stream]:
        """Earlier streams of the lane that have statements without a receipt."""
        query = "SELECT DISTINCT stream FROM statement WHERE proven = 0 AND lane = ? AND stream < ? ORDER BY stream"
        rows = self._db.execute(query, [stream.lane, stream.id]).fetchall()
        return [found for (number,) in rows if (found := self._stream("id = ?", number)) is not None]

    def hashes(self) -> dict[bytes, bool]:
        """The hashes of all statements that are not forgotten, and whether each is proven."""
        return {bytes(hash_): bool(proven) for hash_, proven in self._db.execute("SELECT hash, proven FROM statement")}

    def is_unproven(self, stream: Stream, seq: int) -> bool:
        """Whether the stream's statement `seq` is here and not proven."""
        query = "SELECT 1 FROM statement WHERE lane = ? AND stream = ? AND seq = ? AND proven = 0"
        return self._db.execute(query, [stream.lane, stream.id, seq]).fetchone() is not None

    def remove(self, number: int) -> None:
        """Take a statement out, with its sections: it is signed anew, or refused for good."""
        count = "UPDATE stream SET removed = removed + 1 WHERE id = (SELECT stream FROM statement WHERE id = ?)"
        self._db.execute(count, [number])
        self._db.execute("DELETE FROM statement WHERE id = ?", [number])

    def move_sections(self, old: int, new: int) -> set[int]:
        """Give a statement's sections to another one; returns the lines that there are."""
        self._db.execute("UPDATE section SET statement = ? WHERE statement = ?", [new, old])
        return {line for (line,) in self._db.execute("SELECT line FROM section WHERE statement = ?", [new])}

    # Sending

    def waiting(self, lane: int, limit: int) -> tuple[int, ...]:
        """The numbers of what is to be sent, at most `limit` of a kind.

        These are the first unproven statements of the oldest stream that has any, and proven ones of which a section
        did not arrive. A later stream waits until the one before is proven: its opening closes that one for ever.
        """
        unproven = """SELECT id FROM statement WHERE proven = 0 AND lane = ?1 AND stream =
                        (SELECT min(stream) FROM statement WHERE proven = 0 AND lane = ?1) ORDER BY seq LIMIT ?2"""
        lacking = "SELECT id FROM statement WHERE proven = 1 AND bytes IS NOT NULL AND lane = ?1 ORDER BY id LIMIT ?2"
        found = [number for sql in (unproven, lacking) for (number,) in self._db.execute(sql, [lane, limit])]
        return tuple(sorted(found))

    def message(self, number: int) -> bytes | None:
        """The message for statement `number` with all its sections that are still here; None if it is gone."""
        row = self._db.execute("SELECT bytes, lines FROM statement WHERE id = ?", [number]).fetchone()
        if row is None or row[0] is None:
            return None
        here = dict(self._db.execute("SELECT line, bytes FROM section WHERE statement = ?", [number]).fetchall())
        return message.encode(row[0], [here.get(line) for line in range(row[1])])

    def first_unproven(self, stream: Stream) -> int:
        """The first seq without a receipt."""
        query = "SELECT min(seq) FROM statement WHERE proven = 0 AND lane = ? AND stream = ?"
        (seq,) = self._db.execute(query, [stream.lane, stream.id]).fetchone()
        return stream.next_seq if seq is None else int(seq)

    # What `confirm` asks

    def next_seq(self, lane: int, stream: bytes) -> int | None:
        """See confirm.View."""
        found = self.stream(stream)
        return found.next_seq if found is not None and found.lane == lane else None

    def receipt_size(self, stream: bytes) -> int:
        """See confirm.View."""
        found = self.stream(stream)
        return found.receipt_size if found is not None else 0

    def links(self, stream: bytes, first: int, count: int) -> Mapping[int, Link]:
        """See confirm.View. The numbers may be any: what SQLite cannot count to, it does not have."""
        last = min(first + count - 1, 2**63 - 1)
        if not 0 <= first <= last:
            return {}
        query = """SELECT seq, hash, leaf, bytes IS NOT NULL FROM statement
                    WHERE stream = (SELECT id FROM stream WHERE name = ?) AND seq BETWEEN ? AND ?"""
        rows = self._db.execute(query, [stream, first, last])
        return {seq: Link(hash_, leaf, bool(is_held)) for seq, hash_, leaf, is_held in rows}

    # Confirming

    def confirm(self, verdict: Proven) -> int:
        """Mark what is proven, forget what nobody needs any more; returns how much that moved on."""
        with self.transaction():
            stream = self.stream(verdict.stream)
            if stream is None:
                return 0
            moved = 0
            for first, count in verdict.ranges:
                moved += self._mark_proven(stream, first, first + count - 1)
                moved += self._drop_sections(stream, first, first + count - 1, verdict.lacking)
            size = max(stream.receipt_size, verdict.size)
            self._db.execute("UPDATE stream SET receipt_size = ? WHERE id = ?", [size, stream.id])
            if moved:
                self._forget(stream)
            return moved

    def _mark_proven(self, stream: Stream, first: int, last: int) -> int:
        update = "UPDATE statement SET proven = 1 WHERE lane = ? AND stream = ? AND seq BETWEEN ? AND ? AND proven = 0"
        return self._db.execute(update, [stream.lane, stream.id, first, last]).rowcount

    def _drop_sections(self, stream: Stream, first: int, last: int, lacking: frozenset[tuple[int, int]]) -> int:
        query = """SELECT s.id, s.seq, x.line FROM statement s LEFT JOIN section x ON x.statement = s.id
                    WHERE s.stream = ? AND s.seq BETWEEN ? AND ? AND s.bytes IS NOT NULL"""
        rows = self._db.execute(query, [stream.id, first, last]).fetchall()
        arrived = [(number, line) for number, seq, line in rows if line is not None and (seq, line) not in lacking]
        self._db.executemany("DELETE FROM section WHERE statement = ? AND line = ?", arrived)
        still = {number for number, seq, line in rows if line is not None and (seq, line) in lacking}
        done = {number for number, _, _ in rows} - still
        self._db.executemany("UPDATE statement SET bytes = NULL WHERE id = ?", [(number,) for number in done])
        return len(arrived)

    def _forget(self, stream: Stream) -> None:
        """Drop the hashes of statements long proven, but of none that follows one which still waits."""
        query = "SELECT min(seq) FROM statement WHERE stream = ? AND bytes IS NOT NULL"
        (oldest,) = self._db.execute(query, [stream.id]).fetchone()
        before = stream.next_seq - LINKS_KEPT
        before = before if oldest is None else min(before, oldest)
        self._db.execute("DELETE FROM statement WHERE stream = ? AND seq < ?", [stream.id, before])

    # Eviction

    def bytes_held(self) -> int:
        """The bytes of all statements and sections in the spool."""
        (held,) = self._db.execute("SELECT bytes FROM total").fetchone()
        return int(held)

    def evict(self, wanted: int) -> int:
        """Drop the oldest telemetry sections until `wanted` bytes are free; returns how many lines that took."""
        query = """SELECT x.statement, x.line, length(x.bytes), t.name, s.seq FROM section x
                     JOIN statement s ON s.id = x.statement JOIN stream t ON t.id = s.stream
                    WHERE x.evictable = 1 ORDER BY x.statement, x.line"""
        freed, gone = 0, []
        for number, line, size, stream, seq in self._db.execute(query):
            if freed >= wanted:
                break
            gone.append((number, line, stream, seq))
            freed += size
        self._db.executemany("DELETE FROM section WHERE statement = ? AND line = ?", [item[:2] for item in gone])
        self.add_evicted([(stream, seq, line) for _, line, stream, seq in gone])
        self._db.execute(
            "UPDATE statement SET bytes = NULL WHERE proven = 1 AND bytes IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM section WHERE statement = statement.id)"
        )
        return len(gone)

    def add_evicted(self, lines: Sequence[tuple[bytes, int, int]]) -> None:
        """Lines whose eviction is to be signed for."""
        self._db.executemany("INSERT OR IGNORE INTO evicted VALUES (?, ?, ?)", lines)

    def evicted(self, limit: int) -> list[tuple[bytes, int, int]]:
        """Lines (stream, seq, line) whose eviction is not signed for yet."""
        return self._db.execute("SELECT stream, seq, line FROM evicted LIMIT ?", [limit]).fetchall()

    def forget_evicted(self, lines: Sequence[tuple[bytes, int, int]]) -> None:
        """These are signed for, or their statement never entered the ledger."""
        self._db.executemany("DELETE FROM evicted WHERE stream = ? AND seq = ? AND line = ?", lines)

    # Smaller things

    def keep_refused(self, reason: str, data: bytes) -> None:
        """Keep a refused message for people to look at: the newest 1,000."""
        self._db.execute("INSERT INTO refused (reason, message) VALUES (?, ?)", [reason, data])
        self._db.execute("DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", [REFUSED_KEPT])

    def cursor(self, sensor: str) -> str | None:
        """Where the sensor of this name stands."""
        row = self._db.execute("SELECT value FROM cursor WHERE sensor = ?", [sensor]).fetchone()
        return None if row is None else str(row[0])

    def set_cursor(self, sensor: str, value: str) -> None:
        """Remember where a sensor stands."""
        self._db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", [sensor, value])

    def state(self, name: str) -> str | None:
        """A remembered text."""
        row = self._db.execute("SELECT value FROM state WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def set_state(self, name: str, value: str | None) -> None:
        """Remember a text, or forget it."""
        if value is None:
            self._db.execute("DELETE FROM state WHERE name = ?", [name])
        else:
            self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", [name, value])

    def counts(self, lane: int) -> dict[str, int]:
        """How many statements of a lane are unconfirmed, and how many sections of theirs wait."""
        unproven = "SELECT count(*) FROM statement WHERE proven = 0 AND lane = ?"
        sections = "SELECT count(*) FROM section x JOIN statement s ON s.id = x.statement WHERE s.lane = ?"
        (statements,), (waiting,) = (self._db.execute(sql, [lane]).fetchone() for sql in (unproven, sections))
        return {"unconfirmed": statements, "sections_waiting": waiting}

    def signed(self, lane: int) -> int:
        """How many statements were signed into the lane's streams, but for those that were taken out again."""
        query = "SELECT coalesce(sum(next_seq - removed), 0) FROM stream WHERE lane = ?"
        (count,) = self._db.execute(query, [lane]).fetchone()
        return int(count)


def is_evictable(lane: int, *, about_the_stream: bool) -> bool:
    """Events, and what a stream says of itself, are never evicted."""
    return lane == TELEMETRY and not about_the_stream


def _statements(script: str) -> Iterator[str]:
    """The script's statements, one at a time: executescript would commit before it starts."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
