"""Requests over HTTP: who asked, what for, and which batch came of it.

Whoever does not hear an answer asks again with the same key, and gets the batch that was issued the first time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from labels.issuing.refused import Clashing
from ledger.database import LOCK_REQUEST


@dataclass(frozen=True, slots=True)
class Asked:
    """What an issuer asked for, as the SHA-256 of all of it. By a `key` of its own choice it may ask again."""

    issuer: str
    key: str | None
    digest: bytes


def hold(connection: psycopg.Connection, request: Asked) -> bytes | None:
    """The root of the batch that came of this request before, or None: then nobody else is at it until the
    transaction ends. Raises Clashing if its key was used for something else."""
    if request.key is None:
        return None
    named = f"{request.issuer}/{request.key}"
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_REQUEST, named])
    query = "select asked, batch_root from label_request where issuer = %s and key = %s"
    row = connection.execute(query, [request.issuer, request.key]).fetchone()
    if row is None:
        return None
    if bytes(row[0]) != request.digest:
        raise Clashing("this Idempotency-Key was used for another request", "take a new one for each batch")
    return bytes(row[1])


def note(connection: psycopg.Connection, request: Asked, root: bytes) -> None:
    """Note what came of it, and whose it is, in the transaction that stores the batch."""
    connection.execute("insert into label_issuer (batch_root, issuer) values (%s, %s)", [root, request.issuer])
    if request.key is not None:
        row = [request.issuer, request.key, request.digest, root]
        connection.execute("insert into label_request (issuer, key, asked, batch_root) values (%s, %s, %s, %s)", row)


def issuer_of(connection: psycopg.Connection, root: bytes) -> str | None:
    """Who had a batch issued; None for one that was issued by the command."""
    row = connection.execute("select issuer from label_issuer where batch_root = %s", [root]).fetchone()
    return row[0] if row else None


def issuers(connection: psycopg.Connection) -> Mapping[bytes, str]:
    """Who had batches issued, by their roots."""
    return {bytes(root): name for root, name in connection.execute("select batch_root, issuer from label_issuer")}
