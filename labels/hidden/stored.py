"""Hidden codes in the database: what was committed to, and which were redeemed."""

from dataclasses import dataclass
from datetime import datetime

import psycopg

from labels import tree
from ledger import merkle


@dataclass(frozen=True, slots=True)
class StoredCode:
    """What is stored of a label's hidden code, and the label's place."""

    batch_root: bytes
    index: int
    secret: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Redemption:
    """When a code was redeemed, and the nonce of who did."""

    at: datetime
    nonce: bytes


def find(connection: psycopg.Connection, path: str) -> StoredCode | None:
    """What is stored of the hidden code of the label with this canonical path."""
    query = """select c.batch_root, c.index, c.secret, c.commitment
                 from label l join hidden_code c on c.batch_root = l.batch_root and c.index = l.index
                where l.path = %s"""
    row = connection.execute(query, [path]).fetchone()
    return StoredCode(bytes(row[0]), row[1], bytes(row[2]), bytes(row[3])) if row else None


def redeem(connection: psycopg.Connection, code: StoredCode, *, at: datetime, nonce: bytes) -> Redemption:
    """The one redemption of a code: this one, if there was none before. It is committed, and then true."""
    place = [code.batch_root, code.index]
    with connection.transaction():
        connection.execute(
            "insert into redemption (batch_root, index, at, nonce) values (%s, %s, %s, %s) on conflict do nothing",
            [*place, at, nonce],
        )
        row = connection.execute(
            "select at, nonce from redemption where batch_root = %s and index = %s", place
        ).fetchone()
    connection.commit()
    assert row is not None
    return Redemption(row[0], bytes(row[1]))


def prove(connection: psycopg.Connection, code: StoredCode, size: int) -> tuple[bytes, ...]:
    """The proof of a commitment under its batch's hidden root; `size` is the batch's."""
    row = connection.execute("select hashes from hidden_batch where batch_root = %s", [code.batch_root]).fetchone()
    assert row is not None
    leaves = {
        index: merkle.leaf_hash(bytes(commitment))
        for run in tree.needed(code.index, size)
        for index, commitment in _run(connection, code.batch_root, run)
    }
    return tuple(tree.prove(code.index, size, leaves=leaves, subtrees=bytes(row[0])))


def _run(connection: psycopg.Connection, root: bytes, run: range) -> list[tuple[int, bytes]]:
    query = "select index, commitment from hidden_code where batch_root = %s and index >= %s and index < %s"
    return connection.execute(query, [root, run.start, run.stop]).fetchall()
