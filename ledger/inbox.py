"""The inbox: how those who are not a chain's writer add to it, inside the transaction of what caused it."""

from collections.abc import Sequence

import psycopg

from ledger import message, stream
from ledger.author import Author, Content, compose
from ledger.database import LOCK_POST
from ledger.section import ContentFormat, Privacy
from ledger.statement import EVENTS, NO_PREVIOUS, STREAM_BYTES, Statement, Tally

_Head = tuple[bytes, int, bytes]  # a link of a stream: its id, seq, and the statement's hash


def post(
    connection: psycopg.Connection,
    author: Author,
    *,
    chain: str,
    contents: Sequence[Content],
    now: int,
    new_stream: bytes,
) -> bytes:
    """Sign the next statement of the author's stream on `chain` and put it in the inbox; returns its hash.

    Opens the stream first if there is none, under the random id `new_stream` (8 bytes). `now` is in seconds.
    Nothing is committed here.
    """
    chain_id, origin = _held(connection, author, chain)
    head = _head(connection, chain_id, author.key.kid)
    if head is None:
        head = _open(connection, author, chain_id, origin, stream.opening("new", None), now, new_stream)
    tally = Tally(EVENTS, head[0], head[1] + 1, head[2], 0)
    return _insert(connection, author, chain_id, origin, tally, contents, now)


def reopen(connection: psycopg.Connection, author: Author, *, chain: str, now: int, new_stream: bytes) -> None:
    """Open a new stream of the author's on `chain`, if it had one there: it may have signed more than is known here.

    As `post`, nothing is committed.
    """
    chain_id, origin = _held(connection, author, chain)
    head = _head(connection, chain_id, author.key.kid)
    if head is not None:
        _open(connection, author, chain_id, origin, stream.opening("restored", head), now, new_stream)


def hold(connection: psycopg.Connection, kid: bytes) -> None:
    """Nobody else posts for the author with this key until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_POST, kid.hex()])


def waiting(connection: psycopg.Connection, chain: str) -> list[bytes]:
    """The messages that wait to be sealed in a chain, the oldest first."""
    query = "select message from inbox join chain using (chain_id) where name = %s order by inbox_id"
    return [bytes(row[0]) for row in connection.execute(query, [chain])]


def _held(connection: psycopg.Connection, author: Author, chain: str) -> tuple[int, str]:
    """The chain's id and origin; nobody else posts for this author until the transaction ends."""
    row = connection.execute("select chain_id, origin from chain where name = %s", [chain]).fetchone()
    if row is None:
        raise LookupError(f"no chain {chain}")
    hold(connection, author.key.kid)
    return row[0], row[1]


def _open(
    connection: psycopg.Connection,
    author: Author,
    chain_id: int,
    origin: str,
    body: bytes,
    now: int,
    new_stream: bytes,
) -> _Head:
    """Open a stream under the id `new_stream`; returns its first link."""
    tally = Tally(EVENTS, new_stream[:STREAM_BYTES], 0, NO_PREVIOUS, 0)
    opening = Content(Privacy.PUBLIC, ContentFormat.STREAM, body)
    return tally.stream, 0, _insert(connection, author, chain_id, origin, tally, [opening], now)


def put(connection: psycopg.Connection, *, chain: str, data: bytes) -> bytes:
    """Put a message that was signed before in the inbox, word for word; returns its statement's hash.

    Nothing is committed here.
    """
    row = connection.execute("select chain_id from chain where name = %s", [chain]).fetchone()
    if row is None:
        raise LookupError(f"no chain {chain}")
    signed = Statement.decode(message.decode(data).statement)
    _insert_message(connection, row[0], signed, data)
    return signed.hash


def _insert(
    connection: psycopg.Connection,
    author: Author,
    chain_id: int,
    origin: str,
    tally: Tally,
    contents: Sequence[Content],
    now: int,
) -> bytes:
    signed, data = compose(author, origin=origin, tally=tally, contents=contents, now=now)
    _insert_message(connection, chain_id, signed, data)
    return signed.hash


def _insert_message(connection: psycopg.Connection, chain_id: int, signed: Statement, data: bytes) -> None:
    tally = signed.tally
    connection.execute(
        "insert into inbox (chain_id, kid, stream, seq, hash, message) values (%s, %s, %s, %s, %s, %s)",
        [chain_id, signed.kid, tally.stream, tally.seq, signed.hash, data],
    )


def _head(connection: psycopg.Connection, chain_id: int, kid: bytes) -> _Head | None:
    """The newest link of the author's stream, pending or sealed: (stream, seq, hash)."""
    row = connection.execute(
        """select stream, seq, hash from inbox where chain_id = %s and kid = %s order by inbox_id desc limit 1""",
        [chain_id, kid],
    ).fetchone()
    if row is None:
        row = connection.execute(
            """select s.stream, e.seq, e.statement_hash
                 from stream s join entry e on e.stream_id = s.stream_id
                where s.chain_id = %s and s.kid = %s
                order by s.stream_id desc, e.seq desc limit 1""",
            [chain_id, kid],
        ).fetchone()
    return (bytes(row[0]), int(row[1]), bytes(row[2])) if row else None
