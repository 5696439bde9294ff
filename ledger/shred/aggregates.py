"""TimescaleDB's continuous aggregates: what they hold of readings that go.

A bucket is taken out in the transaction that deletes its readings, so that it is gone whenever they are: nobody can
refresh what lies before the policies' reach, and where the retention has dropped the readings a refresh would take
the other devices' buckets too. What is left in a bucket comes back with the refresh afterwards, or a policy's.
"""

import time
from collections.abc import Callable, Iterator, Sequence, Set
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from ledger import pgcopy

_TRIES, _PAUSE_S = 10, 1.0
_HOUR_S, _DAY_S = 3_600, 86_400
_WIDTHS_S = {"reading_1h": _HOUR_S, "reading_1d": _DAY_S}  # each is made of the one before


def tables(connection: psycopg.Connection) -> dict[str, tuple[str, str]]:
    """The aggregates, and the table behind each; none without TimescaleDB: there they are views."""
    found = connection.execute("select to_regclass('timescaledb_information.continuous_aggregates')").fetchone()
    if found is None or found[0] is None:
        return {}
    rows = connection.execute(
        """select view_name, materialization_hypertable_schema, materialization_hypertable_name
             from timescaledb_information.continuous_aggregates where view_schema = 'tallystick'"""
    )
    return {name: (schema, table) for name, schema, table in rows}


def forget(connection: psycopg.Connection, device: int, metrics: Sequence[int], times: Sequence[float]) -> None:
    """Delete these series' buckets in which these `times` (s since 1970) are."""
    for name, table in tables(connection).items():
        width_s = _WIDTHS_S[name]
        seconds = {us // 1_000_000 + pgcopy.YEAR_2000 for us in pgcopy.timestamps(times)}
        buckets = sorted({second - second % width_s for second in seconds})
        parameters: dict[str, Any] = {"device": device, "metrics": list(metrics), "buckets": buckets}
        parameters |= {"first": buckets[0], "last": buckets[-1]}
        connection.execute(sql.SQL("delete from {} ").format(sql.Identifier(*table)) + sql.SQL(_BUCKETS), parameters)


_BUCKETS: LiteralString = """where device_id = %(device)s and metric_id = any(%(metrics)s)
    and bucket between to_timestamp(%(first)s) and to_timestamp(%(last)s)
    and bucket = any (array(select to_timestamp(s) from unnest(%(buckets)s::float8[]) s))"""


def refresh(connection: psycopg.Connection, days: Set[int], *, tell: Callable[[str], None]) -> None:
    """Make the buckets of these `days` (s since 1970) anew; `connection` commits by itself.

    As the policies do, not the newest bucket: what comes into it later would not be seen.
    """
    there = tables(connection).keys()
    for name, width_s in _WIDTHS_S.items():
        if name in there and days:
            tell(f"{name} is made anew")
            for low, high in _windows(days, width_s, now_s=_now_s(connection)):
                _refresh(connection, name, low, high)


def _windows(days: Set[int], width_s: int, *, now_s: float) -> Iterator[tuple[datetime, datetime]]:
    """Each day, as far as its buckets are over and the one after is too."""
    over_s = int(now_s // width_s - 1) * width_s
    for low in sorted(days):
        if (high := min(low + _DAY_S, over_s)) > low:
            yield datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)


def _now_s(connection: psycopg.Connection) -> float:
    row = connection.execute("select extract(epoch from clock_timestamp())::float8").fetchone()
    assert row is not None
    return float(row[0])


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
