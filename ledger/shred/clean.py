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

from ledger.shred.delete import TABLES
from ledger.shred.target import Pack

_TRIES, _PAUSE_S = 10, 1.0
_BUCKETS = {"reading_1h": timedelta(hours=1), "reading_1d": timedelta(days=1)}  # each is made of the one before


def clean(
    connection: psycopg.Connection,
    readings: Sequence[Pack],
    *,
    rewrite: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Refresh the aggregates for the time of `readings`, then VACUUM; `connection` commits by itself."""
    aggregates = _aggregates(connection)
    for name, bucket in _BUCKETS.items():
        if name in aggregates and readings:
            tell(f"{name} is made anew")
            _refresh(connection, name, *_span(readings, bucket))
    kept = [sql.Identifier("tallystick", table) for table in TABLES]
    made = [sql.Identifier(*aggregates[name]) for name in aggregates]
    for table in (*kept, *made, sql.Identifier("pg_catalog", "pg_statistic")):
        tell(f"{table.as_string(connection)} is {'rewritten' if rewrite else 'vacuumed'}")
        connection.execute(_vacuum(table, rewrite=rewrite))


def _vacuum(table: sql.Identifier, *, rewrite: bool) -> sql.Composed:
    how = "full, analyze" if rewrite else "analyze, index_cleanup on"
    return sql.SQL("vacuum ({}) {}").format(sql.SQL(how), table)


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
