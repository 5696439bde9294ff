"""Which PostgreSQL the tests' shared server is: the embedded one, or one of the tester's own, with TimescaleDB or not.

`TESTED_POSTGRES` names the folder of an installation, with `bin/` in it: /usr/lib/postgresql/15, say. A new server of
it is started; if TimescaleDB is installed there, it is loaded, as every new ledger then finds.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.postgres import Binaries, Postgres
from ledger import postgres_programs
from ledger.database import connect
from ledger.shred import aggregates

FOLDER = os.environ.get("TESTED_POSTGRES")
_WITH_TIMESCALE = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "64",  # each database has one that looks for jobs
    "max_worker_processes": "80",
}


@contextmanager
def programs() -> Iterator[None]:
    """While the block lasts, a new server is of the installation that is named, if one is."""
    with pytest.MonkeyPatch.context() as patch:
        if FOLDER is not None:
            major = postgres_programs.major_of(Path(FOLDER, "bin", "postgres"))
            assert major is not None, f"{FOLDER} holds no bin/postgres that runs"
            patch.setattr("deploy.postgres.installed_binaries", lambda: [Binaries(Path(FOLDER), major)])
            patch.setattr("deploy.postgres.reachable", lambda binaries, user, progress: binaries)
        yield


def settings(postgres: Postgres) -> dict[str, str]:
    """What the server needs to load TimescaleDB, if that is installed."""
    library = next((postgres.binaries.folder / "lib").rglob("timescaledb.so"), None)
    return {} if library is None else _WITH_TIMESCALE


def has_aggregates(dsn: str) -> bool:
    """Whether this ledger's averages by hour and day are TimescaleDB's, kept, and not views of the readings."""
    with connect(dsn, role=None) as connection:
        return bool(aggregates.tables(connection))


def settle(dsn: str) -> None:
    """Do now what TimescaleDB does by and by: make the aggregates, and compress all chunks. No old ones are dropped."""
    if not has_aggregates(dsn):
        return
    _do(dsn, "select remove_retention_policy('tallystick.reading', if_exists => true)")
    for name, bucket in (("reading_1h", "1 hour"), ("reading_1d", "1 day")):
        _do(dsn, f"call refresh_continuous_aggregate('tallystick.{name}', null, now() - interval '{bucket}')")
    _do(dsn, "select compress_chunk(chunk, if_not_compressed => true) from show_chunks('tallystick.reading') chunk")


def forget_readings(dsn: str) -> None:
    """Do now what the retention does: all readings go, and the aggregates that are kept stay."""
    drop = "select drop_chunks('tallystick.reading', older_than => now())"
    _do(dsn, drop if has_aggregates(dsn) else "delete from reading")


def _do(dsn: str, query: str) -> None:
    with connect(dsn, role=None, autocommit=True) as connection:
        connection.execute(query.encode())
