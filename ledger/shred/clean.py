"""After the deletion: aggregates are made anew, and what deleted rows leave behind in the tables is taken out.

PostgreSQL keeps a deleted row until VACUUM, and samples of a table's values in its statistics. VACUUM gives a row's
place free, and the bytes there stay until another row comes: a rewrite makes the tables anew without them, and keeps
everybody out of each table meanwhile.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from ledger.errors import UserError
from ledger.shred.delete import TABLES
from ledger.shred.target import Pack

_TRIES, _PAUSE_S, _POLL_S = 10, 1.0, 0.1
_BUCKETS = {"reading_1h": timedelta(hours=1), "reading_1d": timedelta(days=1)}  # each is made of the one before


def horizon(connection: psycopg.Connection) -> str:
    """This transaction's number: who began before it ends still sees what it deletes."""
    row = connection.execute("select pg_current_xact_id()::xid::text").fetchone()
    assert row is not None
    return str(row[0])


def wait_until_unseen(
    connection: psycopg.Connection, horizon: str, deadline: float, *, tell: Callable[[str], None]
) -> bool:
    """Wait for sessions that began before `horizon` ended, until `deadline` (s, monotonic); whether some still go on.

    VACUUM takes no row that one of them may still look at: a backup, say, or an audit.
    """
    query = """select from pg_stat_activity
                where pid <> pg_backend_pid() and age(backend_xmin) >= age(%s::xid) limit 1"""
    while connection.execute(query, [horizon]).fetchone() is not None:
        if time.monotonic() > deadline:
            return True
        tell("waiting for sessions that still see what was deleted")
        time.sleep(_POLL_S)
    return False


def clean(
    connection: psycopg.Connection,
    readings: Sequence[Pack],
    *,
    rewrite: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Refresh the aggregates for the time of `readings`, then VACUUM; `connection` commits by itself."""
    connection.execute("set lock_timeout = '30s'")  # a rewrite stands in everybody's way while it waits
    aggregates = _aggregates(connection)
    for name, bucket in _BUCKETS.items():
        if name in aggregates and readings:
            tell(f"{name} is made anew")
            _refresh(connection, name, *_span(readings, bucket))
    tables = [*(("tallystick", table) for table in TABLES), *aggregates.values(), ("pg_catalog", "pg_statistic")]
    for table in tables:
        tell(f"{table[1]} is {'rewritten' if rewrite else 'vacuumed'}")
        how = "full, analyze" if rewrite else "analyze, index_cleanup on"
        _vacuum(connection, sql.SQL("vacuum ({}) {}").format(sql.SQL(how), sql.Identifier(*table)))


def _vacuum(connection: psycopg.Connection, command: sql.Composed) -> None:
    try:
        connection.execute(command)
    except psycopg.errors.LockNotAvailable as error:
        raise UserError(
            "the content is deleted, but a table was in use for too long to be cleaned",
            "when it is quieter: 'tallystick ledger shred --pending --rewrite'",
        ) from error


def _aggregates(connection: psycopg.Connection) -> dict[str, tuple[str, str]]:
    """The continuous aggregates, and the table behind each; none without TimescaleDB: there they are views."""
    found = connection.execute("select to_regclass('timescaledb_information.continuous_aggregates')").fetchone()
    if found is None or found[0] is None:
        return {}
    rows = connection.execute(
        """select view_name, materialization_hypertable_schema, materialization_hypertable_name
             from timescaledb_information.continuous_aggregates where view_schema = 'tallystick'"""
    )
    return {name: (schema, table) for name, schema, table in rows}


def _span(readings: Sequence[Pack], bucket: timedelta) -> tuple[datetime, datetime]:
    """Whole buckets around all of the readings."""
    width = bucket.total_seconds()
    first, last = min(pack.first for pack in readings), max(pack.last for pack in readings)
    low, high = (first // width) * width, (last // width + 1) * width
    return datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)


def _refresh(connection: psycopg.Connection, name: str, low: datetime, high: datetime) -> None:
    """A policy's job that refreshes just now is waited for."""
    call = sql.SQL("call refresh_continuous_aggregate({}, {}, {})").format(f"tallystick.{name}", low, high)
    for attempt in range(_TRIES):
        try:
            connection.execute(call)
            return
        except psycopg.errors.LockNotAvailable:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)
