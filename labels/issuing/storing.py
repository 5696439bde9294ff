"""A batch in the database: its serials are found to be new, its labels are stored, in the caller's transaction."""

from dataclasses import dataclass

import psycopg

from labels.batch import Batch
from labels.issuing.order import Tell
from labels.issuing.spool import Spool
from ledger.database import LOCK_ISSUE

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Clash:
    """A serial, as it stands in a path, that cannot be issued: it is on an earlier line too, or was issued before."""

    line: int
    serial: str
    earlier_line: int | None


def hold(connection: psycopg.Connection, gtin: str) -> None:
    """Nobody else issues labels of this product until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_ISSUE, gtin])


def find_clash(connection: psycopg.Connection, gtin: str, serials: Spool, *, tell: Tell) -> Clash | None:
    """The first serial that is twice among these, or was issued for this product before, whatever its lot."""
    connection.execute("drop table if exists pg_temp.asked")
    connection.execute("create temp table asked (line int, serial text) on commit drop")
    with connection.cursor() as cursor, cursor.copy("copy pg_temp.asked from stdin") as copy:
        for number, lines in enumerate(serials.runs(_AT_ONCE)):
            copy.write("".join(f"{line}\n" for line in lines))
            tell("comparing", number * _AT_ONCE + len(lines), len(serials))
    connection.execute("analyze pg_temp.asked")
    twice = connection.execute(_TWICE).fetchone()
    if twice is not None:
        return Clash(twice[1], twice[0], twice[2])
    issued = connection.execute(_ISSUED, {"gtin": gtin}).fetchone()
    return Clash(issued[1], issued[0], None) if issued else None


_TWICE = """
select serial, (array_agg(line order by line))[2] as again, min(line) from pg_temp.asked
 group by serial having count(*) > 1 order by again limit 1"""
_ISSUED = """
select serial, line from pg_temp.asked a
 where exists (select from label where path = '/01/' || %(gtin)s::text || '/21/' || a.serial)
 union all
select serial, line from pg_temp.asked a
 where exists (select from label where split_part(path, '/', 4) = '10' and split_part(path, '/', 3) = %(gtin)s::text
                  and split_part(path, '/', 7) = a.serial)
 order by line limit 1"""


def store(connection: psycopg.Connection, batch: Batch, labels: Spool, *, subtrees: bytes, tell: Tell) -> None:
    """Store a batch's labels, in order, and what its proofs are made of."""
    connection.execute("insert into label_subtree values (%s, %s, %s)", [batch.root, batch.size, subtrees])
    root, index = f"\\\\x{batch.root.hex()}", 0
    with (
        connection.cursor() as cursor,
        cursor.copy("copy label (batch_root, index, path, signature) from stdin") as copy,
    ):
        for lines in labels.runs(_AT_ONCE):
            copy.write("".join(f"{root}\t{number}\t{line}\n" for number, line in enumerate(lines, index)))
            index += len(lines)
            tell("storing", index, batch.size)
