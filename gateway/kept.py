"""The quarantine as its operator sees it: what is kept, what it is, and asking that it be judged again."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from gateway.quarantine import BYTES_MAX
from ledger import message
from ledger.errors import MalformedError, UserError
from ledger.statement import Statement

_POLL_S = 0.1
_SELECT = """
    select quarantine_id as id, seen_at, topic, reason, length(message) as size from quarantine
     where (%(number)s::bigint is null or quarantine_id = %(number)s)
       and (%(reason)s::text is null or reason = %(reason)s)
       and (%(device)s::text is null or split_part(topic, '/', 4) = %(device)s)
     order by quarantine_id"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in quarantine. `topic` is its device's; `size` is in bytes."""

    id: int
    seen_at: datetime
    topic: str
    reason: str
    size: int

    @property
    def source(self) -> str:
        """Chain and device, as the message's topic named them."""
        return "/".join(self.topic.split("/")[2:])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking: `result` is admitted, repeat, refused, waiting, gone or cut.

    `reason` is why it was refused. A message that is too large is kept in part, so it is never judged again.
    """

    id: int
    result: str
    reason: str | None = None


def listed(connection: psycopg.Connection, *, reason: str | None = None, device: str | None = None) -> list[Kept]:
    """What is kept, oldest first: all, or one reason's, or one device's."""
    return _select(connection, reason=reason, device=device)


def one(connection: psycopg.Connection, number: int) -> tuple[Kept, bytes]:
    """A message and its bytes; raises UserError if it is not kept."""
    found = _select(connection, number=number)
    row = connection.execute("select message from quarantine where quarantine_id = %s", [number]).fetchone()
    if not found or row is None:
        raise UserError(f"no message {number} is in quarantine", "'tallystick gateway quarantine list' shows what is")
    return found[0], bytes(row[0])


def _select(connection: psycopg.Connection, **only: Any) -> list[Kept]:
    cursor = connection.cursor(row_factory=class_row(Kept))
    return cursor.execute(_SELECT.encode(), {"number": None, "reason": None, "device": None, **only}).fetchall()


def read(data: bytes) -> Statement | None:
    """The statement in a message, or None if there is none to be read."""
    with suppress(MalformedError):
        return Statement.decode(message.decode(data, bytes_max=len(data)).statement)
    return None


def is_cut(data: bytes) -> bool:
    """Whether only the first part of a message was kept: nothing is a message and the first part of another."""
    return len(data) >= BYTES_MAX and read(data) is None


def described(statement: Statement) -> dict[str, Any]:
    """What a statement says of itself."""
    tally = statement.tally
    return {
        "issuer": statement.issuer,
        "subject": statement.subject,
        "audience": statement.audience,
        "issued_at": statement.issued_at,
        "lane": tally.lane,
        "stream": tally.stream.hex(),
        "seq": tally.seq,
        "key": statement.kid.hex(),
        "hash": statement.hash.hex(),
    }


def replay(connection: psycopg.Connection, numbers: Sequence[int], *, timeout_s: float) -> Iterator[Outcome]:
    """Ask that these be judged again, and tell of each what came of it; `connection` commits by itself.

    What nobody has judged in time is not asked for any longer.
    """
    messages = {number: one(connection, number)[1] for number in sorted(set(numbers))}
    cut = [number for number, data in messages.items() if is_cut(data)]
    hashes = {number: _hash(data) for number, data in messages.items() if number not in cut}
    before = _in_ledger(connection, hashes.values())
    connection.execute("update quarantine set replay_at = now() where quarantine_id = any(%s)", [list(hashes)])
    try:
        _await_judged(connection, list(hashes), time.monotonic() + timeout_s)
    finally:
        rows = connection.execute(
            "update quarantine set replay_at = null where quarantine_id = any(%s) and replay_at is not null"
            " returning quarantine_id",
            [list(hashes)],
        ).fetchall()
    yield from [Outcome(number, "cut") for number in cut]
    waiting, after = {number for (number,) in rows}, _in_ledger(connection, hashes.values())
    reasons = dict(_reasons(connection, list(hashes)))
    for number, digest in hashes.items():
        if number in reasons:
            yield Outcome(number, "waiting" if number in waiting else "refused", reasons[number])
        else:  # the oldest are forgotten when too many come
            yield Outcome(number, "repeat" if digest in before else "admitted" if digest in after else "gone")


def _hash(data: bytes) -> bytes:
    statement = read(data)
    return statement.hash if statement else b""


def _in_ledger(connection: psycopg.Connection, hashes: Iterable[bytes]) -> set[bytes]:
    rows = connection.execute("select statement_hash from entry where statement_hash = any(%s)", [list(hashes)])
    return {bytes(digest) for (digest,) in rows}


def _reasons(connection: psycopg.Connection, numbers: list[int]) -> list[tuple[int, str]]:
    return connection.execute(
        "select quarantine_id, reason from quarantine where quarantine_id = any(%s)", [numbers]
    ).fetchall()


def _await_judged(connection: psycopg.Connection, numbers: list[int], deadline: float) -> None:
    query = "select from quarantine where quarantine_id = any(%s) and replay_at is not null limit 1"
    while connection.execute(query, [numbers]).fetchone() is not None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
