"""Writing rows into the tables, over a real PostgreSQL."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Barrier

from gateway.content import ReadingRow, Rows
from gateway.project import Projection
from ledger.database import connect, migrate

NOON = datetime(2025, 6, 15, 12, tzinfo=UTC)


def rows(device: str, metrics: Sequence[str]) -> Rows:
    """One reading of each metric."""
    return Rows(readings=[ReadingRow(NOON, device, metric, "Cel", 1.0, 2, 1, 0) for metric in metrics])


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
        later.readings += [later.readings[0]._replace(unit="K")]
        Projection(second, str).write(later)
        found = second.execute("select name, unit, count(*) from reading join metric using (metric_id) group by 1, 2")
        assert sorted(found) == [("a", "Cel", 1), ("b", "Cel", 2), ("b", "K", 1), ("c", "Cel", 1)]
