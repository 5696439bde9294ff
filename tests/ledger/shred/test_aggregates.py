"""What was made of readings goes with them: averages that are kept, compressed chunks, the newest, the excursions.

On PostgreSQL alone these are views; on TimescaleDB, which `TESTED_POSTGRES` may bring, they are tables of their own.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tallystick
from deploy.postgres import Postgres
from ledger.database import connect
from ledger.statement import Statement
from tests.tested import forget_readings, has_aggregates, settle
from tests.world import Device, World, ticking

SECRET, KEPT, OTHERS = 61.78125, 7.5, 8.25
LONG_AGO = (int(time.time()) // 86_400 - 500) * 86_400 + 45_000.0  # half past noon, before what the policies refresh


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "data" / "ledger") as made:
        settle(postgres_dsn)
        yield made


@pytest.fixture
def press(world: World) -> Device:
    return world.register_device("press-1")


def shred(world: World, statement: Statement) -> None:
    """Its readings, while the gateway runs."""
    where = ["--data", str(world.folder.path.parent), "--dsn", world.dsn]
    with ticking(world):
        argv = ["ledger", "shred", *where, "--statement", statement.hash.hex(), "--reason", "asked", "--yes"]
        assert tallystick.run(argv) == 0


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    with connect(world.dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def averages(world: World, name: str) -> list[tuple[Any, ...]]:
    """Average, least, most and number of each bucket, of all series."""
    return rows(world, f"select avg_value, min_value, max_value, n from {name} order by device_id, bucket")


def test_a_reading_of_long_ago_is_nowhere_afterwards(world: World, press: Device, postgres_server: Postgres) -> None:
    """Compressed, and older than what is refreshed by itself: what shared its hour and day stays, by itself."""
    secret = world.publish(press, press.readings(SECRET, time=LONG_AGO))
    world.publish(press, press.readings(KEPT, time=LONG_AGO - 60))
    world.tick()
    with connect(world.dsn, role=None) as connection:
        connection.execute("update metric set hi = 60")
    settle(world.dsn)
    assert [value for (value,) in rows(world, "select value from excursion")] == [SECRET]
    assert averages(world, "reading_1h") == averages(world, "reading_1d") == [((SECRET + KEPT) / 2, KEPT, SECRET, 2)]

    def is_dumped() -> bool:
        argv = [postgres_server.binaries.program("pg_dump"), world.dsn]
        return str(SECRET).encode() in subprocess.run(argv, check=True, capture_output=True).stdout

    assert is_dumped()
    shred(world, secret)
    assert averages(world, "reading_1h") == averages(world, "reading_1d") == [(KEPT, KEPT, KEPT, 1)]
    assert rows(world, "select value from reading") == rows(world, "select value from reading_latest") == [(KEPT,)]
    assert rows(world, "select value from excursion") == []
    assert not is_dumped()


def test_what_is_kept_longer_than_the_readings_goes_too(world: World, press: Device) -> None:
    """Their rows have gone long since, the averages have not: this device's go, and no other's."""
    other = world.register_device("press-2")
    secret = world.publish(press, press.readings(SECRET, time=LONG_AGO))
    world.publish(other, other.readings(OTHERS, time=LONG_AGO))
    world.tick()
    settle(world.dsn)
    forget_readings(world.dsn)
    shred(world, secret)
    left = [(OTHERS, OTHERS, OTHERS, 1)] if has_aggregates(world.dsn) else []
    assert averages(world, "reading_1h") == averages(world, "reading_1d") == left


def test_what_comes_into_the_newest_hour_is_still_seen(world: World, press: Device) -> None:
    """An hour that goes on is not taken for whole: later readings of it are counted."""
    now = float(int(time.time()))
    world.publish(press, press.readings(KEPT, time=now - 7_200))
    secret = world.publish(press, press.readings(SECRET, time=now))
    world.tick()
    settle(world.dsn)
    shred(world, secret)
    world.publish(press, press.readings(OTHERS, time=now))
    world.tick()
    assert sum(row[3] for row in averages(world, "reading_1h")) == 2
    assert sum(row[3] for row in averages(world, "reading_1d")) == 2
