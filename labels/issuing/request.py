"""Requests that may be repeated: who asked by which key, what for, and which batch came of it.

Whoever does not hear an answer asks again with the same key, and gets the batch that was issued the first time.
"""

from dataclasses import dataclass

import psycopg

from labels.issuing.refused import Clashing
from ledger.database import LOCK_REQUEST


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request by `issuer`, under a `key` of its own choice; `asked` is the SHA-256 of all that was asked."""

    issuer: str
    key: str
    asked: bytes


def hold(connection: psycopg.Connection, request: Repeatable) -> bytes | None:
    """The root of the batch that came of this request before, or None: then nobody else is at it until the
    transaction ends. Raises Clashing if its key was used for something else."""
    named = f"{request.issuer}/{request.key}"
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_REQUEST, named])
    query = "select asked, batch_root from label_request where issuer = %s and key = %s"
    row = connection.execute(query, [request.issuer, request.key]).fetchone()
    if row is None:
        return None
    if bytes(row[0]) != request.asked:
        raise Clashing("this Idempotency-Key was used for another request", "take a new one for each batch")
    return bytes(row[1])


def note(connection: psycopg.Connection, request: Repeatable, root: bytes) -> None:
    """Note what came of it, in the transaction that stores the batch."""
    row = [request.issuer, request.key, request.asked, root]
    connection.execute("insert into label_request (issuer, key, asked, batch_root) values (%s, %s, %s, %s)", row)
