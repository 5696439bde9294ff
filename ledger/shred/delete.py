"""The deletion: a section's bytes, and every row that was made of them, in the caller's transaction.

Only the owner of the tables may: the services' role adds to the ledger and changes nothing there.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from ledger.errors import UserError
from ledger.registry import Registry
from ledger.section import SALT_BYTES, Line
from ledger.shred import aggregates
from ledger.shred.target import Pack, pack
from ledger.statement import Statement
from ledger.tree_store import entry_id

TABLES = ("section", "reading", "reading_other", "event", "event_item", "inbox", "quarantine")
_SALT_AT = 2  # in a section's bytes: after the head of an array of two, and the salt's own
Place = tuple[int, int]  # entry id, line


def require_owner(connection: psycopg.Connection) -> None:
    """Raise UserError unless this session may delete."""
    row = connection.execute(
        """select current_user, bool_and(has_table_privilege(name, 'delete') and has_table_privilege(name, 'update')
                  and has_table_privilege(name, 'insert')) from unnest(%s::text[]) name""",
        [list(TABLES)],
    ).fetchone()
    if row is None or not row[1]:
        raise UserError(
            f"{row[0] if row else 'this user'!r} may add to the ledger's tables and delete nothing",
            "name the tables' owner in --dsn: who made the ledger",
        )


def pending(connection: psycopg.Connection, registry: Registry) -> list[Place]:
    """What the registry says is shredded, and is still here or may still come; in the order of the log."""
    numbers: dict[str, int] = dict(connection.execute("select name, chain_id from chain").fetchall())
    said = [(entry_id(numbers[chain], index), line) for chain, index, line in registry.shredded if chain in numbers]
    rows = connection.execute(
        """select e.entry_id, said.line
             from unnest(%s::bigint[], %s::int[]) said (entry_id, line)
             join entry e on e.entry_id = said.entry_id and said.line < e.lines
             left join section s on s.entry_id = said.entry_id and s.line = said.line
            where e.data is not null and (s.entry_id is null or s.data is not null) order by 1, 2""",
        [[entry for entry, _ in said], [line for _, line in said]],
    )
    return [(entry, line) for entry, line in rows]


def delete(connection: psycopg.Connection, places: Sequence[Place]) -> set[int]:
    """Delete these sections' content; returns the days (s since 1970) of the readings that went with them."""
    return {day for place in places for day in _delete(connection, *place)}


def _delete(connection: psycopg.Connection, entry: int, line: int) -> set[int]:
    row = connection.execute("select data from entry where entry_id = %s", [entry]).fetchone()
    assert row is not None
    statement = Statement.decode(bytes(row[0]))
    data = _hold(connection, entry, line, statement.manifest[line])
    readings = pack(statement, statement.manifest[line], data)
    days = _delete_readings(connection, entry, line, statement.subject, readings) if readings else set()
    for table in ("event", "event_item"):
        _delete_from(connection, table, "entry_id = %(entry)s and section = %(line)s", {"entry": entry, "line": line})
    _delete_messages(connection, statement, data)
    connection.execute("update section set data = null where entry_id = %s and line = %s", [entry, line])
    return days


def _hold(connection: psycopg.Connection, entry: int, line: int, of: Line) -> bytes | None:
    """The section's bytes, held until the transaction ends. One that never came has a row from now on: it never will.

    Whoever writes the section at this very moment is waited for.
    """
    connection.execute(
        """insert into section (entry_id, line, privacy, content_format, data) values (%s, %s, %s, %s, null)
           on conflict do nothing""",
        [entry, line, int(of.privacy), of.content_format],
    )
    row = connection.execute(
        "select data from section where entry_id = %s and line = %s for update", [entry, line]
    ).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def _delete_readings(connection: psycopg.Connection, entry: int, line: int, device: str, readings: Pack) -> set[int]:
    """By the series and the time that they are of: an index finds those, and a columnstore opens only their chunks."""
    if _has_columnstore(connection):
        connection.execute("set local timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
    parameters: dict[str, Any] = {
        "entry": entry,
        "line": line,
        "device": device,
        "names": [name for name, _ in readings.metrics],
        "units": [unit for _, unit in readings.metrics],
        "first": min(readings.times),
        "last": max(readings.times),
    }
    series = connection.execute(
        """select device_id, array(select metric_id from metric
                  join unnest(%(names)s::text[], %(units)s::text[]) said (name, unit) using (name, unit))
             from device where urn = %(device)s""",
        parameters,
    ).fetchone()
    if series is None:
        return set()
    parameters |= {"device": series[0], "metrics": series[1]}
    aggregates.forget(connection, series[0], series[1], readings.times)
    _delete_from(connection, "reading_other", _OF_PACK, parameters)
    return {day for (day,) in _delete_from(connection, "reading", _OF_PACK + _RETURNING_DAY, parameters)}


def _delete_from(
    connection: psycopg.Connection, table: str, where: LiteralString, parameters: dict[str, Any]
) -> psycopg.Cursor[Any]:
    query = sql.SQL("delete from {} where ").format(sql.Identifier(table)) + sql.SQL(where)
    return connection.execute(query, parameters)


_RETURNING_DAY: LiteralString = " returning floor(extract(epoch from ts) / 86400)::bigint * 86400"
_OF_PACK: LiteralString = """device_id = %(device)s and metric_id = any(%(metrics)s)
    and entry_id = %(entry)s and section = %(line)s
    and ts >= to_timestamp(%(first)s) - interval '1 s' and ts <= to_timestamp(%(last)s) + interval '1 s'"""


def _delete_messages(connection: psycopg.Connection, statement: Statement, data: bytes | None) -> None:
    """Whole messages that carry the statement or the section: kept in quarantine, or come once more by the inbox."""
    connection.execute("delete from inbox where hash = %s", [statement.hash])
    held = [statement.encode(), *([data[_SALT_AT : _SALT_AT + SALT_BYTES]] if data else [])]
    for part in held:
        connection.execute("delete from quarantine where position(%s::bytea in message) > 0", [part])


def _has_columnstore(connection: psycopg.Connection) -> bool:
    row = connection.execute("select exists (select from pg_extension where extname = 'timescaledb')").fetchone()
    return bool(row and row[0])
