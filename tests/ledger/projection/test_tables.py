"""Writing rows into the tables, over a real PostgreSQL."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Barrier

from ledger.database import connect, migrate
from ledger.projection.content import Pack, Rows
from ledger.projection.tables import Projection
from ledger.section import Privacy
from ledger.senml import TIME_MAX, Columns

NOON = datetime(2025, 6, 15, 12, tzinfo=UTC).timestamp()


def rows(device: str, metrics: Sequence[str], unit: str = "Cel") -> Rows:
    """One reading of each metric."""
    series = [(f"{device}:{metric}", unit) for metric in metrics]
    return Rows(packs=[Pack(1, 0, device, 2, Columns(series, [NOON] * len(series), [1.0] * len(series), set(series)))])


def test_chains_that_add_the_same_metrics_never_deadlock(postgres_dsn: str) -> None:
    """Two chains meet the same new devices and metrics at once, each in an order of its own: both write them."""
    migrate(postgres_dsn)
    with connect(postgres_dsn) as connection:
        Projection(connection, str).write(rows("urn:x:1", ["m0"]))  # a new device would make them take turns
    metrics, start = [f"m{number}" for number in range(2_000)], Barrier(2)

    def write(order: Sequence[str]) -> None:
        with connect(postgres_dsn) as connection:
            projection = Projection(connection, str)
            start.wait()
            projection.write(rows("urn:x:1", order))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, [metrics, metrics[::-1]]))
    with connect(postgres_dsn) as connection:
        assert connection.execute("select count(*) from metric").fetchone() == (2_000,)
        assert connection.execute("select count(*), count(distinct metric_id) from reading").fetchone() == (
            4_001,
            2_000,
        )


def test_another_chains_metric_is_found(postgres_dsn: str) -> None:
    """A metric has one id, whichever chain met it first; one name with another unit is another metric."""
    migrate(postgres_dsn)
    with ExitStack() as exits:
        first, second = (exits.enter_context(connect(postgres_dsn)) for _ in range(2))
        Projection(first, str).write(rows("urn:x:1", ["a", "b"]))
        first.commit()
        later = rows("urn:x:2", ["b", "c"])
        later.packs += rows("urn:x:2", ["b"], unit="K").packs
        Projection(second, str).write(later)
        found = second.execute("select name, unit, count(*) from reading join metric using (metric_id) group by 1, 2")
        assert sorted(found) == [("a", "Cel", 1), ("b", "Cel", 2), ("b", "K", 1), ("c", "Cel", 1)]


def test_items_of_before_are_public_as_their_sections_are(postgres_dsn: str) -> None:
    """A ledger of the version before is migrated; what a gateway of then still writes is looked up in its section."""
    migrate(postgres_dsn)
    with connect(postgres_dsn, role=None) as connection:
        connection.execute("delete from schema_version where version = 47")
        connection.execute("alter table event_item drop column is_public")
        for line, privacy in enumerate(Privacy):
            connection.execute("insert into section values (1, %s, %s, 65002, 'x')", [line, int(privacy)])
            connection.execute("insert into event_item values ('urn:x:1', 1, %s, 0)", [line])
    for _ in range(2):
        migrate(postgres_dsn)
        with connect(postgres_dsn) as connection:
            found = connection.execute("select section, is_public from event_item order by 1").fetchall()
            assert found == [(0, None), (1, False), (2, False)]
            indexed = "select section from event_item where (case when is_public is not false then uri end) = 'urn:x:1'"
            assert connection.execute(indexed.encode()).fetchall() == [(0,)]


def test_readings_stand_in_their_tables(postgres_dsn: str) -> None:
    """Numbers in one table, all else in the other, at their microsecond, with the way back to their proof."""
    migrate(postgres_dsn)
    series = [("urn:x:1:t", "Cel"), ("urn:x:1:door", ""), ("urn:x:1:t", "Cel"), ("urn:x:1:note", "")]
    times = [NOON, NOON + 0.000001, NOON + 0.5, TIME_MAX]
    pack = Pack(9, 3, "urn:x:1", 2, Columns(series, times, [21.5, True, -0.25, "a\x00b"], set(series)))
    with connect(postgres_dsn) as connection:
        Projection(connection, str).write(Rows(packs=[pack]))
        numbers = connection.execute(
            """select extract(epoch from ts)::float8, name, unit, value, quality, entry_id, section
                 from reading join metric using (metric_id) order by ts"""
        ).fetchall()
        others = connection.execute(
            """select extract(epoch from ts)::float8, name, text, boolean, bytes
                 from reading_other join metric using (metric_id) order by ts"""
        ).fetchall()
    assert numbers == [(NOON, "t", "Cel", 21.5, 2, 9, 3), (NOON + 0.5, "t", "Cel", -0.25, 2, 9, 3)]
    assert others == [(NOON + 0.000001, "door", None, True, None), (TIME_MAX, "note", "a\ufffdb", None, None)]
