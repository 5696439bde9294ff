"""The SSCCs that were given, in the database: each once, whoever asks at the same time, and whatever crashes.

A number is committed as given before a label shows it. A label that never came out leaves a number unused, which is no
harm; it can be printed again by its number.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import psycopg

from labels.logistic.unit import Content, Unit, numbers, reference_of
from ledger.database import LOCK_SSCC
from ledger.errors import UserError


def give(
    connection: psycopg.Connection,
    *,
    prefix: str,
    extension: int,
    count: int,
    content: Content | None = None,
    at: datetime,
) -> list[Unit]:
    """Give the next `count` SSCCs of a company prefix and an extension digit, and commit; UserError if none are left.

    A longer prefix that begins with this one may have used numbers too: the next is above all of them.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s, 0)", [LOCK_SSCC])
        first = _next(connection, prefix, extension)
        units = [Unit(sscc, content) for sscc in islice(numbers(prefix, extension, first), count)]
        if len(units) < count:
            raise UserError(
                f"of company prefix {prefix} with extension digit {extension} only {len(units):,} SSCCs are left",
                "take another extension digit with --extension",
            )
        _store(connection, units, at)
    connection.commit()
    return units


def again(connection: psycopg.Connection, ssccs: Sequence[str]) -> list[Unit]:
    """The units of SSCCs that were given, in the order asked; UserError if one was not."""
    query = "select sscc, gtin, count, lot from sscc where sscc = any(%s)"
    found = {
        sscc: Unit(sscc, Content(gtin, count, lot) if gtin else None)
        for sscc, gtin, count, lot in connection.execute(query, [list(ssccs)])
    }
    for sscc in ssccs:
        if sscc not in found:
            raise UserError(f"SSCC {sscc} was not given here", "give new ones with --prefix and --count")
    return [found[sscc] for sscc in ssccs]


def _next(connection: psycopg.Connection, prefix: str, extension: int) -> int:
    begins = f"{extension}{prefix}"
    row = connection.execute(
        "select max(sscc) from sscc where sscc between %s and %s", [begins.ljust(18, "0"), begins.ljust(18, "9")]
    ).fetchone()
    return reference_of(row[0], prefix) + 1 if row and row[0] else 0


def _store(connection: psycopg.Connection, units: Sequence[Unit], at: datetime) -> None:
    with connection.cursor() as cursor, cursor.copy("copy sscc (sscc, given_at, gtin, count, lot) from stdin") as copy:
        for unit in units:
            content = unit.content
            copy.write_row(
                (unit.sscc, at, *((content.gtin, content.count, content.lot) if content else (None, None, None)))
            )
